"""The findings of the quality control of masks as CSV, and back."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.errors import InputError
from organdose.export.whole_file import whole_file

COLUMNS = ("organ", "severity", "kind", "reason", "x_mm", "y_mm", "z_mm")


def write_findings_csv(path: Path | str, findings: Iterable[Finding]) -> None:
    """Write one line a finding, the place in LPS mm; only the header where nothing was found. Raises `InputError`."""
    with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for found in findings:
            place = [f"{coordinate:.1f}" for coordinate in found.place_mm]
            writer.writerow([found.organ, found.severity.value, found.kind.value, found.reason, *place])


def findings_path(masks: Path) -> Path:
    """Where the findings of masks lie: `m.seg.nrrd` -> `m.findings.csv`, so that masks in one folder keep their own."""
    return masks.with_name(masks.name.removesuffix(".seg.nrrd") + ".findings.csv")


def read_findings_csv(path: Path | str) -> tuple[Finding, ...]:
    """The findings of a file that `write_findings_csv` wrote. Raises `InputError` for another file, or none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return tuple(Finding(row["organ"], FindingKind(row["kind"]), row["reason"],
                                 tuple(float(row[axis]) for axis in ("x_mm", "y_mm", "z_mm")),
                                 Severity(row["severity"]))
                         for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"not a readable table of findings ({error})", where=path, mend="Check the masks again.") \
            from error
