"""The form of a CT's acquisition facts."""

from __future__ import annotations

from typing import ClassVar, Self

from organdose.errors import InputError
from organdose.study.fact_sheet import FactSheet
from organdose.study.facts import EXPLANATIONS, LISTS, PER_SLICE, CTAcquisition

# What the windows call the facts, with their units.
TITLES = {
    "tube_voltage_kv": ("Tube voltage", "kV"),
    "tube_filter": ("Tube filter", ""),
    "bowtie": ("Bowtie", ""),
    "tube_current_ma": ("Tube current", "mA"),
    "exposure_mas": ("Effective exposure", "mAs"),
    "rotation_time_s": ("Rotation time", "s"),
    "pitch": ("Pitch", ""),
    "table_feed_mm": ("Table feed", "mm"),
    "total_collimation_mm": ("Total collimation", "mm"),
    "ctdivol_mgy": ("CTDIvol", "mGy"),
    "ctdi_phantom_cm": ("CTDI phantom", "cm"),
    "measured_ctdiw_mgy_per_100mas": ("Measured CTDIw", "mGy/100 mAs"),
    "measured_ctdiw_kv": ("CTDIw measured at", "kV"),
    "measured_ctdiw_phantom_cm": ("CTDIw measured in", "cm"),
    "measured_ctdiw_collimation_mm": ("CTDIw measured with", "mm"),
    "focus_isocentre_mm": ("Focus to isocentre", "mm"),
    "isocentre_mm": ("Isocentre x, y (LPS)", "mm"),
    "scan_kind": ("Scan kind", ""),
    "scan_range_mm": ("Scan range z (LPS)", "mm"),
    "scan_time_s": ("Scan time", "s"),
    "tube_angle_deg": ("Tube angle", "degrees"),
    "arc_deg": ("Arc", "degrees"),
    "angular_current": ("Output by angle", ""),
    "second_tube_voltage_kv": ("Second tube voltage", "kV"),
    "second_tube_exposure_mas": ("Second tube exposure", "mAs"),
    "second_tube_share": ("Second tube share", ""),
    "second_tube_filter": ("Second tube filter", ""),
    "second_tube_offset_deg": ("Second tube offset", "degrees"),
    "manufacturer": ("Manufacturer", ""),
    "model": ("Model", ""),
    "contrast_agent": ("Contrast agent", ""),
    "scan_region": ("Scan region", ""),
    "age_group": ("Age group", ""),
}
_TEXTS = frozenset({"scan_kind", "tube_filter", "bowtie", "second_tube_filter", "manufacturer", "model",
                     "contrast_agent", "scan_region", "age_group"})


class CTFactSheet(FactSheet):
    """Facts under the names of `facts.EXPLANATIONS`, checked by the rules of the protocol file."""

    titles: ClassVar = TITLES
    explanations: ClassVar = EXPLANATIONS

    @classmethod
    def of(cls, acquisition: CTAcquisition, patient_sex: str = "") -> Self:
        return cls(header=acquisition.known(), remarks=acquisition.warnings, patient_sex=patient_sex)

    def acquisition(self) -> CTAcquisition:
        """The facts as the engines take them."""
        return CTAcquisition(**(self.header | self.user), warnings=self.remarks)

    def protocol(self) -> dict[str, object]:
        """The content of a protocol file (`study.protocol`) that carries all of it, with origins and notes."""
        facts = self.header | self.user
        values = {name: list(fact.value) if isinstance(fact.value, tuple) else fact.value
                  for name, fact in facts.items()}
        return {**values, "origins": {name: fact.origin.value for name, fact in facts.items()},
                "notes": {name: fact.note for name, fact in facts.items() if fact.note},
                "remarks": list(self.remarks), "patient_sex": self.patient_sex}

    def parsed(self, name: str, text: str) -> object:
        """See `FactSheet.parsed`."""
        from organdose.study.protocol import check_fact

        if name in _TEXTS:
            return check_fact(name, _choice(text) if name in ("scan_kind", "bowtie") else text)
        try:
            numbers = [float(part) for part in text.replace(";", ",").split(",")]
        except ValueError as error:
            raise InputError(f"{TITLES[name][0]}: {text!r} is no number",
                             mend=f"It is the {EXPLANATIONS[name]}.") from error
        if name in PER_SLICE | LISTS:
            return tuple(check_fact(name, numbers))
        if len(numbers) > 1:
            raise InputError(f"{TITLES[name][0]}: {len(numbers)} values where one is asked for",
                             mend="Write decimals with a point.")
        return check_fact(name, numbers[0])


def _choice(text: str) -> str:
    """As people write it: 'Cone beam', 'localizer', 'Body'."""
    return text.lower().replace(" ", "_").replace("-", "_").replace("localizer", "localiser")
