"""The findings of the quality control of masks as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from organdose.anatomy.mask_finding import Finding
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
