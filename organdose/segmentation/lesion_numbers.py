"""What is stated of a lesion: volume, highest, mean and peak uptake, and their product with the volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

PEAK_ML = 1.0
_PEAK_RADIUS_MM = (1000 * PEAK_ML * 3 / (4 * np.pi)) ** (1 / 3)
_PARTS = 5


@dataclass(frozen=True)
class LesionNumbers:
    """Uptake in `unit` ('SUV' or 'Bq/ml') and volume of a lesion.

    `peak`: the highest mean in a sphere of 1 ml (12.4 mm across) whose centre is that of a voxel of the lesion, voxels
    at its surface counting by the part that lies in it (SUVpeak of PERCIST, Wahl et al., J Nucl Med 50 (2009) 122S:
    anywhere in the lesion, not only about the highest voxel). Of lesions below 1 ml it counts what lies around too.
    `total`: mean times volume; total lesion glycolysis in SUV ml, or the activity in Bq.
    """

    unit: str
    volume_ml: float
    maximum: float
    mean: float
    peak: float
    total: float


def lesion_numbers(values: np.ndarray, mask: np.ndarray, spacing_zyx_mm: np.ndarray, unit: str) -> LesionNumbers:
    """Of the voxels in `mask` (bool, not empty); `values` and `mask` (z, y, x) of one shape."""
    inside = values[mask].astype(np.float64)
    volume_ml = inside.size * float(np.prod(spacing_zyx_mm)) / 1000
    mean = float(inside.mean())
    return LesionNumbers(unit, volume_ml, float(inside.max()), mean, _peak(values, mask, spacing_zyx_mm),
                         mean * volume_ml)


def _peak(values: np.ndarray, mask: np.ndarray, spacing_zyx_mm: np.ndarray) -> float:
    sphere = _sphere(spacing_zyx_mm)
    margin = [n // 2 for n in sphere.shape]
    box = tuple(slice(max(0, side.start - m), side.stop + m) for side, m in
                zip(ndimage.find_objects(mask.astype(np.uint8))[0], margin))
    near = values[box].astype(np.float64)
    within = signal.fftconvolve(np.ones_like(near), sphere, mode="same")  # less than 1 at the image's border
    means = signal.fftconvolve(near, sphere, mode="same")[mask[box]] / within[mask[box]]
    return float(means.max())


def _sphere(spacing_zyx_mm: np.ndarray) -> np.ndarray:
    """Part of each voxel (z, y, x) in the sphere about the middle one, scaled to a sum of 1."""
    axes = []
    for mm in spacing_zyx_mm:
        reach = int(np.ceil(_PEAK_RADIUS_MM / mm - 0.5).clip(0))
        count = 2 * reach + 1
        axes.append(mm * ((np.arange(count * _PARTS) + 0.5) / _PARTS - count / 2))
    z, y, x = np.meshgrid(*axes, indexing="ij")
    inside = (z**2 + y**2 + x**2 <= _PEAK_RADIUS_MM**2).astype(np.float64)
    shape = [size for n in inside.shape for size in (n // _PARTS, _PARTS)]
    parts = inside.reshape(shape).sum(axis=(1, 3, 5))
    return parts / parts.sum()
