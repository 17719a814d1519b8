"""The body without the couch, from HU alone."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.errors import InputError
from organdose.progress import Progress

_COARSE_MM = 3.0  # voxels for shape decisions; the outline itself is found on the voxels of the CT
_SKIN_HU = -300  # between fat (-120) and air (-1000) with the partial volume of the skin's edge
_PLATE_MM = 10.0  # what is thinner than this in a slice is couch, clothing or tubes
_SMALLEST_BODY_ML = 100.0
_SMALLEST_LIMB = 0.01  # of the largest part
_BONE_HU, _LEAST_BONE = 200, 0.01  # a limb holds at least this share of voxels that dense
_HOLLOW_GAIN = 2.0  # filling before opening may multiply the volume by this before the body counts as hollow


def body_mask(image: sitk.Image, progress: Progress) -> np.ndarray:
    """Boolean array (z, y, x) of the body with everything enclosed by it (lungs, bowel gas), couch left out.

    Threshold, opening in each slice that removes plates thinner than 10 mm, largest part and other large parts (arms),
    then the outline on the CT's own voxels with holes filled slice by slice. Couch that lies within about 4 mm of the
    skin stays. Raises `InputError` when there is no body.
    """
    progress.report("body", 0.0)
    coarse = _coarse_body(image)
    progress.report("body", 0.4)
    dilated = sitk.BinaryDilate(coarse, _radius(coarse, _COARSE_MM, in_slice=True))
    near = array_on(image, sitk.GetArrayFromImage(dilated).astype(bool), coarse)
    progress.report("body", 0.5)
    body = near & (sitk.GetArrayViewFromImage(image) > _SKIN_HU)
    _fill_slices(body, near, progress)
    return body


def coarse_image(image: sitk.Image, voxel_mm: float = _COARSE_MM) -> sitk.Image:
    """Block means in float32 with voxels near `voxel_mm` (never smaller than those of the image)."""
    shrink = [max(1, min(math.ceil(voxel_mm / spacing_mm - 0.01), size))
              for spacing_mm, size in zip(image.GetSpacing(), image.GetSize())]
    return sitk.Cast(sitk.BinShrink(image, shrink) if max(shrink) > 1 else image, sitk.sitkFloat32)


def _coarse_body(image: sitk.Image) -> sitk.Image:
    coarse = coarse_image(image)
    tissue = coarse > _SKIN_HU
    body = _main_parts(_opened(tissue), coarse)
    body = _filled_slices(sitk.BinaryMorphologicalClosing(body, _radius(body, _PLATE_MM / 2, in_slice=True)))
    # Thin shells around air (a hollow head phantom) do not survive opening. A couch is such a shell too, but it adds
    # little to a body.
    hollow = _filled_slices(_main_parts(tissue, coarse, within_largest=True))
    if _volume_ml(hollow) > _HOLLOW_GAIN * _volume_ml(body):
        body = hollow
    if _volume_ml(body) < _SMALLEST_BODY_ML:
        raise InputError("no body found in the CT: hardly anything is denser than -300 HU",
                         mend="Check that the image is a CT in Hounsfield units.")
    return body


def _opened(mask: sitk.Image) -> sitk.Image:
    return sitk.BinaryMorphologicalOpening(mask, _radius(mask, _PLATE_MM / 2, in_slice=True))


def _main_parts(mask: sitk.Image, hu: sitk.Image, *, within_largest: bool = False) -> sitk.Image:
    """The largest connected part, and other large ones with bone in them (arms beside the trunk; couch has none).

    With `within_largest` those inside the largest one's width and depth instead (inserts of a phantom, no head rest).
    """
    labels, count = ndimage.label(sitk.GetArrayFromImage(mask))
    sizes = part_sizes(labels, count)
    sizes[0] = 0
    keep = np.zeros(count + 1, dtype=np.uint8)
    if count:
        largest = int(np.argmax(sizes))
        keep[largest] = 1
        boxes = ndimage.find_objects(labels)
        dense = part_sizes(labels, count, sitk.GetArrayViewFromImage(hu) > _BONE_HU)
        for part in np.flatnonzero(sizes >= _SMALLEST_LIMB * sizes[largest]):
            inside = _inside(boxes[part - 1], boxes[largest - 1])
            keep[part] = keep[part] or (inside if within_largest else dense[part] >= _LEAST_BONE * sizes[part])
    image = sitk.GetImageFromArray(keep[labels])
    image.CopyInformation(mask)
    return image


def _inside(box: tuple[slice, ...], outer: tuple[slice, ...]) -> bool:
    """Whether a bounding box (z, y, x) lies within another in y and x."""
    return all(o.start <= b.start and b.stop <= o.stop for b, o in zip(box[1:], outer[1:]))


def _filled_slices(mask: sitk.Image) -> sitk.Image:
    filled = sitk.GetArrayFromImage(mask).astype(bool)
    for k in range(filled.shape[0]):
        filled[k] = fill_holes(filled[k])
    image = sitk.GetImageFromArray(filled.astype(np.uint8))
    image.CopyInformation(mask)
    return image


def _fill_slices(body: np.ndarray, near: np.ndarray, progress: Progress) -> None:
    """Fill, in place, what each slice of the body encloses; `near` bounds the work to the body's surroundings."""
    for k in range(body.shape[0]):
        if k % 20 == 0:
            progress.report("body", 0.5 + 0.5 * k / body.shape[0])
        rows, columns = np.flatnonzero(near[k].any(axis=1)), np.flatnonzero(near[k].any(axis=0))
        if rows.size:
            box = np.s_[k, rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
            body[box] = fill_holes(body[box])


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """A 2D mask with its holes filled: all but the background that reaches the edge of the image."""
    background, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    return background[1:-1, 1:-1] != background[0, 0]


def part_sizes(labels: np.ndarray, count: int, where: np.ndarray | None = None) -> np.ndarray:
    """Voxels of each label 0..count (z, y, x), of those in `where` if given; slice by slice, as bincount copies."""
    sizes = np.zeros(count + 1, dtype=np.int64)
    for k in range(labels.shape[0]):
        of_slice = labels[k].ravel() if where is None else labels[k][where[k]]
        sizes += np.bincount(of_slice, minlength=count + 1)
    return sizes


def array_on(target: sitk.Image, mask: np.ndarray, source: sitk.Image) -> np.ndarray:
    """A mask (z, y, x) on the grid of `source` as a mask on the grid of `target`: nearest voxel, False outside."""
    found = mask
    for axis in range(3):  # both grids have the axes of the patient, so each axis is looked up by itself
        image_axis = 2 - axis
        places_mm = target.GetOrigin()[image_axis] + target.GetSpacing()[image_axis] * np.arange(
            target.GetSize()[image_axis])
        indices = np.rint((places_mm - source.GetOrigin()[image_axis]) / source.GetSpacing()[image_axis]).astype(int)
        outside = (indices < 0) | (indices >= mask.shape[axis])
        found = np.take(found, np.where(outside, 0, indices), axis=axis)
        if outside.any():
            np.moveaxis(found, axis, 0)[outside] = False
    return found


def _radius(image: sitk.Image, radius_mm: float, *, in_slice: bool = False) -> list[int]:
    radius = [max(1, round(radius_mm / spacing_mm)) for spacing_mm in image.GetSpacing()]
    return [*radius[:2], 0] if in_slice else radius


def _volume_ml(mask: sitk.Image) -> float:
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()) / 1000)
