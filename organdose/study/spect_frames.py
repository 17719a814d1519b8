"""SPECT as NM multi-frame images (PS3.3 A.5, C.8.4): each frame as a slice with its place in the patient.

Only reconstructed slices are activity in space; projections and planar images are refused by what they are.
"""

from __future__ import annotations

import math

import numpy as np
from pydicom.dataset import Dataset

from organdose.errors import InputError
from organdose.study.ct_slices import CTSlice
from organdose.study.dicom_files import DicomFile
from organdose.study.header_values import number, numbers, texts

_RECONSTRUCTED = "RECON TOMO"
_OTHERS = {"TOMO": "projections before reconstruction", "GATED TOMO": "gated projections",
           "RECON GATED TOMO": "gated SPECT, one volume for each part of the heart's cycle",
           "STATIC": "planar images", "WHOLE BODY": "planar whole-body images", "DYNAMIC": "planar dynamic images",
           "GATED": "planar gated images"}


def is_reconstructed(header: Dataset) -> bool:
    """Whether an NM image holds reconstructed slices of emission (Image Type values 3 and 4, C.8.4.9.1.1)."""
    return nm_kind(header) == _RECONSTRUCTED and not _is_transmission(header)


def nm_kind(header: Dataset) -> str:
    kinds = texts(header, "ImageType")
    return kinds[2] if len(kinds) > 2 else ""


def _is_transmission(header: Dataset) -> bool:
    return "TRANSMISSION" in texts(header, "ImageType")[3:]


def described_kind(header: Dataset) -> str:
    """What an NM image is that holds no reconstructed slices of emission."""
    if _is_transmission(header):
        return "transmission images (attenuation maps)"
    return _OTHERS.get(nm_kind(header), f"NM images of the kind {nm_kind(header)[:16] or 'unknown'}")


def nm_slices(file: DicomFile) -> list[CTSlice]:
    """The slices of one reconstructed NM file. Raises `InputError` where their places in the patient are not said."""
    header = file.header
    frames = int(header.get("NumberOfFrames") or 1)
    place = _place(header)
    position_mm, orientation = _vector(place, header, "ImagePositionPatient", 3, file), _vector(
        place, header, "ImageOrientationPatient", 6, file)
    step_mm = _step_mm(header, file)
    normal = np.cross(orientation[:3], orientation[3:])
    slices = []
    for frame, index in enumerate(_slice_numbers(header, frames, file)):
        flat = Dataset()
        flat.update({element.tag: element for element in header if element.VR != "SQ"})
        flat.ImagePositionPatient = [f"{value:.6f}" for value in position_mm + index * step_mm * normal]
        flat.ImageOrientationPatient = orientation.tolist()
        slices.append(CTSlice(file, frame, flat))
    return slices


def _place(header: Dataset) -> Dataset:
    detectors = header.get("DetectorInformationSequence") or []
    return detectors[0] if len(detectors) else Dataset()


def _vector(place: Dataset, header: Dataset, keyword: str, count: int, file: DicomFile) -> np.ndarray:
    """From the detector (C.8.4.11), else from the image itself, where some writers put it."""
    values = numbers(place, keyword) or numbers(header, keyword)
    if values is None or len(values) != count or not all(map(math.isfinite, values)):
        raise InputError(f"the SPECT has no usable {keyword}", where=file.path,
                         mend="Its place in the patient is unknown without it; export the series again.")
    return np.array(values)


def _step_mm(header: Dataset, file: DicomFile) -> float:
    """From one slice to the next along the normal; negative where they are stacked in front of the first (C.8.4.15)."""
    step_mm = number(header, "SpacingBetweenSlices") or number(header, "SliceThickness")
    if not step_mm:
        raise InputError("the SPECT has neither Spacing Between Slices nor Slice Thickness", where=file.path,
                         mend="The distance of its slices is unknown; export the series again.")
    return step_mm


def _slice_numbers(header: Dataset, frames: int, file: DicomFile) -> list[int]:
    """Place of each frame in the stack from Slice Vector (C.8.4.8), which counts from 1; without it, as they come."""
    for keyword, what in (("EnergyWindowVector", "energy windows"), ("DetectorVector", "detectors"),
                          ("TimeSlotVector", "time slots"), ("RRIntervalVector", "R-R intervals")):
        if len(set(numbers(header, keyword) or ())) > 1:
            raise InputError(f"the file holds the slices of several {what}", where=file.path,
                             mend="Export one volume in a file.")
    told = numbers(header, "SliceVector")
    if told is None:
        return list(range(frames))
    if len(told) != frames or sorted(told) != list(range(1, frames + 1)):
        raise InputError(f"Slice Vector does not number the {frames} frames from 1 to {frames}", where=file.path,
                         mend="The file is damaged or holds several volumes; export the series again.")
    return [int(each) - 1 for each in told]
