"""Lesions among the organs: outlined on PET or SPECT, kept on the CT's voxels as `lesion_1`, `lesion_2` ..."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto, is_axis_aligned
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import mark_drawn
from organdose.errors import InputError
from organdose.segmentation.lesions import Lesion

_HALF = 0.5 - 1e-9


def add_lesions(masks: OrganMasks, lesions: Sequence[Lesion]) -> tuple[str, ...]:
    """Add each lesion to `masks`, on their grid, under the next free number; returns the names.

    A voxel of the CT is lesion where half of it or more is. How the edge was found and what asks for a look become the
    note of the mask. A lesion without such a voxel is not added, and its note says so. Raises `InputError` for an
    oblique image.
    """
    names, number = [], 1
    for lesion in lesions:
        while f"lesion_{number}" in masks.segments or f"lesion_{number}" in masks.notes:
            number += 1
        name = f"lesion_{number}"
        inside, corner = lesion_on_grid(lesion.mask, masks.reference)
        numbers = lesion.numbers
        if inside.any():
            masks.add(name, inside, corner)
            names.append(name)
            facts = (f"{lesion.method}, {numbers.volume_ml:.3g} ml, highest {numbers.maximum:.3g} {numbers.unit}")
            masks.notes[name] = "; ".join((facts, *lesion.warnings))
        else:
            masks.notes[name] = f"a lesion of {numbers.volume_ml:.3g} ml fills half of no voxel of the CT: left out"
    mark_drawn(masks, names=names)
    return tuple(names)


def lesion_on_grid(mask: sitk.Image, reference: sitk.Image) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The voxels of `reference` that `mask` fills to a half or more (bool), in a box, and its corner (z, y, x).

    By the exact overlap of the voxels: the shape is that of the PET's voxels, nothing is smoothed.
    """
    if not (is_axis_aligned(mask) and np.allclose(reference.GetDirection(), np.eye(3).ravel(), atol=1e-4)):
        raise InputError("the lesions or the CT lie oblique", mend="Resample them to the patient's axes.")
    mask = sitk.DICOMOrient(mask, "LPS")
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(sitk.Cast(mask != 0, sitk.sitkUInt8))
    if not shape.HasLabel(1):
        return np.zeros((0, 0, 0), dtype=bool), (0, 0, 0)
    box = shape.GetBoundingBox(1)
    lesion = sitk.RegionOfInterest(mask, box[3:], box[:3])
    start, size = _box_on(lesion, reference)
    if min(size) < 1:
        return np.zeros((0, 0, 0), dtype=bool), (0, 0, 0)
    part = averaged_onto(lesion, sitk.RegionOfInterest(reference, size, start))
    return sitk.GetArrayFromImage(part) >= _HALF, tuple(start[::-1])


def _box_on(lesion: sitk.Image, reference: sitk.Image) -> tuple[list[int], list[int]]:
    """First index and size (x, y, z) of the voxels of `reference` that the box of `lesion` reaches."""
    first = np.array(reference.TransformPhysicalPointToContinuousIndex(
        lesion.TransformContinuousIndexToPhysicalPoint([-0.5] * 3)))
    last = np.array(reference.TransformPhysicalPointToContinuousIndex(
        lesion.TransformContinuousIndexToPhysicalPoint([n - 0.5 for n in lesion.GetSize()])))
    count = np.array(reference.GetSize())
    start = np.clip(np.floor(first + 0.5), 0, count).astype(int)
    stop = np.clip(np.ceil(last + 0.5), 0, count).astype(int)
    return start.tolist(), np.maximum(stop - start, 0).tolist()
