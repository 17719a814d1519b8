"""Iodine in the image: which voxels are blood or organ with contrast medium, and how much iodine they hold.

Schneider's curve takes everything above 120 HU for bone: a vessel of 300 HU becomes 1.19 g/cm3 with 8 % calcium. Where
an iodinated contrast medium was given such voxels are blood with iodine instead: `iodine_mg_per_ml` from the HU above
those of blood and from what a milligram of iodine per millilitre adds at this tube voltage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.resources import resource_path
from organdose.transport.materials import Material

_BONE_RIM_MM = 2.0  # around drawn bones: their blurred edge is no contrast medium
_FURTHER_BONES = ("costal_cartilages", "femoral_heads", "red_bone_marrow")


@dataclass(frozen=True)
class ContrastMedium:
    """Which voxels of the CT hold contrast medium, and what their HU mean.

    `voxels`: bool (z, y, x). `hu_per_mg_per_ml`: what 1 mg iodine per ml adds to the HU of blood.
    """

    voxels: np.ndarray = field(repr=False)
    hu_per_mg_per_ml: float

    def iodine_mg_per_ml(self, hu: np.ndarray) -> np.ndarray:
        """Iodine (float32, shape of `hu`). Negative below the HU of blood, so that noise averages out."""
        return (np.asarray(hu, np.float32) - np.float32(blood()["unenhanced_hu"])) / np.float32(self.hu_per_mg_per_ml)

    @property
    def density_line_g_cm3(self) -> tuple[float, float]:
        """Density at 0 HU, and what each HU adds."""
        per_hu = 1e-3 / self.hu_per_mg_per_ml
        return blood()["blood_density_g_cm3"] - per_hu * blood()["unenhanced_hu"], per_hu

    def density_g_cm3(self, hu: np.ndarray) -> np.ndarray:
        """Density (float32): that of blood, and the iodine on top of it."""
        at_zero, per_hu = self.density_line_g_cm3
        return (at_zero + per_hu * np.asarray(hu, dtype=np.float64)).astype(np.float32)


@cache
def blood() -> dict:
    """Blood and the limits of HU that contrast medium is looked for in (Resources/tissues/iodine_contrast.json)."""
    return json.loads(resource_path("tissues", "iodine_contrast.json").read_text(encoding="utf-8"))


def iodine_materials() -> tuple[np.ndarray, tuple[Material, ...]]:
    """Iodine of each step (mg/g) and blood with that much iodine."""
    steps = blood()["iodine_steps_mg_per_g"]
    fractions = blood()["blood_weight_fractions"]
    whole = sum(fractions.values())
    return np.asarray(steps, dtype=float), tuple(
        Material.from_symbols(f"blood with {step:g} mg/g iodine",
                              {symbol: part / whole * (1 - 1e-3 * step) for symbol, part in fractions.items()}
                              | {"I": 1e-3 * step}) for step in steps)


def bone_names() -> tuple[str, ...]:
    """Every name of the vocabulary that is bone."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        found[name] = None
        for member in organ(name).members:
            add(member)

    for name in ("bones", *_FURTHER_BONES):
        add(name)
    return tuple(found)


def contrast_voxels(ct: sitk.Image, masks: OrganMasks, thresholded_bones: np.ndarray) -> np.ndarray:
    """Bool (z, y, x): voxels whose brightness is contrast medium's.

    Drawn organs that take up contrast medium (vessels, heart, liver, kidneys ...) are enhanced as a whole where half of
    their voxels are brighter than 70 HU, which no soft tissue is without. In the rest of the body contrast medium is
    what is brighter than 120 HU, unless it lies within 2 mm of bone: of drawn bones and, outside the organs, of
    `thresholded_bones` (bool (z, y, x): connected parts that hold cortical bone, as the analytic engine finds them).
    Nothing above 1500 HU: that is calcium or metal. A vessel that touches bone and is drawn by nobody stays bone.
    """
    limits, hu = blood(), sitk.GetArrayViewFromImage(ct)
    organs, found = masks.union(()), masks.union(())
    for name in filter(is_enhancing, masks.names):
        organ_mask = masks.mask(name)
        organs |= organ_mask
        values = hu[organ_mask]
        if values.size and np.median(values) > limits["enhanced_organ_median_hu"]:
            found |= organ_mask & (hu > limits["enhanced_organ_from_hu"])
    drawn = masks.union(_drawn_by_somebody(masks))
    bright = (hu > limits["elsewhere_from_hu"]) & masks.union(["body"])
    found |= bright & (organs | ~_grown(drawn | (thresholded_bones & ~organs), ct.GetSpacing()))
    return found & ~drawn & (hu <= limits["to_hu"])


def is_enhancing(name: str) -> bool:
    """Whether an organ of that name is listed as one that takes up contrast medium; numbered tumours too."""
    listed = blood()["organs"]
    return name in listed or name.rstrip("0123456789").rstrip("_") in ("tumour", "lesion")


def _drawn_by_somebody(masks: OrganMasks) -> Iterable[str]:
    """Bones among the masks, but for those of thresholds, which know no better than `thresholded_bones`."""
    return () if masks.origin.startswith("analytic") else [name for name in bone_names() if name in masks.segments]


def _grown(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    radius = [max(1, round(_BONE_RIM_MM / length_mm)) for length_mm in spacing_mm]
    return sitk.GetArrayFromImage(sitk.BinaryDilate(image, radius)).astype(bool)
