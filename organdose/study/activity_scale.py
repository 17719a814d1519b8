"""From stored pixel values to Bq/ml: what the header says a value is, and the factor that its unit needs.

Sources of a value, the first that speaks: Units with Rescale Slope (PS3.3 C.8.9.1, C.8.9.4), Real World Value Mapping
(C.7.6.16.2.11, units of PS3.16 CID 84 and 85), the scale factors of Philips' conformance statements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from organdose.errors import InputError, MissingFacts
from organdose.study.ct_slices import CTSlice
from organdose.study.decay_correction import decay_factor
from organdose.study.header_values import number, text
from organdose.study.nuclear_facts import EXPLANATIONS, NuclearAcquisition
from organdose.study.suv import NEEDED, bq_per_ml_of_suv, suv_normalisation

PHILIPS_CREATOR, PHILIPS_GROUP, PHILIPS_SUV, PHILIPS_ACTIVITY = "Philips PET Private Group", 0x7053, 0x00, 0x09
_WHOLE_UNITS = ("BQML", "GML", "CM2ML")
# UCUM codes of Measurement Units Code Sequence: our unit, SUV type, and factor to it.
_UCUM = {"Bq/ml": ("BQML", "", 1.0), "kBq/ml": ("BQML", "", 1e3), "MBq/ml": ("BQML", "", 1e6),
         "g/ml{SUVbw}": ("GML", "BW", 1.0), "g/ml{SUVlbm}": ("GML", "LBM", 1.0),
         "g/ml{SUVlbm(James128)}": ("GML", "LBMJAMES128", 1.0), "g/ml{SUVlbm(Janma)}": ("GML", "LBMJANMA", 1.0),
         "g/ml{SUVibw}": ("GML", "IBW", 1.0), "cm2/ml{SUVbsa}": ("CM2ML", "BSA", 1.0)}


@dataclass(frozen=True)
class StoredScale:
    """Value = slope * stored + intercept in `units` for each slice; '' where the header does not say the unit."""

    units: str
    suv_type: str
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    source: str


def stored_scale(slices: Sequence[CTSlice]) -> StoredScale:
    """What the headers say of the values. Raises `InputError` for slices of different units or unusable slopes."""
    each = [_slice_scale(one) for one in slices]
    kinds = {(scale[0], scale[1], scale[4]) for scale in each}
    if len(kinds) > 1:
        raise InputError(f"the slices have different units: {', '.join(sorted(kind[0] or 'none' for kind in kinds))}",
                         where=slices[0].file.parent, mend="Keep the slices of one reconstruction.")
    units, suv_type, source = kinds.pop()
    return StoredScale(units, suv_type, tuple(scale[2] for scale in each), tuple(scale[3] for scale in each), source)


def _slice_scale(one: CTSlice) -> tuple[str, str, float, float, str]:
    units, header = text(one.header, "Units").upper(), one.header
    if units in _WHOLE_UNITS:
        return (units, text(header, "SUVType").upper(), *_rescale(one, required=True), "Units")
    mapped = _mapped(one)
    if mapped is not None:
        return mapped
    slope, intercept = _rescale(one, required=False)
    if units == "CNTS":
        for element, unit, suv_type in ((PHILIPS_ACTIVITY, "BQML", ""), (PHILIPS_SUV, "GML", "BW")):
            factor = _philips(one.source.header, element)
            if factor:
                source = f"Philips' scale factor (7053,10{element:02x})"
                return unit, suv_type, slope * factor, intercept * factor, source
    return units if units in ("CNTS", "CPS") else "", "", slope, intercept, "Units" if units else ""


def _rescale(one: CTSlice, *, required: bool) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where an NM image has none."""
    slope, intercept = number(one.header, "RescaleSlope"), number(one.header, "RescaleIntercept")
    if slope is None and not required:
        return 1.0, intercept or 0.0
    if slope is None or slope <= 0:
        raise InputError("the header has no usable Rescale Slope", where=one.file, mend="Export the series again.")
    return slope, intercept or 0.0


def _mapped(one: CTSlice) -> tuple[str, str, float, float, str] | None:
    """The linear mapping in a unit that we know; the first of several."""
    items = one.header.get("RealWorldValueMappingSequence") or one.source.header.get(
        "RealWorldValueMappingSequence") or []
    for item in items:
        codes = item.get("MeasurementUnitsCodeSequence") or [Dataset()]
        # Older writers put the annotation first: '{SUVbw}g/ml'.
        code = re.sub(r"^(\{.*\})(.+)$", r"\2\1", text(codes[0], "CodeValue").replace("mL", "ml"))
        slope = number(item, "RealWorldValueSlope")
        if code in _UCUM and slope is not None and slope > 0:
            unit, suv_type, factor = _UCUM[code]
            intercept = number(item, "RealWorldValueIntercept") or 0.0
            return unit, suv_type, slope * factor, intercept * factor, f"Real World Value Mapping ({code})"
    return None


