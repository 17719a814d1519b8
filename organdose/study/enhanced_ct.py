"""Enhanced (multi-frame) CT: the functional groups of each frame flattened into a single-frame header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from organdose.errors import InputError

# Attributes of the enhanced macros (PS3.3 C.8.15.3) under the name they have in a single-frame CT image (C.8.2.1).
_SINGLE_FRAME_NAMES = {
    "XRayTubeCurrentInmA": "XRayTubeCurrent",
    "ExposureInmAs": "Exposure",
    "ExposureTimeInms": "ExposureTime",
    "DistanceSourceToDataCollectionCenter": "DistanceSourceToPatient",
    "FrameType": "ImageType",
}
# Codes stay sequences; every other sequence in a functional group is a macro that holds attributes.
_KEPT_SEQUENCES = {"CTDIPhantomTypeCodeSequence"}
# Macros of a second X-ray source, whose attributes must not take the place of the first one's, and the mapping to real
# world values, whose unit is a code.
_KEPT_MACROS = {"CTAdditionalXRaySourceSequence", "RealWorldValueMappingSequence"}


def frame_headers(header: Dataset, where: Path) -> Iterator[Dataset]:
    """One flat header a frame, in the order of the frames.

    Attributes of a frame's own functional groups win over shared ones, and these over the data set's (PS3.3 C.7.6.16).
    A macro with several items (two X-ray sources) says two things at once: it stays a sequence, for `dicom_tubes`.
    Raises `InputError` when frames and functional groups do not match in number.
    """
    frames = int(header.get("NumberOfFrames") or 1)
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    if len(per_frame) != frames:
        raise InputError(f"the file has {frames} frames but positions for {len(per_frame)}", where=where,
                         mend="The file is truncated or damaged; export the series again.")
    common = _plain_attributes(header)
    shared = header.get("SharedFunctionalGroupsSequence") or []
    for groups in shared:
        _add_macros(common, groups)
    for groups in per_frame:
        flat = Dataset()
        flat.update(common)
        _add_macros(flat, groups)
        yield flat


def _plain_attributes(header: Dataset) -> Dataset:
    flat = Dataset()
    for element in header:
        if element.VR != "SQ":
            flat.add(element)
    return flat


def _add_macros(flat: Dataset, groups: Dataset) -> None:
    for macro in groups:
        if macro.VR != "SQ":
            continue
        if len(macro.value) > 1 or keyword_for_tag(macro.tag) in _KEPT_MACROS:
            flat.add(macro)
            continue
        for element in (element for item in macro.value for element in item):
            _add_attribute(flat, element)


def _add_attribute(flat: Dataset, element) -> None:
    keyword = keyword_for_tag(element.tag)
    if element.VR == "SQ":
        if keyword in _KEPT_SEQUENCES:
            flat.add(element)
        return
    if keyword in _SINGLE_FRAME_NAMES:
        _add_renamed(flat, _SINGLE_FRAME_NAMES[keyword], element.value)
    else:
        flat.add(element)


def _add_renamed(flat: Dataset, keyword: str, value) -> None:
    """The single-frame attributes are decimal or integer strings; the enhanced ones are doubles of full precision."""
    if value is None:
        return
    vr = "FD" if dictionary_VR(keyword) in ("DS", "IS") else dictionary_VR(keyword)
    flat.add_new(keyword, vr, value)
