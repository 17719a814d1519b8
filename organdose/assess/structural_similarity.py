"""Structural similarity (SSIM) and peak signal-to-noise ratio (PSNR) of two dose maps in a region.

Computed here with scipy and slab by slab instead of with scikit-image: whole-body maps stay small in memory, voxels
outside the region have no part in a window, and Slicer has nothing more to install. scikit-image is what the tests
compare with.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from organdose.progress import Progress

_SIGMA_VOXELS, _RADIUS_VOXELS = 1.5, 5  # Gaussian window of 11 voxels a side
_K1, _K2 = 0.01, 0.03
_SLAB_VOXELS = 4_000_000


def peak_signal_to_noise_db(test_mgy: np.ndarray, reference_mgy: np.ndarray, data_range_mgy: float) -> float:
    """10 log10(range^2 / mean((T - R)^2)) in dB; infinite for equal doses."""
    mean_square = float(np.mean((np.asarray(test_mgy, np.float64) - reference_mgy) ** 2))
    return math.inf if mean_square == 0 else 10 * math.log10(data_range_mgy ** 2 / mean_square)


def structural_similarity(test_mgy: np.ndarray, reference_mgy: np.ndarray, region: np.ndarray, data_range_mgy: float,
                          progress: Progress | None = None) -> float:
    """Mean SSIM of the voxels in `region` (bool), of arrays (z, y, x) in mGy.

    Wang et al., IEEE Trans Image Process 13 (2004) 600, in three dimensions: Gaussian window of sigma 1.5 voxels and
    11 voxels a side, K1 = 0.01, K2 = 0.03, population covariances. Windows take the voxels of the region alone, so
    that the empty room around the patient does not raise the figure.
    """
    box = ndimage.find_objects(region.astype(np.uint8))[0]
    test, reference, region = test_mgy[box], reference_mgy[box], region[box]
    slices = max(1, _SLAB_VOXELS // region[0].size)
    total = 0.0
    for start in range(0, len(region), slices):
        if progress is not None:
            progress.report("SSIM", start / len(region))
        first, last = max(0, start - _RADIUS_VOXELS), start + slices + _RADIUS_VOXELS
        similarity = similarity_map(test[first:last], reference[first:last], region[first:last], data_range_mgy)
        own = slice(start - first, start - first + slices)
        total += float(similarity[own][region[first:last][own]].sum())
    return total / int(region.sum())


def similarity_map(test_mgy: np.ndarray, reference_mgy: np.ndarray, region: np.ndarray,
                   data_range_mgy: float) -> np.ndarray:
    """SSIM of each voxel of `region` (float64 (z, y, x)); see `structural_similarity`. NaN outside the region."""
    weight = region.astype(np.float64)
    test, reference = (np.where(region, values, 0).astype(np.float64) for values in (test_mgy, reference_mgy))
    share = np.where(region, _blurred(weight), np.nan)
    mean_t, mean_r = _blurred(test) / share, _blurred(reference) / share
    variance_t = _blurred(test * test) / share - mean_t ** 2
    variance_r = _blurred(reference * reference) / share - mean_r ** 2
    covariance = _blurred(test * reference) / share - mean_t * mean_r
    c1, c2 = (_K1 * data_range_mgy) ** 2, (_K2 * data_range_mgy) ** 2
    return ((2 * mean_t * mean_r + c1) * (2 * covariance + c2)
            / ((mean_t ** 2 + mean_r ** 2 + c1) * (variance_t + variance_r + c2)))


def _blurred(values: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter(values, _SIGMA_VOXELS, mode="constant", radius=_RADIUS_VOXELS)
