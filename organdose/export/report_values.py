"""What the report shows, as text: numbers with sensible digits, organs with their columns and flags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_hex

from organdose.assess.internal_organ_dose import InternalOrganDose
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import colour, title

UNKNOWN = "–"
UNSURE_PERCENT = 5.0  # a mean less certain than this is flagged
_CURVE_WIDTH, _CURVE_HEIGHT, _CURVE_POINTS = 88, 22, 44


@dataclass(frozen=True)
class OrganColumn:
    """A column of the organ table: the `field` of the row, shown with so many `digits`."""

    title: str
    unit: str
    field: str
    digits: int


_MEAN, _UNSURE = OrganColumn("Mean", "mGy", "mean_mgy", 4), OrganColumn("± (k=1)", "%", "uncertainty_percent", 2)
_SD, _MIN, _MAX = (OrganColumn(title, "mGy", f"{title.lower()}_mgy", 3) for title in ("SD", "Min", "Max"))
_PERCENTILES = tuple(OrganColumn(title, "mGy", f"{title.lower()}_mgy", 3) for title in ("D98", "D50", "D2"))
_SIZE = (OrganColumn("Volume", "ml", "volume_ml", 4), OrganColumn("Mass", "g", "mass_g", 4),
         OrganColumn("In image", "%", "in_image_percent", 3))
_COLUMNS = (_MEAN, _UNSURE, _SD, _MIN, *_PERCENTILES, _MAX, *_SIZE)
# Without minimum and maximum, which are in organs.csv: the page is no wider.
_INTERNAL_COLUMNS = (_MEAN, _UNSURE, OrganColumn("Per activity", "mGy/MBq", "mean_mgy_per_mbq", 4),
                     OrganColumn("TIA", "MBq·h", "tia_mbq_h", 4), OrganColumn("TIAC", "h", "tiac_h", 4), _SD,
                     *_PERCENTILES, *_SIZE)


def number(value: float | None, digits: int = 4) -> str:
    """`value` with so many significant digits, never in powers of ten where a physicist would write it out."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}")))))
    return f"{value:.{decimals}f}"


def plain(value: float, digits: int = 4) -> str:
    """Like `number`, without zeros that only fill up: 120, not 120.0."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def count(value: float) -> str:
    """A large number of histories: 250 million, 1.20 billion."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{plain(value / size, 3)} {word}"
    return f"{value:,.0f}"


def duration(seconds: float) -> str:
    """A computing time: 95 s, 4 min 10 s."""
    if seconds < 120:
        return f"{plain(seconds, 2)} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def organ_columns(rows: Sequence[OrganDose]) -> tuple[OrganColumn, ...]:
    """Those of the organ table: rows of internal dose have their activity as well."""
    return _INTERNAL_COLUMNS if rows and isinstance(rows[0], InternalOrganDose) else _COLUMNS


def organ_rows(rows: Sequence[OrganDose], histograms: Sequence[DoseVolumeHistogram]) -> list[dict[str, object]]:
    """Rows of the organ table with the texts, the flags and the drawing of the DVH."""
    curves = {histogram.organ: histogram for histogram in histograms}
    highest_mgy = 1.05 * max((row.d2_mgy for row in rows if _main(row.organ)),
                             default=max((row.d2_mgy for row in rows), default=1.0)) or 1.0
    return [{"row": row, "title": title(row.organ), "colour": to_hex(colour(row.organ)),
             "main": _main(row.organ), "flags": _flags(row),
             "curve": _curve(curves.get(row.organ), highest_mgy)} for row in rows]


def _main(name: str) -> bool:
    return is_main_organ(name) or name in ("body", "remainder")


def _flags(row: OrganDose) -> list[str]:
    flags = []
    if not row.in_image_percent >= 100:
        flags.append("not shown whole")
    if row.uncertainty_percent is not None and row.uncertainty_percent > UNSURE_PERCENT:
        flags.append(f"uncertainty above {UNSURE_PERCENT:g} %")
    return flags


def _curve(histogram: DoseVolumeHistogram | None, highest_mgy: float) -> str:
    """Path of the cumulative DVH in a box of 88 x 22, all organs on one dose axis; empty without a histogram."""
    if histogram is None:
        return ""
    dose_mgy = np.linspace(0, highest_mgy, _CURVE_POINTS)
    percent = np.interp(dose_mgy, histogram.dose_mgy, histogram.volume_percent, right=0.0)
    points = [f"{_CURVE_WIDTH * x / highest_mgy:.1f} {_CURVE_HEIGHT * (1 - y / 100):.1f}"
              for x, y in zip(dose_mgy, percent, strict=True)]
    return f"M0 {_CURVE_HEIGHT} L{' L'.join(points)} L{_CURVE_WIDTH} {_CURVE_HEIGHT} Z"
