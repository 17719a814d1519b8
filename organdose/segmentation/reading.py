"""The front door for masks: any of the formats people keep them in, chosen by content."""

from __future__ import annotations

import os
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.mask_dicom_seg import read_dicom_seg
from organdose.segmentation.mask_images import is_mask_image, read_mask_folder, read_mask_image
from organdose.segmentation.mask_rtstruct import read_rtstruct
from organdose.study.ct_study import CTStudy

_DICOM_READERS = {"SEG": read_dicom_seg, "RTSTRUCT": read_rtstruct}
_MEND = "Give .seg.nrrd, a NRRD or NIfTI label map with labels.json, DICOM SEG or RTSTRUCT."


def read_masks(path: Path | str, study: CTStudy, *, labels: Path | str | None = None,
               progress: Progress | None = None) -> OrganMasks:
    """Read organ masks drawn on `study`.

    `path` is a .seg.nrrd, a NRRD/NIfTI label map (its legend is `labels`, or `labels.json` beside it), a DICOM SEG, a
    DICOM RTSTRUCT, or a folder with one of the last two or with one binary mask an organ. Names become those of the
    vocabulary; masks it does not know keep their own name. `notes` of the result has a line for each mask that was
    renamed, kept aside, or left out because it is empty.

    Raises `InputError` for masks on another grid or outside the CT, of another series, without names, all empty, or
    that cannot be read; `Cancelled` when `progress` was cancelled.
    """
    path, progress = Path(path), progress or Progress()
    if not os.path.exists(path):  # Path.exists raises for names too long
        raise InputError("there is no such file or folder", where=path, mend="Check the path of the masks.")
    if path.is_dir():
        return _read_folder(path, study, progress)
    if is_mask_image(path):
        return read_mask_image(path, study, Path(labels) if labels is not None else None, progress)
    reader = _dicom_reader(path)
    if reader is None:
        raise InputError("these are no masks in a format that can be read", where=path, mend=_MEND)
    return reader(path, study, progress)


def _read_folder(folder: Path, study: CTStudy, progress: Progress) -> OrganMasks:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    images = [file for file in files if is_mask_image(file)]
    if images:
        return read_mask_folder(images, study, folder, progress)
    dicom = {file: reader for file in files if (reader := _dicom_reader(file, quiet=True)) is not None}
    if len(dicom) != 1:
        what = "no masks here" if not dicom else f"{len(dicom)} segmentations or structure sets here"
        raise InputError(what, where=folder, mend="Give one file." if dicom else _MEND)
    (file, reader), = dicom.items()
    return reader(file, study, progress)


def _dicom_reader(path: Path, *, quiet: bool = False):
    """The function that reads this DICOM file; None when it is no DICOM (or, when quiet, no masks)."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"])
    except (InvalidDicomError, OSError, EOFError):
        return None
    modality = header.get("Modality", "")
    if modality not in _DICOM_READERS and not quiet:
        raise InputError(f"this DICOM file holds no masks but {modality or 'an unknown kind of data'}", where=path,
                         mend=_MEND)
    return _DICOM_READERS.get(modality)
