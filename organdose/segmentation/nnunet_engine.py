"""A trained nnU-Net v2, run by its own package in a process of its own, where that is installed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organs
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.mask_collection import MaskCollection, MaskLabel
from organdose.segmentation.nnunet_folder import NnUNetFolder, read_nnunet_folder
from organdose.segmentation.organ_names import vocabulary_name
from organdose.segmentation.outside_process import OutsideEnd, is_installed, run_entry_point
from organdose.segmentation.outside_result import card_or_processor, mapped_names, named_masks, read_label_map
from organdose.study.ct_study import CTStudy

_COMMAND = "nnunetv2.inference.predict_from_raw_data:predict_entry_point_modelfolder"
_PERCENT = re.compile(r"(\d{1,3})%\|")


class NnUNetParameters(BaseModel):
    """Settings of the nnU-Net engine."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = Field(None, title="Trained nnU-Net", description="Folder with dataset.json, plans.json and "
                               "fold_0 to fold_4.")
    labels: Path | None = Field(None, title="Names of labels", description="JSON such as {\"1\": \"liver\"}; wins over "
                                "the names in dataset.json.")
    folds: tuple[str, ...] | None = Field(None, title="Folds", description="Such as 0, 1 or all; all that are there "
                                          "without.")
    checkpoint: str = Field("checkpoint_final.pth", title="Checkpoint", pattern=r"^[\w.-]+$")
    mirroring: bool = Field(False, title="Average over mirrored images", description="Up to eight times the work.")
    device: str = Field("auto", title="Device", description="auto, cpu or cuda.")
    python: Path | None = Field(None, title="Python", description="That of an environment that has nnunetv2; without "
                                "one, this one.")


