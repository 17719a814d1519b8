"""Pairs of dose maps of many patients, listed in a CSV file: errors a pair, statistics an organ and between groups."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.assess.group_statistics import (
    GroupDifference,
    GroupErrors,
    OrganGroup,
    group_differences,
    group_errors,
)
from organdose.assess.organ_dose_comparison import FULL_PERCENT, OrganDoseDifference
from organdose.errors import InputError
from organdose.export.dose_comparison_tables import Figure, comparison_figures
from organdose.jobs.compare_job import CompareJob, CompareOptions, check_inputs_outside, compute_comparison
from organdose.jobs.record import RunRecord
from organdose.jobs.result_folder import RECORD_NAME, check_result_folder, result_folder
from organdose.progress import Progress, ProgressReport

_NEEDED, _KNOWN = ("test", "reference"), ("patient", "test", "reference", "segmentation", "ct", "group")
NO_GROUP = "all"


class CompareCohortJob(CompareOptions):
    """Parameters of the comparison of a cohort.

    `manifest`: CSV with a line a pair and the columns test, reference and, where there are any, segmentation, ct,
    group and patient (a label for tables); paths are relative to the manifest.
    """

    manifest: Path
    out: Path


@dataclass(frozen=True)
class CohortPair:
    """One line of the manifest; `label` names it in tables."""

    label: str
    group: str
    job: CompareJob


@dataclass(frozen=True)
class PairFigures:
    """What is kept of one comparison: its figures over voxels, its organs, warnings; a cohort's maps would fill memory.
    """

    figures: list[Figure]
    organs: list[OrganDoseDifference]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class CohortResult:
    """The figures of every pair, in the order of the manifest, and the statistics of organs over patients."""

    pairs: list[CohortPair]
    figures: list[PairFigures]
    errors: list[GroupErrors]
    differences: list[GroupDifference]


def run_compare_cohort(job: CompareCohortJob, progress: Progress | None = None) -> CohortResult:
    """Compare every pair and write the result folder `job.out`, whole or not at all.

    Raises `InputError` naming the line for a pair that cannot be compared, `Cancelled`.
    """
    from organdose.jobs.compare_cohort_files import write_cohort_files

    progress = progress or Progress()
    record = RunRecord("compare-cohort", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    pairs = read_manifest(job)
    record.add_input("manifest", job.manifest, [job.manifest])
    check_inputs_outside(job.out, (job.manifest, *(path for pair in pairs for path in _paths(pair.job))))
    figures = [_compared(pair, number, len(pairs), record, progress) for number, pair in enumerate(pairs)]
    groups = organ_groups(pairs, [each.organs for each in figures])
    found = CohortResult(pairs, figures, group_errors(groups), group_differences(groups))
    with result_folder(job.out) as folder:
        write_cohort_files(folder, found)
        record.write(folder / RECORD_NAME)
        progress.report("Done", 1.0)
    return found


def read_manifest(job: CompareCohortJob) -> list[CohortPair]:
    """The pairs of the manifest. Raises `InputError` for columns that lack or are unknown, and lines without paths."""
    try:
        with open(job.manifest, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns, lines = reader.fieldnames or [], [(reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the list cannot be read ({error})", where=job.manifest, mend="Give a CSV file.") from error
    missing, unknown = set(_NEEDED) - set(columns), set(columns) - set(_KNOWN)
    if missing or unknown:
        what = f"lacks the column {min(missing)!r}" if missing else f"has an unknown column {min(unknown)!r}"
        raise InputError(f"the list {what}", where=job.manifest, mend=f"Columns: {', '.join(_KNOWN)}.")
    if not lines:
        raise InputError("the list holds no pair", where=job.manifest, mend="Give a line for each pair of maps.")
    pairs = [_pair(job, number, line) for number, line in lines]
    labels = [pair.label for pair in pairs]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise InputError(f"the patient {twice!r} is listed twice", where=job.manifest,
                         mend="Give every pair its own label: pairs of one patient are not independent.")
    return pairs


def _pair(job: CompareCohortJob, number: int, line: dict[str, str | None]) -> CohortPair:
    cells = {name: (line.get(name) or "").strip() for name in _KNOWN}
    for name in _NEEDED:
        if not cells[name]:
            raise InputError(f"line {number}: no {name}", where=job.manifest, mend="Give its path.")
    paths = {name: job.manifest.parent / cells[name] for name in ("test", "reference", "segmentation", "ct")
             if cells[name]}
    options = {name: getattr(job, name) for name in CompareOptions.model_fields}
    return CohortPair(cells["patient"] or f"line {number}", cells["group"] or NO_GROUP,
                      CompareJob(**options, **paths, out=job.out, scene=False))


def _paths(job: CompareJob) -> tuple[Path | None, ...]:
    return job.test, job.reference, job.segmentation, job.ct


def _compared(pair: CohortPair, number: int, pairs: int, record: RunRecord, progress: Progress) -> PairFigures:
    """One pair; its stages are shown as one."""
    def show(report: ProgressReport) -> None:
        progress.report("Pairs", number / pairs, f"{pair.label}: {report.stage}")

    try:
        found = compute_comparison(pair.job, record, Progress(show), role=f"{pair.label} ")
    except InputError as error:
        raise InputError(f"{pair.label}: {error}") from error
    return PairFigures(comparison_figures(found.comparison), found.organs or [], found.warnings)


def organ_groups(pairs: list[CohortPair], organs: list[list[OrganDoseDifference]]) -> list[OrganGroup]:
    """Test and reference means of each organ in each group, of the patients whose maps both cover all of it."""
    doses: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for pair, rows in zip(pairs, organs):
        for row in rows:
            if row.compared_percent >= FULL_PERCENT and np.isfinite(row.difference_mgy):
                doses.setdefault((row.organ, pair.group), []).append((row.test_mgy, row.reference_mgy))
    return [OrganGroup(organ, group, *np.array(values).T) for (organ, group), values in doses.items()]
