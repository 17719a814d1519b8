"""Tables and the picture of a cohort of dose comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from organdose.assess.group_statistics import GroupDifference, GroupErrors
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.export.dose_comparison_tables import ERRORS, Figure, spread_cells, write_table
from organdose.export.figure_style import INK, LINE_COLOURS, MUTED, new_figure, save_png, style_plot
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title

STATISTICS_COLUMNS = ("organ", "group", "quantity", "unit", "patients", "mean", "sd", "minimum", "maximum",
                      "normality_p", "paired_t_p", "paired_t_adjusted_p", "wilcoxon_p", "wilcoxon_adjusted_p")
DIFFERENCE_COLUMNS = tuple(field.name for field in fields(GroupDifference))
_TESTS = ("normality_p", "paired_t_p", "paired_t_adjusted_p", "wilcoxon_p", "wilcoxon_adjusted_p")


def write_cohort_figures_csv(path: Path, labels: Sequence[tuple[str, str]],
                             figures: Sequence[Sequence[Figure]]) -> None:
    """Write `cohort.csv`: every voxel figure of every pair; `labels` are (patient, group)."""
    write_table(path, ("patient", "group", "quantity", "value", "unit"), [
        {"patient": patient, "group": group, "quantity": quantity, "value": value, "unit": unit}
        for (patient, group), each in zip(labels, figures) for quantity, value, unit, _ in each])


def write_cohort_organs_csv(path: Path, labels: Sequence[tuple[str, str]],
                            organs: Sequence[Sequence[OrganDoseDifference]]) -> None:
    """Write `cohort_organs.csv`: the organ rows of every pair."""
    columns = ("patient", "group", *(field.name for field in fields(OrganDoseDifference)))
    write_table(path, columns, [{"patient": patient, "group": group, **asdict(row)}
                                for (patient, group), rows in zip(labels, organs) for row in rows])


def write_organ_statistics_csv(path: Path, rows: Iterable[GroupErrors]) -> None:
    """Write `organ_statistics.csv`: four errors of each organ over each group's patients; tests stand beside ME."""
    table = []
    for row in rows:
        for key, spread in row.errors.named().items():
            name, unit, _ = ERRORS[key]
            tests = {test: getattr(row, test) if key == "me_mgy" else "" for test in _TESTS}
            table.append({"organ": row.organ, "group": row.group, "quantity": name, "unit": unit,
                          **spread_cells(spread, "patients"), **tests})
    write_table(path, STATISTICS_COLUMNS, table)


def write_group_tests_csv(path: Path, rows: Iterable[GroupDifference]) -> None:
    """Write `group_tests.csv`: Mann-Whitney of the relative errors of each organ in each pair of groups."""
    write_table(path, DIFFERENCE_COLUMNS, [asdict(row) for row in rows])


def draw_cohort_organ_errors(labels: Sequence[tuple[str, str]], organs: Sequence[Sequence[OrganDoseDifference]],
                             path: Path) -> Path | None:
    """Relative errors of the main organs of every patient: boxes over patients, one colour a group; None without."""
    values: dict[str, dict[str, list[float]]] = {}
    for (_, group), rows in zip(labels, organs):
        for row in rows:
            if np.isfinite(row.relative_percent):
                values.setdefault(row.organ, {}).setdefault(group, []).append(row.relative_percent)
    shown = ([organ for organ in values if is_main_organ(organ)] or list(values))[::-1]
    if not shown:
        return None
    groups = sorted({group for _, group in labels})
    figure = new_figure(8.4, 1.2 + 0.16 * (1 + len(groups)) * len(shown))
    axes = figure.add_axes([0.25, 0.6 / figure.get_figheight(), 0.72, 1 - 1.1 / figure.get_figheight()])
    style_plot(axes, "(test - reference) / reference in %", grid="x")
    axes.axvline(0, color=MUTED, linewidth=1)
    height = 0.8 / len(groups)
    for number, group in enumerate(groups):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        there = [place for place, organ in enumerate(shown) if group in values[organ]]
        at = [place + 0.4 - height * (number + 0.5) for place in there]
        if not there:
            continue
        axes.boxplot([values[shown[place]][group] for place in there], positions=at, orientation="horizontal",
                     widths=0.7 * height, manage_ticks=False, patch_artist=True,
                     boxprops={"facecolor": colour, "alpha": 0.45, "edgecolor": colour},
                     medianprops={"color": INK}, whiskerprops={"color": colour}, capprops={"color": colour},
                     flierprops={"marker": ".", "markeredgecolor": colour})
        axes.plot([], [], color=colour, linewidth=6, alpha=0.45, label=group)
    axes.set_yticks(np.arange(len(shown)), [short_title(organ) for organ in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    if len(groups) > 1:
        figure.legend(loc="upper right", bbox_to_anchor=(0.98, 0.995), frameon=False, ncols=4, fontsize=9,
                      labelcolor=INK)
    return save_png(figure, path)
