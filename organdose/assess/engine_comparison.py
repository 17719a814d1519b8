"""Organ doses of several engines side by side, with their differences from one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from organdose.assess.organ_dose import OrganDose

MONTE_CARLO = "mc"


@dataclass(frozen=True)
class EngineRow:
    """One organ. By engine: `mean_mgy`, `uncertainty_percent` (standard, of the mean) and `difference_percent` of the
    mean from the reference's; NaN where an engine computed none or states none."""

    organ: str
    mean_mgy: dict[str, float]
    uncertainty_percent: dict[str, float]
    difference_percent: dict[str, float]


@dataclass(frozen=True)
class EngineComparison:
    """`engines`: names, the chosen one first. `reference`: the one that differences are from, Monte Carlo where it is
    among them."""

    engines: tuple[str, ...]
    reference: str
    rows: tuple[EngineRow, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """The engines that are compared with the reference."""
        return tuple(name for name in self.engines if name != self.reference)


def engine_comparison(chosen: str, rows: Mapping[str, Sequence[OrganDose]]) -> EngineComparison:
    """The organs of the engine `chosen` in its order, then those that only others have; `rows` by engine."""
    engines = (chosen, *(name for name in rows if name != chosen))
    reference = MONTE_CARLO if MONTE_CARLO in engines else chosen
    tables = {name: {row.organ: row for row in rows[name]} for name in engines}
    organs = dict.fromkeys(organ for table in tables.values() for organ in table)
    return EngineComparison(engines, reference, tuple(_row(organ, tables, reference) for organ in organs))


def _row(organ: str, tables: Mapping[str, Mapping[str, OrganDose]], reference: str) -> EngineRow:
    found = {name: table.get(organ) for name, table in tables.items()}
    means = {name: math.nan if row is None else row.mean_mgy for name, row in found.items()}
    sure = {name: math.nan if row is None or row.uncertainty_percent is None else row.uncertainty_percent
            for name, row in found.items()}
    difference = {name: percent_from(means[reference], mean) for name, mean in means.items() if name != reference}
    return EngineRow(organ, means, sure, difference)


def percent_from(reference: float, value: float) -> float:
    """How much `value` differs from `reference`, in percent of it; NaN where one is not known or it is zero."""
    return 100 * (value / reference - 1) if reference and math.isfinite(reference) else math.nan
