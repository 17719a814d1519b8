"""Where the dose voxels lie: cubes over the CT, or the voxels of a PET or SPECT image carried on to the CT's edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix
from organdose.errors import InputError

_SMALLEST_MM, _LARGEST_MM = 0.5, 20.0
_MOST_VOXELS = 400_000_000


@dataclass(frozen=True)
class Lattice:
    """Axis-aligned voxels, all in the order (x, y, z): how many, their size, and the centre of the first."""

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x)."""
        return self.size[::-1]

    @property
    def voxel_ml(self) -> float:
        return math.prod(self.spacing_mm) / 1000.0

    def edges_mm(self, axis: int) -> np.ndarray:
        """The size + 1 edges of the voxels along x (0), y (1) or z (2)."""
        return axis_edges_mm(self.origin_mm[axis], self.spacing_mm[axis], self.size[axis])

    def parts_of(self, image: sitk.Image) -> list:
        """Sparse matrices for x, y, z, (voxels here, voxels of `image`): the part of a voxel here that each fills."""
        return [overlap_matrix(axis_edges_mm(o, s, n), self.edges_mm(axis)) / self.spacing_mm[axis]
                for axis, (o, s, n) in enumerate(zip(image.GetOrigin(), image.GetSpacing(), image.GetSize()))]

    def image(self, values: np.ndarray) -> sitk.Image:
        """`values` (z, y, x) as an image on this lattice. Raises `InputError` for another shape."""
        if values.shape != self.shape:
            raise InputError(f"values of shape {values.shape} for voxels of shape {self.shape}")
        image = sitk.GetImageFromArray(values)
        image.SetSpacing(self.spacing_mm)
        image.SetOrigin(self.origin_mm)
        return image


def cubes_over(ct: sitk.Image, voxel_mm: float) -> Lattice:
    """Cubes of `voxel_mm` from the lower corner of `ct` over all of it. Raises `InputError` outside 0.5-20 mm."""
    _check_size(voxel_mm)
    size = tuple(math.ceil(n * s / voxel_mm - 1e-6) for n, s in zip(ct.GetSize(), ct.GetSpacing()))
    origin = tuple(o + 0.5 * (voxel_mm - s) for o, s in zip(ct.GetOrigin(), ct.GetSpacing()))
    return Lattice(size, (float(voxel_mm),) * 3, origin)


def carried_on(image: sitk.Image, ct: sitk.Image, voxel_mm: float | None = None) -> Lattice:
    """The voxels of `image`, or cubes of `voxel_mm` from its lower corner, over all of it and all of `ct`.

    Raises `InputError` outside 0.5-20 mm, and where the two lie too far apart to be of one patient's scan.
    """
    spacing = image.GetSpacing() if voxel_mm is None else (float(voxel_mm),) * 3
    for length_mm in spacing:
        _check_size(length_mm)
    low, high = _box(image)
    ct_low, ct_high = _box(ct)
    before = np.ceil((low - ct_low) / spacing - 1e-6).clip(0).astype(int)
    count = np.ceil((np.maximum(high, ct_high) - low) / spacing - 1e-6).astype(int) + before
    if math.prod(count.tolist()) > _MOST_VOXELS:
        raise InputError(f"PET or SPECT and CT together take {math.prod(count.tolist()):,} voxels",
                         mend="Check that they are of one patient and position, or choose larger dose voxels.")
    origin = low + (0.5 - before) * np.asarray(spacing)
    return Lattice(tuple(count.tolist()), tuple(spacing), tuple(origin.tolist()))


def _box(image: sitk.Image) -> tuple[np.ndarray, np.ndarray]:
    spacing = np.asarray(image.GetSpacing())
    low = np.asarray(image.GetOrigin()) - 0.5 * spacing
    return low, low + spacing * np.asarray(image.GetSize())


def _check_size(length_mm: float) -> None:
    if not _SMALLEST_MM <= length_mm <= _LARGEST_MM:
        raise InputError(f"a dose voxel of {length_mm:g} mm",
                         mend=f"Choose a size between {_SMALLEST_MM:g} and {_LARGEST_MM:g} mm.")
