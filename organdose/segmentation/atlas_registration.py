"""A smooth map from an image to a reference patient: affine, then demons on several tissue maps at once.

Demons: Thirion, Med Image Anal 2 (1998) 243; symmetric forces and composition: Vercauteren et al., NeuroImage 45 (2009)
S61. Here the forces of several maps are added, and where the image says nothing (beyond its ends, outside a round
field of view) there are none: the map goes on smoothly there and becomes the affine one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.atlas_affine import WEIGHTS, Affine, affine
from organdose.segmentation.atlas_place import places
from organdose.segmentation.atlas_tissue import BODY, TissueMaps

_LEVELS = ((4, 60), (2, 40), (1, 15))  # voxels so many times as large, steps
_STEP_SMOOTHING, _SMOOTHING = 1.0, 1.2  # of each step and of the whole displacement, in voxels of the level
_LONGEST_STEP = 0.5  # voxels
_LEAST_JACOBIAN = 0.1
_ROUNDS = 40


@dataclass(frozen=True)
class AtlasMap:
    """Takes points of the image to the reference: `matrix` @ (point + displacement) + `shift_mm`.

    `displacement_mm`: float32 (3, z, y, x), components x, y, z, on `grid`, which holds the image and room around it;
    beyond it the nearest goes on. `smallest_jacobian`: of the displacement, in the body; above 0 nothing is folded.
    `misfit`: mean square difference of the tissues after the affine map.
    """

    matrix: np.ndarray
    shift_mm: np.ndarray
    displacement_mm: np.ndarray
    grid: sitk.Image
    smallest_jacobian: float
    misfit: float


def register(image: TissueMaps, reference: TissueMaps, *, beyond_mm: tuple[float, float] = (0.0, 0.0),
             deformable: bool = True, progress: Progress | None = None) -> AtlasMap:
    """The map of an image; its grid reaches `beyond_mm` beyond the image's feet and head ends.

    The same images give the same map. Raises `InputError` when the image fits nowhere along the reference, `Cancelled`.
    """
    progress = progress or Progress()
    starts = places(image, reference)
    if not starts:
        raise InputError("the image fits nowhere along the reference phantom",
                         mend="Use the atlas on CTs of adults' heads, trunks and legs.")
    found = affine(image, reference, starts, progress)
    domain = _with_room(image, beyond_mm)
    spacing = np.array(domain.grid.GetSpacing()[::-1], np.float32)[:, None, None, None]
    shift = np.zeros((3, *domain.known.shape), np.float32)
    if deformable:
        shift = _demons(domain, reference, found, progress)
    shift = _unfolded(_with_slide(shift, domain.grid, found), domain.maps[BODY] > 0.5)
    return AtlasMap(found.matrix, found.shift_mm, (shift * spacing)[::-1].copy(), domain.grid,
                    smallest_jacobian(shift, domain.maps[BODY] > 0.5), found.misfit)


def _with_slide(shift: np.ndarray, grid: sitk.Image, start: Affine) -> np.ndarray:
    """The displacement (voxels) followed by the slide along z."""
    step_mm, whole = grid.GetSpacing()[2], shift.copy()
    z = np.arange(shift.shape[1], dtype=np.float32)[:, None, None] + shift[0]
    whole[0] += start.slide_mm(grid.GetOrigin()[2] + step_mm * z).astype(np.float32) / step_mm
    return whole


def _unfolded(shift: np.ndarray, body: np.ndarray) -> np.ndarray:
    """The displacement, smoothed until nothing in the body is folded."""
    for _ in range(_ROUNDS):
        if smallest_jacobian(shift, body) > _LEAST_JACOBIAN:
            break
        shift = _smooth(shift, _SMOOTHING)
    return shift


def smallest_jacobian(shift: np.ndarray, where: np.ndarray) -> float:
    """The least determinant of the Jacobian of x + shift(x) in `where`; `shift` (3, z, y, x) in voxels, z first."""
    slopes = np.stack([np.stack(np.gradient(each)) for each in shift])
    for axis in range(3):
        slopes[axis, axis] += 1
    (a, b, c), (d, e, f), (g, h, i) = slopes
    found = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return float(found[where].min()) if where.any() else 1.0


def _demons(domain: TissueMaps, reference: TissueMaps, start: Affine, progress: Progress) -> np.ndarray:
    """Displacement (3, z, y, x) in voxels of the domain, components z, y, x."""
    shift = None
    steps, done = sum(count * (1 / factor**3) for factor, count in _LEVELS), 0.0
    for factor, count in _LEVELS:
        level = _coarser(domain, factor)
        moving = _moved(reference, start, level.grid, factor)
        shape = level.known.shape
        shift = np.zeros((3, *shape), np.float32) if shift is None else _finer(shift, shape)
        slopes = [np.stack(np.gradient(each)) for each in level.maps]
        for _ in range(count):
            progress.report("atlas: deformable", done / steps)
            step = _step(level, slopes, moving, shift)
            shift = _warped(shift, step) + step
            shift = _smooth(shift, _SMOOTHING)
            done += 1 / factor**3
    return shift


def _step(level: TissueMaps, slopes: list[np.ndarray], moving: np.ndarray, shift: np.ndarray) -> np.ndarray:
    force, resistance = np.zeros_like(shift), np.full(shift.shape[1:], 1e-6, np.float32)
    moved = _warped(moving, shift)
    for weight, fixed, slope, now in zip(WEIGHTS, level.maps, slopes, moved):
        both = 0.5 * (slope + np.stack(np.gradient(now)))
        rest = fixed - now
        force += weight * rest * both
        resistance += weight * ((both**2).sum(axis=0) + rest**2)
    step = np.where(level.known, force / resistance, 0)
    length = np.sqrt((step**2).sum(axis=0))
    step *= np.minimum(1, _LONGEST_STEP / np.maximum(length, 1e-6))
    return _smooth(step, _STEP_SMOOTHING)


def _smooth(shift: np.ndarray, sigma: float) -> np.ndarray:
    return np.stack([ndimage.gaussian_filter(each, sigma, mode="nearest") for each in shift])


def _warped(maps: np.ndarray, shift: np.ndarray) -> np.ndarray:
    index = np.indices(shift.shape[1:], np.float32) + shift
    return np.stack([ndimage.map_coordinates(each, index, order=1, mode="nearest") for each in maps])


def _moved(reference: TissueMaps, start: Affine, grid: sitk.Image, factor: int) -> np.ndarray:
    """The reference's maps on a grid of the image, smoothed to its voxels."""
    moved = start.moved(np.stack([grid.GetOrigin()[axis] + grid.GetSpacing()[axis] * index.ravel() for axis, index in
                                  enumerate(np.indices(grid.GetSize()[::-1], np.float32)[::-1])], axis=1))
    index = ((moved - reference.grid.GetOrigin()) / reference.grid.GetSpacing()).T[::-1]
    smooth = _smooth(reference.maps, 0.4 * factor) if factor > 1 else reference.maps
    return np.stack([ndimage.map_coordinates(each, index, order=1, cval=0.0).reshape(grid.GetSize()[::-1])
                     for each in smooth])


