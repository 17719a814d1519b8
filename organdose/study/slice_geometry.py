"""Slices put in order, and every reason why they would not make a regular axial volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.errors import InputError
from organdose.study.ct_slices import CTSlice
from organdose.study.header_values import number, text

# Half a millimetre over a 300 mm wide body: what rounding in headers explains, and no gantry was tilted so little.
_ANGLE_TOLERANCE_DEG = 0.1
# A tenth of the spacing is rounding, more is another spacing. Thin slices whose positions are written with one decimal
# differ by a whole 0.1 mm.
_SPACING_TOLERANCE = 0.1
_ONE_DECIMAL_MM = 0.11
_SAME_POSITION_MM = 0.01
_SIDEWAYS_TOLERANCE_MM = 0.1


@dataclass(frozen=True)
class SliceStack:
    """Slices on a regular grid, in increasing order along the normal of the image plane.

    `origin_mm` (x, y, z) LPS, `spacing_mm` (column, row, slice), `direction` (3, 3): its columns are the directions of
    row, column and slice, each of them an axis of the patient.
    """

    slices: tuple[CTSlice, ...]
    origin_mm: np.ndarray
    spacing_mm: np.ndarray
    direction: np.ndarray

    @property
    def is_head_first(self) -> bool:
        """Whether the first slice is the one nearest the head."""
        return self.direction[2, 2] < 0


def stack_slices(slices: Sequence[CTSlice], where: Path) -> SliceStack:
    """Order the slices along their normal (ImagePositionPatient, PS3.3 C.7.6.2.1.1).

    Raises `InputError` unless they are at least two axial slices of one matrix, orientation and pixel size, evenly
    spaced, each position once, without gantry tilt.
    """
    if len(slices) < 2:
        raise InputError("there is only one CT slice, a volume needs at least two", where=where,
                         mend="Give the folder that holds all slices of the series.")
    orientation, spacing_mm = _common_plane(slices, where)
    positions_mm = np.array([each.position_mm for each in slices])
    normal = np.cross(*orientation)
    order = np.argsort(positions_mm @ normal, kind="stable")
    slices, positions_mm = tuple(slices[index] for index in order), positions_mm[order]
    _check_each_position_once(positions_mm, normal, where)
    _check_tilt(slices, positions_mm, normal, where)
    _check_axial(orientation, normal, where)
    slice_spacing_mm = _even_spacing_mm(positions_mm, normal, where)
    _check_no_sideways_shift(positions_mm, where)
    # Within the tolerance of the angle the axes are the patient's: the image has them exactly.
    direction = np.rint(np.column_stack([orientation[0], orientation[1], normal]))
    return SliceStack(slices, positions_mm[0], np.array([spacing_mm[1], spacing_mm[0], slice_spacing_mm]), direction)


def _common_plane(slices: Sequence[CTSlice], where: Path) -> tuple[np.ndarray, np.ndarray]:
    """Orientation and pixel spacing that all slices share."""
    first = slices[0]
    orientation, spacing_mm = first.orientation, first.pixel_spacing_mm
    frames = {text(each.header, "FrameOfReferenceUID") for each in slices} - {""}
    if len(frames) > 1:
        raise _mixed(f"{len(frames)} different frames of reference", where)
    for each in slices:
        if each.matrix != first.matrix:
            rows, columns = each.matrix
            raise _mixed(f"matrices of {first.matrix[1]} x {first.matrix[0]} and {columns} x {rows} pixels", where)
        if not np.allclose(each.orientation, orientation, atol=math.radians(_ANGLE_TOLERANCE_DEG)):
            raise _mixed("slices of different orientations", where)
        if not np.allclose(each.pixel_spacing_mm, spacing_mm, rtol=1e-3):
            raise _mixed(f"pixels of {spacing_mm[1]:g} and {each.pixel_spacing_mm[1]:g} mm", where)
    lengths = np.linalg.norm(orientation, axis=1)
    if not np.allclose(lengths, 1, atol=1e-2) or abs(orientation[0] @ orientation[1]) > 1e-2:
        raise InputError("the directions of row and column are no right-angled unit vectors", where=first.file,
                         mend="Export the series again.")
    return orientation / lengths[:, None], spacing_mm


def _mixed(what: str, where: Path) -> InputError:
    return InputError(f"the series mixes {what}", where=where,
                      mend="Keep the slices of one reconstruction and export it again.")


def _check_each_position_once(positions_mm: np.ndarray, normal: np.ndarray, where: Path) -> None:
    same = np.flatnonzero(np.diff(positions_mm @ normal) < _SAME_POSITION_MM)
    if same.size:
        z_mm = positions_mm[same[0], 2]
        more = f" and {same.size - 1} more pairs elsewhere" if same.size > 1 else ""
        raise InputError(f"two slices lie at the same position z = {z_mm:g} mm{more}", where=where,
                         mend="Keep one copy of the series, or one phase of it.")


def _check_tilt(slices: Sequence[CTSlice], positions_mm: np.ndarray, normal: np.ndarray, where: Path) -> None:
    """Tilt shows in the tag, and as slices stacked along another direction than their normal."""
    told_deg = max((number(each.header, "GantryDetectorTilt") or 0.0 for each in slices), key=abs)
    along = positions_mm[-1] - positions_mm[0]
    seen_deg = _angle_deg(along / np.linalg.norm(along), normal)
    tilt_deg = told_deg if abs(told_deg) > _ANGLE_TOLERANCE_DEG else seen_deg
    if abs(tilt_deg) > _ANGLE_TOLERANCE_DEG:
        raise InputError(f"the gantry was tilted by {tilt_deg:.1f} degrees, so the slices do not make a rectangular "
                         "volume", where=where, mend="Use a series without tilt, or one resampled to axial slices.")


def _angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    # From the sine: the cosine of a tenth of a degree drowns in the rounding of decimal strings.
    return math.degrees(math.asin(min(1.0, float(np.linalg.norm(np.cross(a, b))))))


def _check_axial(orientation: np.ndarray, normal: np.ndarray, where: Path) -> None:
    off_axis_deg = max(_angle_deg(each, np.rint(each)) if np.rint(each).any() else 90.0
                       for each in (normal, *orientation))
    along = int(np.argmax(np.abs(normal)))
    if along == 2 and off_axis_deg <= _ANGLE_TOLERANCE_DEG:
        return
    plane = ("sagittal", "coronal")[along] if off_axis_deg <= _ANGLE_TOLERANCE_DEG else "oblique"
    raise InputError(f"the slices are {plane}, not axial", where=where,
                     mend="Use the axial reconstruction of the scan.")


def _even_spacing_mm(positions_mm: np.ndarray, normal: np.ndarray, where: Path) -> float:
    """Distance of the slices in mm. Raises `InputError` naming the gap when one is missing or the spacing changes."""
    along_mm = positions_mm @ normal
    steps_mm = np.diff(along_mm)
    usual_mm = float(np.sort(steps_mm)[(steps_mm.size - 1) // 2])
    tolerance_mm = max(_SPACING_TOLERANCE * usual_mm, min(_ONE_DECIMAL_MM, 0.4 * usual_mm))
    if (np.abs(steps_mm - usual_mm) > tolerance_mm).any():
        raise _uneven(positions_mm[:, 2], steps_mm, usual_mm, tolerance_mm, where)
    mean_mm = float((along_mm[-1] - along_mm[0]) / steps_mm.size)
    drift_mm = float(np.abs(along_mm - along_mm[0] - mean_mm * np.arange(along_mm.size)).max())
    if drift_mm > 2 * tolerance_mm:
        raise InputError(f"the slice spacing changes along the series, from {steps_mm.min():.4g} to "
                         f"{steps_mm.max():.4g} mm", where=where, mend="Reconstruct the scan with one slice spacing.")
    # Positions in decimal strings carry rounding noise far below a micrometre; the grid need not.
    return round(mean_mm, 6)


def _uneven(z_mm: np.ndarray, steps_mm: np.ndarray, usual_mm: float, tolerance_mm: float, where: Path) -> InputError:
    uneven = np.flatnonzero(np.abs(steps_mm - usual_mm) > tolerance_mm)
    first = int(uneven[0])
    low_mm, high_mm = sorted((float(z_mm[first]), float(z_mm[first + 1])))
    gap = f"between z = {low_mm:g} and z = {high_mm:g} mm"
    lacking = np.rint(steps_mm[uneven] / usual_mm) - 1
    whole_steps = np.abs(steps_mm[uneven] - usual_mm * (1 + lacking)) <= tolerance_mm * (1 + lacking)
    if whole_steps.all() and (lacking >= 1).all():
        count = int(lacking[0])
        more = f", and {int(lacking[1:].sum())} more further on" if lacking.size > 1 else ""
        return InputError(f"{count} slice{'s are' if count > 1 else ' is'} missing {gap}{more} (the others are "
                          f"{usual_mm:g} mm apart)", where=where, mend="Export the series again, complete.")
    return InputError(f"the slices are unevenly spaced: {usual_mm:g} mm apart, but {steps_mm[first]:g} mm {gap}",
                      where=where, mend="Reconstruct the scan with one slice spacing, or export it again, complete.")


def _check_no_sideways_shift(positions_mm: np.ndarray, where: Path) -> None:
    shift_mm = np.ptp(positions_mm[:, :2], axis=0).max()
    if shift_mm > _SIDEWAYS_TOLERANCE_MM + math.tan(math.radians(_ANGLE_TOLERANCE_DEG)) * np.ptp(positions_mm[:, 2]):
        raise _mixed(f"slices that are shifted sideways by {shift_mm:.3g} mm", where)
