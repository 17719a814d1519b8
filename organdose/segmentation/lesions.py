"""Lesions in PET or SPECT: the focus of highest uptake in a seed region, outlined by a threshold or by its gradient.

Percent of the maximum: Erdi et al., Cancer 80 (1997) 2505. Gradient: the idea of Geets et al., Eur J Nucl Med Mol
Imaging 34 (2007) 1427, that the edge is where uptake falls most steeply, found by a watershed of the gradient
magnitude; their deconvolution and denoising are not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.lesion_numbers import LesionNumbers, lesion_numbers
from organdose.segmentation.lesion_parameters import LesionParameters
from organdose.segmentation.lesion_seeds import Seed, seed_region

_FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))
_CORE = 0.7  # of the way from background to maximum: surely lesion
_FEW_VOXELS = 10
_FOCUS_ML = 0.3
_SPLITTING = (0.6, 0.7, 0.8, 0.9)
_INSIDE, _OUTSIDE = 1, 2


@dataclass(frozen=True)
class Lesion:
    """One lesion: `mask` (uint8) on the grid of the image, its numbers, how its edge was found, the place (mm, LPS) of
    its highest voxel, the value at the edge (None for the gradient), and what asks for a look."""

    mask: sitk.Image
    numbers: LesionNumbers
    method: str
    hottest_mm: tuple[float, float, float]
    edge: float | None
    warnings: tuple[str, ...]


def lesion_masks(image: sitk.Image, seeds: Sequence[Seed], parameters: LesionParameters | None = None, *,
                 bq_per_ml_of_suv: float | None = None, suv: bool = False,
                 progress: Progress | None = None) -> tuple[Lesion, ...]:
    """One lesion for each seed: the part connected (by faces) with the highest voxel in the seed region.

    `image`: Bq/ml, or SUV with `suv`. `bq_per_ml_of_suv` (`study.suv.bq_per_ml_of_suv`) makes SUV of Bq/ml for the
    numbers and the fixed value. Nothing outside of the seed region becomes lesion. Raises `InputError` for a seed
    without uptake or without a voxel, and for values that are no numbers; `Cancelled`.
    """
    parameters, progress = parameters or LesionParameters(), progress or Progress()
    if not seeds:
        raise InputError("no seed says where a lesion is", mend="Give a point, a box or a rough mask.")
    values = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(values).all():
        raise InputError("the image holds values that are no numbers (NaN or infinite)",
                         mend="Export the image again without them.")
    scale = 1.0 if bq_per_ml_of_suv is None else 1 / bq_per_ml_of_suv
    unit = "SUV" if suv or bq_per_ml_of_suv is not None else "Bq/ml"
    found = []
    for number, seed in enumerate(seeds, start=1):
        progress.report("outlining lesions", (number - 1) / len(seeds))
        found.append(_lesion(image, values, seed, parameters, scale, unit, f"lesion {number}"))
    progress.report("outlining lesions", 1.0)
    return tuple(found)


def _lesion(image: sitk.Image, values: np.ndarray, seed: Seed, parameters: LesionParameters, scale: float, unit: str,
            name: str) -> Lesion:
    region, box = seed_region(image, seed)
    spacing = np.array(image.GetSpacing()[::-1])
    voxel_ml = float(np.prod(spacing)) / 1000
    near = values[box].astype(np.float64) * scale
    hottest = np.unravel_index(np.argmax(np.where(region, near, -np.inf)), near.shape)
    highest = float(near[hottest])
    if highest <= 0:
        raise InputError(f"{name}: no uptake in the seed region, no value is above 0", mend="Place it elsewhere.")
    if parameters.method == "gradient":
        inside, edge = _by_gradient(near, region, spacing, parameters.smoothing_mm, name), None
        floor = float(near[inside].min())
    else:
        edge = floor = _edge(parameters, highest, unit, name)
        inside = _connected(region & (near >= edge), hottest)
    whole = np.zeros(values.shape, dtype=bool)
    whole[box] = inside
    mask = sitk.GetImageFromArray(whole.astype(np.uint8))
    mask.CopyInformation(image)
    place = [int(side.start + index) for side, index in zip(box, hottest)][::-1]
    numbers = lesion_numbers(values * scale if scale != 1 else values, whole, spacing, unit)
    return Lesion(mask, numbers, _method_words(parameters, unit), image.TransformIndexToPhysicalPoint(place), edge,
                  _warnings(near, region, inside, floor, highest, voxel_ml))


def _edge(parameters: LesionParameters, highest: float, unit: str, name: str) -> float:
    if parameters.method == "percent":
        return 0.01 * parameters.percent * highest
    if highest < parameters.value:
        raise InputError(f"{name}: nothing in the seed region reaches {parameters.value:g} {unit}, the highest value "
                         f"is {highest:.3g}", mend="Choose a lower value, or place the seed elsewhere.")
    return parameters.value


def _method_words(parameters: LesionParameters, unit: str) -> str:
    return {"percent": f"{parameters.percent:g} % of the maximum", "absolute": f"at least {parameters.value:g} {unit}",
            "gradient": "steepest gradient"}[parameters.method]


def _connected(mask: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    """The part of `mask` that is connected with `place` by faces."""
    labels, _ = ndimage.label(mask)
    return labels == labels[place]


def _by_gradient(near: np.ndarray, region: np.ndarray, spacing: np.ndarray, smoothing_mm: float, name: str
                 ) -> np.ndarray:
    """The basin of the core of the focus in the gradient magnitude; the other basin begins at the region's border.

    The core is found in the smoothed image: one noisy voxel says nothing of the height of a plateau.
    """
    smooth = ndimage.gaussian_filter(near, _sigmas(smoothing_mm, spacing), mode="nearest")
    border = _border(region)
    middle = np.unravel_index(np.argmax(np.where(region & ~border, smooth, -np.inf)), near.shape)
    background, highest = float(np.median(smooth[border])), float(smooth[middle])
    if highest <= background or not region[middle] or border[middle]:
        raise InputError(f"{name}: the focus is not above what surrounds it", mend="Make the seed region larger.")
    core = smooth >= background + _CORE * (highest - background)
    markers = np.zeros(near.shape, dtype=np.uint8)
    markers[~region | border | (smooth <= background) | core] = _OUTSIDE  # other foci are not this one
    markers[_connected(core & region, middle)] = _INSIDE
    gradient = sitk.GetImageFromArray(_steepness(near, spacing, smoothing_mm))
    basins = sitk.MorphologicalWatershedFromMarkers(gradient, sitk.GetImageFromArray(markers), False, False)
    return _connected(sitk.GetArrayFromImage(basins) == _INSIDE, middle)


def _sigmas(smoothing_mm: float, spacing: np.ndarray) -> np.ndarray:
    """Of the Gaussian in voxels; half a voxel at least, without which derivatives say little."""
    return np.maximum(smoothing_mm * _FWHM_TO_SIGMA / spacing, 0.5)


def _steepness(near: np.ndarray, spacing: np.ndarray, smoothing_mm: float) -> np.ndarray:
    """Gradient magnitude in 1/mm of the image blurred with a Gaussian of that FWHM."""
    sigmas = _sigmas(smoothing_mm, spacing)
    slopes = [ndimage.gaussian_filter(near, sigmas, order=[int(each == axis) for each in range(3)], mode="nearest")
              / spacing[axis] for axis in range(3)]
    return np.sqrt(np.sum(np.square(slopes), axis=0))


def _border(region: np.ndarray) -> np.ndarray:
    """Voxels of the region beside others, or at the border of the image."""
    return region & ~ndimage.binary_erosion(region)


def _warnings(near: np.ndarray, region: np.ndarray, inside: np.ndarray, floor: float, highest: float,
              voxel_ml: float) -> tuple[str, ...]:
    lines = []
    touching = np.count_nonzero(inside & _border(region))
    if touching:
        lines.append(f"it reaches the border of its seed region at {touching} voxels: the edge there is the seed's, "
                     "or it floods what surrounds it")
    if (count := np.count_nonzero(inside)) < _FEW_VOXELS:
        lines.append(f"it has {count} voxels only: its volume is uncertain")
    others, number = ndimage.label(region & (near >= floor) & ~inside)
    sizes = np.bincount(others.ravel(), minlength=number + 1)[1:] * voxel_ml
    if (sizes >= _FOCUS_ML).any():
        part = 100 * near[(others > 0) & np.append(False, sizes >= _FOCUS_ML)[others]].max() / highest
        lines.append(f"{np.count_nonzero(sizes >= _FOCUS_ML)} more foci above the edge's value in the seed region are "
                     f"not part of it, the hottest with {part:.0f} % of the maximum")
    if _several_peaks(near, inside, highest, voxel_ml):
        lines.append("it has several maxima: two foci may have grown together")
    return tuple(lines)


def _several_peaks(near: np.ndarray, inside: np.ndarray, highest: float, voxel_ml: float) -> bool:
    """Whether it falls into parts of some volume at a higher threshold."""
    for part in _SPLITTING:
        labels, number = ndimage.label(inside & (near >= part * highest))
        sizes = np.bincount(labels.ravel(), minlength=number + 1)[1:] * voxel_ml
        if np.count_nonzero(sizes >= _FOCUS_ML) > 1:
            return True
    return False
