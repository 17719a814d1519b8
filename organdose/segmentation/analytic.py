"""The analytic engine: what HU alone tells reliably (body without couch, lungs, bones, air)."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field, model_validator

from organdose.anatomy.organ_masks import OrganMasks
from organdose.progress import Progress
from organdose.segmentation.analytic_body import body_mask
from organdose.segmentation.analytic_bones import bone_mask
from organdose.segmentation.analytic_lungs import air_mask, lung_masks
from organdose.study.ct_study import CTStudy

_METAL_HU = 2500
_METAL_ML = 0.5


class AnalyticParameters(BaseModel):
    """Settings of the analytic engine."""

    model_config = ConfigDict(extra="forbid")

    bone_low_hu: float = Field(180.0, ge=100, le=500, title="Bone from (HU)",
                               description="Connected voxels above this are bone when enough of them are dense.")
    bone_high_hu: float = Field(350.0, ge=150, le=1500, title="Dense bone from (HU)",
                                description="Bone holds at least 2.5 % above this; organs with contrast agent do not.")

    @model_validator(mode="after")
    def _in_order(self) -> AnalyticParameters:
        if self.bone_high_hu <= self.bone_low_hu:
            raise ValueError("bone_high_hu must be above bone_low_hu")
        return self


class AnalyticEngine:
    """Thresholds and shape; runs anywhere. Organs within soft tissue need another engine or somebody's contours."""

    name = "analytic"
    title = "Body, lungs, bones and air from Hounsfield units"
    licence = "Apache-2.0"
    cost = "whole body, 512 x 512 x 601 voxels: 1.7 GiB of memory, 9 s on two cores (organdose benchmark)"
    devices = ("cpu",)
    context = "slices"
    organs = ("body", "lung_left", "lung_right", "bones", "air_internal")
    parameters = AnalyticParameters

    def segment(self, study: CTStudy, parameters: AnalyticParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT; what is not in the image is left out with a note.

        Raises `InputError` when there is no body, `Cancelled` when the user stops.
        """
        parameters, progress = parameters or AnalyticParameters(), progress or Progress()
        image = study.image
        masks = OrganMasks(image, origin="analytic (thresholds of Hounsfield units)")
        body = body_mask(image, progress)
        masks.add("body", body)
        # The rest happens inside the body: half of the voxels of most CTs.
        corner, body, image = _cropped(body, image)
        left, right = lung_masks(image, body, progress)
        bones = bone_mask(image, body, parameters.bone_low_hu, parameters.bone_high_hu, progress) & ~left & ~right
        air = air_mask(image, body, left | right, progress) & ~bones
        for name, mask, missing in (("lung_left", left, "no left lung in the image"),
                                    ("lung_right", right, "no right lung in the image"),
                                    ("bones", bones, "no bone in the image"),
                                    ("air_internal", air, "no air inside the body but the lungs")):
            if mask.any():
                masks.add(name, mask, corner)
            else:
                masks.notes[name] = missing
        if "bones" in masks.segments:
            masks.notes["bones"] = _bone_note(bones, image)
        return masks


def _cropped(body: np.ndarray, image: sitk.Image) -> tuple[tuple[int, int, int], np.ndarray, sitk.Image]:
    """Corner (z, y, x) of the box of the body, and body and image in it."""
    box = [slice(int(along[0]), int(along[-1]) + 1) for along in (
        np.flatnonzero(body.any(axis=tuple(other for other in range(3) if other != axis))) for axis in range(3))]
    z, y, x = box
    return (z.start, y.start, x.start), body[z, y, x], image[x, y, z]


def _bone_note(bones: np.ndarray, image: sitk.Image) -> str:
    note = "from HU: calcifications and dense contrast agent that touch bone may be in it"
    metal_voxels = np.count_nonzero(sitk.GetArrayViewFromImage(image)[bones] > _METAL_HU)
    metal_ml = metal_voxels * float(np.prod(image.GetSpacing())) / 1000
    return f"{note}; {metal_ml:.1f} ml of metal in it" if metal_ml >= _METAL_ML else note


ENGINE = AnalyticEngine()
