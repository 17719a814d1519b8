"""What of a nuclide's emissions a transport cannot follow, each part with its energy per decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from organdose.errors import InputError
from organdose.nuclear.emission_sampling import EnergyTable, energy_table
from organdose.nuclear.emissions import ANNIHILATION, Emissions
from organdose.transport.elements import HIGHEST_KEV, LOWEST_KEV

Range = tuple[float, float] | None
PHOTON_TRANSPORT_KEV = (LOWEST_KEV, HIGHEST_KEV)


@dataclass(frozen=True)
class Untransported:
    """A part that is not followed: its kind, why, and its number and energy per decay."""

    kind: str
    why: str
    yield_per_decay: float
    energy_kev: float

    def __str__(self) -> str:
        return f"{self.kind} ({self.why}): {self.yield_per_decay:.4g} and {self.energy_kev:.4g} keV a decay"


def untransported(emissions: Emissions, *, photons_kev: Range = PHOTON_TRANSPORT_KEV, electrons_kev: Range = None,
                  positrons_kev: Range = None) -> tuple[Untransported, ...]:
    """What lies outside the energies (lowest, highest) that transports can follow; None where there is no transport.

    With a transport of positrons the annihilation photons of ICRP 107 are not counted: it makes its own. Alphas and
    recoils are always listed, they stay within 0.1 mm of where they arise; so is what nobody can handle.
    Raises `InputError` for a range that is none.
    """
    photons = [part for part in emissions.photons if positrons_kev is None or part.kind != ANNIHILATION]
    groups = ((photons, photons_kev, "photons"), (emissions.electrons, electrons_kev, "electrons"),
              (emissions.beta_minus, electrons_kev, "electrons"), (emissions.beta_plus, positrons_kev, "positrons"),
              (emissions.alphas, None, "alphas"), (emissions.others, None, "these"))
    found = []
    for parts, bounds_kev, particle in groups:
        for kind in dict.fromkeys(part.kind for part in parts):
            table = energy_table(part for part in parts if part.kind == kind)
            found += _outside(kind, table, bounds_kev, particle)
    return tuple(found)


def _outside(kind: str, table: EnergyTable, bounds_kev: Range, particle: str) -> list[Untransported]:
    if bounds_kev is None:
        return [Untransported(kind, f"no transport of {particle}", table.particles_per_decay, table.energy_kev)]
    low_kev, high_kev = bounds_kev
    if not 0.0 <= low_kev <= high_kev:
        raise InputError(f"{particle} from {low_kev:g} to {high_kev:g} keV is no range of energies",
                         mend="Give the lowest energy first, 0 or more.")
    sides = ((f"below {low_kev:g} keV", table.between(0.0, math.nextafter(low_kev, 0.0))),
             (f"above {high_kev:g} keV", table.between(math.nextafter(high_kev, math.inf), math.inf)))
    return [Untransported(kind, why, part.particles_per_decay, part.energy_kev)
            for why, part in sides if part.particles_per_decay > 0.0]
