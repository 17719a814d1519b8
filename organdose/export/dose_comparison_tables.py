"""Tables of a comparison of dose maps: figures, organs, joint histogram; as rows, and as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from organdose.assess.dose_map_comparison import DoseMapComparison, JointHistogram
from organdose.assess.error_statistics import ErrorStatistics, Spread
from organdose.assess.gamma_index import GammaMap
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.assess.statistical_agreement import EXPECTED_PERCENT, StatisticalAgreement

FIGURE_COLUMNS = ("quantity", "value", "unit", "definition")
ORGAN_COLUMNS = tuple(field.name for field in fields(OrganDoseDifference))
SUMMARY_COLUMNS = ("quantity", "unit", "organs", "mean", "sd", "minimum", "maximum", "definition")
# Of the four errors: name in tables -> (name as the field writes it, unit, definition).
ERRORS = {"me_mgy": ("ME", "mGy", "mean of test - reference"), "mae_mgy": ("MAE", "mGy", "mean of |test - reference|"),
          "re_percent": ("RE", "%", "mean of (test - reference) / reference"),
          "rae_percent": ("RAE", "%", "mean of |test - reference| / reference")}
_MAPS = {"both": "both maps", "test": "the test alone", "reference": "the reference alone"}

Figure = tuple[str, float, str, str]


def comparison_figures(found: DoseMapComparison) -> list[Figure]:
    """(quantity, value, unit, definition) of every figure over voxels; NaN where one has no meaning."""
    pair = found.pair
    top = f"data range {pair.normalisation_mgy:.4g} mGy"
    return [
        *_counts(found), *_errors(found.errors),
        ("RMS difference", found.errors.rms_mgy, "mGy", "square root of the mean of (test - reference)^2"),
        ("correlation", found.errors.correlation, "1", "Pearson's"),
        ("SSIM", found.ssim, "1", f"3-D, Gaussian window of sigma 1.5 voxels, {top}; mean over the voxels"),
        ("PSNR", found.psnr_db, "dB", f"10 log10(range^2 / mean square difference), {top}"),
        *_gamma(found.gamma_global), *_gamma(found.gamma_local), *_statistics(found.statistics)]


def _counts(found: DoseMapComparison) -> list[Figure]:
    counts, pair = found.pair.counts, found.pair
    return [
        ("normalisation", pair.normalisation_mgy, "mGy", "the reference's maximum in the region, unless given"),
        ("low dose", pair.low_dose_mgy, "mGy", "below it neither gamma nor relative errors"),
        ("voxels in the region", counts.wanted, "", "reference voxels to be compared"),
        ("voxels compared", counts.compared, "", "those of them in which both maps have a dose"),
        ("voxels outside the test map", counts.outside_test, "", "left out"),
        ("voxels that hold no number", counts.not_finite, "", "left out"),
        ("voxels with dose in the test alone", counts.only_test, "",
         "outside the region; test from twice the low dose on, reference below it"),
        ("test voxels outside the reference", counts.outside_reference, "", "above the low dose; left out")]


def _errors(errors: ErrorStatistics) -> list[Figure]:
    rows: list[Figure] = []
    for key, spread in errors.named().items():
        name, unit, definition = ERRORS[key]
        rows += [(name, spread.mean, unit, f"{definition}; {spread.count} voxels"),
                 (f"{name} SD", spread.sd, unit, "over voxels"), (f"{name} minimum", spread.minimum, unit, ""),
                 (f"{name} maximum", spread.maximum, unit, "")]
    return rows


def _gamma(gamma: GammaMap) -> list[Figure]:
    criteria = gamma.criteria
    cutoff = f"reference from {criteria.cutoff_percent:.3g} % of {criteria.normalisation_mgy:.4g} mGy on"
    name = f"gamma {criteria.title}"
    return [(f"{name} pass rate", gamma.pass_percent, "%", f"gamma up to 1, of {gamma.evaluated} voxels; {cutoff}"),
            (f"{name} mean", gamma.mean, "1", f"gamma above {criteria.max_gamma:g} counts as {criteria.max_gamma:g}"),
            (f"{name} 95th percentile", gamma.percentile_95, "1", ""),
            (f"{name} voxels at the maximum", gamma.capped, "", f"gamma of {criteria.max_gamma:g} or more")]


def _statistics(found: StatisticalAgreement | None) -> list[Figure]:
    if found is None:
        return []
    return [
        ("z mean", found.mean_z, "1", f"(test - reference) / standard uncertainty of {_MAPS[found.maps]}; 0 expected"),
        ("z SD", found.sd_z, "1", "1 expected where both maps estimate the same dose"),
        *((f"z within {limit}", found.within_percent[limit], "%", f"{expected:g} % expected")
          for limit, expected in EXPECTED_PERCENT.items()),
        ("explained by statistics", found.explained_percent, "%",
         "mean variance stated over mean square difference; 100 %: statistics alone"),
        ("difference beyond statistics", found.systematic_rms_mgy, "mGy",
         "root mean square difference after the statistical one was taken off in quadrature"),
        ("voxels without z", found.without, "", "nothing scored, or no uncertainty stated")]


def organ_summary(errors: ErrorStatistics) -> list[dict[str, object]]:
    """ME, MAE, RE and RAE over organs: a row each, by `SUMMARY_COLUMNS`."""
    return [{"quantity": name, "unit": unit, **spread_cells(spread, "organs"), "definition": f"{definition}, of organs"}
            for (name, unit, definition), spread in ((ERRORS[key], spread) for key, spread in errors.named().items())]


def spread_cells(spread: Spread, count_name: str) -> dict[str, object]:
    """A `Spread` as cells: the number of values under `count_name`, mean, sd, minimum, maximum."""
    cells = asdict(spread)
    return {count_name: cells.pop("count"), **cells}


def write_figures_csv(path: Path, figures: Iterable[Figure]) -> None:
    """Write `comparison.csv`."""
    write_table(path, FIGURE_COLUMNS, [dict(zip(FIGURE_COLUMNS, figure)) for figure in figures])


def write_organ_comparison_csv(path: Path, rows: Iterable[OrganDoseDifference]) -> None:
    """Write `organ_comparison.csv`, a line an organ."""
    write_table(path, ORGAN_COLUMNS, [asdict(row) for row in rows])


def write_organ_summary_csv(path: Path, errors: ErrorStatistics) -> None:
    """Write `organ_summary.csv`: the four errors over organs."""
    write_table(path, SUMMARY_COLUMNS, organ_summary(errors))


def write_joint_histogram_csv(path: Path, histogram: JointHistogram) -> None:
    """Write `joint_histogram.csv`: a line for each pair of bins that holds a voxel."""
    edges = histogram.edges_mgy
    write_table(path, ("reference_from_mgy", "reference_to_mgy", "test_from_mgy", "test_to_mgy", "voxels"), [
        {"reference_from_mgy": edges[r], "reference_to_mgy": edges[r + 1], "test_from_mgy": edges[t],
         "test_to_mgy": edges[t + 1], "voxels": int(histogram.counts[r, t])}
        for r, t in np.argwhere(histogram.counts > 0)])


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as CSV: six significant digits, UTF-8; an empty cell is a number that has no meaning."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row[column]) for column in columns])


def _cell(value: object) -> object:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value
