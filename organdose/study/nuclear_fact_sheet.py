"""What was given to the patient and when, as a form: from the headers of PET and SPECT frames.

The form speaks as people do, in MBq; `protocol` hands its facts to `read_activity` under the names it knows.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

import pydicom
from pydicom.errors import InvalidDicomError

from organdose.errors import InputError
from organdose.study.activity_series import MORE_TAGS
from organdose.study.dicom_nuclear import nuclear_facts
from organdose.study.fact_sheet import FactSheet
from organdose.study.facts import Fact, Origin
from organdose.study.moments import shown_moment
from organdose.study.nuclear_facts import DECAY_CORRECTIONS, UNITS, NuclearAcquisition
from organdose.study.nuclear_facts import EXPLANATIONS as FACTS
from organdose.study.suv import KINDS

_HIGHEST_MBQ = 1e6
_MBQ = 1e6
# The form's name of a fact, its name in a protocol, and what one unit of the form is there.
_NAMES = {"nuclide": ("radionuclide", 1), "administered_mbq": ("injected_activity_bq", _MBQ),
          "administered_at": ("injected_at", 1), "scan_start_at": ("scan_start_at", 1),
          "half_life_s": ("half_life_s", 1), "image_unit": ("units", 1), "decay_correction": ("decay_correction", 1),
          "patient_mass_kg": ("patient_mass_kg", 1), "patient_height_m": ("patient_height_m", 1),
          "suv_type": ("suv_type", 1), "duration_s": ("duration_s", 1), "residual_mbq": ("residual_bq", _MBQ),
          "residual_at": ("residual_at", 1), "calibration_bq_ml_per_count": ("calibration_bq_ml_per_count", 1),
          "sensitivity_cps_per_mbq": ("sensitivity_cps_per_mbq", 1)}
EXPLANATIONS = {name: FACTS[fact] for name, (fact, _) in _NAMES.items()} | {
    "administered_mbq": "activity given to the patient in MBq, at the time of administration",
    "scan_start_at": "date and time that the frame's activity is referred to, for example 2025-03-14 10:30",
    "residual_mbq": "activity left in syringe and line in MBq",
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
    "patient_height_m": ("Patient height", "m"),
    "suv_type": ("SUV type", ""),
    "duration_s": ("Frame duration", "s"),
    "residual_mbq": ("Residual activity", "MBq"),
    "residual_at": ("Residual measured at", ""),
    "calibration_bq_ml_per_count": ("Calibration factor", "Bq/ml per count"),
    "sensitivity_cps_per_mbq": ("Sensitivity", "counts/s per MBq"),
}
_WORDS = {"image_unit": UNITS, "decay_correction": DECAY_CORRECTIONS, "suv_type": KINDS}
_TIMES = ("administered_at", "scan_start_at", "residual_at")


class NuclearFactSheet(FactSheet):
    """Facts of one PET or SPECT frame under the names of `EXPLANATIONS`."""

    titles: ClassVar = TITLES
    explanations: ClassVar = EXPLANATIONS

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """What the header of one file of the frame says. Raises `InputError` for a file that is no PET or SPECT."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom quotes values of the header
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True,
                                         specific_tags=["Modality", "PatientSex", *MORE_TAGS])
            except (InvalidDicomError, OSError, EOFError) as error:
                raise InputError("this is no readable DICOM file", where=path, mend="Load the study again.") from error
            if header.get("Modality") not in ("PT", "NM"):
                raise InputError(f"this is no PET or SPECT but {header.get('Modality') or 'an unknown kind of image'}",
                                 where=path, mend="Choose the frames with the activity.")
            return cls.of(nuclear_facts([header], header))

    @classmethod
    def of(cls, acquisition: NuclearAcquisition) -> Self:
        """The facts as the form shows them. A frame corrected to its start refers to the moment found for that."""
        if acquisition.reference_at is not None:
            acquisition = replace(acquisition, scan_start_at=acquisition.reference_at)
        known = {name: (getattr(acquisition, fact), unit) for name, (fact, unit) in _NAMES.items()}
        return cls(header={name: _in_form(fact, unit) for name, (fact, unit) in known.items() if fact is not None},
                   remarks=acquisition.warnings, patient_sex=acquisition.value("patient_sex") or "")

    def protocol(self, *, typed_only: bool = False) -> dict[str, object]:
        """The content of a protocol file (`study.nuclear_protocol`) that carries the facts with their origins.

        `typed_only` leaves out those of the header, which a job that gets the DICOM files reads itself, slice by slice.
        """
        chosen = self.user if typed_only else self.header | self.user
        facts = {_NAMES[name][0]: (fact, _NAMES[name][1]) for name, fact in chosen.items()}
        stated = {name: fact.value * unit if unit != 1 else fact.value for name, (fact, unit) in facts.items()}
        if self.patient_sex and not typed_only:
            stated["patient_sex"] = self.patient_sex
        return {**stated, "origins": {name: fact.origin.value for name, (fact, _) in facts.items()}}

    @staticmethod
    def protocol_name(name: str) -> str:
        """What a protocol file calls a fact of the form."""
        return _NAMES[name][0]

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


def _in_form(fact: Fact, unit: float) -> Fact:
    """In the form's unit, and so that it can be saved. A header's own note says where it stood, no contradiction."""
    value = shown_moment(fact.value) if isinstance(fact.value, datetime) else fact.value
    return Fact(value / unit if unit != 1 else value, fact.origin, "" if fact.origin is Origin.header else fact.note)


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{TITLES[name][0]}: {text!r} is no number",
                         mend=f"It is the {EXPLANATIONS[name]}.") from error
    if not 0 < value < (_HIGHEST_MBQ if name in ("administered_mbq", "residual_mbq") else float("inf")):
        raise InputError(f"{TITLES[name][0]}: {text} cannot be", mend=f"It is the {EXPLANATIONS[name]}.")
    return value
