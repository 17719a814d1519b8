"""The acquisition table of the report: what the tube did, or what was given and when, each with where it is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from organdose.export.report_values import UNKNOWN, plain
from organdose.study.ct_fact_sheet import TITLES
from organdose.study.facts import CTAcquisition, Fact
from organdose.study.moments import shown_moment
from organdose.study.nuclear_facts import NuclearAcquisition

_CT = {  # field of CTAcquisition: (title, unit)
    "manufacturer": ("Manufacturer", ""), "model": ("Model", ""), "scan_kind": ("Kind of scan", ""),
    "tube_voltage_kv": ("Tube voltage", "kV"), "tube_current_ma": ("Tube current", "mA"),
    "exposure_mas": ("Effective exposure", "mAs"), "rotation_time_s": ("Rotation time", "s"),
    "pitch": ("Pitch", ""), "total_collimation_mm": ("Total collimation", "mm"),
    "ctdivol_mgy": ("CTDIvol", "mGy"), "ctdi_phantom_cm": ("CTDI phantom", "cm"),
    "focus_isocentre_mm": ("Focus to isocentre", "mm"), "isocentre_mm": ("Isocentre (x, y)", "mm"),
}
_NUCLEAR = {
    "radionuclide": ("Radionuclide", ""), "radiopharmaceutical": ("Radiopharmaceutical", ""),
    "half_life_s": ("Half-life", "s"), "injected_activity_bq": ("Activity given", "MBq"),
    "injected_at": ("Given at", ""), "residual_bq": ("Residual activity", "MBq"), "units": ("Unit of the image", ""),
    "decay_correction": ("Decay corrected to", ""), "scan_start_at": ("Scan start", ""),
    "duration_s": ("Frame duration", "s"), "attenuation_corrected": ("Attenuation corrected", ""),
}
_NUCLEAR_WHERE_KNOWN = {
    "scan_start_s": ("Scan start after administration", "s"), "reference_at": ("Decay correction refers to", ""),
    "residual_at": ("Residual measured at", ""), "patient_mass_kg": ("Patient mass", "kg"),
    "patient_height_m": ("Patient height", "m"), "patient_sex": ("Patient sex", ""), "suv_type": ("SUV type", ""),
    "calibration_bq_ml_per_count": ("Calibration factor", "Bq/ml per count"),
    "sensitivity_cps_per_mbq": ("Sensitivity", "counts/s per MBq"),
}
_LISTED = {"isocentre_mm", "scan_range_mm"}  # two coordinates, not values of slices
_TIMES = (("d", 86400.0), ("h", 3600.0), ("min", 60.0))


def fact_rows(acquisition: CTAcquisition | NuclearAcquisition) -> list[dict[str, str]]:
    """Rows of the acquisition table: of the facts every scan has, even where nobody stated them, and of any other."""
    always, others = (_CT, TITLES) if isinstance(acquisition, CTAcquisition) else (_NUCLEAR, _NUCLEAR_WHERE_KNOWN)
    rows, known = [], acquisition.known()
    for name, (shown, unit) in _with_others(always, others, known).items():
        fact = known.get(name)
        rows.append({"title": shown, "value": UNKNOWN if fact is None else _fact_text(name, fact, unit),
                     "origin": "not stated" if fact is None else fact.origin.value,
                     "note": "" if fact is None else fact.note})
    return rows


def _with_others(always: Mapping[str, tuple[str, str]], others: Mapping[str, tuple[str, str]],
                 known: Mapping[str, Fact]) -> dict[str, tuple[str, str]]:
    return dict(always) | {name: others[name] for name in known if name not in always}


def _fact_text(name: str, fact: Fact, unit: str) -> str:
    value = fact.value
    if isinstance(value, datetime):
        return shown_moment(value)
    if isinstance(value, str):
        return value
    if name in _LISTED:
        return f"{', '.join(plain(v) for v in value)} {unit}"
    if name.endswith("_bq"):
        return f"{plain(value / 1e6)} {unit}"
    if not isinstance(value, Sequence):
        return f"{plain(value)} {unit}".strip() + (_in_larger_unit(value) if unit == "s" else "")
    if len(value) == 1 or min(value) == max(value):
        return f"{plain(value[0])} {unit} (whole scan)"
    low, mean, high = min(value), float(np.mean(value)), max(value)
    each = "gantry angles" if name == "angular_current" else "slices"
    return (f"{plain(low)} – {plain(mean)} – {plain(high)} {unit} "
            f"(least – mean – greatest of {len(value)} {each})")


def _in_larger_unit(seconds: float) -> str:
    """' (109.8 min)' beside 6586 s."""
    return next((f" ({plain(seconds / length)} {unit})" for unit, length in _TIMES if seconds >= 2 * length), "")
