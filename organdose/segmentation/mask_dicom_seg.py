"""Masks in a DICOM Segmentation: binary, fractional (threshold 0.5) or label map. PS3.3 A.51."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review_dicom import review_of_segment
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.ct_grid import labels_on_ct
from organdose.segmentation.mask_collection import MaskCollection, MaskLabel
from organdose.study.ct_study import CTStudy

if TYPE_CHECKING:
    from highdicom import Volume
    from highdicom.seg import Segmentation

FRACTIONAL_THRESHOLD = 0.5
_SIDES = {"7771000": "left", "24028007": "right", "G-A101": "left", "G-A100": "right"}


def read_dicom_seg(path: Path, study: CTStudy, progress: Progress) -> OrganMasks:
    """The segments of a DICOM SEG that refers to the series of `study`.

    Raises `InputError` when it refers to another series or frame of reference, lies on another grid or outside the
    CT, or cannot be read.
    """
    import highdicom

    progress.report("reading masks", 0.0, path.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # highdicom warns of harmless deviations of other people's files
        try:
            seg = highdicom.seg.segread(path)
        except Exception as error:  # highdicom raises many kinds for damaged files
            raise InputError(f"not a DICOM Segmentation that can be read ({_first_line(error)})", where=path,
                             mend="Export the segmentation again.") from error
        _check_reference(seg, study, path)
        collection = MaskCollection(study, "DICOM SEG", path)
        numbers = [number for number in seg.segment_numbers if number != 0]
        for done, number in enumerate(numbers):
            progress.report("reading masks", done / len(numbers), path.name)
            labels, corner = _segment_on_ct(seg, number, study, path)
            collection.add(_label(seg.get_segment_description(number)), labels > 0, corner)
    return collection.finished()


def _segment_on_ct(seg: Segmentation, number: int, study: CTStudy,
                   path: Path) -> tuple[np.ndarray, tuple[int, int, int]]:
    try:
        volume = seg.get_volume(segment_numbers=[number], combine_segments=False)
    except Exception as error:
        raise InputError(f"its frames form no regular volume ({_first_line(error)})", where=path,
                         mend="Export the segmentation on the grid of the CT.") from error
    # Only the slices from the first to the last that the segment has: the volume spans those of all segments.
    filled = np.flatnonzero(volume.array.any(axis=(1, 2, 3)))
    if filled.size:
        volume = volume[filled[0]:filled[-1] + 1]
    mask = (volume.array[..., 0] >= FRACTIONAL_THRESHOLD).astype(np.uint8)
    return labels_on_ct(_image(mask, volume), study, path)


def _image(mask: np.ndarray, volume: Volume) -> sitk.Image:
    """highdicom's volume (its array axes are slice, row, column; affine from them to LPS mm) as an image."""
    origin_mm, axes_mm = volume.affine[:3, 3], volume.affine[:3, :3]
    if np.linalg.det(axes_mm[:, ::-1]) < 0:  # images want right-handed axes: count the slices from the other end
        mask = mask[::-1]
        origin_mm = origin_mm + axes_mm[:, 0] * (len(mask) - 1)
        axes_mm = axes_mm * np.array([-1, 1, 1])
    columns = axes_mm[:, ::-1]  # SimpleITK's order: along a row, down the rows, through the slices
    spacing_mm = np.linalg.norm(columns, axis=0)
    image = sitk.GetImageFromArray(mask)
    image.SetSpacing(spacing_mm.tolist())
    image.SetOrigin(origin_mm.tolist())
    image.SetDirection((columns / spacing_mm).ravel().tolist())
    return image


def _check_reference(seg: Dataset, study: CTStudy, path: Path) -> None:
    mend = "Give the segmentation of this CT."
    frame = seg.get("FrameOfReferenceUID", "")
    if study.frame_of_reference_uid and frame and frame != study.frame_of_reference_uid:
        raise InputError("the segmentation belongs to another frame of reference than the CT", where=path, mend=mend)
    series = {str(item.SeriesInstanceUID) for item in seg.get("ReferencedSeriesSequence", [])}
    if study.series_uid and series and study.series_uid not in series:
        raise InputError("the segmentation refers to another series than this CT", where=path, mend=mend)


def _label(description: Dataset) -> MaskLabel:
    kind = description.SegmentedPropertyTypeCodeSequence[0]
    modifiers = kind.get("SegmentedPropertyTypeModifierCodeSequence", [])
    sides = [_SIDES.get(str(item.get("CodeValue", "")), "") for item in modifiers]
    code = str(kind.get("CodeValue", "")) if kind.get("CodingSchemeDesignator") == "SCT" else ""
    return MaskLabel(str(description.get("SegmentLabel", "")), code, next(filter(None, sides), ""),
                     review=review_of_segment(description))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
