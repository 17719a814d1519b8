"""The engine that runs the project's own Res-U2Net: the shipped network, or those trained on the user's cases."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.resources import resource_path
from organdose.segmentation.analytic import ENGINE as ANALYTIC
from organdose.segmentation.analytic_body import body_mask
from organdose.segmentation.network_input import body_box, working_image
from organdose.segmentation.network_labels import NETWORK_ORGANS, organ_values, voxels_of
from organdose.study.ct_study import CTStudy

_FROM_HU = ("lung_left", "lung_right", "bones", "air_internal")
_OVERLAPPING = ("body", "bones")  # hold other labels, so they are drawn apart
_WEIGHTS, _TITLE = "weights.pt", "Res-U2Net"


class ResU2NetParameters(BaseModel):
    """Settings of the Res-U2Net engine."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = Field(None, title="Trained network", description="Folder with weights.pt and card.json, or "
                               "with such a folder an organ; the shipped network without one.",
                               json_schema_extra={"without": "the shipped network"})
    device: str = Field("auto", title="Device", description="auto, cpu or cuda.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", title="Precision", description="Half precision where the hardware is fast in it.")
    from_hu: bool = Field(True, title="Lungs, bones and air from HU", description="Drawn by the analytic engine, on "
                          "the voxels of the CT, where it finds them.")
    islands: bool = Field(False, title="Keep islands", description="Keep small parts apart from the organ.")


class ResU2NetEngine:
    """A network of the project's own; the shipped one was trained on generated patients only. Drafts for correction."""

    name = "res-u2net"
    title = "Res-U2Net of this project (draft for correction)"
    licence = "Apache-2.0"
    cost = "whole body, 512 x 512 x 601 voxels: 2.2 GiB of memory, 22 s on two cores, bfloat16 (organdose benchmark)"
    devices = ("cpu", "cuda")
    context = "slices"
    organs = (*NETWORK_ORGANS, "air_internal")
    parameters = ResU2NetParameters

    def check_ready(self, parameters: ResU2NetParameters, installed: Callable[[str], bool]) -> None:
        """Raises `InputError` where torch, MONAI or the weights are missing."""
        _need_torch(installed)
        folder = parameters.model or shipped_folder()
        places = (_WEIGHTS, f"*/{_WEIGHTS}", f"*/model/{_WEIGHTS}")
        if not any(any(folder.glob(place)) for place in places):
            raise InputError(f"no trained network here ({_WEIGHTS} is missing)", where=folder,
                             mend="Give the folder of a trained network, or train one: organdose train segmentation.")

    def segment(self, study: CTStudy, parameters: ResU2NetParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT; the body is always that of the analytic engine, organs end at it.

        Raises `InputError` for missing or foreign weights, missing torch, a CT without a body; `MemoryError` when not
        even the smallest tile fits; `Cancelled`.
        """
        parameters, progress = parameters or ResU2NetParameters(), progress or Progress()
        _need_torch(_is_here)
        from organdose.segmentation.networks.network_set import open_networks

        networks = open_networks(parameters.model or shipped_folder())
        drawn = _drawn_from_hu(study, parameters, progress)
        body = drawn.mask("body")
        box = body_box(body, study.image.GetSpacing()[::-1])
        labels = _labels_in_box(networks, study.image, box, parameters, progress)
        labels[~body[box]] = 0
        return _masks(study.image, labels, box, networks, drawn)


def shipped_folder() -> Path:
    """The folder of the shipped network. Raises `InputError` when the installation has none."""
    try:
        return resource_path("models", "res-u2net")
    except InputError as error:
        raise InputError("this installation has no trained Res-U2Net", mend="Give the folder of one with --model, or "
                         "train one: organdose train segmentation.") from error


def _is_here(module: str) -> bool:
    return find_spec(module) is not None


def _need_torch(installed: Callable[[str], bool]) -> None:
    missing = [name for name in ("torch", "monai") if not installed(name)]
    if missing:
        raise InputError(f"the res-u2net engine needs {' and '.join(missing)}, not installed here",
                         mend="Install with: pip install 'organdose[segmentation]'.")


def _drawn_from_hu(study: CTStudy, parameters: ResU2NetParameters, progress: Progress) -> OrganMasks:
    if parameters.from_hu:
        return ANALYTIC.segment(study, progress=progress)
    masks = OrganMasks(study.image, origin="analytic")
    masks.add("body", body_mask(study.image, progress))
    return masks


def _labels_in_box(networks, image: sitk.Image, box, parameters, progress: Progress) -> np.ndarray:
    """uint8 labels (z, y, x) of the CT's voxels in a box."""
    from organdose.segmentation.networks.hardware import chosen_device, chosen_precision
    from organdose.segmentation.networks.islands import without_islands
    from organdose.segmentation.networks.label_upsampling import labels_on_slices

    z, y, x = box
    cut = image[x, y, z]
    coarse = working_image(cut, networks.spacing_mm)
    device = chosen_device(parameters.device)
    logits = networks.logits(sitk.GetArrayFromImage(coarse), device, chosen_precision(parameters.precision, device),
                             progress)
    if not parameters.islands:
        without_islands(logits, networks.organs)
    places = [(cut.GetOrigin()[axis] + np.arange(cut.GetSize()[axis]) * cut.GetSpacing()[axis]
               - coarse.GetOrigin()[axis]) / coarse.GetSpacing()[axis] for axis in (2, 1, 0)]
    return labels_on_slices(logits, tuple(places), progress)


def _origin(networks) -> str:
    """For reports: which network, what it has seen, and that nobody looked at its masks yet."""
    own = [] if networks.title == _TITLE else [networks.title]
    seen = ["trained on generated patients only"] if networks.of_generated_patients else []
    return f"{_TITLE} ({', '.join([*own, *seen, 'a draft, not reviewed'])})"


def _masks(image: sitk.Image, labels: np.ndarray, box, networks, drawn: OrganMasks) -> OrganMasks:
    """The network's label map as one layer, what overlaps it and what HU told better as others."""
    masks = OrganMasks(image, origin=_origin(networks))
    corner = tuple(side.start for side in box)
    better = {name for name in _FROM_HU if name in drawn.segments}
    masks.add("body", drawn.mask("body"))
    there = np.bincount(labels.ravel(), minlength=256) > 0
    own = {name: value for name, value in organ_values(networks.organs).items()
           if name not in _OVERLAPPING and name not in better}
    keeps = np.zeros(256, np.uint8)  # a label left without a name would pass to the next mask put into the layer
    keeps[list(own.values())] = list(own.values())
    layer = np.zeros(masks.shape, np.uint8)
    layer[box] = keeps[labels]
    masks.layers.append(layer)
    for name, value in own.items():
        if there[value]:
            masks.segments[name] = (len(masks.layers) - 1, value)
        else:
            masks.notes[name] = "the network did not find it in this CT"
    for name in sorted(better):
        masks.add(name, drawn.mask(name))
        masks.notes[name] = f"{drawn.notes[name]}; by the analytic engine" if name in drawn.notes else (
            "by the analytic engine")
    if "bones" not in better and "bones" in networks.organs and voxels_of("bones", labels, networks.organs).any():
        masks.add("bones", voxels_of("bones", labels, networks.organs), corner)
    return masks


ENGINE = ResU2NetEngine()
