"""Masks in NRRD and NIfTI: label maps with a legend, Slicer's .seg.nrrd, one file an organ."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import review_from_tags
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.ct_grid import labels_on_ct
from organdose.segmentation.label_legend import find_legend, read_legend
from organdose.segmentation.mask_collection import MaskCollection, MaskLabel, labels_present
from organdose.segmentation.organ_names import name_of_label
from organdose.study.ct_study import CTStudy
from organdose.study.nifti_header import check_nifti

IMAGE_SUFFIXES = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd")
_SEGMENT = re.compile(r"Segment(\d+)_(\w+)")
_SIDES = {"7771000": "left", "24028007": "right"}


def is_mask_image(path: Path) -> bool:
    return path.name.lower().endswith(IMAGE_SUFFIXES)


def read_mask_image(path: Path, study: CTStudy, labels: Path | None, progress: Progress) -> OrganMasks:
    """A .seg.nrrd (known by its header), a label map with its legend, or a binary mask named after its organ."""
    image = _read_image(path, progress)
    segments = _slicer_segments(image)
    if segments:
        return _read_segments(image, segments, study, path, progress)
    collection = MaskCollection(study, "label map", path)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError("several layers, and no Slicer header that says which segment is where", where=path,
                         mend="Save it from Slicer as .seg.nrrd, or as a label map.")
    values, corner = labels_on_ct(_whole_numbers(image, path), study, path)
    collection.add_label_map(values, corner, _legend(path, labels, values))
    return collection.finished()


def mask_image_grid(path: Path) -> sitk.Image:
    """The grid a mask file is drawn on, turned to LPS: an empty image for readers that ask for a CT's geometry."""
    image = _read_image(path, Progress())
    grid = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    grid.CopyInformation(image)
    return sitk.DICOMOrient(grid, "LPS")


def read_mask_folder(paths: list[Path], study: CTStudy, folder: Path, progress: Progress) -> OrganMasks:
    """One binary mask a file, named after its organ (TotalSegmentator's default output)."""
    collection = MaskCollection(study, "mask files", folder)
    for done, path in enumerate(paths):
        progress.report("reading masks", done / len(paths), path.name)
        image = _read_image(path, progress)
        if image.GetNumberOfComponentsPerPixel() != 1:
            raise InputError("several layers in a folder of one mask a file", where=path, mend="Give this file alone.")
        values, corner = labels_on_ct(_whole_numbers(image, path), study, path)
        collection.add(MaskLabel(path.name.split(".")[0]), values > 0, corner)
    return collection.finished()


def _read_image(path: Path, progress: Progress) -> sitk.Image:
    progress.report("reading masks", 0.0, path.name)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        check_nifti(path, progress)
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:  # SimpleITK has no finer exception
        raise InputError("the file is truncated, damaged or no image", where=path,
                         mend="Export the masks again.") from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
    if image.GetDimension() != 3:
        raise InputError(f"the masks have {image.GetDimension()} dimensions", where=path,
                         mend="Give one three-dimensional label map.")
    return image


def _whole_numbers(image: sitk.Image, path: Path) -> sitk.Image:
    """The label map as integers. Raises `InputError` when its values are no label numbers."""
    values = sitk.GetArrayViewFromImage(image)
    whole = values.dtype.kind in "iu" or bool((np.isfinite(values) & (values == np.rint(values))).all())
    if not whole or values.min() < 0 or values.max() > 65535:
        raise InputError("its values are no label numbers (whole numbers from 0 to 65535)", where=path,
                         mend="Give a label map, not a CT or a probability map.")
    return image if image.GetPixelID() == sitk.sitkUInt8 else sitk.Cast(image, sitk.sitkUInt16)


def _legend(path: Path, labels: Path | None, values: np.ndarray) -> dict[int, MaskLabel]:
    """The names of the labels: the file given, the one beside the map, or the file's own name for a binary mask."""
    legend = labels if labels is not None else find_legend(path)
    if legend is not None:
        return read_legend(Path(legend))
    present = [value for value in labels_present(values) if value]
    own = path.name.split(".")[0]
    if len(present) <= 1 and name_of_label(own):
        return {value: MaskLabel(own) for value in present}
    raise InputError(f"nothing says which organ is which of its {len(present)} labels", where=path,
                     mend='Put a labels.json beside it: {"1": "liver", "2": "spleen"}.')


def _slicer_segments(image: sitk.Image) -> list[dict[str, str]]:
    """The fields of each segment in a .seg.nrrd header ('ID', 'Name', 'Layer', 'LabelValue', 'Tags' ...)."""
    segments: dict[int, dict[str, str]] = {}
    for key in image.GetMetaDataKeys():
        if found := _SEGMENT.fullmatch(key):
            segments.setdefault(int(found[1]), {})[found[2]] = image.GetMetaData(key)
    return [segments[number] for number in sorted(segments)]


def _read_segments(image: sitk.Image, segments: list[dict[str, str]], study: CTStudy, path: Path,
                   progress: Progress) -> OrganMasks:
    collection = MaskCollection(study, _origin(segments), path)
    layer_count = image.GetNumberOfComponentsPerPixel()
    for layer in range(layer_count):
        progress.report("reading masks", layer / layer_count)
        of_layer = {_number(fields, "LabelValue", 1, path): _label(fields) for index, fields in enumerate(segments)
                    if _number(fields, "Layer", index if layer_count > 1 else 0, path) == layer}
        single = image if layer_count == 1 else sitk.VectorIndexSelectionCast(image, layer)
        values, corner = labels_on_ct(_whole_numbers(single, path), study, path)
        present = set(labels_present(values))
        collection.empty.extend(what.label for value, what in of_layer.items() if value not in present)
        collection.add_label_map(values, corner, of_layer)
    return collection.finished()


def _number(fields: dict[str, str], key: str, default: int, path: Path) -> int:
    """A number of the segment's header; files older than Slicer 4.11 have one layer a segment with the value 1."""
    try:
        return int(fields.get(key, default))
    except ValueError as error:
        raise InputError(f"{key} of a segment is {fields[key]!r}, not a number", where=path,
                         mend="Save it from Slicer again.") from error


def _label(fields: dict[str, str]) -> MaskLabel:
    tags = dict(tag.split(":", 1) for tag in fields.get("Tags", "").split("|") if ":" in tag)
    parts = [part.split("^") for part in tags.get("TerminologyEntry", "").split("~")]
    code = parts[2][1] if len(parts) > 3 and len(parts[2]) > 1 else ""
    side = _SIDES.get(parts[3][1], "") if len(parts) > 3 and len(parts[3]) > 1 else ""
    return MaskLabel(fields.get("Name", ""), code, side, fields.get("ID", ""), review_from_tags(tags))


def _origin(segments: list[dict[str, str]]) -> str:
    """Who made the masks, when we wrote the file; else '.seg.nrrd'."""
    for fields in segments:
        if found := re.search(r"OrganDose\.Origin:([^|]+)", fields.get("Tags", "")):
            return found[1]
    return ".seg.nrrd"
