"""What the command `organdose nuclides` prints, and that the documentation shows it as it is."""

from pathlib import Path

import pytest

from organdose import cli
from organdose.nuclear.nuclide_text import COMMON, nuclide_table
from organdose.nuclear.time_text import duration

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "radionuclides.md"


@pytest.fixture
def printed(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main(["nuclides", *arguments])
        caught = capsys.readouterr()
        return stop.value.code, caught.out, caught.err
    return run


def test_the_table_in_the_documentation_is_that_of_the_command(printed):
    status, out, _ = printed()
    assert status == 0 and out.splitlines() == nuclide_table()
    assert out.strip() in DOCUMENT.read_text(encoding="utf-8")


def test_every_nuclide_in_common_use_has_a_row():
    first_cells = [row.split("|")[1].strip() for row in nuclide_table()]
    assert set(COMMON) < set(first_cells) and {"Ac-225 + progeny", "Ra-223 + progeny"} < set(first_cells)


def test_all_names_are_listed(printed):
    _, out, _ = printed("--all")
    assert len(out.split()) == 1252 and "Tc-99m" in out.split()


def test_one_nuclide_is_shown_with_its_progeny(printed):
    status, out, _ = printed("225Ac")
    assert status == 0
    for words in ("Ac-225: half-life 10 d", "1 α to Fr-221", "progeny included", "where Ac-225 decayed"):
        assert words in out


def test_limits_are_told(printed):
    _, out, _ = printed("Cf-252")
    assert "Not supported: neutrons of Cf-252" in out and "Not supported: fission fragments" in out
    assert "Outside the photon transport" in out
    _, out, _ = printed("Cu-64")
    assert "parted between beta- and beta+" in out


@pytest.mark.parametrize(("arguments", "words"), [
    (("Lu-178x",), "no radionuclide"), (("F-19",), "Did you mean F-18"), (("F-18", "--all"), "exclude each other")])
def test_what_cannot_be_shown_is_refused_in_one_line(printed, arguments, words):
    status, out, err = printed(*arguments)
    assert (status, out) == (2, "") and words in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(("seconds", "text"), [
    (6586.2, "109.8 min"), (574300.8, "6.647 d"), (3.7e-6, "0.0037 ms"), (0.0323, "32.3 ms"), (65.0, "65 s"),
    (365.2422 * 86400 * 28.79, "28.79 y")])
def test_durations_have_a_unit_that_fits(seconds, text):
    assert duration(seconds) == text
