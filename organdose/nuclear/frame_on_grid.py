"""One frame on another grid: averaged over exact overlaps where it stays, interpolated where it is moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto, grid_of, is_axis_aligned
from organdose.errors import InputError
from organdose.study.activity_study import ActivityFrame
from organdose.study.frame_likeness import displacement_field, jacobian_determinant
from organdose.study.frame_registration import Registration

_MOST_PARTS = 4


@dataclass(frozen=True)
class FrameOnGrid:
    """`image`: Bq/ml (float32) on the grid. `covered`: part of each voxel (z, y, x) within the frame's field of view.
    `on_target_bq`: activity on the grid; `brought_bq`: activity that the part of the frame had which came there."""

    image: sitk.Image
    covered: np.ndarray
    on_target_bq: float
    brought_bq: float


def frame_on_grid(frame: ActivityFrame, target: sitk.Image, registration: Registration | None = None, *,
                  keep_total: bool = False, name: str = "the frame") -> FrameOnGrid:
    """Place a frame on the grid of `target` with the transform of `registration`, or where it is.

    With `keep_total` a rigidly moved frame is scaled to the activity that came onto the grid. Raises `InputError`
    where they have no voxel in common.
    """
    moved = registration is not None and registration.method != "none"
    straight = is_axis_aligned(frame.image) and is_axis_aligned(target)
    transform = registration.transform if moved else sitk.Transform()
    place = _interpolated if moved or not straight else _overlapped
    activity, covered = place(sitk.Cast(frame.image, sitk.sitkFloat32), target, transform), place(
        sitk.Cast(grid_of(frame.image, 1), sitk.sitkFloat32), target, transform)
    part = sitk.GetArrayFromImage(covered)
    if not part.any():
        raise InputError(f"{name} has no voxel in common with the grid",
                         mend="Check that they are of one patient and position, or register the frames.")
    voxel_ml = float(np.prod(target.GetSpacing())) / 1000.0
    on_target_bq = float(sitk.GetArrayViewFromImage(activity).sum(dtype=np.float64)) * voxel_ml
    if moved and registration.method == "deformable":
        brought_bq = _bent_bq(activity, transform, voxel_ml)
    else:
        brought_bq = _brought_bq(frame, target, transform, straight and not moved)
    if keep_total and moved and registration.method == "rigid" and on_target_bq > 0 and brought_bq > 0:
        activity, on_target_bq = activity * (brought_bq / on_target_bq), brought_bq
    return FrameOnGrid(sitk.Cast(activity, sitk.sitkFloat32), part, on_target_bq, brought_bq)


def _overlapped(image: sitk.Image, target: sitk.Image, _transform: sitk.Transform) -> sitk.Image:
    return averaged_onto(image, target)


def _interpolated(image: sitk.Image, target: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    """Linear interpolation at several points of each voxel, no farther apart than the image's voxels, and their mean:
    a single point in a large voxel would miss what lies beside it."""
    parts = [int(np.clip(np.ceil(mm / min(image.GetSpacing()) - 0.01), 1, _MOST_PARTS)) for mm in target.GetSpacing()]
    spacing = [mm / n for mm, n in zip(target.GetSpacing(), parts)]
    first = target.TransformContinuousIndexToPhysicalPoint([0.5 / n - 0.5 for n in parts])
    size = [count * n for count, n in zip(target.GetSize(), parts)]
    fine = sitk.Resample(image, size, transform, sitk.sitkLinear, first, spacing, target.GetDirection(), 0.0,
                         sitk.sitkFloat32)
    mean = sitk.BinShrink(fine, parts)
    mean.CopyInformation(target)
    return mean


def _brought_bq(frame: ActivityFrame, target: sitk.Image, transform: sitk.Transform, straight: bool) -> float:
    """Activity of the frame's voxels, as far as they come to lie on the target."""
    everywhere = sitk.Cast(grid_of(target, 1), sitk.sitkFloat32)
    place = _overlapped if straight else _interpolated
    part = place(everywhere, frame.image, transform if straight else transform.GetInverse())
    values = sitk.GetArrayViewFromImage(frame.image).astype(np.float64)
    return float((values * sitk.GetArrayViewFromImage(part)).sum()) * frame.voxel_ml


def _bent_bq(activity: sitk.Image, transform: sitk.Transform, voxel_ml: float) -> float:
    """Activity that the tissue had which was bent onto the target: concentration there times its own volume."""
    jacobian = jacobian_determinant(displacement_field(transform, activity))
    values = sitk.GetArrayViewFromImage(activity).astype(np.float64)
    return float((values * jacobian).sum()) * voxel_ml