def _with_room(image: TissueMaps, beyond_mm: tuple[float, float]) -> TissueMaps:
    """The maps with unknown voxels around: what the image shows may come from beyond its ends."""
    spacing = image.grid.GetSpacing()
    least = [max(4, round(48.0 / s)) for s in spacing[::-1]]
    pads = [(max(least[0], int(np.ceil(low / spacing[2])) + 2) if axis == 0 else least[axis],
             max(least[0], int(np.ceil(high / spacing[2])) + 2) if axis == 0 else least[axis])
            for axis, (low, high) in enumerate((beyond_mm, (0, 0), (0, 0)))]
    grid = sitk.Image([n + a + b for n, (a, b) in zip(image.grid.GetSize(), pads[::-1])], sitk.sitkUInt8)
    grid.SetSpacing(spacing)
    grid.SetOrigin([o - a * s for o, (a, _), s in zip(image.grid.GetOrigin(), pads[::-1], spacing)])
    maps = np.pad(image.maps, [(0, 0), *pads], mode="edge")
    return TissueMaps(maps, np.pad(image.known, pads), grid)


def _coarser(domain: TissueMaps, factor: int) -> TissueMaps:
    if factor == 1:
        return domain
    shape = domain.known.shape
    pads = [(0, -n % factor) for n in shape]

    def blocks(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, pads, mode="edge")
        z, y, x = (n // factor for n in padded.shape)
        return padded.reshape(z, factor, y, factor, x, factor).mean(axis=(1, 3, 5), dtype=np.float32)

    maps = np.stack([blocks(each) for each in domain.maps])
    known = blocks(domain.known.astype(np.float32)) > 0.5
    spacing = domain.grid.GetSpacing()
    grid = sitk.Image(list(known.shape[::-1]), sitk.sitkUInt8)
    grid.SetSpacing([factor * s for s in spacing])
    grid.SetOrigin([o + 0.5 * (factor - 1) * s for o, s in zip(domain.grid.GetOrigin(), spacing)])
    return TissueMaps(maps, known, grid)


def _finer(shift: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A displacement in voxels half as large on their grid."""
    index = np.meshgrid(*((np.arange(n, dtype=np.float32) + 0.5) / 2 - 0.5 for n in shape), indexing="ij")
    return np.stack([2 * ndimage.map_coordinates(each, index, order=1, mode="nearest") for each in shift])
