"""Where to look for a lesion: a sphere, a box or a rough mask, as voxels of a PET or SPECT image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError


@dataclass(frozen=True)
class SphereSeed:
    """A sphere in the patient: centre (x, y, z) and radius in mm (LPS)."""

    centre_mm: tuple[float, float, float]
    radius_mm: float


@dataclass(frozen=True)
class BoxSeed:
    """A box along the patient's axes: its lowest and highest corner (x, y, z) in mm (LPS)."""

    lower_mm: tuple[float, float, float]
    upper_mm: tuple[float, float, float]


@dataclass(frozen=True)
class MaskSeed:
    """A roughly drawn mask on any grid: what is not zero."""

    mask: sitk.Image


Seed = SphereSeed | BoxSeed | MaskSeed


def seed_region(image: sitk.Image, seed: Seed) -> tuple[np.ndarray, tuple[slice, slice, slice]]:
    """The voxels whose centres lie in the seed (bool), and the box (z, y, x) of `image` they are given for.

    Raises `InputError` for a seed without a voxel in the image.
    """
    if isinstance(seed, MaskSeed):
        drawn = sitk.Resample(sitk.Cast(seed.mask != 0, sitk.sitkUInt8), image, sitk.Transform(),
                              sitk.sitkNearestNeighbor, 0)
        whole = sitk.GetArrayViewFromImage(drawn) > 0
        box = _box_of(whole) if whole.any() else None
        inside = whole[box] if box is not None else whole[:0]
    else:
        box = _box_around(image, *_corners_mm(seed))
        inside = _within(_centres_mm(image, box), seed)
    if not inside.any():
        raise InputError("a seed region holds no voxel of the image",
                         mend="Place it in the PET or SPECT, or make it larger.")
    return inside, box


def _corners_mm(seed: SphereSeed | BoxSeed) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(seed, BoxSeed):
        return np.minimum(seed.lower_mm, seed.upper_mm), np.maximum(seed.lower_mm, seed.upper_mm)
    return np.subtract(seed.centre_mm, seed.radius_mm), np.add(seed.centre_mm, seed.radius_mm)


def _within(centres_mm: np.ndarray, seed: SphereSeed | BoxSeed) -> np.ndarray:
    if isinstance(seed, SphereSeed):
        return ((centres_mm - seed.centre_mm) ** 2).sum(axis=-1) <= seed.radius_mm**2
    lower_mm, upper_mm = _corners_mm(seed)
    return np.all((centres_mm >= lower_mm) & (centres_mm <= upper_mm), axis=-1)


def _box_around(image: sitk.Image, lower_mm: np.ndarray, upper_mm: np.ndarray) -> tuple[slice, slice, slice]:
    """Indices (z, y, x) that hold a box of the patient, whatever way the voxels stand."""
    corners = [np.where(choice, upper_mm, lower_mm).tolist() for choice in np.ndindex(2, 2, 2)]
    indices = np.array([image.TransformPhysicalPointToContinuousIndex(corner) for corner in corners])
    size = np.array(image.GetSize())
    start = np.clip(np.floor(indices.min(axis=0)), 0, size).astype(int)
    stop = np.clip(np.ceil(indices.max(axis=0)) + 1, 0, size).astype(int)
    return tuple(slice(int(a), int(max(a, b))) for a, b in zip(start[::-1], stop[::-1]))


def _centres_mm(image: sitk.Image, box: tuple[slice, slice, slice]) -> np.ndarray:
    """Centres (..., 3) in mm of the voxels in a box (z, y, x)."""
    z, y, x = np.meshgrid(*(np.arange(side.start, side.stop) for side in box), indexing="ij")
    steps = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    return np.stack([x, y, z], axis=-1) @ steps.T + image.GetOrigin()


def _box_of(mask: np.ndarray) -> tuple[slice, slice, slice]:
    sides = []
    for axis in range(3):
        held = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        sides.append(slice(int(held[0]), int(held[-1]) + 1))
    return tuple(sides)
