"""The couch and other things around the patient: found, kept or replaced by air.

The patient lay on the couch while irradiated, and a third to a half of the rotation shines through it: a couch that
the image shows stays, hollow and cut off by the reconstruction circle as it is. Sheets, clothes, wires and the noise of
the image's margin are no part of the dose calculation a physicist would set up; they are taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

Choice = Literal["auto", "keep", "remove"]

_MARGIN_MM = 5.0  # around the body: skin, its blurred edge, and what lies on it
_FROM_HU = -700  # foam and carbon fibre shells in the blur of 3 mm voxels are lighter than tissue
_COARSE_MM = 4.0
_LENGTH, _WIDTH_MM = 0.6, 150.0  # a couch runs through most slices and is as wide as this
_LIMB_HU, _LIMB_SHARE, _LIMB_ML = 200, 0.01, 50.0  # arms outside the body mask hold bone
_WATER_70KEV_PER_MM = 0.01929  # NIST


@dataclass(frozen=True)
class Couch:
    """What lies outside the body. `air`: bool (z, y, x), voxels to be taken for air; None where there are none.

    `is_found`: whether the image shows a couch. `water_mm`: the mean water-equivalent thickness straight through it
    across its width; `transmission`: what it lets through at 70 keV. `lines`: for the report.
    """

    air: np.ndarray | None = field(repr=False)
    is_found: bool
    water_mm: float
    transmission: float
    lines: tuple[str, ...]


def couch_of(ct: sitk.Image, body: np.ndarray, choice: Choice = "auto") -> Couch:
    """Decide for each voxel outside `body` (bool, (z, y, x)) whether it stays.

    'keep': all stays as it is. 'remove': all becomes air but for 5 mm around the body. 'auto': the couch stays, and so
    do limbs outside the body mask; everything else becomes air.
    """
    free, coarse = _outside(ct, body)
    labels, kinds = _pieces(free & (sitk.GetArrayViewFromImage(coarse) > _FROM_HU), coarse)
    couch = kinds[labels] == _COUCH
    water_mm, transmission = _thickness(coarse, couch)
    found = bool(couch.any())
    removed = {"keep": np.zeros_like(free), "remove": free, "auto": kinds[labels] == _LOOSE}[choice]
    air = _on_ct(ct, coarse, removed, body)
    shown = (f"water-equivalent thickness {water_mm:.1f} mm straight through, {100 * transmission:.0f} % of 70 keV "
             "photons pass" if found else "")
    return Couch(air, found, water_mm, transmission, (_line(choice, found, shown, air is not None),))


_LOOSE, _COUCH, _LIMB = 0, 1, 2


def _line(choice: Choice, found: bool, shown: str, removed: bool) -> str:
    if choice == "remove":
        was = f"couch of the image: {shown}" if found else "the image shows no couch"
        return f"Couch and everything else outside the body were replaced by air ({was})."
    if not found:
        return "The image shows no couch: what it takes away of the radiation is not in the dose."
    rest = "; other things outside the body were replaced by air" if removed else ""
    return f"The couch is part of the calculation as the image shows it ({shown}){rest}."


def _outside(ct: sitk.Image, body: np.ndarray) -> tuple[np.ndarray, sitk.Image]:
    """Bool (z, y, x) of the coarse voxels outside the body and its margin, and the coarse CT."""
    shrink = [max(1, min(round(_COARSE_MM / length_mm), size))
              for length_mm, size in zip(ct.GetSpacing(), ct.GetSize())]
    coarse = sitk.Cast(sitk.BinShrink(ct, shrink), sitk.sitkFloat32)
    whole = sitk.GetImageFromArray(np.where(body, np.uint8(255), np.uint8(0)))
    near = sitk.BinShrink(whole, shrink) > 0
    radius = [max(1, round(_MARGIN_MM / length_mm)) for length_mm in coarse.GetSpacing()]
    near = sitk.GetArrayFromImage(sitk.BinaryDilate(near, [*radius[:2], 0])).astype(bool)
    return ~near, coarse


def _pieces(outside: np.ndarray, coarse: sitk.Image) -> tuple[np.ndarray, np.ndarray]:
    """Connected pieces and the kind of each."""
    labels, count = ndimage.label(outside, np.ones((3, 3, 3)))
    kinds = np.full(count + 1, _LOOSE)
    kinds[0] = -1
    hu = sitk.GetArrayViewFromImage(coarse)
    spacing_mm = coarse.GetSpacing()
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    for piece, box in enumerate(ndimage.find_objects(labels), start=1):
        here = labels[box] == piece
        size_z, size_y, size_x = here.shape
        wide_mm = max(size_x * spacing_mm[0], size_y * spacing_mm[1])
        volume = np.count_nonzero(here)
        if volume * voxel_ml >= _LIMB_ML and np.count_nonzero(hu[box][here] > _LIMB_HU) >= _LIMB_SHARE * volume:
            kinds[piece] = _LIMB
        if size_z >= _LENGTH * labels.shape[0] and wide_mm >= _WIDTH_MM:
            kinds[piece] = _COUCH
    return labels, kinds


def _thickness(coarse: sitk.Image, couch: np.ndarray) -> tuple[float, float]:
    """(water-equivalent mm, transmission at 70 keV) across the couch's flatter side, mean over the rest."""
    if not couch.any():
        return 0.0, 1.0
    spread = [np.ptp(np.flatnonzero(couch.any(axis=tuple(other for other in range(3) if other != axis))))
              for axis in (1, 2)]
    through = 1 + int(np.argmin(spread))  # y for a couch under or above the patient, x beside him
    water = np.clip(sitk.GetArrayViewFromImage(coarse) / 1000 + 1, 0, None) * couch
    path_mm = water.sum(axis=through) * coarse.GetSpacing()[2 - through]
    reached = path_mm[couch.any(axis=through)]
    return float(reached.mean()), float(np.exp(-_WATER_70KEV_PER_MM * reached).mean())


def _on_ct(ct: sitk.Image, coarse: sitk.Image, removed: np.ndarray, body: np.ndarray) -> np.ndarray | None:
    """Coarse voxels to be removed, and the lighter surroundings they lie in, on the CT's own voxels."""
    if not removed.any():
        return None
    grown = ndimage.binary_dilation(removed, np.ones((1, 3, 3)))
    image = sitk.GetImageFromArray(grown.astype(np.uint8))
    image.CopyInformation(coarse)
    fine = sitk.Resample(image, ct, sitk.Transform(), sitk.sitkNearestNeighbor)
    return sitk.GetArrayFromImage(fine).astype(bool) & ~body
