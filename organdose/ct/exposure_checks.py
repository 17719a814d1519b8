"""Facts that contradict each other, each as one line that names both values and says which of them is used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from organdose.ct.ctdivol_per_slice import effective_mas, output_per_mas
from organdose.ct.scanner_definition import Scanner
from organdose.study.facts import CTAcquisition, Origin

_AGREEMENT = 0.05  # rounding in headers
_CURRENT_AGREEMENT = 0.15  # CTDIvol per mA within a scan: mA of single slices are rounded, CTDIvol may be smoothed
_CTDI_TOLERANCE = 0.2  # IEC 60601-2-44: displayed CTDIvol may be off by 20 %


def contradictions(facts: CTAcquisition, scanner: Scanner) -> list[str]:
    """Checks of the facts as they are used, whoever stated them (those of tags among each other are in
    `facts.warnings`)."""
    checks = (_exposure(facts), _pitch(facts), _course(facts), _measured(facts, scanner), _unused(facts))
    return [line for line in checks if line]


def _exposure(facts: CTAcquisition) -> str:
    """mA x s / pitch against the effective exposure; the header's own contradiction has been told already."""
    told = facts.exposure_mas
    expected_mas = effective_mas(replace(facts, exposure_mas=None))
    if told is None or told.note or expected_mas is None or facts.scan_kind is None:
        return ""
    if facts.scan_kind.value == "localiser":
        return ""
    ratio = np.asarray(told.value) / expected_mas
    worst = int(np.argmax(np.abs(np.log(ratio))))
    if abs(np.log(ratio[worst])) <= _AGREEMENT or abs(ratio[worst] - 1) * expected_mas.max() < 1:
        return ""
    wrong = np.broadcast_to(expected_mas, ratio.shape)[worst]
    return (f"Exposure {np.broadcast_to(told.value, ratio.shape)[worst]:g} mAs ({told.origin.value}) beside mA x s / "
            f"pitch = {wrong:.4g} mAs: the exposure is used where CTDIvol has to be derived.")


def _pitch(facts: CTAcquisition) -> str:
    if None in (facts.pitch, facts.table_feed_mm, facts.total_collimation_mm, facts.scan_kind):
        return ""
    # A derived feed was made from a pitch that somebody has replaced since, which has been told.
    if facts.scan_kind.value != "helical" or facts.table_feed_mm.origin is Origin.derived:
        return ""
    from_feed = facts.table_feed_mm.value / facts.total_collimation_mm.value
    if abs(from_feed - facts.pitch.value) <= _AGREEMENT * facts.pitch.value:
        return ""
    return (f"Pitch {facts.pitch.value:g} ({facts.pitch.origin.value}) beside table feed / collimation = "
            f"{from_feed:.3f} ({facts.table_feed_mm.origin.value}): the pitch is used.")


def _course(facts: CTAcquisition) -> str:
    """CTDIvol of each slice against its tube current."""
    if facts.ctdivol_mgy is None or facts.tube_current_ma is None or len(facts.ctdivol_mgy.value) == 1:
        return ""
    per_ma = np.asarray(facts.ctdivol_mgy.value) / np.asarray(facts.tube_current_ma.value)
    if per_ma.max() <= (1 + _CURRENT_AGREEMENT) * per_ma.min():
        return ""
    return (f"CTDIvol per mA goes from {per_ma.min():.3g} to {per_ma.max():.3g} mGy/mA between slices of one scan: the "
            "CTDIvol of each slice is used, not its current.")


def _measured(facts: CTAcquisition, scanner: Scanner) -> str:
    """The header's CTDIvol against that from mAs and the scanner's output."""
    if facts.ctdivol_mgy is None or facts.scan_kind is None or facts.scan_kind.value != "helical":
        return ""
    output, mas = output_per_mas(facts, scanner), effective_mas(facts)
    if output is None or mas is None:
        return ""
    told_mgy, derived_mgy = float(np.mean(facts.ctdivol_mgy.value)), float(np.mean(mas) * output.mgy_per_mas)
    if abs(told_mgy / derived_mgy - 1) <= _CTDI_TOLERANCE:
        return ""
    return (f"CTDIvol {told_mgy:.3g} mGy ({facts.ctdivol_mgy.origin.value}) beside {derived_mgy:.3g} mGy from "
            f"{output.source}: the former is used.")


def _unused(facts: CTAcquisition) -> str:
    """Facts that belong to another kind of scan."""
    kind = facts.scan_kind.value if facts.scan_kind is not None else ""
    if kind == "localiser" and facts.angular_current is not None:
        return "A localiser is taken at one angle: the output by angle is not used."
    if kind in ("axial", "cone_beam") and facts.pitch is not None and facts.pitch.value > 0:
        return f"Pitch {facts.pitch.value:g} beside a scan kind of {kind}: the pitch is not used."
    return ""
