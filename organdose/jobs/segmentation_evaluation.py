"""A network against masks it never saw: the table of agreement, organ by organ."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from organdose.assess.mask_comparison import MaskAgreement, agreement
from organdose.errors import InputError
from organdose.export.whole_file import whole_file
from organdose.progress import Progress
from organdose.segmentation.network_labels import voxels_of
from organdose.segmentation.training_cases import TrainingCase

GROUPS = ("lungs", "kidneys", "femoral_heads", "gi_tract")  # reported beside their members, as published tables do
MEASURES = ("dice", "jaccard", "precision", "recall", "hd95_mm", "surface_dice")

EvaluationRow = tuple[str, MaskAgreement]


def evaluate_network(trained, cases: Sequence[TrainingCase], *, device: str = "auto", precision: str = "auto",
                     progress: Progress | None = None) -> list[EvaluationRow]:
    """(case, agreement) for every organ of every case, on the network's voxels.

    An organ that is neither there nor drawn has no row; one drawn without being there has dice nan and its volume.
    """
    from organdose.segmentation.networks.hardware import chosen_device, chosen_precision
    from organdose.segmentation.networks.sliding_window import logits_of

    progress = progress or Progress()
    where = chosen_device(device)
    rows = []
    for done, case in enumerate(cases):
        progress.report("evaluation", done / len(cases), case.name)
        logits = logits_of(trained, np.asarray(case.hu, np.float32), where, chosen_precision(precision, where))
        rows += [(case.name, row) for row in compare_labels(
            logits.argmax(dim=0).numpy().astype(np.uint8), np.asarray(case.labels), trained.card.organs,
            trained.card.spacing_mm)]
    return rows


def compare_labels(found: np.ndarray, truth: np.ndarray, organs: tuple[str, ...],
                   spacing_mm: float) -> list[MaskAgreement]:
    """Agreement of two label maps (z, y, x) of `organs`, for each organ and group."""
    rows = []
    for name in (*organs, *(group for group in GROUPS if voxels_of(group, truth, organs).any())):
        one, other = voxels_of(name, found, organs), voxels_of(name, truth, organs)
        if one.any() or other.any():
            rows.append(agreement(name, one, other, (spacing_mm,) * 3))
    return rows


def mean_rows(rows: Sequence[EvaluationRow]) -> dict[str, dict[str, float]]:
    """Of each organ: cases that have it, mean of each measure and deviation of Dice over them, mean volume in ml.

    `false_ml`: mean volume drawn in cases that do not have it (0 when there is none).
    """
    organs: dict[str, list[MaskAgreement]] = {}
    for _, row in rows:
        organs.setdefault(row.organ, []).append(row)
    return {name: _mean(found) for name, found in organs.items()}


def _mean(rows: list[MaskAgreement]) -> dict[str, float]:
    there = [row for row in rows if row.reference_volume_ml > 0]
    false = [row.volume_ml for row in rows if row.reference_volume_ml == 0]
    means = {}
    for measure in MEASURES:
        values = [value for row in there if not math.isnan(value := getattr(row, measure))]
        means[measure] = round(float(np.mean(values)), 4) if values else None
    deviation = round(float(np.std([row.dice for row in there], ddof=1)), 4) if len(there) > 1 else None
    volume = round(float(np.mean([row.reference_volume_ml for row in there])), 1) if there else None
    return {"cases": len(there), **means, "dice_deviation": deviation, "reference_volume_ml": volume,
            "false_ml": round(float(np.mean(false)), 1) if false else 0.0}


def write_evaluation_csv(path: Path, rows: Sequence[EvaluationRow]) -> None:
    """One line for each case and organ; empty where a measure has no meaning."""
    names = [field.name for field in fields(MaskAgreement)]
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["case", *names])
        for case, row in rows:
            values = asdict(row)
            table.writerow([case, *("" if isinstance(values[n], float) and math.isnan(values[n]) else
                                    round(values[n], 4) if isinstance(values[n], float) else values[n]
                                    for n in names)])


def read_evaluation_csv(path: Path) -> list[EvaluationRow]:
    """What `write_evaluation_csv` wrote; nan where a measure has no meaning. Raises `InputError` for another file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [(line.pop("case"), MaskAgreement(line.pop("organ"), **{
                name: float(value) if value else math.nan for name, value in line.items()}))
                for line in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError("this is no table of an evaluation", where=path,
                         mend="Delete the folder to train it again.") from error


def write_means_csv(path: Path, rows: Sequence[EvaluationRow]) -> None:
    """One line for each organ: `mean_rows`; empty where a measure has no meaning."""
    means = mean_rows(rows)
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        columns = list(next(iter(means.values()), {}))
        table.writerow(["organ", *columns])
        table.writerows([name, *("" if row[c] is None else row[c] for c in columns)] for name, row in means.items())
