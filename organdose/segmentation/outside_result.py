"""A label map that another program wrote for our CT, as masks; and whether an NVIDIA card is there to write it on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.segmentation.ct_grid import labels_on_ct
from organdose.segmentation.label_legend import read_legend
from organdose.segmentation.mask_collection import MaskCollection, MaskLabel
from organdose.study.ct_study import CTStudy


def has_nvidia_card() -> bool:
    """Whether the driver of an NVIDIA card is installed: what can be known without starting torch."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def card_or_processor(device: str) -> str:
    """'cuda' or 'cpu' for 'auto', 'cuda' or 'cpu'. Raises `InputError` for anything else, and for a card not there."""
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"unknown device {device!r}", mend="Choose auto, cpu or cuda.")
    if device == "cuda" and not has_nvidia_card():
        raise InputError("there is no graphics card of NVIDIA", mend="Choose auto or cpu.")
    return "cuda" if device != "cpu" and has_nvidia_card() else "cpu"


def read_label_map(path: Path, study: CTStudy, who: str) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Labels (z, y, x) on the CT, and the index of their first voxel. Raises `InputError` when there are none."""
    if not os.path.isfile(path):
        raise InputError(f"{who} ended without masks", mend="Run it by hand on this CT to see why.")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:  # SimpleITK has no finer exception
        raise InputError(f"the masks that {who} wrote cannot be read", mend="Check the space on the disk.") from error
    return labels_on_ct(sitk.Cast(image, sitk.sitkUInt16), study, path.name)


def named_masks(labels: np.ndarray, corner: tuple[int, int, int], study: CTStudy, names: dict[int, str], *,
                origin: str, where: Path) -> OrganMasks:
    """Masks under the names of the vocabulary; labels that it does not know keep their own name, with a note.

    Named labels without a voxel get a note. Raises `InputError` when the label map is empty.
    """
    collection = MaskCollection(study, origin, where)
    collection.add_label_map(labels, corner, {value: MaskLabel(name) for value, name in names.items()})
    if not collection.masks.segments:
        raise InputError("none of its organs was found in this CT", where=where,
                         mend="Check that the model is for CT, and for this part of the body.")
    there = set(np.unique(labels).tolist())
    masks = collection.finished()
    for value, name in names.items():
        if value not in there:
            masks.notes.setdefault(name, "not found in this CT")
    return masks


def mapped_names(names: dict[int, str], mapping: Path | None) -> dict[int, str]:
    """The names of a model's labels; those in the user's own file (any legend that masks may have) win.

    Raises `InputError` for a file that is no legend.
    """
    if mapping is None:
        return names
    return {**names, **{value: label.label for value, label in read_legend(Path(mapping)).items()}}
