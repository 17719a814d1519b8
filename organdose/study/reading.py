"""The front door of the room: a DICOM folder or file, NRRD or NIfTI in, one `CTStudy` out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.dicom_ct import read_dicom_ct
from organdose.study.protocol import apply_protocol, read_protocol
from organdose.study.volume_file import is_volume_file, read_ct_volume


def read_ct(path: Path, *, protocol: Path | None = None, series: str | None = None,
            progress: Progress | None = None) -> CTStudy:
    """Read a CT study.

    `path` is a DICOM folder (searched through its sub-folders, any file names), one DICOM file (enhanced multi-frame
    CT), or one NRRD or NIfTI file in Hounsfield units. `protocol` is a JSON file of acquisition facts under the names
    in `facts.EXPLANATIONS`; its values win over the header's and the difference becomes a warning. `series` chooses
    one of several DICOM series by SeriesNumber or SeriesInstanceUID.

    Returns the image in HU on an axis-aligned grid turned to LPS and the facts of the acquisition, per-slice facts
    from feet to head. Raises `InputError` for anything that cannot be read faithfully (missing slices, tilt, mixed
    series, wrong modality or units, damaged files ...) and `Cancelled` when `progress` was cancelled.
    """
    path = Path(path)
    progress = progress or Progress()
    # The protocol is small and quickly wrong: check it before minutes are spent on the images.
    given = read_protocol(Path(protocol)) if protocol is not None else None
    study = _read_images(path, series, progress)
    if given is None:
        return study
    acquisition = apply_protocol(study.acquisition, given, slices=study.image.GetDepth(), where=protocol)
    return replace(study, acquisition=acquisition, patient_sex=study.patient_sex or given.patient_sex)


def _read_images(path: Path, series: str | None, progress: Progress) -> CTStudy:
    if not os.path.exists(path):  # Path.exists raises for names too long
        raise InputError("there is no such file or folder", where=path, mend="Check the path of the CT.")
    if path.is_dir() or not is_volume_file(path):
        return read_dicom_ct(path, series=series, progress=progress)
    if series is not None:
        raise InputError(f"a {path.suffix} file holds no DICOM series to choose from", where=path,
                         mend="Leave --series away.")
    return read_ct_volume(path, progress=progress)

