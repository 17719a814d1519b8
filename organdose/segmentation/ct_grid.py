"""Label images brought onto the voxels of the CT: turned to its axes, never resampled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.study.ct_study import CTStudy

# How far, in voxels, a corner of the mask may lie from a voxel of the CT: headers in float32 and DICOM decimal strings
# round, masks on another grid are off by far more somewhere.
_TOLERANCE_VOXELS = 0.1

_OTHER_GRID = "Resample the masks to this CT, or give the CT they were drawn on."


def labels_on_ct(image: sitk.Image, study: CTStudy, where: Path | str) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The voxels of a label image (one component) that lie on the CT, and the CT index (z, y, x) of the first.

    The image may be turned or mirrored against the CT (RAS NIfTI) and may cover a part of it or more than it, as long
    as its voxels are the CT's voxels. Raises `InputError` when they are not, and when labels lie outside the CT.
    """
    if not np.allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-6):
        image = sitk.DICOMOrient(image, "LPS")
    start, stop = _index_range(image, study.image, where)
    labels = sitk.GetArrayFromImage(image)
    inside_start = np.maximum(start, 0)
    inside_stop = np.minimum(stop, study.image.GetSize()[::-1])
    inside = tuple(slice(a, max(a, b)) for a, b in zip(inside_start - start, inside_stop - start))
    if labels[inside].shape == labels.shape:  # the usual case: nothing to look for outside
        return labels, tuple(int(index) for index in inside_start)
    outside_count = np.count_nonzero(labels) - np.count_nonzero(labels[inside])
    if outside_count:
        raise InputError(f"{outside_count} voxels of the masks lie outside the CT", where=where,
                         mend="Give the whole CT they were drawn on.")
    if min(labels[inside].shape) == 0:
        raise InputError("the masks lie outside the CT", where=where, mend="Give the CT they were drawn on.")
    return labels[inside], tuple(int(index) for index in inside_start)


def _index_range(image: sitk.Image, ct: sitk.Image, where: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """CT index (z, y, x) of the first voxel of `image`, and one past its last. Raises when the grids differ."""
    size = np.array(image.GetSize())
    first = np.array(ct.TransformPhysicalPointToContinuousIndex(image.GetOrigin()))
    corners = [tuple(int(n) for n in (size - 1) * choice) for choice in np.ndindex(2, 2, 2)]
    for corner in corners:
        point_mm = image.TransformIndexToPhysicalPoint(corner)
        expected = np.round(first) + corner
        if np.abs(np.array(ct.TransformPhysicalPointToContinuousIndex(point_mm)) - expected).max() > _TOLERANCE_VOXELS:
            raise InputError(f"masks on another grid: {_grid(image)}; the CT has {_grid(ct)}", where=where,
                             mend=_OTHER_GRID)
    start = np.round(first).astype(int)
    return start[::-1], (start + size)[::-1]


def _grid(image: sitk.Image) -> str:
    size = " x ".join(map(str, image.GetSize()))
    spacing_mm = " x ".join(f"{length:.4g}" for length in image.GetSpacing())
    origin_mm = ", ".join(f"{place:.1f}" for place in image.GetOrigin())
    return f"{size} voxels of {spacing_mm} mm from ({origin_mm}) mm"
