"""Time-integrated activity coefficients of radiopharmaceuticals that ship with the project (Resources/biokinetics)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from organdose.errors import InputError
from organdose.resources import resource_path


@dataclass(frozen=True)
class Biokinetics:
    """`tiac_h`: hours in each source organ, 'remainder' included; `source` says where from, and what is unverified."""

    title: str
    nuclide: str
    source: str
    tiac_h: dict[str, float]

    def decays(self, administered_bq: float) -> dict[str, float]:
        """Bq s in each source organ."""
        return {organ: 3600 * hours * administered_bq for organ, hours in self.tiac_h.items()}


@cache
def biokinetics(name: str) -> Biokinetics:
    """The model of that name. Raises `InputError` listing those there are."""
    known = sorted(path.stem for path in resource_path("biokinetics").glob("*.json"))
    if name not in known:
        raise InputError(f"unknown biokinetics {name!r}", mend=f"There are: {', '.join(known)}.")
    return Biokinetics(**json.loads(resource_path("biokinetics", f"{name}.json").read_text(encoding="utf-8")))
