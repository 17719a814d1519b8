"""Masks in a DICOM RT Structure Set: closed contours filled by the pixel-centre rule. PS3.3 C.8.8.6."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Review
from organdose.anatomy.review_dicom import review_of_text
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.contour_raster import inside_contours
from organdose.segmentation.mask_collection import MaskCollection, MaskLabel
from organdose.study.ct_study import CTStudy

_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
_PLANE_TOLERANCE_MM = 0.05  # contours closer than this lie in the same plane
_EDGE_PIXELS = 1.0  # how far a contour may reach past the outermost pixel centres


def read_rtstruct(path: Path, study: CTStudy, progress: Progress) -> OrganMasks:
    """The ROIs of an RT Structure Set drawn on `study`.

    Contours of one plane are combined by exclusive or, so inner contours are holes. Each plane fills the slice
    nearest to it; where several planes fall on one slice the nearest one counts, and the organ gets a note. Points and
    open contours enclose nothing and are noted. Raises `InputError` when the structure set refers to another series or
    frame of reference, when contours lie outside the CT or not in its slices, or when it cannot be read.
    """
    progress.report("reading masks", 0.0, path.name)
    try:
        structure_set = _complete(path)
        _check_reference(structure_set, study, path)
        return _masks(structure_set, study, path, progress)
    except (InputError, Cancelled, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever it trips over in damaged data, struct.error among it
        raise _damaged(path) from error


def _complete(path: Path) -> Dataset:
    """The data set; where the file breaks off pydicom hands out what there is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="(?s).* in file ")  # what it says where a sequence has no end
        structure_set = pydicom.dcmread(path)
    stored = [structure_set.get_item(tag) for tag in list(structure_set.keys())]
    if any(isinstance(e, RawDataElement) and e.value is not None and 0 <= len(e.value) < e.length < 0xFFFFFFFF
           for e in stored):
        raise _damaged(path)
    if structure_set.get("StructureSetROISequence") and not structure_set.get("ROIContourSequence"):
        raise InputError("its structures have no contours", where=path, mend="Export the structures again.")
    return structure_set


def _damaged(path: Path) -> InputError:
    return InputError("the structure set is truncated or damaged", where=path, mend="Export the structures again.")


def _masks(structure_set: Dataset, study: CTStudy, path: Path, progress: Progress) -> OrganMasks:
    collection = MaskCollection(study, "RTSTRUCT", path)
    contours = {item.ReferencedROINumber: item.get("ContourSequence") or []
                for item in structure_set.get("ROIContourSequence", [])}
    codes, reviews = _codes(structure_set), _reviews(structure_set)
    rois = structure_set.get("StructureSetROISequence", [])
    for done, roi in enumerate(rois):
        progress.report("reading masks", done / len(rois), path.name)
        what = MaskLabel(str(roi.get("ROIName", "")) or f"ROI {roi.ROINumber}", codes.get(roi.ROINumber, ""),
                         review=reviews.get(roi.ROINumber))
        planes, remarks = _planes(contours.get(roi.ROINumber, []), what.label, study, path)
        mask, corner, more = _filled(planes, collection.masks.shape)
        name = collection.add(what, mask, corner)
        if what.review is None:
            remarks += _foreign_approval(structure_set)
        for remark in (*remarks, *more) if name else ():
            collection.note(name, remark)
    return collection.finished()


def _planes(items: list[Dataset], label: str, study: CTStudy,
            path: Path) -> tuple[dict[float, list[np.ndarray]], list[str]]:
    """Closed contours by their height in slices: {slice index (fractional): [(n, 2) in pixels]}; and remarks."""
    closed = [item for item in items if item.get("ContourGeometricType") in _CLOSED and "ContourData" in item]
    remarks = []
    if len(closed) < len(items):
        remarks.append(f"{len(items) - len(closed)} points or open contours enclose nothing")
    planes: dict[float, list[np.ndarray]] = {}
    outside = 0
    for item in closed:
        indices = _indices(item, label, study, path)
        height = float(np.median(indices[:, 2]))
        tolerance = _PLANE_TOLERANCE_MM / study.image.GetSpacing()[2]
        if np.abs(indices[:, 2] - height).max() > tolerance:
            raise InputError(f"contours of {label!r} do not lie in the slices of the CT", where=path,
                             mend="Export the structures on axial slices of this CT.")
        outside += _is_outside(indices, height, study)
        same = next((known for known in planes if abs(known - height) <= tolerance), height)
        planes.setdefault(same, []).append(indices[:, :2])
    if outside:
        raise InputError(f"{outside} of {len(closed)} contours of {label!r} reach outside the CT", where=path,
                         mend="Give the whole CT they were drawn on.")
    return planes, remarks


