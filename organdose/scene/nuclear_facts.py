"""What was given and when, from the DICOM header of a PET or SPECT frame in the scene."""

from __future__ import annotations

from pathlib import Path

from organdose.errors import InputError
from organdose.scene.ct_facts import dicom_folder_of, first_file_of
from organdose.study.nuclear_fact_sheet import NuclearFactSheet


def fact_sheet_of_frame(frame_node) -> NuclearFactSheet:
    """The facts of one frame; an empty sheet with a remark where there is no header to read, or no frame."""
    if frame_node is None:
        return NuclearFactSheet()
    file = first_file_of(frame_node) or _any_file(dicom_folder_of(frame_node))
    if file is None:
        return NuclearFactSheet(remarks=("There is no DICOM header of this frame here: fill in what is missing.",))
    try:
        return NuclearFactSheet.of_file(file)
    except InputError as error:
        # Without the path: it may name the patient, and remarks are saved with the scene.
        return NuclearFactSheet(remarks=(f"The DICOM header cannot be used: {error.what}. {error.mend}".strip(),))


def _any_file(folder: Path | None) -> Path | None:
    """Every slice says the same of what was given."""
    return None if folder is None else next((path for path in sorted(folder.iterdir()) if path.is_file()), None)
