import base64
import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from organdose.errors import InputError
from organdose.export.report import ReportContent, write_report
from organdose.export.report_values import count, number, plain

PICTURE = b"\x89PNG\r\n\x1a\n and some bytes"


class Page(HTMLParser):
    """Text, table rows and addresses of an HTML page."""

    def __init__(self, html: str):
        super().__init__()
        self.text, self.rows, self.addresses, self.classes = "", [], [], []
        self._silent = 0
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.addresses += [given[key] for key in ("src", "href") if key in given]
        self._silent += tag in ("script", "style")
        if tag == "tr":
            self.rows.append([])
            self.classes.append(given.get("class") or "")
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style")
        self.text += " "

    def handle_data(self, data):
        if self._silent:
            return
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = " ".join((self.rows[-1][-1] + " " + data).split())

    def row(self, start: str) -> list[str]:
        return next(row for row in self.rows if row and row[0].startswith(start))


@pytest.fixture
def content(example, tmp_path):
    picture = tmp_path / "dose.png"
    picture.write_bytes(PICTURE)
    return ReportContent(
        title="CT dose of a <box>", acquisition=example.acquisition, masks_origin="RTSTRUCT of the test",
        rows=example.rows, dvhs=example.dvhs, pictures={"Dose over the CT": picture},
        method=["Photons are followed one by one (Schneider et al. 2000)."], limits=["The box is no patient."],
        record={"seed": 7, "command": "organdose ct-dose /data/DOE_JOHN -o /out/DOE_JOHN",
                "inputs": [{"path": "/data/DOE_JOHN/1.dcm", "sha256": "c0ffee"}]},
        engine="monte carlo 0.1",
        engine_facts={"histories": 250_000_000, "dlp_mgy_cm": 204.7,
                      "assumptions": ["Pitch 1, as the scanner has it."]},
        headline={"Computing time": "95 s"}, warnings=["The couch is not modelled."])


@pytest.fixture
def page(content, tmp_path):
    write_report(content, tmp_path / "report.html")
    return Page((tmp_path / "report.html").read_text("utf-8"))


def test_the_report_says_that_it_is_research_software(page):
    assert "Research software – not for clinical decisions" in page.text


def test_it_needs_nothing_from_outside(page):
    assert page.addresses
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert "data:image/png;base64," + base64.b64encode(PICTURE).decode() in page.addresses


def test_headline_numbers_are_those_given(page):
    for expected in ("CTDIvol 8.5 mGy mean, 32 cm phantom", "DLP 204.7 mGy·cm", "Photon histories 250 million",
                     "Computing time 95 s", "Liver 9.38 mGy ± 1.0 %, highest organ dose"):
        assert expected in page.text


def test_every_organ_has_its_row_with_the_numbers_of_the_table(page):
    """Liver: 12 x 14 x 12 voxels of 80 mm3 whose middle lies at z = 1147.5 mm: 2 + 0.05 x 147.5 mGy."""
    cells = page.row("Liver")
    assert float(cells[1]) == pytest.approx(9.375, rel=1e-3)
    assert cells[2] == "1.0"
    assert float(cells[9]) == pytest.approx(12 * 14 * 12 * 0.08, rel=1e-3)  # ml
    titles = {row[0].split(" not ")[0] for row in page.rows}
    assert titles >= {"Left kidney", "Right kidney", "Kidneys", "Sacrum", "left_knob"}


def test_rows_that_need_a_second_look_are_flagged(content, tmp_path):
    body, liver = (next(row for row in content.rows if row.organ == name) for name in ("body", "liver"))
    rows = [replace(body, uncertainty_percent=8.0, in_image_percent=math.nan, note="reaches the first slice"), liver]
    write_report(replace(content, rows=rows), tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    body = page.row("Body")
    assert "not shown whole, uncertainty above 5 %" in body[0] and "reaches the first slice" in body[0]
    assert body[11] == "–"
    assert sum("flagged" in name for name in page.classes) == 1


def test_facts_have_unit_origin_and_note_and_unknown_ones_say_so(page):
    assert page.row("Tube voltage") == ["Tube voltage", "120 kV", "header", ""]
    assert page.row("CTDIvol") == ["CTDIvol", "8.5 mGy (whole scan)", "protocol", "from the console"]
    assert page.row("Tube current")[1] == "100 – 200 – 300 mA (least – mean – greatest of 48 slices)"
    assert page.row("Pitch")[1:3] == ["–", "not stated"]


def test_warnings_assumptions_method_limits_and_record_are_there(page):
    for expected in ("replaces the header's 8.1 mGy", "The couch is not modelled.", "Pitch 1, as the scanner has it.",
                     "Photons are followed one by one", "The box is no patient.", "monte carlo 0.1",
                     "RTSTRUCT of the test", "c0ffee"):
        assert expected in page.text


def test_folders_named_after_a_patient_do_not_appear(page, content, tmp_path):
    assert "DOE" not in (tmp_path / "report.html").read_text("utf-8")


def test_text_is_escaped(page, tmp_path):
    assert "CT dose of a <box>" in page.text
    assert "<box>" not in (tmp_path / "report.html").read_text("utf-8")


def test_a_picture_that_is_not_there_is_refused_and_leaves_no_report(content, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        write_report(replace(content, pictures={"Lost": tmp_path / "lost.png"}), tmp_path / "out" / "report.html")
    assert not (tmp_path / "out").exists()


def test_a_report_without_pictures_engine_or_curves_is_written(content, tmp_path):
    bare = ReportContent(title="Bare", acquisition=content.acquisition, masks_origin="", rows=content.rows)
    write_report(bare, tmp_path / "bare.html")
    assert "origin not stated" in (tmp_path / "bare.html").read_text("utf-8")


@pytest.mark.parametrize(("value", "digits", "text"), [
    (12.3456, 4, "12.35"), (0.0123456, 3, "0.0123"), (1614.86, 4, "1615"), (73000.0, 3, "73000"), (0.0, 4, "0"),
    (None, 4, "–"), (math.nan, 4, "–"), (2.5e-7, 3, "2.50e-07"), (120.0, 4, "120.0"), (9.9996, 3, "10.0")])
def test_numbers_have_their_significant_digits(value, digits, text):
    assert number(value, digits) == text


def test_computing_time_is_the_sum_of_the_stages(content, tmp_path):
    record = {"seconds": {"read": 20.0, "dose": 160.4}}
    write_report(replace(content, record=record, headline={}), tmp_path / "report.html")
    assert "Computing time 3 min 0 s" in Page((tmp_path / "report.html").read_text("utf-8")).text


def test_filling_zeros_go_and_histories_are_words():
    assert (plain(120.0), plain(9.8), plain(0.5), plain(1500.0)) == ("120", "9.8", "0.5", "1500")
    assert (count(2.5e8), count(1.2e9), count(95_000)) == ("250 million", "1.2 billion", "95,000")


def test_the_page_says_who_answers_for_each_mask(content, tmp_path):
    rows = [replace(row, mask="approved by A. <Smith>" if row.organ == "liver" else "") for row in content.rows]
    write_report(replace(content, rows=rows), tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert page.row("Liver")[0].endswith("Mask approved by A. <Smith>")
    assert "Mask" not in page.row("Left kidney")[0]
