"""What registration compares: shares of body, lung, bone and soft tissue in voxels of some millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.segmentation.analytic_body import fill_holes
from organdose.segmentation.atlas_reference import AtlasReference

WORKING_MM = 6.0
BODY, LUNG, BONE, SOFT = range(4)
_FAT_HU, _SOFT_HU = -110.0, 40.0
_PADDING_HU = -1023.0  # what no projection crossed
_PEELED_MM, _ARM_SHARE = 24.0, 0.35


@dataclass(frozen=True)
class TissueMaps:
    """`maps` (float32, (channel, z, y, x)): shares of body, lung, bone and soft tissue, from 0 to 1. `known` (bool,
    (z, y, x)): where the image says something. `grid`: the voxels in space (LPS mm)."""

    maps: np.ndarray
    known: np.ndarray
    grid: sitk.Image


def tissue_maps_of_ct(image: sitk.Image, body: np.ndarray, lungs: np.ndarray, bones: np.ndarray) -> TissueMaps:
    """The maps of a CT (HU, LPS, identity direction) from masks (z, y, x) on its grid; arms apart from the trunk are
    left out."""
    shrink = [max(1, min(round(WORKING_MM / s), n)) for s, n in zip(image.GetSpacing(), image.GetSize())]
    field = sitk.GetArrayViewFromImage(image).max(axis=0) > _PADDING_HU
    known = sitk.GetArrayFromImage(sitk.BinShrink(_image(np.uint8(255) * field, image[:, :, 0]), shrink[:2])) > 200
    hu = sitk.BinShrink(image, shrink)
    shares = [_share(mask, image, shrink) for mask in (body, lungs, bones)]
    return _maps(shares, hu, np.broadcast_to(known, hu.GetSize()[::-1]))


def tissue_maps_of_reference(reference: AtlasReference) -> TissueMaps:
    """The same of a reference patient."""
    shrink = [max(1, round(WORKING_MM / s)) for s in reference.spacing_mm]
    sample = sitk.Image(list(reference.labels.shape[::-1]), sitk.sitkUInt8)
    sample.SetSpacing(reference.spacing_mm)
    sample.SetOrigin(reference.origin_mm)
    body = reference.labels > 0
    for k in range(body.shape[0]):
        body[k] = fill_holes(body[k])
    lungs, bones = (reference.table(labels)[reference.labels] for labels in (reference.lungs, reference.bones))
    hu = sitk.BinShrink(_image(np.rint(reference.hu).astype(np.int16)[reference.labels], sample), shrink)
    return _maps([_share(mask, sample, shrink) for mask in (body, lungs, bones)], hu, np.ones(hu.GetSize()[::-1], bool))


def _maps(shares: list[np.ndarray], hu: sitk.Image, known: np.ndarray) -> TissueMaps:
    trunk = trunk_of(shares[0] > 0.5, hu.GetSpacing())
    near = ndimage.binary_dilation(trunk, ndimage.generate_binary_structure(3, 1)) & ~((shares[0] > 0.5) & ~trunk)
    body, lung, bone = (share * near for share in shares)
    soft = np.clip((sitk.GetArrayFromImage(hu).astype(np.float32) - _FAT_HU) / (_SOFT_HU - _FAT_HU), 0, 1) * body
    grid = sitk.Image(hu.GetSize(), sitk.sitkUInt8)
    grid.CopyInformation(hu)
    return TissueMaps(np.stack([body, lung, bone, soft]), known, grid)


def trunk_of(body: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The body (z, y, x; bool) without arms, in each slice: parts that come off when 24 mm are taken away, unless they
    are the largest, hold the middle line, or are no smaller than legs are beside each other."""
    per_column = body.sum(axis=(0, 1), dtype=np.int64)
    middle = float((per_column * np.arange(body.shape[2])).sum() / max(per_column.sum(), 1))
    cross = ndimage.generate_binary_structure(2, 1)
    trunk = body.copy()
    for k in range(body.shape[0]):
        core = ndimage.binary_erosion(body[k], cross, iterations=max(1, round(_PEELED_MM / max(spacing_mm[:2]))))
        labels, count = ndimage.label(core)
        if count < 2:
            continue
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        largest = int(sizes.argmax())
        across = np.flatnonzero((labels == largest).any(axis=0))
        keep = sizes >= (sizes[largest] if across[0] < middle < across[-1] else _ARM_SHARE * sizes[largest])
        _, (rows, columns) = ndimage.distance_transform_edt(labels == 0, return_indices=True)
        trunk[k] &= keep[labels[rows, columns]]
    return trunk


def _share(mask: np.ndarray, image: sitk.Image, shrink: list[int]) -> np.ndarray:
    whole = _image(np.uint8(255) * mask, image)
    return sitk.GetArrayFromImage(sitk.BinShrink(whole, shrink)).astype(np.float32) / 255


def _image(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    return image
