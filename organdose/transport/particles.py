"""Photons on their way into the world: what a source hands to the transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Photons:
    """A bunch of photons: float32 arrays of positions (n, 3) in mm, unit directions (n, 3), energies (n) in keV and
    statistical weights (n)."""

    position_mm: np.ndarray
    direction: np.ndarray
    energy_kev: np.ndarray
    weight: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Photons:
        single = np.float32
        return cls(np.empty((count, 3), single), np.empty((count, 3), single), np.empty(count, single),
                   np.ones(count, single))


class PhotonSource(Protocol):
    """Anything that can fill `Photons`: an X-ray tube, an activity map."""

    highest_kev: float

    def emit(self, photons: Photons, seed: int, first_history: int) -> None:
        """Fill `photons` with the histories from `first_history` on. The photon of a history depends on `seed` and the
        history's number alone. Must release the GIL (compiled with nogil) and be safe to call from several threads."""


@dataclass(frozen=True)
class Electrons:
    """A bunch of electrons (`charge` 0) and positrons (1, int8): kinetic energies in keV, the rest as in `Photons`."""

    position_mm: np.ndarray
    direction: np.ndarray
    energy_kev: np.ndarray
    weight: np.ndarray
    charge: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Electrons:
        photons = Photons.empty(count)
        return cls(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, np.zeros(count, np.int8))


class ElectronSource(Protocol):
    """Anything that can fill `Electrons`: the betas of an activity map."""

    highest_kev: float

    def emit_electrons(self, electrons: Electrons, seed: int, first_history: int) -> None:
        """As `PhotonSource.emit`."""
