"""Photon interaction tables for a list of materials, mixed by weight from those of the elements."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from organdose.errors import InputError
from organdose.transport.compton_profiles import broadened_transferred_part, momentum_quantiles
from organdose.transport.elements import (
    ELECTRON_REST_KEV,
    HIGHEST_KEV,
    KEV_ANGSTROM,
    LOWEST_KEV,
    MOMENTUM_POINTS,
    PAIR_THRESHOLD_KEV,
    element_tables,
    energy_grid_kev,
    momentum_grid,
    total_cm2_g,
)
from organdose.transport.materials import Material

ATTENUATION, TRANSFERRED, PHOTOELECTRIC_END, COMPTON_END = range(4)


class CompiledTables(NamedTuple):
    """What compiled code reads. `interaction`: (materials, energies, 4) float32, the four columns named above side by
    side, so that one visit to memory finds them all."""

    interaction: np.ndarray
    log_lowest: float
    steps_per_log: float
    incoherent: np.ndarray
    coherent_cumulated: np.ndarray
    steps_per_sqrt_x: float
    k_xray_cumulated: np.ndarray
    k_xray_lines: np.ndarray
    electron_momentum: np.ndarray
    pair_start: np.ndarray


@dataclass(frozen=True)
class _MaterialTables:
    """One material's rows of `PhotonTables`; there, all of them stacked."""

    attenuation_cm2_g: np.ndarray
    transferred_cm2_g: np.ndarray
    photoelectric_part: np.ndarray
    photoelectric_or_compton_part: np.ndarray
    incoherent: np.ndarray
    coherent_cumulated: np.ndarray
    k_xray_cumulated: np.ndarray
    k_xray_lines: np.ndarray
    electron_momentum: np.ndarray
    pair_start: np.ndarray


@dataclass(frozen=True)
class PhotonTables(_MaterialTables):
    """Tables a photon needs on its way, on a logarithmic energy grid from `LOWEST_KEV` to `highest_kev`.

    `attenuation_cm2_g`: total mass attenuation, (materials, energies), float32.
    `transferred_cm2_g`: energy given to electrons (mu_tr/rho without the K x-rays that are followed), same shape.
    `photoelectric_part`, `photoelectric_or_compton_part`: cumulative probabilities, same shape.
    `incoherent`: incoherent scattering function over its limit Z, (materials, momenta); the grid is uniform in the
    square root of x = sin(theta/2)/lambda (1/Angstrom), from 0 to `highest_x`.
    `coherent_cumulated`: integral of the squared form factor over x^2 up to each grid point, (materials, momenta).
    `k_xray_cumulated`: probability that a photoelectric event emits a K x-ray of the material's first, first two, ...
    heavy elements, (materials, elements, energies). `k_xray_lines`: K alpha and K beta energy (keV) and the share of
    K alpha, (materials, elements, 3).
    `electron_momentum`: quantiles of the electrons' momentum along the momentum transfer (in m_e c), (materials,
    quantiles) for Doppler broadening; (materials, 0) without.
    `pair_start`: cumulative probability of everything but pair production, (materials, energies).
    """

    materials: tuple[Material, ...]
    highest_kev: float
    energies_kev: np.ndarray

    @property
    def steps_per_log(self) -> float:
        return (len(self.energies_kev) - 1) / math.log(self.highest_kev / LOWEST_KEV)

    @property
    def highest_x(self) -> float:
        return self.highest_kev / KEV_ANGSTROM

    def compiled(self) -> CompiledTables:
        """The same as arrays for compiled code."""
        interaction = np.stack([self.attenuation_cm2_g, self.transferred_cm2_g, self.photoelectric_part,
                                self.photoelectric_or_compton_part], axis=-1)
        return CompiledTables(interaction, math.log(LOWEST_KEV), self.steps_per_log, self.incoherent,
                              self.coherent_cumulated, (MOMENTUM_POINTS - 1) / math.sqrt(self.highest_x),
                              self.k_xray_cumulated, self.k_xray_lines, self.electron_momentum, self.pair_start)


def photon_tables(materials: tuple[Material, ...], highest_kev: float = 151.0, *,
                  doppler: bool = False) -> PhotonTables:
    """Tables for `materials`, for photons up to `highest_kev`; with `doppler`, Compton lines are broadened by the
    motion of the electrons (see `compton_profiles`).

    Raises `InputError` for energies outside 1 keV to 5 MeV.
    """
    if not LOWEST_KEV < highest_kev <= HIGHEST_KEV:
        raise InputError(f"photon energies up to {highest_kev:g} keV are not supported",
                         mend=f"Energies lie between {LOWEST_KEV:g} and {HIGHEST_KEV:g} keV.")
    rows = [_material_tables(material, highest_kev, doppler) for material in materials]
    slots = max(row.k_xray_cumulated.shape[0] for row in rows)
    rows = [_with_slots(row, slots) for row in rows]

    def stacked(name: str) -> np.ndarray:
        return np.stack([getattr(row, name) for row in rows])

    return PhotonTables(**{name: stacked(name) for name in _MaterialTables.__dataclass_fields__}, materials=materials,
                        highest_kev=highest_kev, energies_kev=energy_grid_kev(highest_kev))


