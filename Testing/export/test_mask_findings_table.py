"""Findings as CSV and back."""

import pytest

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.errors import InputError
from organdose.export.mask_findings_table import findings_path, read_findings_csv, write_findings_csv

FOUND = (Finding("liver", FindingKind.HOLES, '3 holes, "large", 2 ml', (1.0, -20.5, 300.1), Severity.BAD),
         Finding("spleen", FindingKind.HOUNSFIELD, "mean of 4 HU", (0.0, 0.0, 0.0), Severity.NOTE))


def test_what_is_written_is_read_back(tmp_path):
    path = findings_path(tmp_path / "m.seg.nrrd")
    write_findings_csv(path, FOUND)
    assert path.name == "m.findings.csv" and read_findings_csv(path) == FOUND


def test_nothing_found_is_nothing_read(tmp_path):
    write_findings_csv(tmp_path / "none.csv", ())
    assert read_findings_csv(tmp_path / "none.csv") == ()


@pytest.mark.parametrize("text", [None, "organ,dice\nliver,0.9\n",
                                  "organ,severity,kind,reason,x_mm,y_mm,z_mm\nliver,terrible,holes,x,0,0,0\n"])
def test_another_file_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "other.csv").write_text(text)
    with pytest.raises(InputError, match="not a readable table of findings"):
        read_findings_csv(tmp_path / "other.csv")
