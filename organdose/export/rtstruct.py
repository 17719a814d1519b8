"""Masks as a DICOM RT Structure Set: closed contours in every slice. PS3.3 A.19."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid
from scipy.ndimage import find_objects

from organdose import __version__
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import describe
from organdose.anatomy.review import Review, current_reviews
from organdose.anatomy.review_dicom import algorithm_type, person_name, review_text
from organdose.errors import InputError
from organdose.export.slice_outlines import slice_outlines
from organdose.export.source_ct import source_headers
from organdose.export.whole_file import whole_file
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy

_REPEATED = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
             "StudyTime", "ReferringPhysicianName", "StudyInstanceUID", "FrameOfReferenceUID")
_CONTOUR_DATA = Tag("ContourData")
_DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"  # what RT Referenced Study Sequence has always named as its class


def write_rtstruct(masks: OrganMasks, study: CTStudy, path: Path | str, *, progress: Progress | None = None) -> None:
    """Write `masks` as an RT Structure Set on the series of `study`; ROI names are the organ names.

    A reader that asks which voxel centres lie inside the contours gets the mask back, holes included
    (`slice_outlines`). The set is APPROVED only where one person approved every mask in it as it is now; the review of
    each stands in its ROI Observation Description. Raises `InputError` when there is no mask, the CT is not DICOM, or
    the file cannot be written.
    """
    boxes = _boxes(masks)
    filled = list(boxes)
    if not filled:
        raise InputError("there is no mask to write", where=path)
    sources = source_headers(study, where=path)
    structure_set = _header(sources)
    structure_set.ReferencedFrameOfReferenceSequence = [_frame_of_reference(sources)]
    reviews = current_reviews(masks, filled)
    _put_approval(structure_set, list(reviews.values()))
    rois, contours, observations = [], [], []
    for number, name in enumerate(filled, start=1):
        if progress is not None:
            progress.report("writing RTSTRUCT", (number - 1) / len(filled), name)
        rois.append(_roi(number, name, sources[0].FrameOfReferenceUID, masks.origin, reviews[name]))
        contours.append(_roi_contour(number, name, masks, boxes[name], study))
        observations.append(_observation(number, name, reviews[name]))
    structure_set.StructureSetROISequence = rois
    structure_set.ROIContourSequence = contours
    structure_set.RTROIObservationsSequence = observations
    with whole_file(path) as temporary:
        structure_set.save_as(temporary, enforce_file_format=True)


def _header(sources: list[Dataset]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    # With explicit VR a contour of more than 64 kB (some 2700 points) could not be of its type (DS). PS3.5 6.2.2.
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in _REPEATED:
        setattr(dataset, keyword, sources[0].get(keyword, ""))
    dataset.SpecificCharacterSet = "ISO_IR 192"  # names of reviewers, whatever the CT can write
    now = datetime.datetime.now()
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.SeriesInstanceUID = "RTSTRUCT", generate_uid()
    dataset.SeriesNumber, dataset.InstanceNumber = 301, 1
    dataset.SeriesDescription = "OrganDose organ masks"
    dataset.OperatorsName, dataset.PositionReferenceIndicator = "", ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "OrganDose", "OrganDose"
    dataset.SoftwareVersions = __version__
    dataset.StructureSetLabel = "Organ masks"
    dataset.StructureSetDate = dataset.InstanceCreationDate = now.strftime("%Y%m%d")
    dataset.StructureSetTime = dataset.InstanceCreationTime = now.strftime("%H%M%S")
    return dataset


def _put_approval(structure_set: Dataset, reviews: list[Review | None]) -> None:
    """One status for the whole set, with who and when (local time) of the last approval. PS3.3 C.8.8.16."""
    names = {review.approved_by if review else "" for review in reviews}
    times = [review.approved_at for review in reviews if review]
    try:
        last = datetime.datetime.strptime(max(times, default=""), "%Y%m%dT%H%M%SZ")
    except ValueError:  # an approval without a time is none that the standard could state
        last = None
    if len(names) > 1 or "" in names or last is None:
        structure_set.ApprovalStatus = "UNAPPROVED"
        return
    local = last.replace(tzinfo=datetime.UTC).astimezone()
    structure_set.ApprovalStatus, structure_set.ReviewerName = "APPROVED", person_name(names.pop())
    structure_set.ReviewDate, structure_set.ReviewTime = local.strftime("%Y%m%d"), local.strftime("%H%M%S")


def _frame_of_reference(sources: list[Dataset]) -> Dataset:
    series, referenced_study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = sources[0].SeriesInstanceUID
    series.ContourImageSequence = [_image_reference(s.SOPClassUID, s.SOPInstanceUID) for s in sources]
    referenced_study.ReferencedSOPClassUID = _DETACHED_STUDY
    referenced_study.ReferencedSOPInstanceUID = sources[0].StudyInstanceUID
    referenced_study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = sources[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = [referenced_study]
    return frame


def _image_reference(class_uid: str, instance_uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = class_uid
    reference.ReferencedSOPInstanceUID = instance_uid
    return reference


def _roi(number: int, name: str, frame_of_reference_uid: str, origin: str, review: Review | None) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = frame_of_reference_uid
    roi.ROIName = name
    roi.ROIGenerationAlgorithm = algorithm_type(review)
    roi.ROIGenerationDescription = (origin or "unknown")[:64]
    return roi


def _observation(number: int, name: str, review: Review | None) -> Dataset:
    organ = describe(name)
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = organ.snomed_code, "SCT", organ.snomed_meaning
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIIdentificationCodeSequence = [code]
    kinds = {"body": "EXTERNAL", "couch": "SUPPORT", "tumour": "GTV", "lesion": "GTV"}
    observation.RTROIInterpretedType = kinds.get(name.rstrip("_0123456789"), "ORGAN")
    observation.ROIInterpreter = ""
    if review:
        observation.ROIObservationDescription = review_text(review)
    return observation


def _boxes(masks: OrganMasks) -> dict[str, tuple[slice, slice, slice]]:
    """The box (z, y, x) of each organ that has voxels."""
    found = [find_objects(labels, max_label=255) for labels in masks.layers]
    boxes = {name: found[layer][value - 1] for name, (layer, value) in masks.segments.items()}
    return {name: box for name, box in boxes.items() if box is not None}


def _roi_contour(number: int, name: str, masks: OrganMasks, box: tuple[slice, slice, slice],
                 study: CTStudy) -> Dataset:
    roi = Dataset()
    roi.ReferencedROINumber = number
    roi.ROIDisplayColor = list(describe(name).colour_rgb)
    # One file a slice: each contour says which; for multi-frame CT the frame of reference alone places it.
    instances = study.sop_instance_uids
    by_slice = instances if len(set(instances)) == masks.shape[0] else None
    layer, value = masks.segments[name]
    mask = masks.layers[layer][box] == value
    items = []
    for k, slice_mask in enumerate(mask, start=box[0].start):
        for points_mm in _contours_mm(slice_mask, (box[2].start, box[1].start, k), study.image):
            item = Dataset()
            if by_slice is not None:
                item.ContourImageSequence = [_image_reference(CTImageStorage, by_slice[k])]
            item.ContourGeometricType = "CLOSED_PLANAR"
            item.NumberOfContourPoints = len(points_mm)
            item[_CONTOUR_DATA] = _decimal_strings(points_mm)
            items.append(item)
    roi.ContourSequence = items
    return roi


def _decimal_strings(points_mm: np.ndarray) -> RawDataElement:
    """Contour Data as it stands in the file: a Python object a number would take minutes for a whole body."""
    text = "\\".join(f"{value:.3f}" for value in points_mm.ravel().tolist()).encode("ascii")
    text += b" " * (len(text) % 2)
    return RawDataElement(_CONTOUR_DATA, "DS", len(text), text, 0, True, True)


def _contours_mm(slice_mask: np.ndarray, corner: tuple[int, int, int], image: sitk.Image) -> list[np.ndarray]:
    """Closed contours (n, 3) in LPS mm around the True voxels of one slice (y, x), last point not repeated.

    `corner` is the voxel index (x, y, z) of the first pixel of `slice_mask`.
    """
    origin_mm, spacing_mm = np.asarray(image.GetOrigin()), np.asarray(image.GetSpacing())
    return [origin_mm + (np.column_stack([outline, np.zeros(len(outline))]) + corner) * spacing_mm
            for outline in slice_outlines(slice_mask)]
