"""A clinic's own HU curve, with or without its own materials, in place of Schneider's."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from organdose.anatomy.tissues import TissueTable, schneider2000
from organdose.errors import InputError

MOST_MATERIALS = 60  # voxels refer to materials by a byte, and every material has tables of its own
_HU = Annotated[float, Field(ge=-2000, le=40_000, allow_inf_nan=False)]
_Density = Annotated[float, Field(gt=0, le=25, allow_inf_nan=False)]


class _Bin(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_hu: _HU
    name: str = Field(min_length=1)
    weight_fractions: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> _Bin:
        for symbol in self.weight_fractions:
            if not _is_element(symbol):
                raise ValueError(f"unknown element {symbol!r}")
        total = sum(self.weight_fractions.values())
        if abs(total - 1) > 0.02:
            raise ValueError(f"the weight fractions of {self.name!r} add up to {total:g}, not to 1")
        return self


class HUCurve(BaseModel):
    """The file's content. `nodes`: [HU, density in g/cm3], HU rising, density linear between and constant beyond.

    `materials`: the composition from each HU upwards, by weight; left out, Schneider's materials are taken.
    """

    model_config = ConfigDict(extra="forbid")

    nodes: list[tuple[_HU, _Density]] = Field(min_length=2)
    materials: list[_Bin] | None = Field(None, min_length=1, max_length=MOST_MATERIALS)
    source: str = "curve of the user"

    @model_validator(mode="after")
    def _rising(self) -> HUCurve:
        for what, places in (("nodes", [hu for hu, _ in self.nodes]),
                             ("materials", [each.from_hu for each in self.materials or []])):
            falling = [place for before, place in pairwise(places) if place <= before]
            if falling:
                raise ValueError(f"the HU of the {what} must rise, and {falling[0]:g} does not")
        return self


def read_hu_curve(path: Path) -> TissueTable:
    """The calibration of a curve file (JSON): `{"nodes": [[-1000, 0.0012], [0, 1.0], [3000, 2.8]]}`.

    Raises `InputError` with one line for the first fault: not readable, no such key, too few nodes, HU that do not
    rise, a density that cannot be (g/cm3), a material whose weights do not add up to 1.
    """
    try:
        curve = HUCurve.model_validate(json.loads(Path(path).read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise InputError(f"the HU curve cannot be read ({error.strerror or error})", where=path,
                         mend="Check the path.") from error
    except ValidationError as error:
        raise _refusal(error, path) from error
    except ValueError as error:
        raise InputError(f"the HU curve is no valid JSON ({error})", where=path,
                         mend='Write it like {"nodes": [[-1000, 0.0012], [0, 1.0], [3000, 2.8]]}.') from error
    hu, density = np.array(curve.nodes, dtype=float).T
    given = schneider2000()
    if curve.materials is None:
        source = f"{curve.source} (densities); materials: {given.source}"
        return TissueTable(source, hu, density, given.from_hu, given.names, given.weight_fractions)
    fractions = tuple({symbol: part / sum(each.weight_fractions.values())
                       for symbol, part in each.weight_fractions.items() if part > 0} for each in curve.materials)
    return TissueTable(curve.source, hu, density, np.array([each.from_hu for each in curve.materials]),
                       tuple(each.name for each in curve.materials), fractions)


def _is_element(symbol: str) -> bool:
    import xraylib

    try:
        return xraylib.SymbolToAtomicNumber(symbol) > 0
    except ValueError:
        return False


def _refusal(error: ValidationError, path: Path) -> InputError:
    """The first complaint, in the words of the file."""
    first = error.errors()[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    said = first["msg"].removeprefix("Value error, ")
    about = f"{place}: {said[0].lower()}{said[1:]}" if place else said
    return InputError(f"HU curve: {about}", where=path,
                      mend="Nodes are [HU, density in g/cm3] with rising HU; see docs/dose-estimator.md.")