def _material_tables(material: Material, highest_kev: float, doppler: bool) -> _MaterialTables:
    energies_kev = energy_grid_kev(highest_kev)
    elements = {z: element_tables(z, highest_kev) for z in material.weight_fractions}
    atoms = {z: weight / elements[z].atomic_weight for z, weight in material.weight_fractions.items()}
    photoelectric, compton, rayleigh, pair = (
        sum(weight * getattr(elements[z], name) for z, weight in material.weight_fractions.items())
        for name in ("photoelectric_cm2_g", "compton_cm2_g", "rayleigh_cm2_g", "pair_cm2_g"))
    incoherent = sum(atoms[z] * e.incoherent for z, e in elements.items()) / sum(atoms[z] * z for z in elements)
    k_xrays, k_xray_kev, lines = _k_xrays(material, elements, photoelectric)
    momentum = momentum_quantiles(atoms) if doppler else np.zeros(0)
    transferred_part = _transferred_part(energies_kev, incoherent, highest_kev)
    if doppler:
        transferred_part = broadened_transferred_part(energies_kev, incoherent, highest_kev, momentum)
    total = photoelectric + compton + rayleigh + pair
    transferred = (photoelectric * (1 - k_xray_kev / energies_kev) + compton * transferred_part
                   + pair * np.clip(1 - PAIR_THRESHOLD_KEV / energies_kev, 0.0, None))
    single = np.float32
    return _MaterialTables(
        total.astype(single), transferred.astype(single), (photoelectric / total).astype(single),
        ((photoelectric + compton) / total).astype(single), incoherent.astype(single),
        _coherent_cumulated(sum(atoms[z] * e.form_factor**2 for z, e in elements.items()), highest_kev),
        k_xrays.astype(single), lines.astype(single), momentum.astype(single), (1 - pair / total).astype(single))


def _coherent_cumulated(form_factor_squared: np.ndarray, highest_kev: float) -> np.ndarray:
    x = momentum_grid(highest_kev)
    steps = np.diff(x**2) * (form_factor_squared[1:] + form_factor_squared[:-1]) / 2
    cumulated = np.concatenate([[0.0], np.cumsum(steps)])
    return cumulated / cumulated[-1]


def _k_xrays(material, elements, photoelectric) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cumulated probabilities (elements, energies), mean K x-ray energy per photoelectric event (keV), lines."""
    heavy = [z for z, e in elements.items() if e.k_xrays is not None]
    parts = [material.weight_fractions[z] * elements[z].photoelectric_cm2_g / photoelectric * elements[z].k_xrays.part
             for z in heavy]
    lines = [(elements[z].k_xrays.alpha_kev, elements[z].k_xrays.beta_kev, elements[z].k_xrays.alpha_share)
             for z in heavy]
    mean_kev = sum((part * elements[z].k_xrays.mean_kev for z, part in zip(heavy, parts)),
                   start=np.zeros_like(photoelectric))
    cumulated = np.cumsum(np.reshape(parts, (len(heavy), len(photoelectric))), axis=0)
    return cumulated, mean_kev, np.reshape(lines, (len(heavy), 3))


def _with_slots(row: _MaterialTables, slots: int) -> _MaterialTables:
    """Filled up to the number of heavy elements of the material that has most; the last probability goes on."""
    cumulated, missing = row.k_xray_cumulated, slots - row.k_xray_cumulated.shape[0]
    last = cumulated[-1:] if len(cumulated) else np.zeros((1, cumulated.shape[1]), np.float32)
    lines = np.zeros((missing, 3), np.float32)
    return replace(row, k_xray_cumulated=np.concatenate([cumulated, np.repeat(last, missing, axis=0)]),
                   k_xray_lines=np.concatenate([row.k_xray_lines, lines]))


def _transferred_part(energies_kev: np.ndarray, incoherent: np.ndarray, highest_kev: float) -> np.ndarray:
    """Mean part of the photon energy that the electron gets in a Compton collision, (energies,).

    Klein-Nishina weighted with the incoherent scattering function: the mean of what `interactions.compton` draws.
    """
    cosines, weights = np.polynomial.legendre.leggauss(96)
    away = 1.0 - cosines
    alpha = energies_kev[:, None] / ELECTRON_REST_KEV
    kept = 1.0 / (1.0 + alpha * away)
    klein_nishina = kept**2 * (kept + 1.0 / kept - (1.0 - cosines**2)) * weights
    x = energies_kev[:, None] / KEV_ANGSTROM * np.sqrt(away / 2)
    place = np.sqrt(x * KEV_ANGSTROM / highest_kev) * (len(incoherent) - 1)
    density = klein_nishina * np.interp(place, np.arange(len(incoherent)), incoherent)
    return np.sum(density * (1.0 - kept), axis=1) / np.sum(density, axis=1)


def mass_attenuation_cm2_g(material: Material, energies_kev: np.ndarray) -> np.ndarray:
    """Total mass attenuation coefficient (cm2/g) at each of `energies_kev` (any shape)."""
    flat = np.ravel(energies_kev)
    total = sum(weight * total_cm2_g(z, flat) for z, weight in material.weight_fractions.items())
    return np.reshape(total, np.shape(energies_kev))
