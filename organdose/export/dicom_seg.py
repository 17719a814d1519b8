"""Masks as a DICOM Segmentation (binary, one frame a segment and slice; overlaps allowed). PS3.3 A.51."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from organdose import __version__
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import describe
from organdose.anatomy.review import Drawn, Review, current_reviews
from organdose.anatomy.review_dicom import algorithm_type, person_name, put_review
from organdose.errors import InputError
from organdose.export.source_ct import source_headers
from organdose.export.whole_file import whole_file
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription


def write_dicom_seg(masks: OrganMasks, study: CTStudy, path: Path | str, *, progress: Progress | None = None) -> None:
    """Write `masks` as DICOM SEG that refers to the series of `study`. Frames without voxels are left out.

    BINARY, not the newer LABELMAP type: planning systems and Slicer read it, and organs may overlap.
    Raises `InputError` when there is no mask, the CT is not DICOM, or the file cannot be written.
    """
    filled = [name for name in masks.names if masks.mask(name).any()]
    if not filled:
        raise InputError("there is no mask to write", where=path)
    sources = source_headers(study, where=path)
    reviews = current_reviews(masks, filled)
    descriptions = [_description(number, name, masks.origin, reviews[name])
                    for number, name in enumerate(filled, start=1)]
    parts = []
    for index, labels in enumerate(masks.layers):
        if progress is not None:
            progress.report("writing DICOM SEG", index / len(masks.layers))
        numbers = _segment_numbers(masks, filled, index)
        if numbers.any():
            parts.append(_segmentation(numbers[labels], study, sources, descriptions))
    whole = _joined(parts)
    approvers = {review.approved_by if review else "" for review in reviews.values()}
    whole.SpecificCharacterSet = "ISO_IR 192"  # names of reviewers, whatever the CT can write
    whole.ContentCreatorName = person_name(approvers.pop()) if len(approvers) == 1 else ""
    with whole_file(path) as temporary:
        whole.save_as(temporary)


def _segment_numbers(masks: OrganMasks, filled: list[str], layer: int) -> np.ndarray:
    """For each label value of the layer the segment's number in the DICOM object (0: background)."""
    numbers = np.zeros(256, dtype=np.uint16)
    for number, name in enumerate(filled, start=1):
        at, value = masks.segments[name]
        if at == layer:
            numbers[value] = number
    return numbers


def _description(number: int, name: str, origin: str, review: Review | None) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    organ = describe(name)
    kind, family = algorithm_type(review), codes.DCM.ManualProcessing
    if kind == "AUTOMATIC":
        by_rules = origin.startswith("analytic")
        family = codes.DCM.MorphologicalOperations if by_rules else codes.DCM.ArtificialIntelligence
        if review.drawn is Drawn.ESTIMATED:
            family = codes.DCM.DeformableModels
    algorithm = None if kind == "MANUAL" else AlgorithmIdentificationSequence(
        name=(origin or "unknown")[:64], version=__version__, family=family)
    description = SegmentDescription(
        segment_number=number, segment_label=name,
        segmented_property_category=Code(organ.category_code, "SCT", organ.category_meaning),
        segmented_property_type=Code(organ.snomed_code, "SCT", organ.snomed_meaning),
        algorithm_type=kind, algorithm_identification=algorithm,
        display_color=CIELabColor.from_rgb(*organ.colour_rgb))
    description.SegmentDescription = f"{organ.title}: {review.line}" if review else organ.title
    if review:
        put_review(description, review)
    if organ.modifier:
        code, meaning = organ.modifier
        property_type = description.SegmentedPropertyTypeCodeSequence[0]
        property_type.SegmentedPropertyTypeModifierCodeSequence = [CodedConcept(code, "SCT", meaning)]
    return description


def _segmentation(numbers: np.ndarray, study: CTStudy, sources: list, descriptions: list) -> Segmentation:
    """The SEG object of one layer: `numbers` (z, y, x) holds segment numbers on the grid of the CT."""
    from highdicom import UID, Volume
    from highdicom.seg import Segmentation

    affine = np.zeros((4, 4))  # from array indices (z, y, x) to LPS mm
    affine[:3, :3] = np.diag(study.image.GetSpacing())[:, ::-1]
    affine[:, 3] = *study.image.GetOrigin(), 1.0
    volume = Volume(numbers, affine, coordinate_system="PATIENT", frame_of_reference_uid=sources[0].FrameOfReferenceUID)
    return Segmentation(
        source_images=sources, pixel_array=volume, segmentation_type="BINARY", segment_descriptions=descriptions,
        series_instance_uid=UID(), series_number=300, sop_instance_uid=UID(), instance_number=1,
        manufacturer="OrganDose", manufacturer_model_name="OrganDose", software_versions=__version__,
        device_serial_number="0", content_description="Organ masks", series_description="OrganDose organ masks")


def _joined(parts: list[Segmentation]) -> Segmentation:
    """One object with the frames of all layers.

    highdicom builds overlapping segments from one array a segment, several gigabytes for a whole body; built a layer
    at a time (masks of a layer do not overlap) and joined, they need one label map.
    """
    whole = parts[0]
    if len(parts) == 1:
        return whole
    whole.SegmentsOverlap = "YES"
    whole.PixelData = _joined_bits(parts)
    for part in parts[1:]:
        whole.PerFrameFunctionalGroupsSequence.extend(part.PerFrameFunctionalGroupsSequence)
        whole.NumberOfFrames += part.NumberOfFrames
    _number_positions_again(whole)
    return whole


def _joined_bits(parts: list[Segmentation]) -> bytes:
    """The frames of all parts after one another: one bit a pixel, frames not aligned to bytes. PS3.5 8.1.1."""
    counts = [int(part.NumberOfFrames) * part.Rows * part.Columns for part in parts]
    if all(count % 8 == 0 for count in counts):
        packed = b"".join(part.PixelData[:count // 8] for part, count in zip(parts, counts))
    else:
        bits = [np.unpackbits(np.frombuffer(part.PixelData, np.uint8), bitorder="little", count=count)
                for part, count in zip(parts, counts)]
        packed = np.packbits(np.concatenate(bits), bitorder="little").tobytes()
    return packed + b"\0" * (len(packed) % 2)


def _number_positions_again(whole: Segmentation) -> None:
    """Make the dimension indices (segment, rank of the slice position) those of all frames together."""
    frames = whole.PerFrameFunctionalGroupsSequence
    heights_mm = [float(frame.PlanePositionSequence[0].ImagePositionPatient[2]) for frame in frames]
    rank = {height_mm: index for index, height_mm in enumerate(sorted(set(heights_mm)), start=1)}
    for frame, height_mm in zip(frames, heights_mm):
        segment = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        frame.FrameContentSequence[0].DimensionIndexValues = [segment, rank[height_mm]]
