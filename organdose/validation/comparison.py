"""One row of a validation: our figure beside the published ones."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError


@dataclass(frozen=True)
class Comparison:
    """`ours` with its standard uncertainty against `expected` (the mean of `references`); tolerance in percent, to
    which three standard uncertainties are added."""

    row: str
    ours: float
    relative_uncertainty: float
    references: dict[str, float]
    expected: float
    tolerance_percent: float

    @property
    def difference_percent(self) -> float:
        return 100 * (self.ours / self.expected - 1)

    @property
    def inside(self) -> bool:
        return abs(self.difference_percent) <= self.tolerance_percent + 300 * self.relative_uncertainty


def write_comparisons(path: Path, rows: Sequence[Comparison]) -> None:
    """row, ours, our uncertainty, each reference, difference, tolerance, inside."""
    names = list(dict.fromkeys(name for row in rows for name in row.references))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "ours", "uncertainty_percent", *names, "expected", "difference_percent",
                         "tolerance_percent", "inside"])
        for row in rows:
            writer.writerow([row.row, f"{row.ours:.6g}", f"{100 * row.relative_uncertainty:.3f}",
                             *(f"{row.references[n]:.6g}" if n in row.references else "" for n in names),
                             f"{row.expected:.6g}", f"{row.difference_percent:.3f}", f"{row.tolerance_percent:g}",
                             row.inside])


def comparison_lines(title: str, rows: Sequence[Comparison]) -> list[str]:
    """The same as text in columns, with a last line that sums it up."""
    names = list(dict.fromkeys(name for row in rows for name in row.references))
    table = [["row", "ours", "+- %", *names, "expected", "diff %", ""]]
    for row in rows:
        table.append([row.row, f"{row.ours:.5g}", f"{100 * row.relative_uncertainty:.2f}",
                      *(f"{row.references[n]:.5g}" if n in row.references else "" for n in names),
                      f"{row.expected:.5g}", f"{row.difference_percent:+.2f}", "" if row.inside else "OUTSIDE"])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [title, *("  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                              zip(line[1:], widths[1:]))]).rstrip() for line in table)]
    return [*lines, f"{title}: {sum(row.inside for row in rows)} of {len(rows)} rows inside their tolerance; "
                    + "; ".join(_mean_differences(rows))]


def _mean_differences(rows: Sequence[Comparison]) -> list[str]:
    """Mean absolute difference of the rows of each tolerance, the narrow ones first."""
    return [f"mean absolute difference {sum(abs(row.difference_percent) for row in those) / len(those):.2f} % "
            f"in {len(those)} rows of {percent:g} % tolerance"
            for percent in sorted({row.tolerance_percent for row in rows})
            if (those := [row for row in rows if row.tolerance_percent == percent])]


def reference_table(name: str) -> dict:
    """A published table (`reference/NAME.json` below $ORGANDOSE_DATA or ../shared). Raises `InputError` without it."""
    path = outside_file("reference", f"{name}.json")
    if path is None:
        raise InputError(f"the published table {name}.json is not here",
                         mend="Set ORGANDOSE_DATA to the folder that holds reference/; the tables do not ship with us.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"the published table is no valid JSON ({error})", where=path,
                         mend="Fetch it again.") from error


def outside_file(*parts: str) -> Path | None:
    """A file or folder of the material that does not ship with us, below $ORGANDOSE_DATA or ../shared; None without."""
    checkout = Path(__file__).resolve().parents[2]
    for root in (os.environ.get("ORGANDOSE_DATA"), checkout.parent / "shared", Path("..") / "shared"):
        if root and (path := Path(root).joinpath(*parts)).exists():
            return path
    return None
