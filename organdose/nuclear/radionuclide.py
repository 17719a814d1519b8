"""Radionuclides by name: half-life, decay modes and emissions of ICRP Publication 107."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from functools import cache, cached_property

import xraylib

from organdose.errors import InputError
from organdose.nuclear.decay_data import daughters, nuclide_names, nuclide_record, split_name
from organdose.nuclear.emissions import Emissions, emissions_of_record

_SYMBOL_FIRST = re.compile(r"([a-z]{1,2})(\d{1,3})([mn]?)")
_MASS_FIRST = re.compile(r"(\d{1,3})([mn]?)([a-z]{1,2})")


@dataclass(frozen=True)
class DecayMode:
    """A branch: `mode` ('β-', 'β+ & EC', 'EC', 'IT', 'α' or 'SF'), the daughter ('SF' for fission) and its part of the
    decays."""

    mode: str
    daughter: str
    fraction: float


@dataclass(frozen=True)
class Radionuclide:
    """One of the 1252 radionuclides of ICRP 107; half-lives are those of 2008."""

    name: str
    half_life_s: float

    @property
    def decay_constant_per_s(self) -> float:
        return math.log(2.0) / self.half_life_s

    @property
    def atomic_number(self) -> int:
        return xraylib.SymbolToAtomicNumber(split_name(self.name)[0])

    @property
    def mass_number(self) -> int:
        return split_name(self.name)[1]

    @cached_property
    def emissions(self) -> Emissions:
        """Per decay of this nuclide alone; those of its progeny are not in it, however short they live."""
        record = nuclide_record(self.name)["emissions"]
        return emissions_of_record(self.name, self.atomic_number, self.mass_number, record)

    @cached_property
    def decay_modes(self) -> tuple[DecayMode, ...]:
        """Branches that ICRP 107 lists, the most frequent first."""
        return tuple(DecayMode(*branch) for branch in daughters(self.name))


def radionuclide_names() -> tuple[str, ...]:
    """The names of all radionuclides, such as 'F-18' and 'Tc-99m'."""
    return nuclide_names()


def radionuclide(name: str) -> Radionuclide:
    """The radionuclide of that name: 'F-18', 'F18', '18F', 'tc-99m' and '99mTc' are all understood.

    Raises `InputError` with the nearest names for one that ICRP 107 does not have.
    """
    for known in _readings(name):
        if known in nuclide_names():
            return _found(known)
    near = _near(name)
    mend = f"Did you mean {' or '.join(near)}?" if near else "organdose nuclides --all lists the known ones."
    raise InputError(f"{name!r} is no radionuclide of ICRP 107", mend=mend)


@cache
def _found(name: str) -> Radionuclide:
    return Radionuclide(name, nuclide_record(name)["half_life_s"])


def _readings(name: str) -> list[str]:
    """Every way to read a name; '56mn' may be manganese or an isomer of nitrogen."""
    text = re.sub(r"[\s\-_^]", "", str(name)).lower()
    readings = []
    if found := _SYMBOL_FIRST.fullmatch(text):
        readings.append(f"{found[1].capitalize()}-{found[2]}{found[3]}")
    if found := re.fullmatch(r"(\d{1,3})([a-z]{1,2})", text):
        readings.append(f"{found[2].capitalize()}-{found[1]}")
    if found := _MASS_FIRST.fullmatch(text):
        readings.append(f"{found[3].capitalize()}-{found[1]}{found[2]}")
    return readings


def _near(name: str) -> list[str]:
    """Up to three names: nuclides of the same element with the nearest masses, or names spelt alike."""
    for reading in _readings(name):
        symbol, mass, _ = split_name(reading)
        same = [each for each in nuclide_names() if split_name(each)[0] == symbol]
        if same:
            return sorted(same, key=lambda each: abs(split_name(each)[1] - mass))[:3]
    return difflib.get_close_matches(str(name).strip().capitalize(), nuclide_names(), n=3, cutoff=0.6)
