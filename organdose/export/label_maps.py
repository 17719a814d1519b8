"""Masks as NIfTI for programs that know no segments: one label map with a legend, or a binary mask an organ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.image_file import write_image
from organdose.export.whole_file import whole_file
from organdose.progress import Progress


def legend_path(label_map: Path) -> Path:
    """The legend beside a label map: `masks.nii.gz` -> `masks.json`, where readers of masks look for it first."""
    return label_map.with_name(f"{label_map.name.split('.')[0]}.json")


def write_label_map(masks: OrganMasks, path: Path | str) -> str:
    """Write a label map (labels 1, 2, ... in the order of the masks) and its legend, `legend_path`.

    A voxel has one label: where organs overlap, it goes to the one with the smaller mask. Gives the line that names
    the organs which are not whole for that reason, '' where all are; the legend has it as "note". Empty masks are left
    out. Raises `InputError` when there is no voxel to write, or the files cannot be written.
    """
    path = Path(path)
    voxels = {name: int(np.count_nonzero(masks.mask(name))) for name in masks.names}
    labels = {name: number for number, name in enumerate((name for name in masks.names if voxels[name]), start=1)}
    if not labels:
        raise InputError("there is no mask to write", where=path)
    values = np.zeros(masks.shape, np.uint8 if len(labels) < 256 else np.uint16)
    for name in sorted(labels, key=voxels.get, reverse=True):
        values[masks.mask(name)] = labels[name]
    left = np.bincount(values.ravel(), minlength=len(labels) + 1)
    cut = [name for name, label in labels.items() if left[label] < voxels[name]]
    note = f"Voxels of several organs went to the smaller one; not whole: {', '.join(cut)}." if cut else ""
    legend = {"labels": {str(label): name for name, label in labels.items()}, **({"note": note} if note else {})}
    with whole_file(path) as temporary:
        write_image(_on_grid(values, masks.reference), temporary)
    with whole_file(legend_path(path)) as temporary:
        temporary.write_text(json.dumps(legend, indent=1) + "\n", encoding="utf-8")
    return note


def write_organ_folder(masks: OrganMasks, folder: Path | str, progress: Progress | None = None) -> None:
    """Write `<organ>.nii.gz` (1 inside, 0 outside; uint8) for each mask with voxels into a new or empty folder.

    Raises `InputError` when there is no voxel to write, the folder holds something, or it cannot be written;
    `Cancelled`.
    """
    folder, progress = Path(folder), progress or Progress()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is not empty", where=folder, mend="Choose an empty or a new folder.")
    filled = [name for name in masks.names if masks.mask(name).any()]
    if not filled:
        raise InputError("there is no mask to write", where=folder)
    for done, name in enumerate(filled):
        progress.report("Writing the masks", done / len(filled), name)
        with whole_file(folder / f"{name}.nii.gz") as temporary:
            write_image(_on_grid(masks.mask(name).astype(np.uint8), masks.reference), temporary)


def _on_grid(values: np.ndarray, reference: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(reference)
    return image
