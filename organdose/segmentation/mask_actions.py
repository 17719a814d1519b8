"""What can be mended in the mask of one organ at a press of a button: pieces, holes, rough surfaces.

Each takes and gives a boolean array (z, y, x); what was lost or gained is told in words with volumes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.errors import InputError

_ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)
LEAST_RADIUS_MM, MOST_RADIUS_MM = 0.5, 30.0


@dataclass(frozen=True)
class MaskChange:
    """The mask after an action (`mask`, of the shape it was given), and one line that says what changed."""

    mask: np.ndarray
    line: str


def largest_component(mask: np.ndarray, voxel_ml: float) -> MaskChange:
    """Only the largest part; voxels hang together that share a corner. Raises `InputError` for an empty mask."""
    _check_filled(mask)
    labels, number = ndimage.label(mask, _ALL_NEIGHBOURS)
    if number == 1:
        return MaskChange(mask, "it is in one piece, nothing to remove")
    voxels = np.bincount(labels.ravel())
    voxels[0] = 0
    kept = labels == int(voxels.argmax())
    lost = int(voxels.sum() - voxels.max())
    pieces = "1 piece" if number == 2 else f"{number - 1} pieces"
    return MaskChange(kept, f"{pieces} of {_ml(lost * voxel_ml)} removed")


def fill_holes(mask: np.ndarray, voxel_ml: float) -> MaskChange:
    """Background that the mask encloses becomes part of it; what is open to the outside through a face is no hole.

    Raises `InputError` for an empty mask.
    """
    _check_filled(mask)
    labels, number = ndimage.label(np.pad(~mask, 1, constant_values=True))
    if number == 1:
        return MaskChange(mask, "no holes, nothing to fill")
    holes = ((labels != 0) & (labels != labels[0, 0, 0]))[1:-1, 1:-1, 1:-1]
    what = "1 hole" if number == 2 else f"{number - 1} holes"
    return MaskChange(mask | holes, f"{what} of {_ml(np.count_nonzero(holes) * voxel_ml)} filled")


def margin_voxels(radius_mm: float, spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """How many voxels (z, y, x) around a mask `smoothed_by_median` and `closed` may reach.

    Raises `InputError` for a radius outside 0.5 to 30 mm.
    """
    if not LEAST_RADIUS_MM <= radius_mm <= MOST_RADIUS_MM:
        raise InputError(f"a radius of {radius_mm:g} mm",
                         mend=f"Give {LEAST_RADIUS_MM:g} to {MOST_RADIUS_MM:g} mm.")
    return tuple(math.ceil(radius_mm / step) for step in spacing_mm)


def smoothed_by_median(mask: np.ndarray, spacing_mm: tuple[float, float, float], radius_mm: float) -> MaskChange:
    """Each voxel as most voxels are in the box of `radius_mm` around it: bumps and gaps thinner than that go.

    Beyond the array the mask goes on as its outermost voxels are, so that an organ cut by the image keeps its end:
    give it with a margin of `margin_voxels` where the image goes on. Raises `InputError` where nothing would be left,
    for an empty mask, and where the radius is less than a voxel in every direction.
    """
    _check_filled(mask)
    radii = [int(radius_mm / step + 1e-6) for step in spacing_mm]
    if not any(radii):
        raise InputError(f"{radius_mm:g} mm is less than a voxel of this image",
                         mend=f"Give at least {min(spacing_mm):.2g} mm.")
    margin_voxels(radius_mm, spacing_mm)
    share = mask.astype(np.float32)
    for axis, radius in enumerate(radii):
        share = ndimage.uniform_filter1d(share, 2 * radius + 1, axis, mode="nearest") if radius else share
    return _reshaped(mask, share > 0.5, spacing_mm, "smoothed")


def closed(mask: np.ndarray, spacing_mm: tuple[float, float, float], radius_mm: float) -> MaskChange:
    """Grown and shrunk again by a ball of `radius_mm`: gaps that the ball does not enter close.

    Margin, end of the image and errors as `smoothed_by_median`.
    """
    _check_filled(mask)
    margin = margin_voxels(radius_mm, spacing_mm)
    if radius_mm < min(spacing_mm):
        raise InputError(f"{radius_mm:g} mm is less than a voxel of this image",
                         mend=f"Give at least {min(spacing_mm):.2g} mm.")
    padded = np.pad(mask, [(size, size) for size in margin], mode="edge")
    grown = padded | (_distance_mm(padded, spacing_mm) <= radius_mm + 1e-4)
    if grown.all():
        raise InputError(f"closing by {radius_mm:g} mm would fill the whole box of the organ",
                         mend="Give a smaller radius.")
    kept = _distance_mm(~grown, spacing_mm) > radius_mm + 1e-4
    inside = tuple(slice(size, size + length) for size, length in zip(margin, mask.shape))
    return _reshaped(mask, kept[inside] | mask, spacing_mm, "closed")


def _distance_mm(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """From each voxel outside to the nearest voxel of the mask, centre to centre (float32); 0 or less in it."""
    image = sitk.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing(tuple(reversed(spacing_mm)))
    return sitk.GetArrayViewFromImage(sitk.SignedMaurerDistanceMap(image, squaredDistance=False,
                                                                   useImageSpacing=True)).copy()


def _reshaped(before: np.ndarray, after: np.ndarray, spacing_mm: tuple[float, float, float], verb: str) -> MaskChange:
    voxel_ml = math.prod(spacing_mm) / 1000
    was, now = int(np.count_nonzero(before)), int(np.count_nonzero(after))
    if not now:
        raise InputError("nothing would be left of the organ", mend="Give a smaller radius.")
    if np.array_equal(before, after):
        return MaskChange(before, "nothing to change at this radius")
    change_ml = (now - was) * voxel_ml
    return MaskChange(after, f"{verb}: {_ml(was * voxel_ml)} to {_ml(now * voxel_ml)} "
                             f"({'+' if change_ml >= 0 else '−'}{_ml(abs(change_ml))}, "
                             f"{100 * (now - was) / was:+.1f} %)")


def _check_filled(mask: np.ndarray) -> None:
    if not mask.any():
        raise InputError("the mask is empty", mend="Draw it first.")


def _ml(volume_ml: float) -> str:
    return f"{volume_ml:.1f} ml" if volume_ml >= 0.1 else f"{volume_ml:.2g} ml"
