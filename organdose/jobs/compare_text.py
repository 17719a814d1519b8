"""`organdose compare` from its options to the lines it prints."""

from __future__ import annotations

from pathlib import Path

from organdose.errors import InputError
from organdose.export.dose_comparison_tables import ERRORS
from organdose.jobs.compare_cohort_job import CompareCohortJob, run_compare_cohort
from organdose.jobs.compare_job import CompareJob, ComparisonResult, run_compare
from organdose.jobs.parameters import checked
from organdose.progress import Progress


def compare_from_command_line(test: Path | None, reference: Path | None, segmentation: Path | None, ct: Path | None,
                              cohort: Path | None, out: Path, options: dict[str, object],
                              progress: Progress) -> tuple[list[str], list[str]]:
    """Compare two maps, or with `cohort` the pairs it lists; gives (lines to print, warnings).

    Raises `InputError` for options that do not go together, and as `run_compare` and `run_compare_cohort`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if cohort is not None:
        if any(each is not None for each in (test, reference, segmentation, ct)):
            raise InputError("a cohort is given together with single maps, masks or a CT",
                             mend="Name them in the columns of the list.")
        found = run_compare_cohort(checked(CompareCohortJob, manifest=cohort, out=out, **given), progress)
        warnings = [f"{pair.label}: {line}" for pair, each in zip(found.pairs, found.figures)
                    for line in each.warnings]
        return [f"{len(found.pairs)} pairs: {out}"], warnings
    if test is None or reference is None:
        raise InputError("two dose maps are needed, test and reference", mend="Give both, or a list with --cohort.")
    job = checked(CompareJob, test=test, reference=reference, out=out, segmentation=segmentation, ct=ct, **given)
    result = run_compare(job, progress)
    return [*summary_lines(result), f"Result: {out}"], list(result.warnings)


def summary_lines(result: ComparisonResult) -> list[str]:
    """The main figures of a comparison."""
    found = result.comparison
    lines = [f"Voxels: {_errors(found.errors)}", f"SSIM {found.ssim:.4f}, PSNR {found.psnr_db:.1f} dB",
             *(f"Gamma {gamma.criteria.title}: {gamma.pass_percent:.1f} % pass"
               for gamma in (found.gamma_global, found.gamma_local))]
    if found.statistics is not None:
        lines.append(f"Statistics: z has SD {found.statistics.sd_z:.2f}; {found.statistics.explained_percent:.0f} % of "
                     "the mean square difference is explained")
    if result.organ_errors is not None:
        lines.append(f"{result.organ_errors.me_mgy.count} organs: {_errors(result.organ_errors)}")
    return lines


def _errors(errors) -> str:
    return ", ".join(f"{ERRORS[key][0]} {spread.mean:.3g} {ERRORS[key][1]}"
                     for key, spread in errors.named().items())
