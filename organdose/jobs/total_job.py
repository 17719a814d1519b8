"""The parts of one examination, CT doses and internal doses, added up to a result folder: organs and voxels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.effective_dose import EffectiveDose, effective_dose_from_organs
from organdose.assess.internal_effective_dose import internal_effective_dose
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.total_effective_dose import effective_dose_rows, sex_of_organs
from organdose.assess.total_organ_dose import (
    SAME_VOLUME_PERCENT,
    TotalOrganDose,
    differing_masks,
    total_organ_doses,
    total_rows,
)
from organdose.jobs.record import RunRecord
from organdose.jobs.result_folder import RECORD_NAME, check_inputs_outside, check_result_folder, result_folder
from organdose.jobs.total_map import TotalMap, total_map
from organdose.jobs.total_masks import MaskedStudy, masked_study
from organdose.jobs.total_parts import INTERNAL_DOSE, DosePart, doubtful_pairs, read_parts
from organdose.nuclear.progeny import with_progeny
from organdose.progress import Progress

_MOST_NAMED = 8
_WHOLE = 0.995  # part of an organ that all maps must reach for its spread to be stated
_ABOUT_SUMS = (
    "Organ doses are the sums of the parts' mass-weighted means; their standard uncertainties are added in squares, as "
    "those of independent runs.",
    "Exposures that are not among the parts (localisers, other phases, earlier scans) are not in the sum.")
_MAP_AGREES = 0.05  # how far an organ's mean in the summed map may lie from the sum of the means


class TotalJob(BaseModel):
    """Parameters of one sum. `folders`: results of ct-dose and internal-dose, two or more; `names`: one for each.

    `ct` and `segmentation` are for spread, percentiles and histograms of the sum; without them those of the first part
    whose inputs are still there. `sex`: for the effective dose; without it as the organs tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folders: tuple[Path, ...] = Field(min_length=1)
    out: Path
    names: tuple[str, ...] | None = None
    ct: Path | None = None
    segmentation: Path | None = None
    series: str | None = None
    sex: Literal["M", "F"] | None = None


