"""The one organ vocabulary: names, codes, systems, colours, groups and reference masses of `Resources/organs.csv`."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from organdose.errors import InputError
from organdose.resources import resource_path

# DICOM PS3.16 CID 7150 (segmentation property categories), SNOMED CT codes as Slicer's terminologies write them.
CATEGORY_CODES = {
    "Anatomical Structure": "123037004",
    "Tissue": "85756007",
    "Physical object": "260787004",
    "Morphologically Altered Structure": "49755003",
    "Substance": "105590001",
    "Body Substance": "91720002",
}
# DICOM PS3.16 CID 244 (laterality).
LATERALITY_CODES = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}

# What files say of a mask that no concept of its own describes; the colour is Slicer's "unknown".
_TISSUE = (CATEGORY_CODES["Tissue"], "Tissue")
_FOREIGN_COLOUR = (100, 100, 130)
_FOREIGN_SYSTEM = "Others"

_NUMBERED = re.compile(r"(tumour|lesion)_(\d+)")


@dataclass(frozen=True)
class Organ:
    """One row of `Resources/organs.csv` (its columns are explained in `Resources/organs.md`).

    `snomed_code` is a SNOMED CT code or '' where no source gives one of its own. `laterality` is 'left', 'right' or ''.
    `system` is the group that lists show it in. `colour_rgb` is 0..255. `members` names the organs whose union this one
    is, for groups. `reference_mass_g` maps the sexes 'M' and 'F' to the ICRP 89 adult mass in g, where there is one.
    `tissue_weight` is the ICRP 103 tissue (key of `tissue_weights()`) that this organ stands for, or None.
    """

    name: str
    title: str
    snomed_code: str
    snomed_meaning: str
    category_meaning: str
    system: str
    laterality: str
    colour_rgb: tuple[int, int, int]
    members: tuple[str, ...]
    reference_mass_g: MappingProxyType[str, float]
    tissue_weight: str | None

    @property
    def category_code(self) -> str:
        return CATEGORY_CODES[self.category_meaning]

    @property
    def modifier(self) -> tuple[str, str] | None:
        """(SNOMED code, meaning) of the laterality, or None."""
        return LATERALITY_CODES.get(self.laterality)


@cache
def organs() -> MappingProxyType[str, Organ]:
    """The vocabulary by name, in the order of the file. Read-only."""
    with resource_path("organs.csv").open(encoding="utf-8", newline="") as table:
        return MappingProxyType({row["name"]: _organ_of(row) for row in csv.DictReader(table)})


def _organ_of(row: dict[str, str]) -> Organ:
    columns = {"M": "mass_male_g", "F": "mass_female_g"}
    masses_g = {sex: float(row[column]) for sex, column in columns.items() if row[column]}
    return Organ(name=row["name"], title=row["title"], snomed_code=row["snomed_code"],
                 snomed_meaning=row["snomed_meaning"], category_meaning=row["category"], system=row["system"],
                 laterality=row["laterality"], colour_rgb=tuple(int(c) for c in row["colour_rgb"].split()),
                 members=tuple(row["members"].split()),
                 reference_mass_g=MappingProxyType(masses_g), tissue_weight=row["tissue_weight"] or None)


@cache
def tissue_weights() -> MappingProxyType[str, float]:
    """ICRP 103 tissue weighting factors by tissue; they sum to 1. `remainder` is one entry."""
    with resource_path("icrp103_tissue_weights.csv").open(encoding="utf-8", newline="") as table:
        return MappingProxyType({row["tissue"]: float(row["weight"]) for row in csv.DictReader(table)})


def organ(name: str) -> Organ:
    """The organ of that name. `tumour_1`, `lesion_2` ... are tumours and lesions with a number.

    Raises `InputError` with the nearest names for a name that is not in the vocabulary.
    """
    known = organs()
    if name in known:
        return known[name]
    if numbered := _NUMBERED.fullmatch(name):
        base = known[numbered[1]]
        return replace(base, name=name, title=f"{base.title} {numbered[2]}")
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    mend = f"Did you mean {' or '.join(near)}?" if near else "The names are in Resources/organs.csv."
    raise InputError(f"unknown organ {name!r}", mend=mend)


def describe(name: str) -> Organ:
    """The organ as files show it: every name gets a title, a colour and a code.

    A name outside the vocabulary is a plain tissue with that name; an organ without a code of its own is a tissue.
    """
    if is_known(name):
        found = organ(name)
        return found if found.snomed_code else replace(found, snomed_code=_TISSUE[0], snomed_meaning=_TISSUE[1])
    return Organ(name, name.replace("_", " ").capitalize(), *_TISSUE, "Tissue", _FOREIGN_SYSTEM, "", _FOREIGN_COLOUR,
                 (), MappingProxyType({}), None)


def is_known(name: str) -> bool:
    """Whether `organ(name)` would find it."""
    return name in organs() or _NUMBERED.fullmatch(name) is not None


def expand(name: str, available: Iterable[str]) -> tuple[str, ...]:
    """The names among `available` whose union is `name`: itself when it is there, else what there is of its members.

    Empty when nothing of it is there. Raises `InputError` for an unknown organ.
    """
    there = set(available)
    if name in there:
        return (name,)
    found: dict[str, None] = {}
    for member in organ(name).members:
        found.update(dict.fromkeys(expand(member, there)))
    return tuple(found)
