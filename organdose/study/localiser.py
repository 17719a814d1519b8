"""Localisers (scout views): no images to compute in, but an exposure whose facts go with those of a CT."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_slices import CTSlice, is_ct_image, slices_of
from organdose.study.dicom_facts import acquisition_facts
from organdose.study.dicom_files import find_dicom_files
from organdose.study.facts import CTAcquisition, Fact, Origin
from organdose.study.header_values import number

_AGREEMENT = 0.1


def read_localisers(path: Path, progress: Progress | None = None) -> tuple[CTAcquisition, ...]:
    """The exposure of each localiser under `path` (folder or file), in the order of the files' names.

    As a protocol file (`CTFactSheet.protocol`) beside the CT of the same patient and frame of reference, each is a scan
    that dose can be computed for. Raises `InputError` where there is none, and for files that cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's messages quote values of the header
        files = [file for file in find_dicom_files(Path(path), progress or Progress()) if is_ct_image(file)]
        found = tuple(_facts(each) for file in files for each in slices_of(file) if each.is_localiser)
    if not found:
        raise InputError("there is no localiser here", where=path, mend="Give the folder or file of a scout view.")
    return found


def _facts(image: CTSlice) -> CTAcquisition:
    facts = acquisition_facts([image.header])
    low_mm, high_mm = _range_mm(image)
    remarks = list(facts.warnings)
    time_ms, speed_mm_s = (number(image.header, keyword) for keyword in ("ExposureTime", "TableSpeed"))
    time_s = None if not time_ms else Fact(time_ms / 1000, Origin.header)
    if time_s is not None and speed_mm_s:
        travel_mm = speed_mm_s * time_s.value
        if abs(travel_mm - (high_mm - low_mm)) > _AGREEMENT * (high_mm - low_mm):
            remarks.append(f"TableSpeed x ExposureTime is {travel_mm:.0f} mm where the localiser is "
                           f"{high_mm - low_mm:.0f} mm long: the length of the image is used")
    elif speed_mm_s:
        time_s = Fact((high_mm - low_mm) / speed_mm_s, Origin.derived, "length of the image / table speed")
    if facts.tube_angle_deg is None:
        remarks.append("the header does not say where the tube stood")
    return replace(facts, scan_time_s=time_s, scan_range_mm=Fact((low_mm, high_mm), Origin.header, ""),
                   warnings=tuple(remarks))


def _range_mm(image: CTSlice) -> tuple[float, float]:
    """z of the lower and upper edge of a projection; across the couch or upside down, one of its axes runs along z."""
    spacing_mm, (rows, columns) = image.pixel_spacing_mm, image.matrix
    along = [(image.orientation[0], columns, spacing_mm[1]), (image.orientation[1], rows, spacing_mm[0])]
    direction, count, step_mm = max(along, key=lambda axis: abs(axis[0][2]))
    if abs(direction[2]) < 0.9:
        raise InputError("the localiser does not run along the patient", where=image.file,
                         mend="Give scan_range_mm in a protocol file instead.")
    first_mm = image.position_mm[2] - 0.5 * step_mm * np.sign(direction[2])
    ends = sorted((float(first_mm), float(first_mm + np.sign(direction[2]) * count * step_mm)))
    return round(ends[0], 3), round(ends[1], 3)
