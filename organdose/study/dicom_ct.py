"""A CT series from DICOM files: found, chosen, put in order, decoded and turned to LPS."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk

from organdose.progress import Progress
from organdose.study.ct_slices import CTSlice
from organdose.study.ct_study import CTStudy
from organdose.study.dicom_facts import acquisition_facts
from organdose.study.dicom_files import find_dicom_files
from organdose.study.dicom_pixels import read_hounsfield
from organdose.study.dicom_series import CTSeries, choose_series
from organdose.study.facts import CTAcquisition
from organdose.study.header_values import text
from organdose.study.slice_geometry import SliceStack, stack_slices


def read_dicom_ct(path: Path, *, series: str | None, progress: Progress) -> CTStudy:
    """The CT series under `path` (a folder, or one multi-frame file).

    Raises `InputError` for everything that would make the volume or its facts untrue; see the modules this one calls.
    """
    with _pydicom_quiet():
        chosen, stack, feet_to_head, acquisition = _headers(path, series, progress)
        image = _lps_image(stack, path, progress)
    return CTStudy(
        image=image,
        acquisition=acquisition,
        files=_once(each.file for each in feet_to_head),
        patient_sex=_sex(feet_to_head[0]),
        body_part=text(feet_to_head[0].header, "BodyPartExamined"),
        series_uid=chosen.uid,
        frame_of_reference_uid=text(feet_to_head[0].header, "FrameOfReferenceUID"),
        sop_instance_uids=_once(each.source.sop_instance_uid for each in feet_to_head),
    )


def read_dicom_ct_facts(path: Path, *, series: str | None = None, files: Sequence[Path] | None = None,
                        progress: Progress | None = None) -> tuple[CTAcquisition, str]:
    """The acquisition facts and the patient's sex ('M', 'F' or '') of a CT series, without its pixels.

    `files`, where the caller knows those of the series, are looked at instead of all that lie under `path`.
    Raises `InputError` as `read_dicom_ct` does.
    """
    with _pydicom_quiet():
        _, _, feet_to_head, acquisition = _headers(path, series, progress or Progress(), files)
    return acquisition, _sex(feet_to_head[0])


def _headers(path: Path, series: str | None, progress: Progress, files: Sequence[Path] | None = None,
             ) -> tuple[CTSeries, SliceStack, Sequence[CTSlice], CTAcquisition]:
    """The series chosen, its slices in space and from feet to head, and what their headers say."""
    chosen, remarks = choose_series(find_dicom_files(path, progress, files), series, path)
    stack = stack_slices(chosen.slices, path)
    feet_to_head = stack.slices[::-1] if stack.is_head_first else stack.slices
    acquisition = acquisition_facts([each.header for each in feet_to_head])
    return chosen, stack, feet_to_head, replace(acquisition, warnings=(*remarks, *acquisition.warnings))


@contextmanager
def _pydicom_quiet() -> Iterator[None]:
    """pydicom warns of every element that breaks the standard's form; its messages quote values of the header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _lps_image(stack: SliceStack, where: Path, progress: Progress) -> sitk.Image:
    volume = read_hounsfield(stack.slices, where, progress)
    image = sitk.GetImageFromArray(volume)
    # A 512 x 512 x 800 CT is 400 MB: keep one copy, not two.
    del volume
    image.SetOrigin(stack.origin_mm.tolist())
    image.SetSpacing(stack.spacing_mm.tolist())
    image.SetDirection(stack.direction.ravel().tolist())
    if not (stack.direction.diagonal() == 1).all():
        image = sitk.DICOMOrient(image, "LPS")
    progress.report("reading CT slices", 1.0)
    return image


def _once(values: Sequence) -> tuple:
    """Each value once, in order: a multi-frame file and its UID stand for all its slices."""
    return tuple(dict.fromkeys(values))


def _sex(each: CTSlice) -> str:
    sex = text(each.header, "PatientSex").upper()
    return sex if sex in ("M", "F") else ""