def _indices(item: Dataset, label: str, study: CTStudy, path: Path) -> np.ndarray:
    """Points of a contour (n, 3) as fractional voxel indices (x, y, z)."""
    points_mm = _coordinates_mm(item)
    if points_mm.size % 3 or points_mm.size < 9 or not np.isfinite(points_mm).all():
        raise InputError(f"a contour of {label!r} is damaged ({points_mm.size} coordinates)", where=path,
                         mend="Export the structures again.")
    return (points_mm.reshape(-1, 3) - study.image.GetOrigin()) / study.image.GetSpacing()


def _coordinates_mm(item: Dataset) -> np.ndarray:
    """x, y, z, x, y, z ... of a contour. Read from the bytes: a Python object a number takes minutes in long files."""
    raw = item.get_item("ContourData").value
    if not isinstance(raw, bytes):
        return np.asarray(item.ContourData, dtype=float)
    try:
        return np.array(raw.strip(b" \0").split(b"\\"), dtype=float)
    except ValueError:
        return np.empty(0)


def _is_outside(indices: np.ndarray, height: float, study: CTStudy) -> bool:
    width, rows, slices = study.image.GetSize()
    x, y = indices[:, 0], indices[:, 1]
    return bool(min(x.min(), y.min()) < -_EDGE_PIXELS or x.max() > width - 1 + _EDGE_PIXELS
                or y.max() > rows - 1 + _EDGE_PIXELS or not -0.5 <= height <= slices - 0.5)


def _filled(planes: dict[float, list[np.ndarray]],
            shape: tuple[int, int, int]) -> tuple[np.ndarray, tuple[int, int, int], list[str]]:
    """Mask of contours by height: the box (z, y, x) that holds it, its corner, and remarks about planes and slices."""
    nearest: dict[int, float] = {}
    for height in planes:
        k = min(max(round(height), 0), shape[0] - 1)
        if k not in nearest or abs(height - k) < abs(nearest[k] - k):
            nearest[k] = height
    if not nearest:
        return np.zeros((0, 0, 0), dtype=bool), (0, 0, 0), []
    points = np.vstack([contour for height in nearest.values() for contour in planes[height]])
    left, top = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (shape[2] - 1, shape[1] - 1))
    right, bottom = np.clip(np.ceil(points.max(axis=0)).astype(int), 0, (shape[2] - 1, shape[1] - 1))
    first, last = min(nearest), max(nearest)
    mask = np.zeros((last - first + 1, bottom - top + 1, right - left + 1), dtype=bool)
    for k, height in nearest.items():
        contours = [contour - (left, top) for contour in planes[height]]
        mask[k - first] = inside_contours(contours, mask.shape[1:])
    remarks = []
    if len(nearest) < len(planes):
        remarks.append(f"{len(planes) - len(nearest)} contour planes between the slices of the CT were not used")
    if gaps := len(mask) - len(nearest):
        remarks.append(f"{gaps} {'slice' if gaps == 1 else 'slices'} between its ends without a contour")
    return mask, (first, int(top), int(left)), remarks


def _check_reference(structure_set: Dataset, study: CTStudy, path: Path) -> None:
    mend = "Give the structures of this CT."
    frames = structure_set.get("ReferencedFrameOfReferenceSequence") or []
    frame_uids = {str(frame.get("FrameOfReferenceUID", "")) for frame in frames} - {""}
    if study.frame_of_reference_uid and frame_uids and study.frame_of_reference_uid not in frame_uids:
        raise InputError("the structure set belongs to another frame of reference than the CT", where=path, mend=mend)
    series_uids = {str(series.get("SeriesInstanceUID", "")) for frame in frames
                   for referenced in frame.get("RTReferencedStudySequence") or []
                   for series in referenced.get("RTReferencedSeriesSequence") or []} - {""}
    if study.series_uid and series_uids and study.series_uid not in series_uids:
        raise InputError("the structure set refers to another series than this CT", where=path, mend=mend)


def _codes(structure_set: Dataset) -> dict[int, str]:
    """ROI number -> SNOMED CT code, where the observations give one."""
    found = {}
    for observation in structure_set.get("RTROIObservationsSequence") or []:
        for code in observation.get("RTROIIdentificationCodeSequence") or []:
            if code.get("CodingSchemeDesignator") == "SCT":
                found[observation.ReferencedROINumber] = str(code.get("CodeValue", ""))
    return found


def _reviews(structure_set: Dataset) -> dict[int, Review]:
    """ROI number -> the review that `export.rtstruct` wrote to its observation."""
    found = {}
    for observation in structure_set.get("RTROIObservationsSequence") or []:
        if review := review_of_text(str(observation.get("ROIObservationDescription", ""))):
            found[observation.ReferencedROINumber] = review
    return found


def _foreign_approval(structure_set: Dataset) -> list[str]:
    """What to note of masks in a set that another program approved: a mask made of its contours nobody has seen."""
    if structure_set.get("ApprovalStatus") != "APPROVED":
        return []
    who, when = str(structure_set.get("ReviewerName", "")), str(structure_set.get("ReviewDate", ""))
    return [f"contours approved in the structure set by {who or 'nobody named'}" + (f" on {when}" if when else "")]
