"""The organ doses of a whole examination: the sum of its parts, organ by organ, with each part's share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from organdose.anatomy.mask_status import UNKNOWN
from organdose.assess.organ_dose import OrganDose

SAME_VOLUME_PERCENT = 5.0  # masks of one organ whose volumes differ by more are not the same mask
_SAME_SHOWN_PERCENT = 2.0


@dataclass(frozen=True)
class TotalOrganDose:
    """One organ. `parts_mgy` and `parts_uncertainty_percent` hold one entry a part, NaN and None where the part has no
    such organ.

    `total_mgy` is the sum of the parts that have the organ: where one lacks it is a lower bound, `is_whole` is False
    and `note` names the parts. `mask` is the review of the mask, with the parts' names where they differ.
    `uncertainty_percent` adds the parts' standard uncertainties in squares, of those that
    state one (None: none does).
    """

    organ: str
    parts_mgy: tuple[float, ...]
    parts_uncertainty_percent: tuple[float | None, ...]
    total_mgy: float
    uncertainty_percent: float | None
    note: str
    mask: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every part has the organ."""
        return not any(math.isnan(mgy) for mgy in self.parts_mgy)

    @property
    def shares_percent(self) -> tuple[float, ...]:
        """Each part's share of the total, adding up to 100; NaN where a part lacks the organ or the total is 0."""
        if not self.is_whole or self.total_mgy == 0:
            return (math.nan,) * len(self.parts_mgy)
        return tuple(100 * mgy / self.total_mgy for mgy in self.parts_mgy)


def total_organ_doses(tables: Mapping[str, Sequence[OrganDose]]) -> list[TotalOrganDose]:
    """The sum of the organ `tables` of the parts, by the name of the part; in the order of the first table, then of the
    organs that only others have."""
    by_part = {part: {row.organ: row for row in rows} for part, rows in tables.items()}
    organs = dict.fromkeys(row.organ for rows in tables.values() for row in rows if math.isfinite(row.mean_mgy))
    return [_total(organ, {part: rows.get(organ) for part, rows in by_part.items()}) for organ in organs]


def _total(organ: str, parts: dict[str, OrganDose | None]) -> TotalOrganDose:
    there = {part: row for part, row in parts.items() if row is not None and math.isfinite(row.mean_mgy)}
    total_mgy = sum(row.mean_mgy for row in there.values())
    stated = [row.mean_mgy * row.uncertainty_percent for row in there.values() if row.uncertainty_percent is not None]
    percent = math.hypot(*stated) / total_mgy if stated and total_mgy > 0 else None
    return TotalOrganDose(
        organ, tuple(math.nan if row is None else row.mean_mgy for row in parts.values()),
        tuple(None if row is None else row.uncertainty_percent for row in parts.values()), total_mgy, percent,
        "; ".join([*_about_parts(parts, there, bool(stated)), *_joined_notes(there)]), _joined_masks(there))


def _joined_masks(there: dict[str, OrganDose]) -> str:
    """What the parts' tables say of their masks: once where all say the same, else with the part's name."""
    said = {part: row.mask for part, row in there.items()}
    if len(set(said.values())) <= 1:
        return next(iter(said.values()), "")
    return "; ".join(f"{part}: {mask or UNKNOWN}" for part, mask in said.items())


def _about_parts(parts: dict[str, OrganDose | None], there: dict[str, OrganDose], any_stated: bool) -> list[str]:
    said = []
    if lacking := [part for part in parts if part not in there]:
        said.append(f"only in {' and '.join(there)}: without the dose of {' and '.join(lacking)}, a lower bound")
    silent = [part for part, row in there.items() if row.uncertainty_percent is None]
    if silent and any_stated:
        said.append(f"the uncertainty is without that of {' and '.join(silent)}, which states none")
    if _differ_percent(row.volume_ml for row in there.values()) > SAME_VOLUME_PERCENT:
        volumes = ", ".join(f"{row.volume_ml:.4g} ml in {part}" for part, row in there.items())
        said.append(f"the masks differ: {volumes}")
    shown = {part: row.in_image_percent for part, row in there.items()}
    known = [percent for percent in shown.values() if not math.isnan(percent)]
    if known and max(known) - min(known) > _SAME_SHOWN_PERCENT:
        said.append("the parts show different portions of the organ: "
                    + ", ".join(f"{percent:.0f} % in {part}" for part, percent in shown.items()
                                if not math.isnan(percent)))
    return said


def _joined_notes(there: dict[str, OrganDose]) -> list[str]:
    """The parts' own notes: once where all say the same, else with the part's name."""
    notes = {part: [each for each in row.note.split("; ") if each] for part, row in there.items()}
    said = []
    for part, lines in notes.items():
        for line in lines:
            by_all = len(notes) > 1 and all(line in others for others in notes.values())
            said.append(line if by_all else f"{part}: {line}")
    return list(dict.fromkeys(said))


def _differ_percent(volumes_ml) -> float:
    known = [ml for ml in volumes_ml if ml > 0]
    return 100 * (max(known) / min(known) - 1) if known else 0.0


def differing_masks(tables: Mapping[str, Sequence[OrganDose]]) -> list[str]:
    """The organs whose volumes differ between the parts by more than 5 %, with the difference, as text."""
    volumes: dict[str, list[float]] = {}
    for rows in tables.values():
        for row in rows:
            volumes.setdefault(row.organ, []).append(row.volume_ml)
    return [f"{organ} ({differ:.0f} %)" for organ, several in volumes.items()
            if (differ := _differ_percent(several)) > SAME_VOLUME_PERCENT]


def total_rows(totals: Sequence[TotalOrganDose], tables: Mapping[str, Sequence[OrganDose]],
               in_map: Mapping[str, OrganDose], not_in_map: Mapping[str, str]) -> list[OrganDose]:
    """The totals as rows of `organs.csv`. Code, volume and mass are those of the first part that has the organ.

    `in_map`: rows of the summed dose map, for spread, extremes and percentiles, which no table can be added up to;
    without one they are NaN, and `not_in_map` may say why. The mean is that of the total.
    """
    first = {row.organ: row for rows in reversed(tables.values()) for row in rows}
    shown: dict[str, list[float]] = {}
    for rows in tables.values():
        for row in rows:
            shown.setdefault(row.organ, []).append(row.in_image_percent)
    nothing = dict.fromkeys(("sd_mgy", "min_mgy", "max_mgy", "d98_mgy", "d50_mgy", "d2_mgy"), math.nan)
    found = []
    for total in totals:
        own = in_map.get(total.organ)
        spread = nothing if own is None else {name: getattr(own, name) for name in nothing}
        percent = shown[total.organ]
        found.append(replace(
            first[total.organ], mean_mgy=total.total_mgy, uncertainty_percent=total.uncertainty_percent, **spread,
            in_image_percent=math.nan if any(map(math.isnan, percent)) else min(percent),
            note="; ".join(filter(None, (total.note, not_in_map.get(total.organ)))), mask=total.mask))
    return found
