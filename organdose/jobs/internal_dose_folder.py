"""An internal dose result folder read back, with nothing but what every Slicer has installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.assess.engine_comparison import EngineComparison
from organdose.assess.internal_organ_dose import InternalOrganDose
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.dose_map import DoseMap
from organdose.export.engine_table import ENGINES_NAME, read_engines_csv
from organdose.export.tables import read_dvh_csv, read_organs_csv
from organdose.export.time_activity_tables import read_tiac_csv, read_time_activity_csv
from organdose.jobs.dose_folder import read_dose_map, read_map, read_record
from organdose.nuclear.time_activity_curve import TimeActivityCurve

TIA_NAME, TIAC_NAME, CURVES_NAME = ("time_integrated_activity.nrrd", "time_integrated_activity.csv",
                                    "time_activity.csv")
BESIDE = "engines"  # folder of the engines beside the chosen one, a folder each


@dataclass(frozen=True)
class InternalDoseFolder:
    """What a run has written.

    `engine`: name of the chosen engine, of which `dose`, `rows` and `histograms` are; `others`, `other_rows`: of the
    engines beside it, by name. `tia`: time-integrated activity on the dose grid, MBq h/ml. `comparison`: None for a
    single engine.
    """

    engine: str
    dose: DoseMap
    rows: list[InternalOrganDose]
    histograms: list[DoseVolumeHistogram]
    tia: sitk.Image
    curves: list[TimeActivityCurve]
    record: dict
    others: dict[str, DoseMap] = field(default_factory=dict)
    other_rows: dict[str, list[InternalOrganDose]] = field(default_factory=dict)
    comparison: EngineComparison | None = None

    @property
    def administered_mbq(self) -> float | None:
        """Net."""
        return self.record["facts"].get("administered_mbq")


def read_internal_dose_folder(folder: Path) -> InternalDoseFolder:
    """Read a result folder. Raises `InputError` for one that is not whole."""
    record = read_record(folder)
    dose, rows = _engine(folder, record["facts"])
    compared = record["facts"].get("compared", {})
    beside = {name: _engine(folder / BESIDE / name, facts) for name, facts in compared.items()}
    return InternalDoseFolder(
        dose.engine.split()[0], dose, rows, read_dvh_csv(folder / "dvh.csv"), read_map(folder / TIA_NAME),
        read_curves(folder), record, {name: each for name, (each, _) in beside.items()},
        {name: table for name, (_, table) in beside.items()},
        read_engines_csv(folder / ENGINES_NAME) if compared else None)


def read_curves(folder: Path) -> list[TimeActivityCurve]:
    """The organs' time-activity curves, without the phases they end in. Raises `InputError`."""
    points, curves = read_time_activity_csv(folder / CURVES_NAME), []
    for line in read_tiac_csv(folder / TIAC_NAME):
        measured, drawn = (points.get((line["organ"], kind), np.empty((3, 0))) for kind in ("measured", "curve"))
        integral_bq_s, part = 3.6e9 * line["integral_mbq_h"], line["uncertainty_percent"] / 100
        curves.append(TimeActivityCurve(
            line["organ"], 3600 * measured[0], 1e6 * measured[1], 1e6 * measured[2], 3600 * drawn[0], 1e6 * drawn[1],
            integral_bq_s, integral_bq_s * part, line["tiac_h"], line["tiac_h"] * part, line["model"],
            int(line["flags"]), line["recovery"], line["note"]))
    return curves


def _engine(folder: Path, facts: Mapping[str, object]) -> tuple[DoseMap, list[InternalOrganDose]]:
    dose, rows = read_dose_map(folder, facts), read_organs_csv(folder / "organs.csv", InternalOrganDose)
    sure = {row.organ: row.uncertainty_percent / 100 for row in rows if row.uncertainty_percent is not None}
    return replace(dose, organ_relative_uncertainty=sure), rows
