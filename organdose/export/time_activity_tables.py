"""time_integrated_activity.csv and time_activity.csv: organs with their TIAC, and the curves they come from."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from organdose.errors import InputError
from organdose.export.tables import read_lines

TIAC_COLUMNS = ("organ", "tiac_h", "uncertainty_percent", "integral_mbq_h", "model", "recovery", "flags", "note")
CURVE_COLUMNS = ("organ", "kind", "time_h", "activity_mbq", "uncertainty_mbq")


class Curve(Protocol):
    """What the tables need of an organ: `nuclear.time_activity.TimeActivityCurve` has it (a room not known here)."""

    organ: str
    times_s: np.ndarray
    activity_bq: np.ndarray
    uncertainty_bq: np.ndarray
    curve_s: np.ndarray
    curve_bq: np.ndarray
    integral_bq_s: float
    integral_uncertainty_bq_s: float
    tiac_h: float
    model: str
    flags: int
    recovery: float
    note: str


def write_tiac_csv(path: Path, curves: Iterable[Curve]) -> None:
    """Write one line an organ: time-integrated activity coefficient (h), its uncertainty (%), integral (MBq h), model,
    recovery coefficient, flags (bits, explained in `note`). An empty cell is a number nobody knows."""
    _write(path, TIAC_COLUMNS, ([curve.organ, _digits(curve.tiac_h), _digits(_percent(curve)),
                                 _digits(curve.integral_bq_s / 3.6e9), curve.model, _digits(curve.recovery),
                                 curve.flags, curve.note] for curve in curves))


def write_time_activity_csv(path: Path, curves: Iterable[Curve]) -> None:
    """Write the points of all organs and the curves through them: kind is 'measured' or 'curve'; hours since
    administration, MBq as they were at those times (not corrected for decay)."""
    _write(path, CURVE_COLUMNS, (line for curve in curves for line in _lines(curve)))


def read_tiac_csv(path: Path) -> list[dict[str, str | float]]:
    """The lines by column, numbers as such and NaN where nobody knows. Raises `InputError`."""
    return [{column: line[column] if column in ("organ", "model", "note") else _number(line[column], path, number)
             for column in TIAC_COLUMNS} for number, line in read_lines(path, TIAC_COLUMNS)]


def read_time_activity_csv(path: Path) -> dict[tuple[str, str], np.ndarray]:
    """Times (h), activities and uncertainties (MBq), a (3, n) array by organ and kind. Raises `InputError`."""
    found: dict[tuple[str, str], list[list[float]]] = {}
    for number, line in read_lines(path, CURVE_COLUMNS):
        point = [_number(line[column], path, number) for column in CURVE_COLUMNS[2:]]
        found.setdefault((line["organ"], line["kind"]), []).append(point)
    return {key: np.array(points).T for key, points in found.items()}


def _number(cell: str | None, path: Path, number: int) -> float:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        raise InputError(f"line {number}: {cell!r} is no number", where=path) from None


def _lines(curve: Curve) -> Iterable[list[str]]:
    for time_s, activity, uncertainty in zip(curve.times_s, curve.activity_bq, curve.uncertainty_bq, strict=True):
        yield [curve.organ, "measured", _digits(time_s / 3600), _digits(activity / 1e6), _digits(uncertainty / 1e6)]
    for time_s, activity in zip(curve.curve_s, curve.curve_bq, strict=True):
        yield [curve.organ, "curve", _digits(time_s / 3600), _digits(activity / 1e6), ""]


def _percent(curve: Curve) -> float:
    return 100 * curve.integral_uncertainty_bq_s / curve.integral_bq_s if curve.integral_bq_s > 0 else math.nan


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(lines)


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.5g}"
