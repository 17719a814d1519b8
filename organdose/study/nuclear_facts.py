"""Facts of a PET or SPECT examination: what was given, when, and what the values of the images mean."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime

from organdose.errors import MissingFacts
from organdose.study.facts import Fact

UNITS = ("BQML", "BQ", "GML", "CM2ML", "CNTS", "CPS")
DECAY_CORRECTIONS = ("NONE", "START", "ADMIN")

EXPLANATIONS = {
    "radionuclide": "radionuclide, for example F-18 or Lu-177",
    "radiopharmaceutical": "radiopharmaceutical, by any name",
    "half_life_s": "physical half-life of the radionuclide in s, for example 6586 for F-18",
    "injected_activity_bq": "activity in the syringe at the time of administration in Bq, for example 3.7e8",
    "injected_at": "date and time of administration, for example 2025-03-14 09:30:00",
    "residual_bq": "activity left in syringe and line in Bq, at residual_at or else at the time of administration",
    "residual_at": "date and time that the residual activity was measured at",
    "patient_mass_kg": "mass of the patient in kg",
    "patient_height_m": "height of the patient in m, for example 1.75",
    "patient_sex": "M or F, for a lean or ideal body mass",
    "units": "unit of the voxels: BQML (Bq/ml), BQ (Bq in a voxel), GML or CM2ML (SUV), CNTS (counts), CPS (counts/s)",
    "suv_type": "what an SUV is normalised by: BW (body mass), LBMJANMA, LBMJAMES128 or LBM (lean body mass), IBW "
                "(ideal body mass) or BSA (body surface)",
    "calibration_bq_ml_per_count": "calibration factor: Bq/ml for one unit of a voxel (a count, or a count/s with CPS)",
    "sensitivity_cps_per_mbq": "sensitivity of camera and reconstruction in counts/s for each MBq, measured as the "
                               "images are reconstructed",
    "decay_correction": "moment the image is corrected to: START (of the scan), ADMIN (administration) or NONE",
    "scan_start_at": "date and time that the scan began, for example 2025-03-14 10:30:00",
    "scan_start_s": "time from the administration to the start of the scan in s",
    "reference_at": "date and time that a decay correction of START refers to, where it is not the start of the scan",
    "duration_s": "duration of the acquisition of the frame in s",
    "attenuation_corrected": "whether the image is corrected for attenuation: yes or no",
}


@dataclass(frozen=True)
class NuclearAcquisition:
    """What is known of one PET or SPECT series. A field is None while nobody has said it.

    Moments are `datetime`s: with the offset from UTC where the header states it, else the hospital's clock.
    """

    radionuclide: Fact[str] | None = None
    radiopharmaceutical: Fact[str] | None = None
    half_life_s: Fact[float] | None = None
    injected_activity_bq: Fact[float] | None = None
    injected_at: Fact[datetime] | None = None
    residual_bq: Fact[float] | None = None
    residual_at: Fact[datetime] | None = None
    patient_mass_kg: Fact[float] | None = None
    patient_height_m: Fact[float] | None = None
    patient_sex: Fact[str] | None = None
    units: Fact[str] | None = None
    suv_type: Fact[str] | None = None
    calibration_bq_ml_per_count: Fact[float] | None = None
    sensitivity_cps_per_mbq: Fact[float] | None = None
    decay_correction: Fact[str] | None = None
    scan_start_at: Fact[datetime] | None = None
    scan_start_s: Fact[float] | None = None
    reference_at: Fact[datetime] | None = None
    duration_s: Fact[float] | None = None
    attenuation_corrected: Fact[str] | None = None
    warnings: tuple[str, ...] = field(default=())

    def known(self) -> dict[str, Fact]:
        """The facts that are known, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)
                if f.name != "warnings" and getattr(self, f.name) is not None}

    def value(self, name: str) -> object:
        """The value of a fact, None where it is not known."""
        fact = getattr(self, name)
        return None if fact is None else fact.value

    def missing(self, *names: str) -> dict[str, str]:
        """The explanation of each of `names` that is not known."""
        return {name: EXPLANATIONS[name] for name in names if getattr(self, name) is None}

    def require(self, *names: str, where: object = None) -> None:
        """Raises `MissingFacts` naming each of `names` that is not known."""
        missing = self.missing(*names)
        if missing:
            raise MissingFacts(missing, where=where)
