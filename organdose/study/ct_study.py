"""A CT as every other room sees it: one image in Hounsfield units and the facts of its acquisition."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import SimpleITK as sitk

from organdose.study.facts import CTAcquisition


@dataclass(frozen=True)
class CTStudy:
    """A CT series.

    `image` holds Hounsfield units (int16 or float32) on an axis-aligned grid turned to LPS: its direction is the
    identity, array axes are (z feet to head, y front to back, x right to left). `files` are the files it was read
    from. `series_uid`, `frame_of_reference_uid` and `sop_instance_uids` (slice order of the image) are empty for
    NRRD and NIfTI; they are needed to write DICOM that refers to this series, and are never shown.
    `patient_sex` is 'M', 'F' or ''; nothing else of the patient leaves the reader.
    """

    image: sitk.Image
    acquisition: CTAcquisition
    files: tuple[Path, ...] = ()
    patient_sex: str = ""
    body_part: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    sop_instance_uids: tuple[str, ...] = field(default=())

    @property
    def slice_positions_mm(self) -> tuple[float, ...]:
        """z of each slice centre in mm (LPS), in the order of the image's slices."""
        origin_z_mm, spacing_z_mm = self.image.GetOrigin()[2], self.image.GetSpacing()[2]
        return tuple(origin_z_mm + spacing_z_mm * k for k in range(self.image.GetDepth()))
