"""The acquisition facts of a CT in the scene: from its DICOM headers, and what a dose engine still misses."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from organdose.errors import InputError, MissingFacts
from organdose.scene.dose_display import QUANTITY_ATTRIBUTE
from organdose.study.ct_fact_sheet import CTFactSheet
from organdose.study.ct_study import CTStudy

# Slicer's DICOM module writes the first on volumes it loads; OrganDose the second on those it loads itself.
_INSTANCES_ATTRIBUTE, FOLDER_ATTRIBUTE = "DICOM.instanceUIDs", "OrganDose.DicomFolder"


def dicom_folder_of(volume_node) -> Path | None:
    """The folder with the DICOM files of a volume; None for one that came from elsewhere or whose files are gone."""
    folder = volume_node.GetAttribute(FOLDER_ATTRIBUTE)
    if folder and Path(folder).is_dir():
        return Path(folder)
    first = first_file_of(volume_node)
    return None if first is None else first.parent


def first_file_of(volume_node) -> Path | None:
    """One DICOM file of a volume that Slicer's DICOM database knows; None for others."""
    database, instance = _in_database(volume_node)
    path = database.fileForInstance(instance) if instance else ""
    return Path(path) if path and Path(path).is_file() else None


def series_of(volume_node) -> str | None:
    """The SeriesInstanceUID of a volume that Slicer's DICOM database knows; None for others."""
    database, instance = _in_database(volume_node)
    return (database.instanceValue(instance, "0020,000E") or None) if instance else None


def files_of(volume_node) -> list[Path] | None:
    """The files of a series that Slicer's DICOM database knows, wherever they lie; None for others."""
    database, _ = _in_database(volume_node)
    series = series_of(volume_node)
    files = [Path(path) for path in database.filesForSeries(series)] if series else []
    return files if files and all(path.is_file() for path in files) else None


def _in_database(volume_node) -> tuple[object, str]:
    import slicer

    database = getattr(slicer, "dicomDatabase", None)
    instances = (volume_node.GetAttribute(_INSTANCES_ATTRIBUTE) or "").split()
    return database, instances[0] if database is not None and instances else ""


def fact_sheet_of(ct_node) -> CTFactSheet:
    """What the DICOM headers of a volume say; an empty sheet with a remark where there are none to read."""
    from organdose.study.dicom_ct import read_dicom_ct_facts

    folder = dicom_folder_of(ct_node)
    if folder is None:
        return CTFactSheet(remarks=("There is no DICOM header of this volume here: fill in its acquisition facts.",))
    try:
        acquisition, sex = read_dicom_ct_facts(folder, series=series_of(ct_node), files=files_of(ct_node))
    except InputError as error:
        # Without the path: it may name the patient, and remarks are saved with the scene.
        return CTFactSheet(remarks=(f"The DICOM header cannot be used: {error.what}. {error.mend}".strip(),))
    return CTFactSheet.of(acquisition, sex)


def why_no_ct(volume_node) -> str:
    """Why a volume (or None) cannot be taken for a CT, in one line; '' when it can."""
    if volume_node is None:
        return "Choose a CT."
    if volume_node.GetAttribute(QUANTITY_ATTRIBUTE):
        return f"The volume {volume_node.GetName()!r} is a result: choose the CT it was computed from."
    image = volume_node.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        return f"The volume {volume_node.GetName()!r} is empty: load it again, or choose another."
    return ""


def what_is_missing(ct_node, sheet: CTFactSheet, engine, parameters) -> str:
    """Why `engine` could not run with these facts, in one line ('' when it could); sets `sheet.missing`."""
    sheet.missing = {}
    try:
        engine.check(_outline(ct_node, sheet), parameters)
    except MissingFacts as error:
        from organdose.study.ct_fact_sheet import TITLES

        sheet.missing = error.facts
        return f"Fill in: {', '.join(TITLES[name][0] for name in error.facts)}."
    except InputError as error:
        return str(error)
    return ""


def _outline(ct_node, sheet: CTFactSheet) -> CTStudy:
    """A study of as many slices over the same extent, without the voxels, for checks before any work is done."""
    bounds_mm = [0.0] * 6
    ct_node.GetRASBounds(bounds_mm)
    right, left, back, front, feet, head = bounds_mm
    size = (2, 2, _slices_upwards(ct_node))
    image = sitk.Image(size, sitk.sitkInt16)
    spacing_mm = ((left - right) / 2, (front - back) / 2, (head - feet) / size[2])
    image.SetSpacing(spacing_mm)
    image.SetOrigin((-left + spacing_mm[0] / 2, -front + spacing_mm[1] / 2, feet + spacing_mm[2] / 2))
    return CTStudy(image, sheet.acquisition(), patient_sex=sheet.patient_sex)


def _slices_upwards(ct_node) -> int:
    axes = [[0.0] * 3 for _ in range(3)]
    ct_node.GetIJKToRASDirections(axes)
    upwards = max(range(3), key=lambda axis: abs(axes[2][axis]))
    return ct_node.GetImageData().GetDimensions()[upwards]
