"""The acquisition facts of a CT in the scene: from its DICOM headers, and what a dose engine still misses."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from organdose.errors import InputError, MissingFacts
from organdose.study.ct_study import CTStudy
from organdose.study.fact_sheet import FactSheet

# Slicer's DICOM module writes the first on volumes it loads; OrganDose the second on those it loads itself.
_INSTANCES_ATTRIBUTE, FOLDER_ATTRIBUTE = "DICOM.instanceUIDs", "OrganDose.DicomFolder"


def dicom_folder_of(ct_node) -> Path | None:
    """The folder with the DICOM files of a volume; None for one that came from elsewhere or whose files are gone."""
    import slicer

    folder = ct_node.GetAttribute(FOLDER_ATTRIBUTE)
    if folder and Path(folder).is_dir():
        return Path(folder)
    database = getattr(slicer, "dicomDatabase", None)
    instances = (ct_node.GetAttribute(_INSTANCES_ATTRIBUTE) or "").split()
    if database is None or not instances:
        return None
    first = database.fileForInstance(instances[0])
    return Path(first).parent if first and Path(first).is_file() else None


def series_of(ct_node) -> str | None:
    """The SeriesInstanceUID of a volume that came from Slicer's DICOM database; None where it is not known."""
    import slicer

    database = getattr(slicer, "dicomDatabase", None)
    instances = (ct_node.GetAttribute(_INSTANCES_ATTRIBUTE) or "").split()
    if database is None or not instances:
        return None
    return database.instanceValue(instances[0], "0020,000E") or None


def fact_sheet_of(ct_node) -> FactSheet:
    """What the DICOM headers of a volume say; an empty sheet with a remark where there are none to read."""
    from organdose.study.dicom_ct import read_dicom_ct_facts

    folder = dicom_folder_of(ct_node)
    if folder is None:
        return FactSheet(remarks=("This volume has no DICOM header here: its acquisition facts are to be filled in.",))
    try:
        acquisition, sex = read_dicom_ct_facts(folder, series=series_of(ct_node))
    except InputError as error:
        return FactSheet(remarks=(f"The DICOM header cannot be used ({error})",))
    return FactSheet.of(acquisition, sex)


def what_is_missing(ct_node, sheet: FactSheet, engine, parameters) -> str:
    """Why `engine` could not run with these facts, in one line ('' when it could); sets `sheet.missing`."""
    sheet.missing = {}
    try:
        engine.check(_outline(ct_node, sheet), parameters)
    except MissingFacts as error:
        from organdose.study.fact_sheet import TITLES

        sheet.missing = error.facts
        return f"Fill in: {', '.join(TITLES[name][0] for name in error.facts)}."
    except InputError as error:
        return str(error)
    return ""


def _outline(ct_node, sheet: FactSheet) -> CTStudy:
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
