"""PET or SPECT frames of the scene as a job reads them: their DICOM files where the scene shows just these, else NRRD.

DICOM files say more than a volume: scale and time of each slice. A volume that was cropped, smoothed or turned into
SUV is what the user wants, whatever files it once came from.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import numpy as np

from organdose.errors import InputError
from organdose.scene.ct_facts import FOLDER_ATTRIBUTE, files_of
from organdose.scene.job_files import volume_file_steps

_SAME = 2e-3  # relative difference of sums of what is shown and what the files hold


def frame_file_steps(frame_node, folder: Path, number: int) -> Generator[float, None, tuple[Path, bool]]:
    """Write a frame below `folder`; returns the path for the job, and whether it is that of DICOM files.

    Raises `InputError` for nodes that cannot be used, and where a file cannot be copied.
    """
    files = dicom_files_of_frame(frame_node)
    if not files:
        path = folder / f"frame_{number}.nrrd"
        yield from volume_file_steps(frame_node, path)
        return path, False
    target = folder / f"frame_{number}"
    target.mkdir()
    for index, file in enumerate(files):
        try:
            shutil.copyfile(file, target / f"{index:05d}.dcm")
        except OSError as error:
            raise InputError(f"a DICOM file of {frame_node.GetName()!r} could not be copied "
                             f"({error.strerror or error})", mend="Load the study again.") from error
        yield (index + 1) / len(files)
    return target, True


def dicom_files_of_frame(frame_node) -> list[Path]:
    """The DICOM files that hold exactly what a volume node shows; none for a volume that is something else by now."""
    files = files_of(frame_node)
    if files is None:
        folder = frame_node.GetAttribute(FOLDER_ATTRIBUTE)
        files = sorted(each for each in Path(folder).iterdir() if each.is_file()) if folder and Path(
            folder).is_dir() else []
    return files if files and _shows(frame_node, files) else []


def _shows(frame_node, files: list[Path]) -> bool:
    """Whether the node has as many slices as the files, and in one of them (all of a multi-frame file) the same sum."""
    import pydicom
    import slicer

    values = slicer.util.arrayFromVolume(frame_node)
    if frame_node.GetParentTransformNode() is not None or (len(files) > 1 and len(files) != len(values)):
        return False
    try:
        header = pydicom.dcmread(files[len(files) // 2])
        pixels = header.pixel_array * float(header.get("RescaleSlope", 1)) + float(header.get("RescaleIntercept", 0))
    except Exception:  # compressed in a way that nothing here decodes, or no image: the volume is there
        return False
    shown = values if pixels.ndim == 3 else values[_slice_of(frame_node, header)]
    return shown.shape == pixels.shape and bool(np.isclose(shown.sum(dtype=np.float64), pixels.sum(), rtol=_SAME,
                                                           atol=_SAME * max(1e-6, float(np.abs(pixels).sum()))))


def _slice_of(frame_node, header) -> int:
    """The slice of the node that lies where a DICOM file does."""
    import vtk

    to_ijk = vtk.vtkMatrix4x4()
    frame_node.GetRASToIJKMatrix(to_ijk)
    x, y, z = (float(each) for each in header.ImagePositionPatient)
    place = to_ijk.MultiplyPoint((-x, -y, z, 1.0))[2]
    return int(np.clip(round(place), 0, frame_node.GetImageData().GetDimensions()[2] - 1))
