"""The tables of a validation of masks: every organ of every CT as CSV, means for people as Markdown."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from organdose.anatomy.organs import describe
from organdose.assess.mask_comparison import MaskAgreement
from organdose.jobs.segmentation_evaluation import GROUPS, mean_rows
from organdose.segmentation.network_labels import NETWORK_ORGANS

_MEASURES = ("dice", "dice_deviation", "jaccard", "precision", "recall", "hd95_mm", "surface_dice",
             "reference_volume_ml", "volume_ml", "false_ml")
_TITLES = ("Dice", "SD", "Jaccard", "precision", "recall", "HD95 (mm)", "surface Dice (3 mm)", "true volume (ml)",
           "volume (ml)", "drawn where absent (ml)")
_DECIMALS = {"hd95_mm": 1, "reference_volume_ml": 1, "volume_ml": 1, "false_ml": 1}


@dataclass(frozen=True)
class SegmentationRow:
    """One organ of one CT. `drawn_by`: 'network' or 'analytic'; `delivered`: it is what the engine gives to its user,
    who gets lungs and bones of the analytic engine although the network draws them too."""

    group: str
    case: str
    drawn_by: str
    delivered: bool
    agreement: MaskAgreement


def write_segmentation_tables(folder: Path, rows: Sequence[SegmentationRow], absent: Sequence[str] = ()) -> None:
    """segmentation-organs.csv (one line an organ and CT) and segmentation.md (means: Dice of all groups in one table,
    then everything, a table for each group).

    `absent`: lines about CTs that were left out.
    """
    names = [field.name for field in fields(MaskAgreement)]
    with (folder / "segmentation-organs.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["group", "case", "drawn_by", "delivered", *names])
        for row in rows:
            values = asdict(row.agreement)
            table.writerow([row.group, row.case, row.drawn_by, row.delivered, *(_cell(values[name]) for name in names)])
    lines = ["# Masks against known ones, on the voxels of the CT", "", *overview_lines(rows), ""]
    for group in dict.fromkeys(row.group for row in rows):
        lines += [f"## {group}", "", *group_lines([row for row in rows if row.group == group]), ""]
    (folder / "segmentation.md").write_text("\n".join([*lines, *absent]).rstrip() + "\n", encoding="utf-8")


def overview_lines(rows: Sequence[SegmentationRow]) -> list[str]:
    """A Markdown table of mean Dice: a line for each organ and who drew it, a column for each group."""
    groups = list(dict.fromkeys(row.group for row in rows))
    dice: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        if row.agreement.reference_volume_ml > 0:
            who = _who(row.drawn_by, row.delivered)
            dice.setdefault((row.agreement.organ, who), {}).setdefault(row.group, []).append(row.agreement.dice)
    lines = [f"| mean Dice | drawn by | {' | '.join(groups)} |", "|---" * (len(groups) + 2) + "|"]
    for (organ, who), found in sorted(dice.items(), key=lambda item: _place(item[0][0])):
        values = (f"{sum(found[group]) / len(found[group]):.3f}" if group in found else "" for group in groups)
        lines.append(f"| {describe(organ).title} | {who} | {' | '.join(values)} |")
    return lines


def _place(organ: str) -> int:
    """Organs in the order of the network, as far as it has them; groups after them."""
    order = (*NETWORK_ORGANS, "small_intestine", *GROUPS)
    return order.index(organ) if organ in order else len(order)


def _who(drawn_by: str, delivered: bool) -> str:
    return f"{drawn_by}{'' if delivered else ' (not delivered)'}"


def group_lines(rows: Sequence[SegmentationRow]) -> list[str]:
    """A Markdown table: a line for each organ and who drew it, means over the CTs that have the organ."""
    kinds = [("network", True), ("analytic", True), ("network", False)]
    organs = dict.fromkeys(row.agreement.organ for row in rows)
    lines = [f"| organ | drawn by | CTs | {' | '.join(_TITLES)} |", "|---" * (len(_TITLES) + 3) + "|"]
    for organ in organs:
        for drawn_by, delivered in kinds:
            own = [row for row in rows if (row.agreement.organ, row.drawn_by, row.delivered)
                   == (organ, drawn_by, delivered)]
            if own:
                lines.append(_line(organ, _who(drawn_by, delivered), own))
    return lines


def _line(organ: str, who: str, rows: Sequence[SegmentationRow]) -> str:
    mean = mean_rows([(row.case, row.agreement) for row in rows])[organ]
    there = [row.agreement.volume_ml for row in rows if row.agreement.reference_volume_ml > 0]
    mean["volume_ml"] = sum(there) / len(there) if there else None
    values = ["" if mean[key] is None else f"{mean[key]:.{_DECIMALS.get(key, 3)}f}" for key in _MEASURES]
    return f"| {describe(organ).title} | {who} | {mean['cases']} | {' | '.join(values)} |"


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value:.5g}"
