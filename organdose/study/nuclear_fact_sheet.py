"""What was given to the patient and when, as a form: from the headers of PET and SPECT frames.

Attributes: PS3.3 C.8.9.2 (PET Isotope), C.8.9.1 (PET Series), C.8.4.10 (NM Isotope).
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from organdose.errors import InputError
from organdose.study.fact_sheet import FactSheet
from organdose.study.facts import Fact, Origin

EXPLANATIONS = {
    "nuclide": "radionuclide, for example F-18 or Lu-177",
    "administered_mbq": "activity given to the patient in MBq, at the time of administration",
    "administered_at": "date and time of administration, for example 2025-03-14 09:30",
    "scan_start_at": "date and time that the frame's activity is referred to, for example 2025-03-14 10:30",
    "half_life_s": "physical half-life in s",
    "image_unit": "unit of the voxels: BQML (Bq/ml), CNTS (counts) or GML (SUV)",
    "decay_correction": "moment the frame is corrected to: START (of the scan), ADMIN (administration) or NONE",
    "patient_mass_kg": "mass of the patient in kg",
}
TITLES = {
    "nuclide": ("Radionuclide", ""),
    "administered_mbq": ("Activity given", "MBq"),
    "administered_at": ("Given at", ""),
    "scan_start_at": ("Scan start", ""),
    "half_life_s": ("Half-life", "s"),
    "image_unit": ("Unit of the image", ""),
    "decay_correction": ("Decay corrected to", ""),
    "patient_mass_kg": ("Patient mass", "kg"),
}
_WORDS = {"image_unit": ("BQML", "CNTS", "GML"), "decay_correction": ("START", "ADMIN", "NONE")}
_TIMES = ("administered_at", "scan_start_at")
_SYMBOLS = {"carbon": "C", "copper": "Cu", "fluorine": "F", "gallium": "Ga", "holmium": "Ho", "indium": "In",
            "iodine": "I", "lutetium": "Lu", "nitrogen": "N", "oxygen": "O", "rhenium": "Re", "rubidium": "Rb",
            "samarium": "Sm", "technetium": "Tc", "terbium": "Tb", "yttrium": "Y", "zirconium": "Zr",
            "actinium": "Ac", "radium": "Ra"}
_TAGS = ["RadiopharmaceuticalInformationSequence", "Units", "DecayCorrection", "PatientWeight", "SeriesDate",
         "SeriesTime", "AcquisitionDate", "AcquisitionTime", "Modality"]
_HIGHEST_MBQ = 1e6


class NuclearFactSheet(FactSheet):
    """Facts of one PET or SPECT frame under the names of `EXPLANATIONS`."""

    titles: ClassVar = TITLES
    explanations: ClassVar = EXPLANATIONS

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """What the header of one file of the frame says. Raises `InputError` for a file that is no PET or SPECT."""
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except (InvalidDicomError, OSError, EOFError) as error:
            raise InputError("this is no readable DICOM file", where=path, mend="Load the study again.") from error
        if header.get("Modality") not in ("PT", "NM"):
            raise InputError(f"this is no PET or SPECT but {header.get('Modality') or 'an unknown kind of image'}",
                             where=path, mend="Choose the frames with the activity.")
        found = {name: value for name, value in _facts(header).items() if value is not None}
        return cls(header={name: Fact(value, Origin.header) for name, value in found.items()})

    def parsed(self, name: str, text: str) -> object:
        """See `FactSheet.parsed`."""
        title = TITLES[name][0]
        if name in _WORDS:
            if text.upper() not in _WORDS[name]:
                raise InputError(f"{title}: {text!r} is not known", mend=f"It is the {EXPLANATIONS[name]}.")
            return text.upper()
        if name in _TIMES:
            try:
                return datetime.fromisoformat(text).isoformat(" ", "seconds")
            except ValueError as error:
                raise InputError(f"{title}: {text!r} is no date with time",
                                 mend=f"It is the {EXPLANATIONS[name]}.") from error
        if name == "nuclide":
            if not re.fullmatch(r"[A-Z][a-z]?-\d{1,3}m?", text):
                raise InputError(f"{title}: {text!r} is no radionuclide", mend=f"It is the {EXPLANATIONS[name]}.")
            return text
        return _positive(name, text)


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{TITLES[name][0]}: {text!r} is no number",
                         mend=f"It is the {EXPLANATIONS[name]}.") from error
    if not 0 < value < (_HIGHEST_MBQ if name == "administered_mbq" else float("inf")):
        raise InputError(f"{TITLES[name][0]}: {text} cannot be", mend=f"It is the {EXPLANATIONS[name]}.")
    return value


def _facts(header: Dataset) -> dict[str, object]:
    items = header.get("RadiopharmaceuticalInformationSequence") or [Dataset()]
    given = items[0]
    activity_bq = _number(given, "RadionuclideTotalDose")
    return {
        "nuclide": _nuclide(given),
        "administered_mbq": None if activity_bq is None else activity_bq / 1e6,
        "administered_at": _moment(given.get("RadiopharmaceuticalStartDateTime")) or _moment(
            f"{header.get('SeriesDate') or ''}{given.get('RadiopharmaceuticalStartTime') or ''}"),
        "scan_start_at": _moment(f"{header.get('SeriesDate') or ''}{header.get('SeriesTime') or ''}"),
        "half_life_s": _number(given, "RadionuclideHalfLife"),
        "image_unit": header.get("Units") or None,
        "decay_correction": header.get("DecayCorrection") or None,
        "patient_mass_kg": _number(header, "PatientWeight"),
    }


def _number(header: Dataset, keyword: str) -> float | None:
    """A positive number; scanners and anonymisers write 0 for what they do not know."""
    try:
        value = float(header.get(keyword) or 0)
    except (TypeError, ValueError):
        return None
    return value if value > 0 else None


def _moment(text: object) -> str | None:
    """'2025-03-14 09:30:00' from DICOM's 20250314093000.000; None without date or time."""
    digits = re.match(r"(\d{14})", str(text or ""))
    try:
        return datetime.strptime(digits[1], "%Y%m%d%H%M%S").isoformat(" ", "seconds") if digits else None
    except ValueError:
        return None


def _nuclide(given: Dataset) -> str | None:
    """'F-18' from the coded meaning, which scanners write '^18^Fluorine', 'Fluorine F^18^' or 'F-18'."""
    codes = given.get("RadionuclideCodeSequence") or [Dataset()]
    meaning = str(codes[0].get("CodeMeaning", ""))
    mass = re.search(r"\d{1,3}m?", meaning)
    words = re.findall(r"[A-Za-z]+", meaning.replace(mass[0], " ") if mass else "")
    symbol = next((_SYMBOLS[word.lower()] for word in words if word.lower() in _SYMBOLS), None)
    symbol = symbol or next((word for word in words if word in _SYMBOLS.values()), None)
    return f"{symbol}-{mass[0]}" if symbol and mass else None
