"""Which rows of the organ table a plot shows: those that people compare between examinations."""

from __future__ import annotations

from collections.abc import Sequence

from organdose.anatomy.organs import is_known, organ
from organdose.assess.organ_dose import OrganDose

# Weighted by ICRP 103, yet spread over the whole body: no organ to point at in a picture or a plot.
_EVERYWHERE = ("skeletal_muscle", "lymphatic_nodes")
_ALSO = ("eye_lens", "rectum")  # no tissue weight of their own, but limits and constraints are stated for them


def is_main_organ(name: str) -> bool:
    """Whether ICRP Publication 103 weights this organ (or group: kidneys, not each kidney), or limits name it."""
    weighted = is_known(name) and organ(name).tissue_weight is not None
    return name in _ALSO or (weighted and name not in _EVERYWHERE)


def main_organs(rows: Sequence[OrganDose], most: int) -> list[OrganDose]:
    """At most `most` rows by falling mean dose: the main organs, or all rows where there is none among them."""
    chosen = [row for row in rows if is_main_organ(row.organ)] or list(rows)
    return sorted(chosen, key=lambda row: -row.mean_mgy)[:most]

