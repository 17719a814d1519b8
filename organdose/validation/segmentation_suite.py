"""The shipped network (or another) and the analytic engine against true masks, on the voxels of the CT.

Limits hold on generated patients of seeds that no training used, and for lungs and bones as the network draws them: the
engine gives its user those from HU, which are better on CTs from outside. These are reported without a limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, organ
from organdose.assess.mask_comparison import MaskAgreement, agreement
from organdose.jobs.segmentation_evaluation import GROUPS
from organdose.progress import Progress
from organdose.segmentation.engine_needs import is_here
from organdose.segmentation.network_labels import NETWORK_ORGANS, organs_drawn
from organdose.segmentation.res_u2net_engine import ENGINE as NETWORK
from organdose.segmentation.res_u2net_engine import ResU2NetParameters
from organdose.validation.comparison import Comparison
from organdose.validation.segmentation_cases import GENERATED, SegmentationCase, generated_cases, outside_cases
from organdose.validation.segmentation_table import SegmentationRow, write_segmentation_tables

PATIENTS = 20
LEAST_ML = 50.0  # an organ of about 50 g
ORGANS_PERCENT, LARGE_PERCENT = 7.0, 3.0  # a mean Dice of 0.93 and 0.97
LARGE = ("body", "lungs", "bones")
_COMPARED = (*NETWORK_ORGANS, "small_intestine", *GROUPS)
_DRAWN_FROM_HU = ("lungs", "lung_left", "lung_right", "bones")


def segmentation(folder: Path, *, model: Path | None = None, patients: int = PATIENTS,
                 progress: Progress | None = None) -> list[Comparison]:
    """Rows with a limit; every organ of every CT goes to `folder` (segmentation-organs.csv, segmentation.md).

    `model`: another network than the shipped one. Raises `InputError` where there is none, `Cancelled`.
    """
    progress = progress or Progress()
    rows: list[SegmentationRow] = []
    absent: list[str] = []
    for case in _kept(outside_cases(progress), absent):
        rows += case_rows(case, model, progress)
    for case in generated_cases(patients, progress):
        rows += case_rows(case, model, progress)
    write_segmentation_tables(folder, rows, absent)
    return limit_rows(rows)


def check_network(model: Path | None) -> None:
    """Raises `InputError` where the network, or what it needs, is not here."""
    NETWORK.check_ready(ResU2NetParameters(model=model), is_here)


def _kept(cases, absent: list[str]):
    """The cases; lines about those that are not here go to `absent`."""
    for case in cases:
        if isinstance(case, str):
            absent.append(case)
        else:
            yield case


def case_rows(case: SegmentationCase, model: Path | None = None, progress: Progress | None = None
              ) -> list[SegmentationRow]:
    """What the engine delivers on one CT, then lungs and bones as the network itself draws them."""
    progress = progress or Progress()
    delivered = NETWORK.segment(case.study, ResU2NetParameters(model=model), progress)
    alone = NETWORK.segment(case.study, ResU2NetParameters(model=model, from_hu=False), progress)
    rows = []
    for name in _names(case, delivered):
        who = _who(name, delivered)
        rows.append(SegmentationRow(case.group, case.name, who, True, _compared(name, delivered, case)))
        if who == "analytic" and name in _DRAWN_FROM_HU:
            rows.append(SegmentationRow(case.group, case.name, "network", False, _compared(name, alone, case)))
    return rows


def _names(case: SegmentationCase, drawn: OrganMasks) -> list[str]:
    """Organs with a true mask; where all true masks are known, also what was drawn without being there."""
    there = organs_drawn(case.truth, _COMPARED)
    return [name for name in _COMPARED if name in there or (case.complete and name in drawn.names)]


def _who(name: str, masks: OrganMasks) -> str:
    """Who drew an organ of the engine's result: its notes say so."""
    parts = expand(name, masks.names)
    from_hu = name == "body" or any("analytic engine" in masks.notes.get(part, "") for part in parts)
    return "analytic" if from_hu else "network"


def _compared(name: str, drawn: OrganMasks, case: SegmentationCase) -> MaskAgreement:
    """Of a group only the members that have true masks: what a reference does not know is no mistake."""
    spacing_mm = case.study.image.GetSpacing()[::-1]
    known = (name,)
    if name in GROUPS and not case.complete and name not in case.truth.segments:
        known = tuple(member for member in organ(name).members if expand(member, case.truth.names))
    parts = [part for member in known for held in case.holds.get(member, (member,))
             for part in expand(held, drawn.names)]
    return agreement(name, drawn.union(parts), case.truth.union(expand(name, case.truth.names)), spacing_mm)


def limit_rows(rows: Sequence[SegmentationRow]) -> list[Comparison]:
    """Mean Dice on generated patients: organs above 50 ml, the body, and lungs and bones of the network itself.

    Each is a mean over patients in whose image more than 50 ml of the organ are; the first is the mean of these over
    organs but body, lungs and bones, which have rows of their own. The body is always drawn from HU.
    """
    there = [row for row in rows if row.group == GENERATED and row.agreement.reference_volume_ml > LEAST_ML
             and (row.drawn_by == "network" or row.agreement.organ == "body")]
    organs = {name: _mean_dice(there, name) for name in NETWORK_ORGANS if name not in ("body", *_DRAWN_FROM_HU)}
    known = [dice for dice in organs.values() if not math.isnan(dice)]
    return [_row(f"{len(known)} organs above {LEAST_ML:g} ml", float(np.mean(known)) if known else math.nan,
                 ORGANS_PERCENT),
            *(_row(name if name == "body" else f"{name}, as the network alone draws them, not delivered",
                   _mean_dice(there, name), LARGE_PERCENT) for name in LARGE)]


def _mean_dice(rows: Sequence[SegmentationRow], organ: str) -> float:
    values = [row.agreement.dice for row in rows if row.agreement.organ == organ]
    return float(np.mean(values)) if values else math.nan


def _row(title: str, dice: float, percent: float) -> Comparison:
    """A Dice of 1 is expected; no allowance for statistics."""
    return Comparison(f"mean Dice, generated patients: {title}", dice, 0.0, {}, 1.0, percent)
