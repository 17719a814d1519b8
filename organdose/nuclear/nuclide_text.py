"""Radionuclides as text: the table of those in common use, and all about one."""

from __future__ import annotations

from organdose.nuclear.beta_spectrum import BETA_MINUS, BETA_PLUS
from organdose.nuclear.emission_range import PHOTON_TRANSPORT_KEV, untransported
from organdose.nuclear.emissions import ALPHA, ANNIHILATION, GAMMA, X_RAY, Emissions, Lines
from organdose.nuclear.progeny import DecayMixture, with_progeny
from organdose.nuclear.radionuclide import Radionuclide, radionuclide, radionuclide_names
from organdose.nuclear.time_text import duration

COMMON = ("F-18", "C-11", "N-13", "O-15", "Ga-68", "Cu-64", "Zr-89", "Rb-82", "I-123", "I-124", "I-131", "Tc-99m",
          "In-111", "Lu-177", "Y-90", "Sm-153", "Re-186", "Re-188", "Ho-166", "Tb-161", "Ra-223", "Ac-225")
_STRONGEST = 8
_HEADER = ("nuclide", "half-life", "gamma + x", "511 keV", "conv. + Auger", "beta-", "beta+", "alpha + recoil")


def nuclide_table() -> list[str]:
    """Energies in keV per decay of the nuclides in common use, as a table in Markdown; with a row for the progeny of
    those that have any."""
    rows = [_HEADER, ("---",) * 2 + ("---:",) * (len(_HEADER) - 2)]
    for name in COMMON:
        mixture = with_progeny(name)
        rows.append((name, duration(mixture.parent.half_life_s), *_cells(mixture.parent.emissions)))
        if len(mixture.members) > 1:
            rows.append((f"{name} + progeny", "", *_cells(mixture.emissions)))
    return [f"| {' | '.join(row)} |" for row in rows]


def nuclide_lines(name: str) -> list[str]:
    """All about one nuclide, and its progeny. Raises `InputError` for an unknown one."""
    nuclide, mixture = radionuclide(name), with_progeny(name)
    lines = [f"{nuclide.name}: half-life {duration(nuclide.half_life_s)} ({nuclide.half_life_s:.6g} s)",
             *(f"  {mode.fraction:.6g} {mode.mode} to {mode.daughter}" for mode in nuclide.decay_modes),
             *_energy_lines("Per decay:", nuclide.emissions), *_detail_lines(nuclide),
             *_energy_lines(f"Per decay of {nuclide.name}, progeny included:", mixture.emissions, mixture)]
    return [*lines, *_limit_lines(mixture), mixture.assumption]


def name_lines() -> list[str]:
    """The names of all, a line an element."""
    elements: dict[str, list[str]] = {}
    for name in radionuclide_names():
        elements.setdefault(name.split("-")[0], []).append(name)
    return [" ".join(names) for names in elements.values()]


def _cells(emissions: Emissions) -> list[str]:
    energy = emissions.energy_kev
    photons = energy.get(GAMMA, 0.0) + energy.get(X_RAY, 0.0)
    electrons = sum(part.energy_kev for part in emissions.electrons)
    values = (photons, energy.get(ANNIHILATION, 0.0), electrons, energy.get(BETA_MINUS, 0.0),
              energy.get(BETA_PLUS, 0.0), emissions.alpha_energy_kev)
    return [f"{value:.4g}" if value else "" for value in values]


def _energy_lines(title: str, emissions: Emissions, mixture: DecayMixture | None = None) -> list[str]:
    if mixture is not None and len(mixture.members) == 1:
        return []
    number = emissions.yield_per_decay
    rows = [f"  {kind:<20} {number[kind]:>10.4g} {energy:>11.5g} keV" for kind, energy in emissions.energy_kev.items()]
    return [title, *rows]


def _detail_lines(nuclide: Radionuclide) -> list[str]:
    emissions = nuclide.emissions
    lines = [f"  {beta.kind}: mean {beta.mean_energy_kev:.4g} keV, up to {beta.endpoint_kev:.5g} keV, spectrum of "
             f"{beta.source}" for beta in (*emissions.beta_minus, *emissions.beta_plus)]
    strongest = sorted(((float(energy), float(number), part) for part in (*emissions.photons, *emissions.alphas)
                        for energy, number in zip(part.energies_kev, part.yields) if _is_shown(part)),
                       key=lambda line: -line[0] * line[1])[:_STRONGEST]
    if strongest:
        lines.append("Strongest lines:")
    return lines + [f"  {part.kind:<20} {number:>10.4g} at {energy:>8.6g} keV" for energy, number, part in strongest]


def _is_shown(part: Lines) -> bool:
    return part.kind in (GAMMA, X_RAY, ANNIHILATION, ALPHA)


def _limit_lines(mixture: DecayMixture) -> list[str]:
    low_kev, high_kev = PHOTON_TRANSPORT_KEV
    photons = [part for part in untransported(mixture.emissions) if "keV" in part.why]
    lines = [f"Outside the photon transport ({low_kev:g} to {high_kev:g} keV): {part}" for part in photons]
    return lines + [f"Not supported: {line}" for line in mixture.emissions.unsupported] + [
        f"Note: {note}" for note in mixture.emissions.notes]
