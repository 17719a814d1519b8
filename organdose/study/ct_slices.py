"""One CT slice: a single-frame file, or one frame of an enhanced multi-frame file, seen the same way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from organdose.errors import InputError
from organdose.study.dicom_files import DicomFile
from organdose.study.dicom_motion import is_localiser
from organdose.study.enhanced_ct import frame_headers
from organdose.study.header_values import numbers, text

_MULTI_FRAME = {EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}
CT_STORAGE = {CTImageStorage, *_MULTI_FRAME}


@dataclass(frozen=True)
class CTSlice:
    """A slice before its pixels are decoded.

    `frame` is the index of the frame in a multi-frame file, None in a single-frame file. `header` has the attributes
    of a single-frame CT image in both cases (PS3.3 A.3).
    """

    source: DicomFile
    frame: int | None
    header: Dataset

    @property
    def file(self) -> Path:
        return self.source.path

    @property
    def position_mm(self) -> np.ndarray:
        """Centre of the first voxel, LPS in mm."""
        return self._geometry("ImagePositionPatient", 3)

    @property
    def orientation(self) -> np.ndarray:
        """Direction cosines of the row and of the column, shape (2, 3)."""
        return self._geometry("ImageOrientationPatient", 6).reshape(2, 3)

    @property
    def pixel_spacing_mm(self) -> np.ndarray:
        """Distance of rows (first) and of columns (second) in mm. Raises `InputError` unless both are positive."""
        spacing_mm = self._geometry("PixelSpacing", 2)
        if (spacing_mm <= 0).any():
            raise InputError(f"the pixel spacing is {spacing_mm[0]:g} x {spacing_mm[1]:g} mm; it must be positive",
                             where=self.file, mend="Export the series again.")
        return spacing_mm

    @property
    def matrix(self) -> tuple[int, int]:
        return int(self.header.Rows), int(self.header.Columns)

    @property
    def is_localiser(self) -> bool:
        return is_localiser(self.header)

    def _geometry(self, keyword: str, count: int) -> np.ndarray:
        values = numbers(self.header, keyword)
        if values is None or len(values) != count or not all(map(math.isfinite, values)):
            raise InputError(f"the header has no usable {keyword}", where=self.file,
                             mend="The slice cannot be placed without it; export the series again.")
        return np.array(values)


def is_ct_image(file: DicomFile) -> bool:
    """Whether the file is a CT image by its SOP class and modality."""
    modality = text(file.header, "Modality").upper()
    if file.sop_class_uid:
        return file.sop_class_uid in CT_STORAGE and modality in ("CT", "")
    return modality == "CT" and "Rows" in file.header


def slices_of(file: DicomFile) -> Sequence[CTSlice]:
    """The slices of one CT image file, localisers among them. Raises `InputError` when its header ends too early."""
    if not all(isinstance(file.header.get(keyword), int) and file.header.get(keyword) > 0
               for keyword in ("Rows", "Columns")):
        raise InputError("the header ends before the size of the image: the file is truncated", where=file.path,
                         mend="Export the study again.")
    if file.sop_class_uid not in _MULTI_FRAME:
        if (file.header.get("NumberOfFrames") or 1) > 1:
            raise InputError("a multi-frame file that is not Enhanced CT has no position for its slices",
                             where=file.path, mend="Export the series as single-frame or Enhanced CT.")
        return [CTSlice(file, None, file.header)]
    return [CTSlice(file, index, header) for index, header in enumerate(frame_headers(file.header, file.path))]
