"""organ_level.csv and organ_level.json: doses by target organ, and which sources gave them."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Protocol

import numpy as np

CONTRIBUTORS = 3
COLUMNS = ("organ", "mass_g", "mean_mgy", "mgy_per_mbq", "uncertainty_percent",
           *(f"{kind}_{rank}" for rank in range(1, CONTRIBUTORS + 1) for kind in ("source", "percent")))


class OrganLevel(Protocol):
    """What the tables need: `nuclear.organ_level.OrganLevelDose` has it (a room not known here)."""

    phantom: str
    nuclide: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    dose_mgy: np.ndarray
    decays_mbq_s: np.ndarray
    relative_uncertainty: np.ndarray
    mass_g: np.ndarray
    administered_bq: float | None
    notes: tuple[str, ...]


def write_organ_level_csv(path: Path, dose: OrganLevel) -> None:
    """One line a target: mass (g), dose (mGy; per administered MBq), standard uncertainty (%), and the sources that
    give most of it, each with its part in percent. An empty cell is a number nobody knows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row, target in enumerate(dose.targets):
            total = float(dose.dose_mgy[row].sum())
            writer.writerow([target, _digits(dose.mass_g[row]), _digits(total), _digits(_per_mbq(dose, total)),
                             _digits(100 * dose.relative_uncertainty[row]), *_largest(dose, row, total)])


def write_organ_level_json(path: Path, dose: OrganLevel) -> None:
    """Everything: sources with their decays (MBq h), and for each target its dose from each source (mGy)."""
    record = {"phantom": dose.phantom, "nuclide": dose.nuclide,
              "administered_mbq": dose.administered_bq / 1e6 if dose.administered_bq else None,
              "sources_mbq_h": dict(zip(dose.sources, (dose.decays_mbq_s / 3600).tolist())),
              "targets": {target: {"mass_g": float(dose.mass_g[row]), "mean_mgy": float(dose.dose_mgy[row].sum()),
                                   "uncertainty_percent": float(100 * dose.relative_uncertainty[row]),
                                   "from_mgy": dict(zip(dose.sources, dose.dose_mgy[row].tolist()))}
                          for row, target in enumerate(dose.targets)},
              "notes": list(dose.notes)}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _largest(dose: OrganLevel, row: int, total: float) -> list[str]:
    order = np.argsort(-dose.dose_mgy[row], kind="stable")[:CONTRIBUTORS]
    cells = [cell for k in order if dose.dose_mgy[row, k] > 0
             for cell in (dose.sources[k], _digits(100 * dose.dose_mgy[row, k] / total))]
    return cells + [""] * (2 * CONTRIBUTORS - len(cells))


def _per_mbq(dose: OrganLevel, total_mgy: float) -> float:
    return total_mgy * 1e6 / dose.administered_bq if dose.administered_bq else math.nan


def _digits(value: float) -> str:
    return f"{value:.5g}" if math.isfinite(value) else ""
