"""Bowties: how thick the shaped filter is in the direction of each fan angle, and what passes it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from organdose.ct.spectrum import filter_transmission

# Linear attenuation of water and aluminium at 70 keV (NIST): what a millimetre of bowtie replaces of water.
_WATER_PER_MM, _ALUMINIUM_PER_MM = 0.01929, 0.0649


class Bowtie(BaseModel):
    """A bowtie as the thickness that evens out part of a water cylinder's path, so that few numbers describe it.

    The thickness (mm of `material`) grows from `central_mm` in the middle as the ray's path through a water cylinder
    of `compensated_water_cylinder_mm` at the isocentre shortens, by `compensated_part` of the missing water in terms
    of attenuation at 70 keV, up to `edge_mm`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    material: Literal["Al"]
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


def bowtie_transmission(bowtie: Bowtie | None, fan_angle_rad: np.ndarray, energies_kev: np.ndarray,
                        focus_isocentre_mm: float) -> np.ndarray:
    """Transmission (fan angles, energies) of a bowtie; ones without."""
    if bowtie is None:
        return np.ones((len(fan_angle_rad), len(energies_kev)))
    thickness_mm = bowtie.thickness_mm(fan_angle_rad, focus_isocentre_mm)
    return filter_transmission(bowtie.material, thickness_mm[:, None], energies_kev)
