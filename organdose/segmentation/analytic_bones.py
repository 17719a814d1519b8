"""Bones from HU alone."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.progress import Progress
from organdose.segmentation.analytic_body import array_on, coarse_image, part_sizes

_SMALLEST_BONE_ML = 0.3
_SMOOTHING_MM = 0.75
_DENSE_SHARE = 0.025  # of a bone's voxels above the high threshold; contrast-filled organs and vessels stay below
_MARROW_MM = 2.0  # voxels on which marrow is looked for
_CORTEX_GAP_MM = 4.0  # gaps in the cortex up to twice this wide are bridged
_LARGEST_SECTION_CM2 = 25.0  # of a bone: vertebral bodies, hips, femoral heads; rings around organs are larger
_CANAL_LENGTH_MM, _CANAL_HU = 60.0, (0.0, 60.0)  # the spinal canal is long and neither fat nor spongiosa


def bone_mask(image: sitk.Image, body: np.ndarray, low_hu: float, high_hu: float, progress: Progress) -> np.ndarray:
    """Boolean array (z, y, x): connected parts above `low_hu` of which enough lies above `high_hu`, and their marrow.

    HU cannot tell bone from other dense things: calcifications, stones, metal, teeth and strong contrast agent are in
    it when they are as dense, and vessels with contrast that touch bone may be drawn in.
    """
    progress.report("bones", 0.0)
    # Against noise where voxels are small; where they are large thin cortex would fade.
    sigma = [_SMOOTHING_MM / spacing_mm for spacing_mm in reversed(image.GetSpacing())]
    hu = ndimage.gaussian_filter(sitk.GetArrayViewFromImage(image), sigma, output=np.float32, radius=1)
    progress.report("bones", 0.3)
    # Parts joined by faces, so that vessels with contrast stay apart from the bone they touch ...
    labels, count = ndimage.label((hu > low_hu) & body)
    keep = part_sizes(labels, count, hu > high_hu) >= np.maximum(1, _DENSE_SHARE * part_sizes(labels, count))
    keep[0] = False
    # ... but thin cortex joined by corners is one bone when it comes to size.
    labels, count = ndimage.label(keep[labels], np.ones((3, 3, 3)))
    keep = part_sizes(labels, count) * float(np.prod(image.GetSpacing())) / 1000 >= _SMALLEST_BONE_ML
    keep[0] = False
    hard = keep[labels]
    progress.report("bones", 0.6)
    return hard | (_enclosed(hard, image, progress) & (hu > -200) & body) if hard.any() else hard


def _enclosed(hard: np.ndarray, image: sitk.Image, progress: Progress) -> np.ndarray:
    """Marrow: what hard bone encloses in any section of the size of a bone, without the spinal canal."""
    coarse = coarse_image(image, _MARROW_MM)
    cortex = array_on(coarse, hard, image)
    spacing_mm = np.array(coarse.GetSpacing()[::-1])
    margin = [max(1, round(_CORTEX_GAP_MM / length_mm)) for length_mm in spacing_mm]
    ball = _ball(margin)
    padded = np.pad(cortex, [(m, m) for m in margin])
    closed = ndimage.binary_closing(padded, ball)[tuple(slice(m, -m) for m in margin)]
    progress.report("bones", 0.8)
    marrow = closed & ~cortex
    for axis in range(3):
        pixel_cm2 = float(np.prod(np.delete(spacing_mm, axis))) / 100
        marrow |= _small_holes(closed, axis, _LARGEST_SECTION_CM2 / pixel_cm2)
    marrow &= ~_canal(marrow & ~cortex, coarse)
    return array_on(image, marrow, coarse)


def _small_holes(mask: np.ndarray, axis: int, most_pixels: float) -> np.ndarray:
    """The holes of each section across `axis` that have at most so many pixels."""
    found = np.zeros_like(mask)
    for section, holes in zip(np.moveaxis(mask, axis, 0), np.moveaxis(found, axis, 0)):
        if section.any():
            labels, count = ndimage.label(np.pad(~section, 1, constant_values=True))
            sizes = np.bincount(labels.ravel(), minlength=count + 1)
            small = sizes <= most_pixels
            small[[0, labels[0, 0]]] = False
            holes[:] = small[labels][1:-1, 1:-1]
    return found


def _canal(marrow: np.ndarray, coarse: sitk.Image) -> np.ndarray:
    """Parts of the marrow that are the spinal canal: long from feet to head, with the HU of cord and liquor."""
    hu = sitk.GetArrayViewFromImage(coarse)
    low, high = _CANAL_HU
    labels, count = ndimage.label(ndimage.binary_opening(marrow & (hu > low) & (hu < high)))
    lengths_mm = np.array([0.0, *((box[0].stop - box[0].start) * coarse.GetSpacing()[2]
                                  for box in ndimage.find_objects(labels))])
    return ndimage.binary_dilation((lengths_mm > _CANAL_LENGTH_MM)[labels]) & marrow if count else labels > 0


def _ball(radius: list[int]) -> np.ndarray:
    axes = np.ogrid[tuple(slice(-r, r + 1) for r in radius)]
    return sum((axis / r) ** 2 for axis, r in zip(axes, radius)) <= 1.0
