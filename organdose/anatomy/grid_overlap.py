"""An image averaged onto another grid by the exact overlap of the voxels: what it holds in all is kept."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix

# Cosines off an axis by more than this are an oblique grid: boxes that cannot be overlapped one axis at a time.
_COSINE_TOLERANCE = 1e-4


def is_axis_aligned(image: sitk.Image) -> bool:
    """Whether the voxels stand along the patient's axes, in whatever order and sense."""
    cosines = np.abs(np.array(image.GetDirection()))
    return bool(np.all(np.minimum(cosines, np.abs(1 - cosines)) < _COSINE_TOLERANCE))


def averaged_onto(image: sitk.Image, target: sitk.Image) -> sitk.Image:
    """Mean of `image` in each voxel of the grid of `target` (float64); what lies beyond `image` counts as zero.

    The integral of `image` over the part that both grids cover is kept. Both grids must be axis-aligned
    (`is_axis_aligned`); flipped and swapped axes are turned first.
    """
    turned, onto = sitk.DICOMOrient(image, "LPS"), sitk.DICOMOrient(grid_of(target), "LPS")
    values = sitk.GetArrayFromImage(turned).astype(np.float64)
    for axis in range(3):  # array axes z, y, x
        shares = _shares(turned, onto, 2 - axis)
        values = np.moveaxis(values, axis, 0)
        shape = values.shape
        values = (shares @ values.reshape(shape[0], -1)).reshape(-1, *shape[1:])
        values = np.moveaxis(values, 0, axis)
    averaged = sitk.GetImageFromArray(np.ascontiguousarray(values))
    averaged.CopyInformation(onto)
    order = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(target.GetDirection())
    averaged = sitk.DICOMOrient(averaged, order)
    averaged.CopyInformation(target)  # turning there and back rounds the origin
    return averaged


def grid_of(image: sitk.Image, fill: int = 0) -> sitk.Image:
    """An image (uint8) of the geometry of `image` alone, every value `fill`."""
    grid = sitk.Image(image.GetSize(), sitk.sitkUInt8) + fill
    grid.CopyInformation(image)
    return grid


def _shares(image: sitk.Image, onto: sitk.Image, axis: int):
    """Part of each voxel of `onto` (rows) that each of `image` (columns) fills, along x (0), y (1) or z (2)."""
    edges_mm = [axis_edges_mm(each.GetOrigin()[axis], each.GetSpacing()[axis], each.GetSize()[axis])
                for each in (image, onto)]
    return overlap_matrix(*edges_mm) / onto.GetSpacing()[axis]
