"""The validation suites by name."""

import json

import pytest

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.validation import suites
from organdose.validation.comparison import Comparison


def row(ours):
    return Comparison(f"row {ours}", ours, 0.0, {"code": 100.0}, 100.0, 1.0)


@pytest.fixture
def asked(monkeypatch):
    """Two suites of known rows; returns what they were asked."""
    calls = []

    def suite(name, rows):
        def run(histories, progress):
            calls.append((name, histories))
            if progress is not None:
                progress.report(name, 0.5)
            return rows
        return run
    monkeypatch.setattr(suites, "SUITES", {"good": suite("good", [row(100.0), row(100.9)]),
                                           "bad": suite("bad", [row(100.0), row(150.0), row(20.0)])})
    return calls


def test_one_suite_writes_its_table_and_the_record(asked, tmp_path):
    assert suites.run_suites("good", tmp_path / "v", histories=5000) == 0
    assert asked == [("good", 5000)]
    assert {path.name for path in (tmp_path / "v").iterdir()} == {"good.csv", "run.json"}
    record = json.loads((tmp_path / "v" / "run.json").read_text())
    assert record["task"] == "validate" and record["job"] == {"suite": "good", "histories": 5000}
    assert record["facts"] == {"rows_outside_tolerance": 0} and "good" in record["seconds"]


def test_all_runs_every_suite_and_counts_the_rows_outside(asked, tmp_path):
    assert suites.run_suites("all", tmp_path / "v") == 2
    assert asked == [("good", None), ("bad", None)]
    assert (tmp_path / "v" / "bad.csv").read_text().count("False") == 2


def test_an_unknown_suite_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(InputError, match=r"unknown validation suite 'TG195'\. Suites: tg195, ctdi, .*all"):
        suites.run_suites("TG195", tmp_path / "v")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("histories", [0, -1, 999])
def test_too_few_photons_are_refused_before_anything_runs(asked, tmp_path, histories):
    with pytest.raises(InputError, match=f"--histories {histories} are too few"):
        suites.run_suites("good", tmp_path / "v", histories=histories)
    assert asked == []


def test_a_missing_published_table_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.validation.comparison.__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.setenv("ORGANDOSE_DATA", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"tg195\.json is not here"):
        suites.run_suites("tg195", tmp_path / "v")
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing(asked, tmp_path):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        suites.run_suites("all", tmp_path / "v", progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_the_tables_are_shown_after_the_runs(asked, tmp_path):
    shown = []
    suites.run_suites("all", tmp_path / "v", show=shown.append)
    assert shown[0] == "good" and "good: 2 of 2 rows inside their tolerance" in "\n".join(shown)
    assert sum("OUTSIDE" in line for line in shown) == 2
