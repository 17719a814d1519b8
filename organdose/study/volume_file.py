"""A CT in one NRRD or NIfTI file: voxels and geometry; acquisition facts come from the protocol file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition
from organdose.study.hounsfield import check_hounsfield, outside_becomes_air
from organdose.study.nifti_header import check_nifti

VOLUME_SUFFIXES = (".nrrd", ".nhdr", ".nii", ".nii.gz")

# Direction cosines off the patient's axes by more than a tenth of a degree are an oblique volume.
_COSINE_TOLERANCE = 1.7e-3
_INTEGERS = {sitk.sitkInt8, sitk.sitkUInt8, sitk.sitkInt16, sitk.sitkUInt16, sitk.sitkInt32, sitk.sitkUInt32,
             sitk.sitkInt64, sitk.sitkUInt64}


def is_volume_file(path: Path) -> bool:
    return path.name.lower().endswith(VOLUME_SUFFIXES)


def read_ct_volume(path: Path, *, progress: Progress) -> CTStudy:
    """Read a CT in HU from NRRD or NIfTI, turned to LPS; int16 when the file holds integers, else float32.

    Values below -1500 HU (the filling outside the reconstruction circle) become air. Raises `InputError` for more or
    fewer than three dimensions, colour, values that are no HU, unknown or oblique orientation, and damaged files.
    """
    image = read_lps_volume(path, "CT", _checked_hounsfield, progress)
    return CTStudy(image=image, acquisition=CTAcquisition(), files=(path,))


def read_lps_volume(path: Path, kind: str, checked: Callable[[sitk.Image, Path], sitk.Image],
                    progress: Progress) -> sitk.Image:
    """One volume from NRRD or NIfTI, turned to LPS. `kind` is what messages call it; `checked` looks at its values and
    gives them in the type wanted. Raises `InputError` for what cannot be read faithfully.
    """
    progress.report(f"reading the {kind}", 0.0)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        check_nifti(path, progress)
    with _itk_errors_named(path):
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        _check_shape(reader, path, kind)
        image = _turned_to_lps(checked(reader.Execute(), path), path, kind)
    progress.report(f"reading the {kind}", 1.0)
    return image


def _checked_hounsfield(image: sitk.Image, path: Path) -> sitk.Image:
    _check_values(image, path)
    return _hounsfield(image)


@contextmanager
def _itk_errors_named(path: Path) -> Iterator[None]:
    """ITK's many-line errors as one line, and its warnings kept off the screen."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    except RuntimeError as error:
        raise InputError("the file is truncated, damaged or no image with a valid geometry", where=path,
                         mend="Export the image again.") from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _check_shape(reader: sitk.ImageFileReader, path: Path, kind: str) -> None:
    size = [extent for extent in reader.GetSize()]
    if reader.GetNumberOfComponents() != 1:
        raise InputError(f"each voxel has {reader.GetNumberOfComponents()} values (colour or several layers), a {kind} "
                         "has one", where=path, mend=f"Give one {kind} volume.")
    if len(size) != 3:
        raise InputError(f"the image has {len(size)} dimensions, a {kind} has 3", where=path,
                         mend="Give one volume, not a series over time or a single slice.")
    if size[2] < 2 or min(size) < 2:
        raise InputError(f"the image has {' x '.join(map(str, size))} voxels: too few for a volume", where=path,
                         mend=f"Give the whole {kind}.")
    # NRRD may leave the patient's axes out; ITK then takes the array's axes for them.
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        space = reader.GetMetaData("NRRD_space") if reader.HasMetaDataKey("NRRD_space") else ""
        if not {"left", "right"} & set(space.lower().split("-")):
            raise InputError("the NRRD header has no anatomical 'space' (for example left-posterior-superior), so left "
                             "and right, feet and head are unknown", where=path,
                             mend="Export the image again with its orientation.")


def _check_values(image: sitk.Image, path: Path) -> None:
    values = sitk.GetArrayViewFromImage(image)
    smallest, largest = float(values.min()), float(values.max())
    if smallest >= 0 and largest <= 255 and (image.GetPixelID() in _INTEGERS or _all_whole(values)):
        raise InputError(f"this looks like a label map, not HU (whole numbers from {smallest:g} to {largest:g})",
                         where=path, mend="Give the CT here and the label map with --segmentation.")
    check_hounsfield(smallest, largest, path)


def _all_whole(values: np.ndarray) -> bool:
    return all(bool((plane == np.rint(plane)).all()) for plane in values)


def _hounsfield(image: sitk.Image) -> sitk.Image:
    wanted = sitk.sitkInt16 if image.GetPixelID() in _INTEGERS else sitk.sitkFloat32
    filled = sitk.GetArrayViewFromImage(image).min() < -1500
    if filled:
        values = sitk.GetArrayFromImage(image)
        outside_becomes_air(values)
        turned = sitk.GetImageFromArray(values)
        turned.CopyInformation(image)
        image = turned
    return image if image.GetPixelID() == wanted else sitk.Cast(image, wanted)


def _turned_to_lps(image: sitk.Image, path: Path, kind: str) -> sitk.Image:
    direction = np.array(image.GetDirection()).reshape(3, 3)
    nearest = np.rint(direction)
    if np.abs(direction - nearest).max() > _COSINE_TOLERANCE or abs(np.linalg.det(nearest)) != 1:
        raise InputError("the image axes are oblique to the patient's axes", where=path,
                         mend=f"Resample the {kind} to axial slices.")
    image.SetDirection(nearest.ravel().tolist())
    return sitk.DICOMOrient(image, "LPS")
