"""One X-ray tube: its spectrum, fan, bowtie and anode."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from organdose.ct.bowtie import Bowtie, TabulatedBowtie, bowtie_transmission
from organdose.ct.spectrum import Spectrum, extra_tungsten_um, filter_transmission
from organdose.errors import InputError

_LOWEST_TABLE_KV = 70.0


@dataclass(frozen=True)
class Tube:
    """A tube as the source of photons.

    `spectrum`: behind the flat filters, in front of the bowtie. `anode_angle_deg`: None for no heel effect, positive
    for an anode towards -z, so that photons towards +z leave at larger angles to its face, negative for +z. `share`:
    relative number of photons this tube emits *behind all filters*, bowtie included, counted over its whole fan and
    averaged over the scan. `offset_rad`: its gantry angle minus that of the first tube.
    """

    spectrum: Spectrum
    fan_half_angle_rad: float
    bowtie: Bowtie | TabulatedBowtie | None = None
    anode_angle_deg: float | None = None
    share: float = 1.0
    offset_rad: float = 0.0

    def __post_init__(self):
        if not 0 < self.fan_half_angle_rad < 0.5 * math.pi:
            raise InputError("half the fan angle must lie between 0 and 90 degrees", mend="Correct the fan angle.")
        if not (math.isfinite(self.share) and self.share >= 0):
            raise InputError("a tube's share of the photons must not be negative", mend="Correct the shares.")

    def photons_per_mas(self, focus_isocentre_mm: float, cells: int = 256) -> float:
        """Photons behind all filters for each mAs and mm of collimation, in a unit that all tubes share: the ratio of
        two tubes' values times that of their mAs is the `share`."""
        half = math.sin(self.fan_half_angle_rad)
        fan_sine = half * ((np.arange(cells) + 0.5) * 2 / cells - 1)
        return 2 * half * float(self.photons(fan_sine, np.zeros((cells, 1)), focus_isocentre_mm).sum()) / cells

    def photons(self, fan_sine: np.ndarray, elevation_sine: np.ndarray, focus_isocentre_mm: float) -> np.ndarray:
        """Relative photons per solid angle and energy bin behind all filters, (fan angles, elevations, energies).

        `fan_sine` (fans,): sine of the fan angle in the gantry's plane; `elevation_sine` (fans, elevations): w of the
        direction.
        """
        fan_rad = np.arcsin(fan_sine)
        through_bowtie = bowtie_transmission(self.bowtie, fan_rad, self.spectrum.energies_kev, focus_isocentre_mm)
        photons = self.spectrum.photons * through_bowtie[:, None, :]
        if self.anode_angle_deg is None:
            return np.broadcast_to(photons, (*elevation_sine.shape, photons.shape[-1]))
        return photons * self._heel(np.cos(fan_rad)[:, None], elevation_sine)

    def _heel(self, fan_cosine: np.ndarray, elevation_sine: np.ndarray) -> np.ndarray:
        """What more or less tungsten than on the central ray leaves over: (fans, elevations, energies).

        The sine of a photon's angle to the anode's face is that of the face's normal with its direction. SpekPy's
        off-axis spectra are those on the axis of an anode of that angle, so one table serves both.
        """
        anode_rad = math.radians(abs(self.anode_angle_deg))
        away = elevation_sine * math.copysign(1.0, self.anode_angle_deg)
        sine = fan_cosine * np.sqrt(1 - elevation_sine**2) * math.sin(anode_rad) + away * math.cos(anode_rad)
        take_off_deg = np.degrees(np.arcsin(np.clip(sine, -1, 1)))
        if take_off_deg.min() <= 1.0:
            raise InputError(f"the beam reaches behind the anode ({self.anode_angle_deg:g} degrees)",
                             mend="Correct anode angle, collimation or focus-isocentre distance.")
        kv = max(self.spectrum.highest_kev, _LOWEST_TABLE_KV)
        extra_mm = 1e-3 * (extra_tungsten_um(kv, np.minimum(take_off_deg, 25.0))
                           - extra_tungsten_um(kv, abs(self.anode_angle_deg)))
        return filter_transmission("W", extra_mm[..., None], self.spectrum.energies_kev)
