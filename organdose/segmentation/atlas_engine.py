"""The atlas engine: a reference patient fitted to the CT fills what no engine sees. Estimates, each marked as one."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organs
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, PHANTOM_FILES, load_phantom
from organdose.anatomy.phantoms.voxelise import mask_owners
from organdose.anatomy.review import mark_drawn
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.analytic import ENGINE as ANALYTIC
from organdose.segmentation.atlas_organs import (
    MARROW,
    SeenTissue,
    carried_labels,
    estimated_masks,
    with_seen_bones,
)
from organdose.segmentation.atlas_reference import AtlasReference, stylised_reference, voxel_reference
from organdose.segmentation.atlas_registration import AtlasMap, register
from organdose.segmentation.atlas_tissue import tissue_maps_of_ct, tissue_maps_of_reference
from organdose.study.ct_study import CTStudy

_FROM_HU = ("body", "lung_left", "lung_right", "bones", "air_internal")
_NEVER = {"subcutaneous_fat", "torso_fat"}
_LEAST_BONE_ML = 10.0


class AtlasParameters(BaseModel):
    """Settings of the atlas engine."""

    model_config = ConfigDict(extra="forbid")

    phantom: Path | None = Field(None, title="Voxel phantom", description="Folder or JSON table of a voxel phantom; "
                                 "the stylised adults without one.")
    sex: Literal["", "M", "F"] = Field("", title="Sex of the reference", description="Empty: that of the patient, male "
                                       "where the CT does not say.")
    deformable: bool = Field(True, title="Deformable", description="Without it the reference is only moved, turned, "
                             "stretched and slid along the body.")
    from_hu: bool = Field(True, title="Body, lungs, bones and air from HU", description="Drawn by the analytic engine: "
                          "seen, not estimated.")


class AtlasEngine:
    """Registration of a reference patient. Coarse: errors of centimetres are usual, and nothing of the organs was
    looked at but body, lungs, bones and where fat is."""

    name = "atlas"
    title = "Atlas: a reference phantom fitted to the CT (estimates)"
    licence = "Apache-2.0; voxel phantoms have licences of their own"
    cost = "a trunk in 3 mm voxels: 0.6 GiB of memory, 16 s on one core (docs/atlas.md)"
    devices = ("cpu",)
    context = "ct"
    organs_by_model = True
    parameters = AtlasParameters

    @cached_property
    def organs(self) -> tuple[str, ...]:
        owners = [mask_owners(load_phantom(name), ARMS_UP) for name in PHANTOM_FILES]
        found = dict.fromkeys((*_FROM_HU, *(name for each in owners for name in each), "skin", MARROW))
        return tuple(name for name in found if name in organs() and name not in _NEVER)

    def segment(self, study: CTStudy, parameters: AtlasParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT, all but those from HU marked as estimated; the same CT gives the same masks.

        Raises `InputError` for a CT without a body or bones, one that fits nowhere, and files that are no phantom;
        `Cancelled`.
        """
        parameters, progress = parameters or AtlasParameters(), progress or Progress()
        reference = reference_for(study, parameters, progress)
        drawn, seen = seen_tissue(study, progress)
        found = fitted(seen, reference, deformable=parameters.deformable, progress=progress)
        lines: list[str] = []
        carried = carried_labels(reference, found, study.image, progress)
        carried = with_seen_bones(carried, reference, seen, lines)
        masks = estimated_masks(carried, reference, seen, origin_of(reference, found), progress)
        if parameters.from_hu:
            add_seen(masks, drawn)
        for line in lines:
            masks.notes["bones"] = "; ".join(filter(None, (masks.notes.get("bones", ""), line)))
        return masks


def reference_for(study: CTStudy, parameters: AtlasParameters, progress: Progress) -> AtlasReference:
    """The reference that the parameters name, or that goes with the patient's sex."""
    if parameters.phantom is not None:
        return voxel_reference(parameters.phantom)
    return stylised_reference(parameters.sex or study.patient_sex or "M", progress)


def seen_tissue(study: CTStudy, progress: Progress) -> tuple[OrganMasks, SeenTissue]:
    """What HU tell. Raises `InputError` without a body, and without bones: nothing would hold the reference."""
    drawn = ANALYTIC.segment(study, progress=progress)
    bones = drawn.union(["bones"])
    bone_ml = np.count_nonzero(bones) * float(np.prod(study.image.GetSpacing())) / 1000
    if bone_ml < _LEAST_BONE_ML:
        raise InputError(f"the CT shows {bone_ml:.0f} ml of bone: too little to fit a phantom to",
                         where=study.files[0] if study.files else None, mend="Use the atlas on CTs of patients.")
    return drawn, SeenTissue(study.image, drawn.mask("body"), bones, drawn.union(["lung_left", "lung_right"]))


def fitted(seen: SeenTissue, reference: AtlasReference, *, deformable: bool = True,
           beyond_mm: tuple[float, float] = (0.0, 0.0), progress: Progress) -> AtlasMap:
    """The map from the CT, and so far beyond its feet and head ends, to the reference."""
    progress.report("atlas: tissues", 0.0)
    of_ct = tissue_maps_of_ct(seen.image, seen.body, seen.lungs, seen.bones)
    progress.report("atlas: tissues", 0.5)
    return register(of_ct, tissue_maps_of_reference(reference), beyond_mm=beyond_mm, deformable=deformable,
                    progress=progress)


def origin_of(reference: AtlasReference, found: AtlasMap) -> str:
    """For reports: which phantom was fitted, and how close its map came to folding."""
    return f"atlas ({reference.title.lower()} fitted to the CT; smallest Jacobian {found.smallest_jacobian:.2f})"


def add_seen(masks: OrganMasks, drawn: OrganMasks) -> None:
    """Put what HU tell in the place of what was estimated of it."""
    for name in drawn.names:
        if name in masks.segments:
            layer, value = masks.segments.pop(name)
            masks.layers[layer][masks.layers[layer] == value] = 0
            masks.reviews.pop(name, None)
        masks.add(name, drawn.mask(name))
        masks.notes[name] = "; ".join(filter(None, (drawn.notes.get(name, ""), "by the analytic engine")))
    mark_drawn(masks, names=drawn.names)


ENGINE = AtlasEngine()
