"""The X-ray tube on its way around and along the patient, as a source of photons.

The focal spot circles the isocentre axis (parallel to z). Photons leave it isotropically within the collimated fan;
the bowtie shapes how many go into each direction and with which spectrum. Every emitted photon counts as one history
behind all filters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from organdose.ct.scanner import Bowtie, bowtie_transmission
from organdose.ct.spectrum import Spectrum
from organdose.transport.particles import Photons
from organdose.transport.random_numbers import first_state, next_state, uniform

_EMISSION_STREAM = 0
_FAN_BINS = 256


@dataclass(frozen=True)
class TubePath:
    """Where along z the tube shines: the beam's centre is drawn with a density that is linear between nodes.

    `z_mm` (n, rising) and `weight` (n, not negative, any unit). A single node stands for one axial rotation there.
    """

    z_mm: np.ndarray
    weight: np.ndarray

    @classmethod
    def axial(cls, z_mm: float) -> TubePath:
        return cls(np.array([z_mm]), np.array([1.0]))


@dataclass(frozen=True)
class XRaySource:
    """A rotating X-ray tube (a `PhotonSource`).

    `spectrum` is that in front of the bowtie; `total_collimation_mm` the beam width in z on the plane through the
    isocentre. The gantry angle of each photon is uniform: the start angle of a scan is not known, so dose is averaged
    over it. At angle 0 the tube stands above a supine patient (towards -y).
    """

    spectrum: Spectrum
    path: TubePath
    focus_isocentre_mm: float
    fan_half_angle_rad: float
    total_collimation_mm: float
    isocentre_mm: tuple[float, float] = (0.0, 0.0)
    bowtie: Bowtie | None = None
    _tables: tuple = field(init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "_tables", self._cumulated_tables())

    @property
    def highest_kev(self) -> float:
        return self.spectrum.highest_kev

    def _cumulated_tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cumulated probabilities over fan angle (at bin edges) and, for each fan bin, over energy."""
        edges = np.linspace(-self.fan_half_angle_rad, self.fan_half_angle_rad, _FAN_BINS + 1)
        centres = 0.5 * (edges[1:] + edges[:-1])
        transmission = bowtie_transmission(self.bowtie, centres, self.spectrum.energies_kev, self.focus_isocentre_mm)
        photons = transmission * self.spectrum.photons
        # A flat z aperture seen from the focus: the solid angle of a fan bin goes with cos(fan angle).
        per_bin = photons.sum(axis=1) * np.cos(centres)
        fan_cumulated = np.concatenate([[0.0], np.cumsum(per_bin)]) / per_bin.sum()
        energy_cumulated = np.cumsum(photons, axis=1) / photons.sum(axis=1, keepdims=True)
        return edges, fan_cumulated, energy_cumulated

    def emit(self, photons: Photons, seed: int, first_history: int) -> None:
        edges, fan_cumulated, energy_cumulated = self._tables
        z_mm, z_cumulated = _path_tables(self.path)
        _emit(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, seed, first_history,
              self.focus_isocentre_mm, self.isocentre_mm[0], self.isocentre_mm[1], self.total_collimation_mm,
              edges, fan_cumulated, energy_cumulated, self.spectrum.energies_kev, self.spectrum.bin_kev,
              z_mm, z_cumulated)


def _path_tables(path: TubePath, steps: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """z edges and cumulated probability at them, fine enough to draw from by linear inversion."""
    if len(path.z_mm) == 1:
        return np.repeat(path.z_mm, 2), np.array([0.0, 1.0])
    z_mm = np.linspace(path.z_mm[0], path.z_mm[-1], steps + 1)
    density = np.interp(0.5 * (z_mm[1:] + z_mm[:-1]), path.z_mm, path.weight)
    return z_mm, np.concatenate([[0.0], np.cumsum(density)]) / density.sum()


@njit
def _bin_of(cumulated, r):
    """Index k with cumulated[k] <= r < cumulated[k + 1]."""
    low, high = 0, cumulated.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if cumulated[middle] > r:
            high = middle
        else:
            low = middle
    return low


@njit
def _drawn(edges, cumulated, r):
    """A place between edges whose cumulated probability is r, and its bin."""
    k = _bin_of(cumulated, r)
    width = cumulated[k + 1] - cumulated[k]
    part = (r - cumulated[k]) / width if width > 0.0 else 0.5
    return edges[k] + part * (edges[k + 1] - edges[k]), k


@njit(nogil=True, cache=True)
def _emit(position_mm, direction, energy_kev, weight, seed, first_history, focus_isocentre_mm, isocentre_x_mm,
          isocentre_y_mm, collimation_mm, fan_edges, fan_cumulated, energy_cumulated, energies_kev, bin_kev,
          z_edges_mm, z_cumulated):
    for photon in range(position_mm.shape[0]):
        state = next_state(first_state(seed, _EMISSION_STREAM, first_history + photon))
        angle = 2.0 * math.pi * uniform(state)
        state = next_state(state)
        z_mm, _ = _drawn(z_edges_mm, z_cumulated, uniform(state))
        while True:
            state = next_state(state)
            fan, fan_bin = _drawn(fan_edges, fan_cumulated, uniform(state))
            state = next_state(state)
            height_mm = collimation_mm * (uniform(state) - 0.5)
            across_mm = focus_isocentre_mm * math.tan(fan)
            flat = focus_isocentre_mm * focus_isocentre_mm + across_mm * across_mm
            # Towards the aperture's upper and lower rim the same height spans a smaller solid angle.
            state = next_state(state)
            if uniform(state) < (flat / (flat + height_mm * height_mm)) ** 1.5:
                break
        state = next_state(state)
        r = uniform(state)
        energies = energy_cumulated[fan_bin]
        k = 0 if r < energies[0] else _bin_of(energies, r) + 1
        state = next_state(state)
        energy_kev[photon] = energies_kev[k] + bin_kev * (uniform(state) - 0.5)
        sine, cosine = math.sin(angle), math.cos(angle)
        position_mm[photon, 0] = isocentre_x_mm + focus_isocentre_mm * sine
        position_mm[photon, 1] = isocentre_y_mm - focus_isocentre_mm * cosine
        position_mm[photon, 2] = z_mm
        norm = 1.0 / math.sqrt(flat + height_mm * height_mm)
        direction[photon, 0] = (across_mm * cosine - focus_isocentre_mm * sine) * norm
        direction[photon, 1] = (across_mm * sine + focus_isocentre_mm * cosine) * norm
        direction[photon, 2] = height_mm * norm
        weight[photon] = 1.0
