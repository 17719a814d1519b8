"""The files of a cohort's comparison."""

from __future__ import annotations

from pathlib import Path

from organdose.assess.group_statistics import MULTIPLE_TESTING
from organdose.export.dose_cohort_tables import (
    draw_cohort_organ_errors,
    write_cohort_figures_csv,
    write_cohort_organs_csv,
    write_group_tests_csv,
    write_organ_statistics_csv,
)
from organdose.jobs.compare_cohort_job import CohortResult

NOTES = (
    "Every pair counts as one patient; patients are taken as independent.",
    "Organs of which less than 99 % lies in both maps of a patient are left out for that patient.",
    "normality_p: Shapiro-Wilk test. Where it is small read Wilcoxon's and Mann-Whitney's tests, not the t-test.",
    "Tests need three patients; an empty cell is a test that could not be made.",
    MULTIPLE_TESTING,
    "A large p-value does not show that two maps or groups agree: with few patients it only shows little.")


def write_cohort_files(folder: Path, found: CohortResult) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    labels = [(pair.label, pair.group) for pair in found.pairs]
    organs = [each.organs for each in found.figures]
    write_cohort_figures_csv(folder / "cohort.csv", labels, [each.figures for each in found.figures])
    if any(organs):
        write_cohort_organs_csv(folder / "cohort_organs.csv", labels, organs)
        write_organ_statistics_csv(folder / "organ_statistics.csv", found.errors)
        draw_cohort_organ_errors(labels, organs, folder / "organ_errors.png")
    if found.differences:
        write_group_tests_csv(folder / "group_tests.csv", found.differences)
    warnings = [f"Warning: {label}: {warning}" for (label, _), each in zip(labels, found.figures)
                for warning in each.warnings]
    lines = [*(NOTES if any(organs) else NOTES[:1]), *warnings]
    (folder / "notes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
