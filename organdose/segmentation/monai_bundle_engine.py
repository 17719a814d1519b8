"""The engine that runs a network from a MONAI bundle or a TorchScript file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organs
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.bundle_recipe import on_network_voxels, places_on, prepared
from organdose.segmentation.outside_result import mapped_names, named_masks
from organdose.study.ct_study import CTStudy


class MonaiBundleParameters(BaseModel):
    """Settings of the MONAI bundle engine."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = Field(None, title="Bundle", description="Folder with configs and models, or a TorchScript "
                               "file with a JSON beside it.", json_schema_extra={"may_be_file": True})
    labels: Path | None = Field(None, title="Names of labels", description="JSON such as {\"1\": \"liver\"}; wins over "
                                "the names in the bundle.")
    device: str = Field("auto", title="Device", description="auto, cpu or cuda.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", title="Precision", description="Half precision where the hardware is fast in it.")


class MonaiBundleEngine:
    """Voxels, orientation and intensities as the bundle's transforms say; in tiles that overlap."""

    name = "monai-bundle"
    title = "MONAI bundle or TorchScript (a network of yours)"
    organs_by_model = True
    licence = "as the bundle says"
    cost = ("as the network is: memory of one tile, and 2 bytes for each organ and voxel in a layer of tiles; time not "
            "measured here")
    devices = ("cpu", "cuda")
    parameters = MonaiBundleParameters

    @property
    def organs(self) -> tuple[str, ...]:
        return tuple(organs())

    def check_ready(self, parameters: MonaiBundleParameters, installed: Callable[[str], bool]) -> None:
        """Raises `InputError` where torch or MONAI are missing, or no bundle is given."""
        _need_torch(installed)
        if parameters.model is None:
            raise InputError("the monai-bundle engine needs a bundle", mend="Give its folder as the bundle (--model).")
        if not parameters.model.exists():
            raise InputError("no MONAI bundle here", where=parameters.model, mend="Check the path.")

    def segment(self, study: CTStudy, parameters: MonaiBundleParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT; labels that the vocabulary does not know keep their own name, with a note.

        Raises `InputError` in one line for what cannot be used as a network for CT, `MemoryError` when not even the
        smallest tile fits, `Cancelled`.
        """
        parameters, progress = parameters or MonaiBundleParameters(), progress or Progress()
        self.check_ready(parameters, lambda module: find_spec(module) is not None)
        from organdose.segmentation.networks.bundle_labels import labels_of
        from organdose.segmentation.networks.hardware import chosen_device, chosen_precision
        from organdose.segmentation.networks.monai_bundle import load_bundle

        device = chosen_device(parameters.device)
        progress.report("reading the network", 0.0)
        bundle = load_bundle(parameters.model)
        names = mapped_names(bundle.names, parameters.labels)
        if not names:
            raise InputError("nothing says which organ is which of its labels", where=parameters.model,
                             mend='Give a JSON such as {"1": "liver"} with the parameter labels.')
        progress.report("preparing the CT", 0.0)
        coarse = on_network_voxels(study.image, bundle.recipe.lps_spacing_mm)
        values = prepared(sitk.GetArrayFromImage(coarse), bundle.recipe.steps)
        labels = labels_of(bundle, values, places_on(study.image, coarse), device,
                           chosen_precision(parameters.precision, device), progress)
        masks = named_masks(labels, (0, 0, 0), study, names, where=parameters.model,
                            origin=f"MONAI bundle ({Path(parameters.model).stem}, not reviewed)")
        if bundle.recipe.assumptions:
            masks.notes[self.name] = "; ".join(bundle.recipe.assumptions)
        return masks


def _need_torch(installed: Callable[[str], bool]) -> None:
    missing = [name for name in ("torch", "monai") if not installed(name)]
    if missing:
        raise InputError(f"the monai-bundle engine needs {' and '.join(missing)}, not installed here",
                         mend="Install with: pip install 'organdose[segmentation]'.")


ENGINE = MonaiBundleEngine()
