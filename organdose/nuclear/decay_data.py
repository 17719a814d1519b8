"""Where the decay data come from: the packages icrp107-database (emissions) and radioactivedecay (daughters).

Both carry the tables of ICRP Publication 107 (Ann ICRP 38 (3), 2008): half-lives, yields and energies of 1252
radionuclides of 97 elements. Nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from importlib.resources import files

from organdose.errors import InputError

_YEAR_S = 365.2422 * 86400.0
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "y": _YEAR_S}
_NAME = re.compile(r"([A-Z][a-z]?)-(\d+)([mn]?)")


@cache
def nuclide_names() -> tuple[str, ...]:
    """All names, 'Ac-223' to 'Zr-97', by element symbol, mass number and isomer."""
    stems = (path.name.removesuffix(".json") for path in _folder().iterdir() if path.name.endswith(".json"))
    return tuple(sorted(stems, key=split_name))


def split_name(name: str) -> tuple[str, int, str]:
    """('Tc', 99, 'm') of 'Tc-99m'."""
    symbol, mass, isomer = _NAME.fullmatch(name).groups()
    return symbol, int(mass), isomer


def nuclide_record(name: str) -> dict:
    """`half_life_s`, and `emissions`: lists of (MeV, number per decay) by the names that the package gives them."""
    # The file holds one JSON string that is itself JSON.
    record = json.loads(json.loads(_folder().joinpath(f"{name}.json").read_text(encoding="utf-8")))
    return {"half_life_s": record["half_life"] * _SECONDS[record["time_unit"]], "emissions": record["emissions"]}


def daughters(name: str) -> tuple[tuple[str, str, float], ...]:
    """(mode, daughter, fraction) of each branch; modes 'β-', 'β+ & EC', 'EC', 'IT', 'α', 'SF'. Daughters may be stable;
    that of 'SF' is called 'SF'. The fractions of a few nuclides do not add up to 1: ICRP 107 leaves branches out."""
    _need("radioactivedecay")
    from radioactivedecay import Nuclide

    nuclide = Nuclide(name)
    return tuple(zip(nuclide.decay_modes(), nuclide.progeny(), map(float, nuclide.branching_fractions())))


def _folder():
    _need("icrp107-database")
    return files("icrp107_database").joinpath("icrp107")


def _need(package: str) -> None:
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise InputError(f"the decay data need the package {package}", mend=f"Install it: pip install {package}.")
