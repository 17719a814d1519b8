"""Continuous spectra of beta particles, from the tables of ICRP 107.

ICRP 107 tabulates the sum over all branches of a nuclide on about 100 energies, coarse at high energies. A monotone
cubic through them (Fritsch and Carlson, SIAM J Numer Anal 17 (1980) 238) keeps the tabulated mean energies of the
branches better than straight lines do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from organdose.nuclear.allowed_shape import allowed_shape, endpoint_kev_of_mean

BETA_MINUS, BETA_PLUS = "beta-", "beta+"
SIGNS = {BETA_MINUS: -1, BETA_PLUS: 1}
TABULATED = "ICRP 107"
PARTED = "ICRP 107, parted between beta- and beta+ by allowed shapes"
COMPUTED = "computed as allowed"
_BINS_A_STEP = 4
_COMPUTED_BINS = 400


@dataclass(frozen=True)
class BetaSpectrum:
    """Betas of one nuclide.

    `edges_kev` (n + 1) and `probability` (n, sums to 1): energies are even within a bin. `yield_per_decay` counts the
    particles, `source` says where the shape comes from, `origin` names the nuclide.
    """

    kind: str
    edges_kev: np.ndarray
    probability: np.ndarray
    yield_per_decay: float
    source: str
    origin: str

    @property
    def centres_kev(self) -> np.ndarray:
        return 0.5 * (self.edges_kev[1:] + self.edges_kev[:-1])

    @property
    def density_per_kev(self) -> np.ndarray:
        """Probability per keV in each bin."""
        return self.probability / np.diff(self.edges_kev)

    @property
    def mean_energy_kev(self) -> float:
        return float(self.centres_kev @ self.probability)

    @property
    def endpoint_kev(self) -> float:
        return float(self.edges_kev[-1])

    @property
    def energy_kev(self) -> float:
        """Per decay."""
        return self.yield_per_decay * self.mean_energy_kev

    def scaled(self, factor: float) -> BetaSpectrum:
        return replace(self, yield_per_decay=factor * self.yield_per_decay)


def beta_spectra(origin: str, z: int, mass_number: int, table: np.ndarray, branches: dict[str, np.ndarray]
                 ) -> tuple[BetaSpectrum, ...]:
    """Spectra by sign.

    `table` (n, 2): keV and number per keV and decay of all betas together, or empty. `branches` maps 'beta-' and
    'beta+' to (k, 2) mean energies in keV and yields per decay. A table of both signs is parted, and a missing one
    replaced, by allowed shapes of the branches, with endpoints that give their mean energies.
    """
    branches = {kind: rows for kind, rows in branches.items() if len(rows)}
    if not branches:
        return ()
    if len(table) and len(branches) == 1:
        edges_kev, number = _binned(table)
        parts, source = dict.fromkeys(branches, number), TABULATED
    elif len(table):
        edges_kev, number = _binned(table)
        shapes = _allowed_parts(z, mass_number, edges_kev, branches)
        whole = np.maximum(sum(shapes.values()), np.finfo(float).tiny)
        parts, source = {kind: number * shape / whole for kind, shape in shapes.items()}, PARTED
    else:
        edges_kev = np.linspace(0.0, _highest_kev(z, mass_number, branches), _COMPUTED_BINS + 1)
        parts, source = _allowed_parts(z, mass_number, edges_kev, branches), COMPUTED
    return tuple(_spectrum(kind, edges_kev, parts[kind], rows, source, origin) for kind, rows in branches.items())


def _spectrum(kind, edges_kev, number, rows, source, origin) -> BetaSpectrum:
    last = int(np.flatnonzero(number)[-1]) + 1
    edges_kev, probability = edges_kev[:last + 1].copy(), number[:last] / number[:last].sum()
    for array in (edges_kev, probability):
        array.flags.writeable = False
    return BetaSpectrum(kind, edges_kev, probability, float(rows[:, 1].sum()), source, origin)


def _binned(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    energies_kev, density = table.T
    steps = np.arange(_BINS_A_STEP) / _BINS_A_STEP
    edges_kev = np.append((energies_kev[:-1, None] + np.diff(energies_kev)[:, None] * steps).ravel(), energies_kev[-1])
    return edges_kev, np.maximum(np.diff(PchipInterpolator(energies_kev, density).antiderivative()(edges_kev)), 0.0)


def _allowed_parts(z, mass_number, edges_kev, branches) -> dict[str, np.ndarray]:
    """Number per bin and decay by sign, each branch an allowed spectrum."""
    centres_kev, widths_kev = 0.5 * (edges_kev[1:] + edges_kev[:-1]), np.diff(edges_kev)
    parts = {}
    for kind, rows in branches.items():
        parts[kind] = np.zeros(len(centres_kev))
        for mean_kev, number in rows:
            endpoint_kev = _endpoint_kev(kind, z, mass_number, mean_kev)
            shape = allowed_shape(z - SIGNS[kind], mass_number, SIGNS[kind], endpoint_kev, centres_kev) * widths_kev
            parts[kind] += number * shape / shape.sum()
    return parts


def _highest_kev(z: int, mass_number: int, branches: dict[str, np.ndarray]) -> float:
    return max(_endpoint_kev(kind, z, mass_number, mean_kev) for kind, rows in branches.items()
               for mean_kev in rows[:, 0])


def _endpoint_kev(kind: str, z: int, mass_number: int, mean_kev: float) -> float:
    return endpoint_kev_of_mean(z - SIGNS[kind], mass_number, SIGNS[kind], mean_kev)