def _philips(header: Dataset, element: int) -> float | None:
    try:
        value = header.private_block(PHILIPS_GROUP, PHILIPS_CREATOR)[element].value
        return float(value) if value else None
    except (KeyError, TypeError, ValueError):
        return None


def bq_per_ml_factor(known: NuclearAcquisition, stated: NuclearAcquisition, *, elapsed_s: float | None,
                     voxel_ml: float, where: object) -> tuple[float, tuple[str, ...]]:
    """Bq/ml for a value of 1 in the image's unit, and how that was reached.

    `stated` is what the header itself says: an SUV is turned back with the activity, mass and times that the scanner
    divided by, whoever corrected them since. `elapsed_s` is the time from administration to the frame's reference.
    Raises `MissingFacts` for what the unit needs.
    """
    known.require("units", where=where)
    units = known.units.value
    if units == "BQML":
        return 1.0, ()
    if units == "BQ":
        return 1 / voxel_ml, (f"Bq in a voxel divided by its volume of {voxel_ml:.6g} ml",)
    if units in ("GML", "CM2ML"):
        return _suv_factor(known, stated, elapsed_s, where)
    return _count_factor(known, voxel_ml, where)


def _suv_factor(known: NuclearAcquisition, stated: NuclearAcquisition, elapsed_s: float | None,
                where: object) -> tuple[float, tuple[str, ...]]:
    kind = known.value("suv_type") or ("BSA" if known.units.value == "CM2ML" else "BW")
    if (kind == "BSA") != (known.units.value == "CM2ML"):
        raise InputError(f"the unit {known.units.value} does not fit an SUV of type {kind}", where=where,
                         mend="BSA is in cm2/ml (CM2ML), all others are in g/ml (GML).")
    needed = ["injected_activity_bq", *NEEDED[kind]] + ([] if elapsed_s == 0 else ["half_life_s"])
    facts = {name: stated.value(name) if stated.value(name) is not None else known.value(name) for name in needed}
    missing = {name: EXPLANATIONS[name] for name in needed if facts[name] is None}
    if elapsed_s is None:
        missing |= known.missing("decay_correction", "injected_at", "scan_start_at")
    if missing:
        raise MissingFacts(missing, where=where)
    size = suv_normalisation(kind, mass_kg=facts.get("patient_mass_kg"), height_m=facts.get("patient_height_m"),
                             sex=facts.get("patient_sex"))
    left = 1.0 if elapsed_s == 0 else decay_factor(elapsed_s, facts["half_life_s"])
    activity_bq = facts["injected_activity_bq"] * left
    unit = "cm2" if kind == "BSA" else "g"
    lines = [f"SUV of type {kind} turned to Bq/ml with {activity_bq:.6g} Bq (administered, decayed by {elapsed_s:g} s) "
             f"in {size:.6g} {unit}"]
    lines += [f"the SUV is turned back with {name} of the header ({_value(stated, name)}), which the scanner divided "
              f"by, not with {_value(known, name)}" for name in needed
              if stated.value(name) is not None and stated.value(name) != known.value(name)]
    if known.suv_type is None:
        lines.append(f"the header does not name the SUV's type: taken as {kind} (PS3.3 C.8.9.1)")
    return bq_per_ml_of_suv(activity_bq, size), tuple(lines)


def _value(facts: NuclearAcquisition, name: str) -> str:
    value = facts.value(name)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _count_factor(known: NuclearAcquisition, voxel_ml: float, where: object) -> tuple[float, tuple[str, ...]]:
    calibration, sensitivity = known.value("calibration_bq_ml_per_count"), known.value("sensitivity_cps_per_mbq")
    if calibration is not None:
        return calibration, (f"counts turned to Bq/ml with the calibration factor {calibration:g}",)
    if sensitivity is None:
        raise MissingFacts(known.missing("calibration_bq_ml_per_count", "sensitivity_cps_per_mbq"), where=where)
    if known.units.value == "CPS":
        return 1e6 / (sensitivity * voxel_ml), (f"counts/s turned to Bq/ml with {sensitivity:g} counts/s for each MBq",)
    known.require("duration_s", where=where)
    duration_s = known.duration_s.value
    line = f"counts of {duration_s:g} s turned to Bq/ml with {sensitivity:g} counts/s for each MBq"
    return 1e6 / (sensitivity * duration_s * voxel_ml), (line,)
