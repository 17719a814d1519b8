"""What one decay sends out: lines and beta spectra by kind of radiation, with nothing dropped.

ICRP Publication 107 (Ann ICRP 38 (3), 2008). Energies are keV, yields are numbers per decay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from organdose.nuclear.beta_spectrum import BETA_MINUS, BETA_PLUS, BetaSpectrum, beta_spectra

GAMMA, X_RAY, ANNIHILATION = "gamma", "x-ray", "annihilation photon"
CONVERSION, AUGER = "conversion electron", "Auger electron"
ALPHA, RECOIL = "alpha", "alpha recoil"
_PHOTONS = {GAMMA: "gamma", X_RAY: "X", ANNIHILATION: "annihilation"}
_ELECTRONS = {CONVERSION: "IE", AUGER: "auger"}
_ALPHAS = {ALPHA: "alpha", RECOIL: "alpha recoil"}
_BETAS = {"beta-", "betaD", "beta+", "b-spectra"}
_UNSUPPORTED_NAMES = {"fission": "fission fragment"}


@dataclass(frozen=True)
class Lines:
    """Discrete energies of one kind: `energies_kev` and `yields` (both (n,), ascending), of the nuclide `origin`."""

    kind: str
    energies_kev: np.ndarray
    yields: np.ndarray
    origin: str

    @property
    def yield_per_decay(self) -> float:
        return float(self.yields.sum())

    @property
    def energy_kev(self) -> float:
        """Per decay."""
        return float(self.energies_kev @ self.yields)

    def scaled(self, factor: float) -> Lines:
        return replace(self, yields=_frozen(factor * self.yields))


@dataclass(frozen=True)
class Emissions:
    """Radiation per decay of a nuclide, or per decay of the parent of a chain.

    `photons` are gamma rays, x-rays and the annihilation photons of positrons that stop at once: who follows positrons
    leaves the last out. `electrons` are conversion and Auger electrons. `alphas` holds alphas and the recoils of their
    nuclei. `others` has what no method of this package can handle, such as fission fragments and neutrons.
    """

    photons: tuple[Lines, ...]
    electrons: tuple[Lines, ...]
    beta_minus: tuple[BetaSpectrum, ...]
    beta_plus: tuple[BetaSpectrum, ...]
    alphas: tuple[Lines, ...]
    others: tuple[Lines, ...]
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Lines | BetaSpectrum, ...]:
        """All of them, supported or not."""
        return (*self.photons, *self.electrons, *self.beta_minus, *self.beta_plus, *self.alphas, *self.others)

    @property
    def energy_kev(self) -> dict[str, float]:
        """Energy per decay by kind, in a fixed order; kinds that are not sent out are missing."""
        return _summed((part.kind, part.energy_kev) for part in self.parts)

    @property
    def yield_per_decay(self) -> dict[str, float]:
        """Particles per decay by kind."""
        return _summed((part.kind, part.yield_per_decay) for part in self.parts)

    @property
    def photon_energy_kev(self) -> float:
        """Per decay, annihilation photons included."""
        return sum(part.energy_kev for part in self.photons)

    @property
    def electron_energy_kev(self) -> float:
        """Per decay: conversion and Auger electrons and betas of both signs."""
        return sum(part.energy_kev for part in (*self.electrons, *self.beta_minus, *self.beta_plus))

    @property
    def alpha_energy_kev(self) -> float:
        """Per decay, recoils included."""
        return sum(part.energy_kev for part in self.alphas)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """What no method of this package can handle, each with its number and energy per decay."""
        return tuple(f"{part.kind}s of {part.origin}: {part.yield_per_decay:.4g} and {part.energy_kev:.4g} keV a decay"
                     for part in self.others)

    def scaled(self, factor: float) -> Emissions:
        """The same with all yields times `factor`."""
        return Emissions(*(tuple(part.scaled(factor) for part in parts) for parts in
                           (self.photons, self.electrons, self.beta_minus, self.beta_plus, self.alphas, self.others)),
                         notes=self.notes)


def together(emissions: Iterable[Emissions]) -> Emissions:
    """One record of several; every part keeps its origin."""
    emissions = tuple(emissions)
    names = ("photons", "electrons", "beta_minus", "beta_plus", "alphas", "others", "notes")
    return Emissions(**{name: tuple(part for each in emissions for part in getattr(each, name)) for name in names})


def emissions_of_record(origin: str, z: int, mass_number: int, record: dict[str, list]) -> Emissions:
    """From lists of (MeV, number per decay) under the names of the package icrp107-database.

    `z` is the charge of the nuclide itself. A name that is not known here goes to `others`.
    """
    known = {*_PHOTONS.values(), *_ELECTRONS.values(), *_ALPHAS.values(), *_BETAS}
    others = {_UNSUPPORTED_NAMES.get(key, key): key for key in record if key not in known}
    delayed = record.get("betaD", [])
    branches = {BETA_MINUS: _rows_kev([*record.get("beta-", []), *delayed]),
                BETA_PLUS: _rows_kev(record.get("beta+", []))}
    table = _rows_kev(record.get("b-spectra", [])) * (1.0, 1e-3)
    betas = beta_spectra(origin, z, mass_number, table, branches)
    notes = [f"{origin}: {beta.kind} spectrum {beta.source}" for beta in betas if beta.source != "ICRP 107"]
    if delayed:
        notes.append(f"{origin}: beta- includes the delayed betas of fission products")
    return Emissions(photons=_lines(origin, record, _PHOTONS), electrons=_lines(origin, record, _ELECTRONS),
                     beta_minus=tuple(beta for beta in betas if beta.kind == BETA_MINUS),
                     beta_plus=tuple(beta for beta in betas if beta.kind == BETA_PLUS),
                     alphas=_lines(origin, record, _ALPHAS), others=_lines(origin, record, others), notes=tuple(notes))


def _lines(origin: str, record: dict[str, list], keys: dict[str, str]) -> tuple[Lines, ...]:
    rows = {kind: _rows_kev(record.get(key, [])) for kind, key in keys.items()}
    return tuple(Lines(kind, *(_frozen(column) for column in each[np.argsort(each[:, 0], kind="stable")].T), origin)
                 for kind, each in rows.items() if len(each))


def _rows_kev(rows_mev: list) -> np.ndarray:
    return np.array(rows_mev, dtype=float).reshape(-1, 2) * (1e3, 1.0)


def _frozen(values: np.ndarray) -> np.ndarray:
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values


def _summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for kind, value in pairs:
        sums[kind] = sums.get(kind, 0.0) + value
    return sums
