"""Emissions as tables to draw energies from, for Monte Carlo sources.

Lines and bins of beta spectra stand in one table: a row is drawn by its yield, an energy evenly between its bounds
(equal for a line). Both keep the energy per decay exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError
from organdose.nuclear.beta_spectrum import BetaSpectrum
from organdose.nuclear.emissions import ANNIHILATION, Emissions, Lines
from organdose.transport.alias_table import alias_rows


@dataclass(frozen=True)
class EnergyTable:
    """`low_kev`, `high_kev`, `yields` (each (n,)): numbers per decay with energies evenly between the two bounds."""

    low_kev: np.ndarray
    high_kev: np.ndarray
    yields: np.ndarray

    @property
    def particles_per_decay(self) -> float:
        return float(self.yields.sum())

    @property
    def energy_kev(self) -> float:
        """Per decay."""
        return float(0.5 * (self.low_kev + self.high_kev) @ self.yields)

    def alias(self) -> tuple[np.ndarray, np.ndarray]:
        """`chance` and `alias` (1, n) as `transport.alias_table.drawn` wants them: it gives row k and a number r in
        [0, 1) that is left, the energy is low_kev[k] + r (high_kev[k] - low_kev[k]). Raises `InputError` where nothing
        is emitted."""
        if not self.particles_per_decay > 0.0:
            raise InputError("there is nothing to draw from: no such particle is emitted")
        return alias_rows(self.yields[None, :])

    def between(self, low_kev: float, high_kev: float) -> EnergyTable:
        """The part with energies from `low_kev` to `high_kev`; bins are cut at the bounds."""
        low, high = np.maximum(self.low_kev, low_kev), np.minimum(self.high_kev, high_kev)
        width = self.high_kev - self.low_kev
        inside = np.divide(high - low, width, out=np.ones_like(width), where=width > 0)
        kept = (low <= high) & (inside > 0)
        return EnergyTable(low[kept], high[kept], (self.yields * inside)[kept])


def photon_table(emissions: Emissions, *, annihilation: bool) -> EnergyTable:
    """Gamma and x-rays, with the annihilation photons of positrons that stop where they arise (`annihilation`) or
    without them, for a transport that follows positrons and makes these photons itself."""
    return energy_table(part for part in emissions.photons if annihilation or part.kind != ANNIHILATION)


def electron_table(emissions: Emissions) -> EnergyTable:
    """Conversion and Auger electrons and beta-minus."""
    return energy_table((*emissions.electrons, *emissions.beta_minus))


def positron_table(emissions: Emissions) -> EnergyTable:
    return energy_table(emissions.beta_plus)


def energy_table(parts: Iterable[Lines | BetaSpectrum]) -> EnergyTable:
    """One table of all `parts`, in their order; without any it is empty."""
    rows = [_rows(part) for part in parts] or [(np.empty(0),) * 3]
    return EnergyTable(*(np.concatenate(columns) for columns in zip(*rows)))


def _rows(part: Lines | BetaSpectrum) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if isinstance(part, Lines):
        return part.energies_kev, part.energies_kev, part.yields
    return part.edges_kev[:-1], part.edges_kev[1:], part.yield_per_decay * part.probability
