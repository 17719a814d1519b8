"""What phantoms are made of: density, HU at 120 kV, FDG weight of each medium (`Resources/phantoms/media.json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from organdose.resources import resource_path


@dataclass(frozen=True)
class Media:
    """Columns indexed by medium number; `number[name]` gives the number. Air is number 0."""

    names: tuple[str, ...]
    number: dict[str, int]
    density_g_cm3: np.ndarray
    hu: np.ndarray
    report_density_g_cm3: np.ndarray
    fdg_weight: np.ndarray


@cache
def media() -> Media:
    table = json.loads(resource_path("phantoms", "media.json").read_text(encoding="utf-8"))["media"]
    columns = np.array(list(table.values()), dtype=np.float32).T
    return Media(tuple(table), {name: i for i, name in enumerate(table)}, *columns)
