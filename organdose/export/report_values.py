"""What the report shows, as text: numbers with sensible digits, facts with their origin, organs with their flags."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_hex

from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import colour, title
from organdose.study.ct_fact_sheet import TITLES
from organdose.study.facts import CTAcquisition, Fact

UNKNOWN = "–"
UNSURE_PERCENT = 5.0  # a mean less certain than this is flagged
_FACTS = {  # field of CTAcquisition: (title, unit)
    "manufacturer": ("Manufacturer", ""), "model": ("Model", ""), "scan_kind": ("Kind of scan", ""),
    "tube_voltage_kv": ("Tube voltage", "kV"), "tube_current_ma": ("Tube current", "mA"),
    "exposure_mas": ("Effective exposure", "mAs"), "rotation_time_s": ("Rotation time", "s"),
    "pitch": ("Pitch", ""), "total_collimation_mm": ("Total collimation", "mm"),
    "ctdivol_mgy": ("CTDIvol", "mGy"), "ctdi_phantom_cm": ("CTDI phantom", "cm"),
    "focus_isocentre_mm": ("Focus to isocentre", "mm"), "isocentre_mm": ("Isocentre (x, y)", "mm"),
}
_LISTED = {"isocentre_mm", "scan_range_mm"}  # two coordinates, not values of slices
_CURVE_WIDTH, _CURVE_HEIGHT, _CURVE_POINTS = 88, 22, 44


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


def fact_rows(acquisition: CTAcquisition) -> list[dict[str, str]]:
    """Rows of the acquisition table: of the facts every scan has, even where nobody stated them, and of any other."""
    rows, known = [], acquisition.known()
    others = {name: TITLES[name] for name in known if name not in _FACTS}
    for name, (shown, unit) in (_FACTS | others).items():
        fact = known.get(name)
        rows.append({"title": shown, "value": UNKNOWN if fact is None else _fact_text(name, fact, unit),
                     "origin": "not stated" if fact is None else fact.origin.value,
                     "note": "" if fact is None else fact.note})
    return rows


def _fact_text(name: str, fact: Fact, unit: str) -> str:
    value = fact.value
    if isinstance(value, str):
        return value
    if name in _LISTED:
        return f"{', '.join(plain(v) for v in value)} {unit}"
    if not isinstance(value, Sequence):
        return f"{plain(value)} {unit}".strip()
    if len(value) == 1 or min(value) == max(value):
        return f"{plain(value[0])} {unit} (whole scan)"
    low, mean, high = min(value), float(np.mean(value)), max(value)
    each = "gantry angles" if name == "angular_current" else "slices"
    return (f"{plain(low)} – {plain(mean)} – {plain(high)} {unit} "
            f"(least – mean – greatest of {len(value)} {each})")


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
