"""Left and right lung, and the other air inside the body, from HU alone."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.progress import Progress
from organdose.segmentation.analytic_body import array_on, coarse_image, part_sizes

_GAS_HU = -400  # between lung or gas and tissue
_GAS_CORE_HU = -700
_PURE_AIR_HU = -950  # trachea and bowel gas; parenchyma with its small vessels lies above
_LUNG_MEAN_HU = (-930, -500)
_SMALLEST_LUNG_ML = 20.0
_SMALLEST_AIR_ML = 0.2
_BRIDGE_MM = 9.0  # where left and right lung touch they are thinner than twice this


def lung_masks(image: sitk.Image, body: np.ndarray, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Boolean arrays (z, y, x) of the left and the right lung; all False for one that is not there.

    Lung is what lies between -950 and -400 HU in 3 mm voxels inside the body, in parts of at least 20 ml with the mean
    of parenchyma; small vessels inside belong to it. Trachea, main bronchi and bowel gas are pure air and do not.
    """
    progress.report("lungs", 0.0)
    coarse = coarse_image(image)
    coarse_body = array_on(coarse, body, image)
    lungs = _parenchyma(coarse, coarse_body)
    sides = _left_and_right(lungs, coarse, float(np.nonzero(coarse_body)[2].mean()) if coarse_body.any() else 0.0)
    progress.report("lungs", 0.6)
    hu = sitk.GetArrayViewFromImage(image)
    gas = (hu < _GAS_HU) & body
    found = []
    for side in sides:
        grown = ndimage.binary_dilation(side) & ~sides[1 - len(found)]
        # On the CT's own voxels: gas around the coarse shape, and what its core encloses (small vessels).
        near, core = (array_on(image, shape, coarse) for shape in (grown, ndimage.binary_erosion(side)))
        found.append((near & gas) | (core & body))
        progress.report("lungs", 0.6 + 0.2 * len(found))
    left, right = found
    return left, right & ~left


def air_mask(image: sitk.Image, body: np.ndarray, lungs: np.ndarray, progress: Progress) -> np.ndarray:
    """Boolean array (z, y, x) of gas inside the body that is not lung: airways, bowel, sinuses; parts above 0.2 ml."""
    progress.report("air inside the body", 0.0)
    hu = sitk.GetArrayViewFromImage(image)
    air = (hu < _GAS_HU) & body & ~lungs
    # The rim of lungs and body is partial volume, not gas: parts count by their core, which is grown back by a voxel.
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000
    core = air & (hu < _GAS_CORE_HU)
    labels, count = ndimage.label(core)
    volumes_ml = part_sizes(labels, count) * voxel_ml
    keep = volumes_ml >= _SMALLEST_AIR_ML
    keep[0] = False
    progress.report("air inside the body", 0.7)
    return ndimage.binary_dilation(keep[labels]) & air


def _parenchyma(coarse: sitk.Image, body: np.ndarray) -> np.ndarray:
    hu = sitk.GetArrayViewFromImage(coarse)
    # Shrunk by a voxel: the skin's partial volume has the HU of lung.
    inner = ndimage.binary_erosion(body, np.ones((1, 3, 3)), iterations=2)
    candidate = ndimage.binary_opening((hu > _PURE_AIR_HU) & (hu < _GAS_HU) & inner)
    labels, count = ndimage.label(candidate)
    if not count:
        return candidate
    numbers = np.arange(1, count + 1)
    volumes_ml = ndimage.sum_labels(candidate, labels, numbers) * float(np.prod(coarse.GetSpacing())) / 1000
    means_hu = ndimage.mean(hu, labels, numbers)
    low, high = _LUNG_MEAN_HU
    keep = np.concatenate([[False], (volumes_ml >= _SMALLEST_LUNG_ML) & (means_hu > low) & (means_hu < high)])
    lungs = keep[labels]
    closed = ndimage.binary_closing(np.pad(lungs, 3), iterations=2)[3:-3, 3:-3, 3:-3]
    return (closed & (hu < 100) & inner) | lungs


def _left_and_right(lungs: np.ndarray, coarse: sitk.Image, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """Left (larger x in LPS) and right lung; `middle` is the x index of the body's middle plane.

    Parts are told apart after an erosion that opens the bridge where the lungs touch in front of the heart; the voxels
    that were eroded go to the nearest part.
    """
    radius = [max(1, round(_BRIDGE_MM / spacing_mm)) for spacing_mm in coarse.GetSpacing()[:2]]
    labels, count = ndimage.label(ndimage.binary_erosion(lungs, np.ones((1, 3, 3)), iterations=max(radius) // 2 + 1))
    if not count:
        x = np.arange(lungs.shape[2])
        return lungs & (x > middle), lungs & (x <= middle)
    numbers = np.arange(1, count + 1)
    centres = ndimage.center_of_mass(labels > 0, labels, numbers)
    side_of = np.array([0, *(1 if centre[2] > middle else 2 for centre in centres)], dtype=np.uint8)
    indices = ndimage.distance_transform_edt(labels == 0, sampling=coarse.GetSpacing()[::-1], return_distances=False,
                                             return_indices=True)
    nearest = side_of[labels][tuple(indices)]
    return lungs & (nearest == 1), lungs & (nearest == 2)
