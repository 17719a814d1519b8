"""What was given and when, from the DICOM header of a PET or SPECT frame in the scene."""

from __future__ import annotations

from pathlib import Path

from organdose.errors import InputError
from organdose.scene.ct_facts import dicom_folder_of, first_file_of
from organdose.study.facts import Fact, Origin
from organdose.study.nuclear_fact_sheet import NuclearFactSheet

# UCUM annotations of SUV (as in DICOM CID 84) and what the facts call the normalisation.
_SUV_KINDS = {"SUVbw": "BW", "SUVlbm": "LBM", "SUVlbm(James128)": "LBMJAMES128", "SUVlbm(Janma)": "LBMJANMA",
              "SUVbsa": "BSA", "SUVibw": "IBW"}


def fact_sheet_of_frame(frame_node) -> NuclearFactSheet:
    """The facts of one frame; an empty sheet with a remark where there is no header to read, or no frame."""
    if frame_node is None:
        return NuclearFactSheet()
    file = first_file_of(frame_node) or _any_file(dicom_folder_of(frame_node))
    if file is None:
        return NuclearFactSheet(remarks=("There is no DICOM header of this frame here: fill in what is missing.",))
    try:
        return _with_unit_of(frame_node, NuclearFactSheet.of_file(file))
    except InputError as error:
        # Without the path: it may name the patient, and remarks are saved with the scene.
        return NuclearFactSheet(remarks=(f"The DICOM header cannot be used: {error.what}. {error.mend}".strip(),))


def _with_unit_of(frame_node, sheet: NuclearFactSheet) -> NuclearFactSheet:
    """Somebody may have turned the volume into SUV and said so (as Slicer's PET-DICOM extension does)."""
    entry = frame_node.GetVoxelValueUnits()
    code = (entry.GetCodeValue() or "") if entry is not None else ""
    kind = next((kind for word, kind in _SUV_KINDS.items() if f"{{{word}}}".lower() in code.lower()), None)
    if kind is not None:
        note = f"unit of the volume, {code}; its files say otherwise"
        sheet.header["image_unit"] = Fact("CM2ML" if kind == "BSA" else "GML", Origin.derived, note)
        sheet.header["suv_type"] = Fact(kind, Origin.derived, note)
    return sheet


def _any_file(folder: Path | None) -> Path | None:
    """Every slice says the same of what was given."""
    return None if folder is None else next((path for path in sorted(folder.iterdir()) if path.is_file()), None)
