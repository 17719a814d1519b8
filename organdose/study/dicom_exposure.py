"""Effective mAs out of headers whose makers mean different things by Exposure and ExposureTime.

Exposure is 'calculated from exposure time and tube current' (PS3.3 C.8.15.3.8). Some scanners write the mAs of one
rotation, others the effective mAs (divided by the pitch). ExposureTime of a helical scan shall be rotation time / pitch
there; single-frame headers also hold the rotation time, or the time of the whole scan.
"""

from __future__ import annotations

import numpy as np

from organdose.study.dicom_motion import AGREEMENT
from organdose.study.facts import Fact, Origin
from organdose.study.header_slices import HeaderSlices, collapsed

_ROUNDING_MAS = 1.0
_ROUNDING_S = 2e-3
_EXPOSURE_TIME = (("ExposureTime", 1e-3), ("ExposureTimeInuS", 1e-6))


def effective_exposure(slices: HeaderSlices, current_ma: Fact | None, rotation_time_s: Fact | None,
                       pitch: Fact | None) -> Fact[tuple[float, ...]] | None:
    """Effective mAs (mA x s / pitch): from Exposure where it is given, else from current, rotation time and pitch.

    An Exposure that is mA x s of one rotation is divided by the pitch. One that is neither is kept, with a warning.
    """
    told_mas = slices.each(("Exposure", 1.0), ("ExposureInuAs", 1e-3))
    turning = current_ma is not None and rotation_time_s is not None and pitch is not None
    per_rotation_mas = np.array(current_ma.value) * rotation_time_s.value if turning else None
    effective_mas = per_rotation_mas / (pitch.value or 1.0) if turning else None
    if told_mas is None:
        return None if effective_mas is None else Fact(
            collapsed(effective_mas), Origin.derived, "tube current x rotation time / pitch")
    note = ""
    if effective_mas is not None:
        note = _contradiction(told_mas, {"mA x rotation time / pitch": effective_mas})
        if note and not _contradiction(told_mas, {"mA x rotation time": per_rotation_mas}):
            return Fact(collapsed(told_mas / pitch.value), Origin.derived,
                        f"Exposure is mA x rotation time: divided by the pitch of {pitch.value:g}")
    elif current_ma is not None:
        note = _compared_with_exposure_time(slices, told_mas, np.array(current_ma.value), pitch)
    if note:
        slices.warn(f"Exposure contradicts the rest of the header: {note}; the value of Exposure is kept")
    return Fact(collapsed(told_mas), Origin.header, note)


def check_exposure_time(slices: HeaderSlices, kind: str | None, rotation_time_s: Fact | None,
                        pitch: Fact | None) -> None:
    """Warn of an ExposureTime that is neither the rotation time, nor that over the pitch, nor longer (a whole scan)."""
    time_s = slices.each(*_EXPOSURE_TIME)
    if time_s is None or rotation_time_s is None or kind == "localiser":
        return
    turning_s = rotation_time_s.value
    fitting_s = {turning_s, turning_s / pitch.value} if pitch is not None and pitch.value > 0 else {turning_s}
    fits = np.any([np.abs(time_s - s) <= _ROUNDING_S + AGREEMENT * s for s in fitting_s], axis=0)
    odd = ~fits & (time_s < max(fitting_s))
    if odd.any():
        shortest_s = float(time_s[odd].min())
        meant = ("not the rotation time, nor that over the pitch" if len(fitting_s) > 1
                 else "not the rotation time; the tube may have been on for a part of the rotation")
        slices.warn(f"ExposureTime {1000 * shortest_s:g} ms beside a rotation time of {1000 * turning_s:g} ms is "
                    f"{meant}: the rotation time is used")


def _compared_with_exposure_time(slices: HeaderSlices, told_mas: np.ndarray, current_ma: np.ndarray,
                                 pitch: Fact | None) -> str:
    """Philips writes the time a point is in the beam as ExposureTime, Siemens the time of a rotation: both may fit."""
    time_s = slices.each(*_EXPOSURE_TIME)
    if time_s is None:
        return ""
    expected = {"mA x exposure time": current_ma * time_s}
    if pitch is not None and pitch.value > 0:
        expected["mA x exposure time / pitch"] = current_ma * time_s / pitch.value
    return _contradiction(told_mas, expected)


def _contradiction(told_mas: np.ndarray, expected_mas: dict[str, np.ndarray]) -> str:
    """'' when one of the expectations holds in every slice; else the worst slice of the first, in words."""
    for expected in expected_mas.values():
        if (np.abs(told_mas - expected) <= _ROUNDING_MAS + AGREEMENT * expected).all():
            return ""
    name, expected = next(iter(expected_mas.items()))
    expected = np.broadcast_to(expected, told_mas.shape)
    off = np.abs(told_mas - expected) > _ROUNDING_MAS + AGREEMENT * expected
    worst = int(np.argmax(np.abs(np.log(told_mas / expected))))
    return (f"{told_mas[worst]:g} mAs where {name} gives {expected[worst]:.4g} mAs "
            f"({int(off.sum())} of {told_mas.size} slices)")
