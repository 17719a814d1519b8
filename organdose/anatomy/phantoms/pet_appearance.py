"""How a PET scanner would show an activity map: blur and noise that grows with the square root of the activity."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

PET_RESOLUTION_FWHM_MM = 6.0
_NOISE_FWHM_MM = 5.0
_NOISE_AT_LIVER = 0.10
_SIGMA = 1 / 2.3548


def simulate_pet(activity: sitk.Image, liver_bq_per_ml: float, seed: int) -> sitk.Image:
    """PET image in Bq/ml (float32) on the grid of `activity` (Bq/ml).

    Blurred to 6 mm FWHM, which keeps the total; correlated noise of zero mean, its variance in proportion to the
    local activity, 10 % (1 SD) where the activity is the liver's; values below zero are cut, as iterative
    reconstruction does.
    """
    spacing_zyx = activity.GetSpacing()[::-1]
    truth = sitk.GetArrayViewFromImage(activity)
    blurred = ndimage.gaussian_filter(truth, [PET_RESOLUTION_FWHM_MM * _SIGMA / s for s in spacing_zyx])
    white = np.random.default_rng([seed, 23]).standard_normal(truth.shape, dtype=np.float32)
    texture = ndimage.gaussian_filter(white, [_NOISE_FWHM_MM * _SIGMA / s for s in spacing_zyx])
    texture /= texture.std()
    noise = _NOISE_AT_LIVER * np.sqrt(np.maximum(blurred, 0) * liver_bq_per_ml) * texture
    image = sitk.GetImageFromArray(np.maximum(blurred + noise, 0).astype(np.float32))
    image.CopyInformation(activity)
    return image
