"""The DICOM headers of the CT that written objects (SEG, RTSTRUCT) refer to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from organdose.errors import InputError
from organdose.study.ct_study import CTStudy

# Patient and study attributes that a derived object repeats (type 2: present, possibly empty).
_TYPE_2 = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
           "StudyTime", "ReferringPhysicianName")


def source_headers(study: CTStudy, *, where: Path | str) -> list[Dataset]:
    """Headers (without pixels) of the files of `study`, in the order of its slices where each slice has a file.

    UIDs that the header lacks come from the file meta information and from `study`. Raises `InputError` when the CT
    was not read from DICOM, or has no study or series UID, because nothing can refer to it then, and when its image
    lies oblique; `where` is the file that was to be written.
    """
    if not np.allclose(study.image.GetDirection(), np.eye(3).ravel(), atol=1e-6):
        raise InputError("the CT is not aligned with the patient's axes (LPS)", where=where,
                         mend="Use the axial reconstruction of the scan.")
    if not study.files or not study.sop_instance_uids:
        raise InputError("the CT was not read from DICOM, so no DICOM object can refer to it", where=where,
                         mend="Write .seg.nrrd instead.")
    headers = {}
    for path in study.files:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except (OSError, pydicom.errors.InvalidDicomError) as error:
            raise InputError(f"a file of the CT cannot be read again ({error})", where=path,
                             mend="Put the CT back in its place.") from error
        _complete(header, study)
        headers[header.SOPInstanceUID] = header
    lacking = [keyword for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
               for header in headers.values() if not header.get(keyword)]
    if lacking:
        raise InputError(f"the CT has no {lacking[0]}, so no DICOM object can refer to it", where=where,
                         mend="Write .seg.nrrd instead.")
    ordered = [headers[uid] for uid in dict.fromkeys(study.sop_instance_uids) if uid in headers]
    return ordered if len(ordered) == len(headers) else list(headers.values())


def _complete(header: Dataset, study: CTStudy) -> None:
    """Fill UIDs that are empty in the data set but known from elsewhere, and absent type 2 attributes with ''."""
    meta = header.file_meta
    known = {"SOPInstanceUID": meta.get("MediaStorageSOPInstanceUID"),
             "SOPClassUID": meta.get("MediaStorageSOPClassUID"),
             "SeriesInstanceUID": study.series_uid,
             "FrameOfReferenceUID": study.frame_of_reference_uid}
    for keyword, value in known.items():
        if not header.get(keyword) and value:
            setattr(header, keyword, value)
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
