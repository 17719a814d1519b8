"""Bowties: how thick the shaped filter is in the direction of each fan angle, and what passes it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from organdose.ct.spectrum import FILTER_DENSITY_G_CM3, filter_transmission

# Linear attenuation of water and aluminium at 70 keV (NIST): what a millimetre of bowtie replaces of water.
_WATER_PER_MM, _ALUMINIUM_PER_MM = 0.01929, 0.0649


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    material: str

    @field_validator("material")
    @classmethod
    def _known(cls, material: str) -> str:
        if material not in FILTER_DENSITY_G_CM3:
            raise ValueError(f"unknown filter material {material!r}; known: {', '.join(FILTER_DENSITY_G_CM3)}")
        return material


class Bowtie(_Filter):
    """A bowtie as the thickness that evens out part of a water cylinder's path, so that few numbers describe it.

    The thickness (mm of `material`) grows from `central_mm` in the middle as the ray's path through a water cylinder
    of `compensated_water_cylinder_mm` at the isocentre shortens, by `compensated_part` of the missing water in terms
    of aluminium's attenuation at 70 keV, up to `edge_mm`.
    """

    central_mm: float = Field(ge=0)
    edge_mm: float = Field(gt=0)
    compensated_water_cylinder_mm: float = Field(gt=0)
    compensated_part: float = Field(ge=0, le=1.5)

    def thickness_mm(self, fan_angle_rad: np.ndarray, focus_isocentre_mm: float) -> np.ndarray:
        """Thickness (mm) in the direction of each fan angle, same shape."""
        radius_mm = 0.5 * self.compensated_water_cylinder_mm
        off_centre_mm = focus_isocentre_mm * np.abs(np.sin(fan_angle_rad))
        path_mm = 2 * np.sqrt(np.clip(radius_mm**2 - off_centre_mm**2, 0, None))
        missing_mm = 2 * radius_mm - path_mm
        added_mm = self.compensated_part * missing_mm * _WATER_PER_MM / _ALUMINIUM_PER_MM
        return np.minimum(self.central_mm + added_mm, self.edge_mm)


class TabulatedBowtie(_Filter):
    """A bowtie as thicknesses (mm of `material` along the ray) at fan angles that rise from 0 degrees, the same on both
    sides, linear between them and constant beyond the last."""

    fan_angle_deg: tuple[float, ...]
    thickness_at_mm: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> TabulatedBowtie:
        if len(self.fan_angle_deg) != len(self.thickness_at_mm) or len(self.fan_angle_deg) < 2:
            raise ValueError("give one thickness_at_mm for each fan_angle_deg, at least two")
        if self.fan_angle_deg[0] != 0 or np.any(np.diff(self.fan_angle_deg) <= 0):
            raise ValueError("fan_angle_deg must rise from 0")
        if min(self.thickness_at_mm) < 0:
            raise ValueError("thickness_at_mm must not be negative")
        return self

    def thickness_mm(self, fan_angle_rad: np.ndarray, focus_isocentre_mm: float) -> np.ndarray:
        """Thickness (mm) in the direction of each fan angle, same shape."""
        return np.interp(np.degrees(np.abs(fan_angle_rad)), self.fan_angle_deg, self.thickness_at_mm)


def _form(definition: object) -> str:
    tabulated = isinstance(definition, TabulatedBowtie) or (
        isinstance(definition, dict) and ("thickness_at_mm" in definition or "fan_angle_deg" in definition))
    return "table" if tabulated else "cylinder"


AnyBowtie = Annotated[Annotated[Bowtie, Tag("cylinder")] | Annotated[TabulatedBowtie, Tag("table")],
                      Discriminator(_form)]


def bowtie_transmission(bowtie: Bowtie | TabulatedBowtie | None, fan_angle_rad: np.ndarray, energies_kev: np.ndarray,
                        focus_isocentre_mm: float) -> np.ndarray:
    """Transmission (fan angles, energies) of a bowtie; ones without."""
    if bowtie is None:
        return np.ones((len(fan_angle_rad), len(energies_kev)))
    thickness_mm = bowtie.thickness_mm(fan_angle_rad, focus_isocentre_mm)
    return filter_transmission(bowtie.material, thickness_mm[:, None], energies_kev)