class NnUNetEngine:
    """The package's own command for a model folder on a copy of the CT; nnU-Net turns, resamples and normalises."""

    name = "nnunet"
    title = "nnU-Net v2 (a folder of yours)"
    organs_by_model = True
    licence = "the package Apache-2.0; weights as whoever trained them says"
    cost = ("as the model is: its plans set the tile and so the memory; minutes on a graphics card, far longer on "
            "processors; not measured here")
    devices = ("cpu", "cuda")
    parameters = NnUNetParameters

    @property
    def organs(self) -> tuple[str, ...]:
        return tuple(organs())

    def organs_with(self, parameters: NnUNetParameters) -> tuple[str, ...]:
        """The labels of the model that the vocabulary knows; all of the vocabulary where nothing tells.

        Raises `InputError` for what is no trained nnU-Net.
        """
        if parameters.model is None or parameters.labels is not None:
            return self.organs
        labels = read_nnunet_folder(parameters.model, parameters.checkpoint, parameters.folds).labels
        known = (vocabulary_name(label) for label in labels)
        return tuple(dict.fromkeys(name for name in known if name in organs())) or self.organs

    def context_with(self, parameters: NnUNetParameters) -> str:
        """Its surroundings; the whole CT where nnU-Net scales each image by its own mean and spread,
        as it does with all channels but 'CT'. Raises `InputError` for what is no trained nnU-Net."""
        if parameters.model is None:
            return "surroundings"
        channel = read_nnunet_folder(parameters.model, parameters.checkpoint, parameters.folds).channel
        return "surroundings" if channel.casefold() == "ct" else "ct"

    def check_ready(self, parameters: NnUNetParameters, installed: Callable[[str], bool]) -> None:
        """Raises `InputError` where package or weights are missing; another Python is asked only when it runs."""
        if parameters.model is None:
            raise _not_given()
        read_nnunet_folder(parameters.model, parameters.checkpoint, parameters.folds)
        if parameters.python is None and not installed("nnunetv2"):
            raise _not_installed(None)

    def segment(self, study: CTStudy, parameters: NnUNetParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT. When a card's memory runs out, results are kept off it, then the CPU works.

        Raises `InputError` in one line for a missing package or weights, a wrong number of channels, too little
        memory, a failure of the package; `Cancelled` after its whole process tree was ended.
        """
        parameters, progress = parameters or NnUNetParameters(), progress or Progress()
        if parameters.model is None:
            raise _not_given()
        trained = read_nnunet_folder(parameters.model, parameters.checkpoint, parameters.folds)
        device = card_or_processor(parameters.device)
        if not is_installed("nnunetv2", parameters.python):
            raise _not_installed(parameters.python)
        with tempfile.TemporaryDirectory(prefix="nnunet-") as temporary:
            folder = Path(temporary)
            (folder / "in").mkdir()
            sitk.WriteImage(study.image, str(folder / "in" / f"ct_0000{trained.file_ending}"))
            _run(folder, trained, parameters, device, progress)
            labels, corner = read_label_map(folder / "out" / f"ct{trained.file_ending}", study, "nnU-Net")
        return masks_of(labels, corner, study, trained, parameters.labels)


def _not_given() -> InputError:
    return InputError("the nnunet engine needs the folder of a trained nnU-Net", mend="Give its folder (--model).")


def _not_installed(python: Path | None) -> InputError:
    return InputError("nnU-Net is not installed in this Python", where=python,
                      mend="Install it with: pip install nnunetv2, or give the Python that has it.")


def masks_of(labels: np.ndarray, corner: tuple[int, int, int], study: CTStudy, trained: NnUNetFolder,
             mapping: Path | None) -> OrganMasks:
    """Masks of a label map; a region is the union of its labels, so regions may overlap."""
    origin = f"nnU-Net ({trained.path.name}, not reviewed)"
    if not trained.has_regions or mapping is not None:
        names = {values[0]: name for name, values in trained.labels.items() if len(values) == 1}
        masks = named_masks(labels, corner, study, mapped_names(names, mapping), origin=origin, where=trained.path)
    else:
        collection = MaskCollection(study, origin, trained.path)
        for name, values in trained.labels.items():
            collection.add(MaskLabel(name), np.isin(labels, values), corner)
        masks = collection.finished()
    if "ct" not in trained.channel.lower():
        masks.notes["nnunet"] = f"the model was trained on {trained.channel!r}: check that this means CT"
    return masks


def _run(folder: Path, trained: NnUNetFolder, parameters: NnUNetParameters, device: str, progress: Progress) -> None:
    arguments = ["-i", str(folder / "in"), "-o", str(folder / "out"), "-m", str(trained.path.absolute()), "-f",
                 *trained.folds, "-chk", parameters.checkpoint, "-npp", "1", "-nps", "1",
                 *([] if parameters.mirroring else ["--disable_tta"])]
    # The tile is part of the trained model: less memory means results off the card, or no card.
    attempts = [["-device", "cpu"]] if device == "cpu" else [
        ["-device", "cuda"], ["-device", "cuda", "--not_on_device"], ["-device", "cpu"]]
    # It asks for these folders, though a model folder does not need them.
    variables = {name: str(folder) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    for more in attempts:
        end = run_entry_point(_COMMAND, [*arguments, *more], folder=folder, progress=progress, read_line=_percent,
                              python=parameters.python, variables=variables)
        if end.status == 0:
            return
        if not end.ran_out_of_memory:
            break
    raise _failure(end)


def _percent(line: str) -> tuple[str, float] | None:
    found = _PERCENT.search(line)
    return ("network", int(found[1]) / 100) if found else None


def _failure(end: OutsideEnd) -> InputError:
    if end.ran_out_of_memory:
        return InputError("nnU-Net ran out of memory", mend="Close other programs, use one fold, give a part of the "
                          "CT, or take a model with larger voxels.")
    return InputError(f"nnU-Net failed (exit status {end.status}): {end.last_line or 'it did not say why'}",
                      mend="Run nnUNetv2_predict_from_modelfolder by hand on this CT to see more.")


ENGINE = NnUNetEngine()
