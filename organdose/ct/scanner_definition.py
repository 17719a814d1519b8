"""The definition of one CT scanner: geometry, filters and bowties as data, each number with its source."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from organdose.ct.bowtie import AnyBowtie, Bowtie, TabulatedBowtie
from organdose.ct.scanner_measurements import AnyMeasurement, BowtieKind, CTDIMeasurement, Provenance
from organdose.ct.spectrum import FILTER_DENSITY_G_CM3, Spectrum, tungsten_spectrum
from organdose.errors import InputError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FocalSpotSize(_Strict):
    """Focal spot (mm, as seen from the isocentre) and how far from it (mm) the z collimator stands."""

    across_mm: float = Field(ge=0, le=3)
    along_mm: float = Field(ge=0, le=3)
    collimator_mm: float = Field(gt=50, lt=600)


class SecondTubeDefinition(_Strict):
    """What differs on the second tube of a dual-source scanner: its fan, and its gantry angle after the first."""

    fan_angle_deg: float = Field(gt=10, lt=80)
    offset_deg: float = Field(gt=0, lt=180)


class Scanner(_Strict):
    """One CT scanner.

    `manufacturer`: words of which one must be in the header's manufacturer, separated by '/'; `models`: patterns ('*'
    for anything) of the header's model. `filtration_mm`: flat filters, thickness for each material. `heel_effect`:
    whether the anode's shadow along z is simulated with `anode_angle_deg` (negative: the anode lies towards +z).
    `ctdivol_mgy_per_mas` maps '<kV>/<phantom cm>' to CTDIvol per effective mAs (mA x s / pitch), for studies whose
    headers give no CTDIvol; CTDIw among the `measurements` adds to it. `overrange_rotations`: extra rotations of a
    helical scan in total. `sources`: provenance of each field's numbers ('bowties.body' for one bowtie).
    """

    name: str = Field(min_length=1)
    title: str
    manufacturer: str
    models: list[str]
    focus_isocentre_mm: float = Field(gt=300, lt=1000)
    fan_angle_deg: float = Field(gt=10, lt=80)
    anode_angle_deg: float = Field(ge=-25, le=25)
    heel_effect: bool = False
    filtration_mm: dict[str, float]
    focal_spot: FocalSpotSize | None = None
    bowties: dict[BowtieKind, AnyBowtie]
    second_tube: SecondTubeDefinition | None = None
    overrange_rotations: float = Field(ge=0, le=5)
    ctdivol_mgy_per_mas: dict[str, float]
    measurements: list[AnyMeasurement] = []
    sources: dict[str, Provenance] = {}
    source: str = Field(min_length=10)

    @field_validator("anode_angle_deg")
    @classmethod
    def _not_edge_on(cls, angle_deg: float) -> float:
        if abs(angle_deg) < 2:
            raise ValueError("an anode angle lies between 2 and 25 degrees")
        return angle_deg

    @field_validator("filtration_mm")
    @classmethod
    def _known_filters(cls, filters: dict[str, float]) -> dict[str, float]:
        for material, thickness_mm in filters.items():
            if material not in FILTER_DENSITY_G_CM3:
                raise ValueError(f"unknown filter material {material!r}; known: {', '.join(FILTER_DENSITY_G_CM3)}")
            if not 0 <= thickness_mm < 100:
                raise ValueError(f"{thickness_mm:g} mm {material} is impossible")
        return filters

    @field_validator("sources")
    @classmethod
    def _of_fields(cls, sources: dict[str, Provenance]) -> dict[str, Provenance]:
        for name in sources:
            if name.split(".")[0] not in cls.model_fields:
                raise ValueError(f"{name!r} is no field of a scanner")
        return sources

    @model_validator(mode="after")
    def _measured_output(self) -> Scanner:
        """CTDIw per 100 mAs of the measurements as CTDIvol per mAs where the definition gives none."""
        for measured in self.measurements:
            if isinstance(measured, CTDIMeasurement) and measured.ctdiw_mgy_per_100mas is not None:
                self.ctdivol_mgy_per_mas.setdefault(f"{measured.tube_voltage_kv:g}/{measured.phantom_cm:g}",
                                                    round(0.01 * measured.ctdiw_mgy_per_100mas, 8))
        return self

    @property
    def fan_half_angle_rad(self) -> float:
        return math.radians(0.5 * self.fan_angle_deg)

    def tube_spectrum(self, tube_voltage_kv: float, further_mm: dict[str, float] | None = None) -> Spectrum:
        """Spectrum behind the flat filters and `further_mm` of others, before the bowtie. Raises `InputError` for an
        unknown voltage or filter."""
        spectrum = tungsten_spectrum(tube_voltage_kv, abs(self.anode_angle_deg))
        for filters in (self.filtration_mm, further_mm or {}):
            for material, thickness_mm in filters.items():
                spectrum = spectrum.filtered(material, thickness_mm)
        return spectrum

    def central_spectrum(self, tube_voltage_kv: float, bowtie: str) -> Spectrum:
        """Spectrum on the central ray behind the bowtie of that kind: the one whose half-value layer is measured."""
        spectrum, shape = self.tube_spectrum(tube_voltage_kv), self.bowtie(bowtie)
        if shape is None:
            return spectrum
        return spectrum.filtered(shape.material, float(shape.thickness_mm(0.0, self.focus_isocentre_mm)))

    def bowtie(self, kind: str) -> Bowtie | TabulatedBowtie | None:
        """The bowtie of that kind; None for 'none'. Raises `InputError` when the scanner has no such bowtie."""
        if kind == "none":
            return None
        if kind not in self.bowties:
            raise InputError(f"scanner {self.name!r} has no {kind!r} bowtie",
                             mend=f"It has: {', '.join(self.bowties) or 'none'}.")
        return self.bowties[kind]