@dataclass(frozen=True)
class TotalResult:
    """Everything a sum consists of, before it is written.

    `totals`: the parts and their sum by organ; `rows`: the same as rows of organs.csv. `masked` is None, and
    `histograms` are empty, where there are no CT and masks. `effective`: one row a part and their sum.
    """

    parts: tuple[DosePart, ...]
    totals: list[TotalOrganDose]
    rows: list[OrganDose]
    map: TotalMap
    masked: MaskedStudy | None
    histograms: list[DoseVolumeHistogram]
    effective: tuple[Descriptor, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def run_total(job: TotalJob, progress: Progress | None = None) -> TotalResult:
    """Add the parts up and write the result folder `job.out`, whole or not at all.

    Raises `InputError` for parts that cannot be added, `Cancelled`.
    """
    from organdose.jobs.total_files import write_total_files

    progress = progress or Progress()
    record = RunRecord("total", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    check_inputs_outside(job.out, (*job.folders, job.ct, job.segmentation))
    result = compute_total(job, record, progress)
    with result_folder(job.out) as folder:
        write_total_files(folder, result, record, progress)
        record.write(folder / RECORD_NAME)
        progress.report("Done", 1.0)
    return result


def compute_total(job: TotalJob, record: RunRecord, progress: Progress) -> TotalResult:
    """Read and add up without writing; notes inputs, facts and times in `record`."""
    with record.timed("read"):
        progress.report("Reading parts", 0.0)
        parts = read_parts(job.folders, job.names)
        for part in parts:
            record.add_input(f"part {part.name}", part.folder, part.files)
    tables = {part.name: part.rows for part in parts}
    sex = job.sex or sex_of_organs(list(tables.values()))
    with record.timed("maps"):
        summed = total_map(parts, progress)
    with record.timed("masks"):
        masked, why_not = masked_study(parts, job.ct, job.segmentation, job.series, record, progress)
    with record.timed("organs"):
        totals = total_organ_doses(tables)
        in_map, histograms, not_in_map = _from_map(summed, masked, totals, sex, progress)
        rows = total_rows(totals, tables, {row.organ: row for row in in_map}, not_in_map)
    doses = {part.name: _effective_dose(part, sex) for part in parts}
    assumptions = (*_ABOUT_SUMS, *summed.assumptions, *([masked.note] if masked else []))
    warnings = (*doubtful_pairs(parts), *summed.warnings, *_about_tables(tables, totals),
                *([why_not] if why_not else []), *_between_map_and_table(totals, in_map))
    record.facts.update(parts={part.name: part.record for part in parts}, assumptions=assumptions, warnings=warnings)
    return TotalResult(tuple(parts), totals, rows, summed, masked, histograms,
                       effective_dose_rows(doses, _administered_mbq(parts)), assumptions, warnings)


def _from_map(summed: TotalMap, masked: MaskedStudy | None, totals: Sequence[TotalOrganDose], sex: str,
              progress: Progress) -> tuple[list[OrganDose], list[DoseVolumeHistogram], dict[str, str]]:
    """Rows and histograms of the organs that every part's map holds whole, and of the others why there are none."""
    if masked is None:
        return [], [], {}
    weights = masked.weights(summed.dose.dose_mgy, sex, progress)
    by_all = (summed.parts_reached == summed.number_of_parts).ravel()
    whole, why_not = set(), {}
    for total in totals:
        if not total.is_whole:
            why_not[total.organ] = "no spread and histogram of the sum: not every part has the organ"
        elif total.organ not in weights.names:
            why_not[total.organ] = "no spread and histogram of the sum: not among the masks at hand"
        else:
            indices, mass_g, _ = weights.row(total.organ)
            if float(mass_g[by_all[indices]].sum()) < _WHOLE * float(mass_g.sum()):
                why_not[total.organ] = "no spread and histogram of the sum: part of it lies outside a part's dose map"
            else:
                whole.add(total.organ)
    rows = [row for row in organ_table(summed.dose, weights) if row.organ in whole]
    return rows, [each for each in dose_volume_histograms(summed.dose, weights) if each.organ in whole], why_not


def _effective_dose(part: DosePart, sex: str) -> EffectiveDose:
    if part.task != INTERNAL_DOSE:
        return effective_dose_from_organs(part.rows, sex)
    return internal_effective_dose(part.rows, sex, alpha_emitters=alpha_emitters(part.facts.get("radionuclide"))).dose


def alpha_emitters(nuclide: str | None) -> tuple[str, ...]:
    """The nuclides of the decay of `nuclide`, itself included, that emit alphas."""
    if not nuclide:
        return ()
    return tuple(member.nuclide.name for member in with_progeny(nuclide).members
                 if member.nuclide.emissions.alpha_energy_kev > 0)


def _administered_mbq(parts: Sequence[DosePart]) -> dict[str, float]:
    return {part.name: float(part.facts["administered_mbq"]) for part in parts
            if part.task == INTERNAL_DOSE and part.facts.get("administered_mbq")}


def _about_tables(tables: dict[str, Sequence[OrganDose]], totals: Sequence[TotalOrganDose]) -> list[str]:
    said = []
    if differing := differing_masks(tables):
        said.append(f"the parts' masks of {_listed(differing)} have volumes more than {SAME_VOLUME_PERCENT:g} % apart: "
                    "doses of different regions are added up there")
    if lacking := [total.organ for total in totals if not total.is_whole]:
        said.append(f"not every part has a dose for {_listed(lacking)}: their totals are lower bounds")
    return said


def _between_map_and_table(totals: Sequence[TotalOrganDose], in_map: Sequence[OrganDose]) -> list[str]:
    """Organs whose mean in the summed map is not the sum of the means: other masks, or voxels too coarse for them."""
    mean_mgy = {total.organ: total.total_mgy for total in totals}
    apart = [f"{row.organ} ({100 * (row.mean_mgy / mean_mgy[row.organ] - 1):+.0f} %)" for row in in_map
             if mean_mgy[row.organ] > 0 and abs(row.mean_mgy / mean_mgy[row.organ] - 1) > _MAP_AGREES]
    if not apart:
        return []
    return [f"the summed map's means differ from the sums of the parts' means by more than {100 * _MAP_AGREES:.0f} % "
            f"for {_listed(apart)}: the table holds the sums"]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more (total.csv)" if more > 0 else "")
