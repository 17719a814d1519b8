"""Plots of internal dose: activities over time, and the doses of several engines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import FuncFormatter

from organdose.anatomy.organs import is_known
from organdose.assess.engine_comparison import EngineComparison, EngineRow
from organdose.assess.organ_dose import OrganDose
from organdose.export.figure_style import INK, LINE_COLOURS, MUTED, new_figure, save_png, style_plot
from organdose.export.main_organs import is_main_organ, main_organs
from organdose.export.organ_look import short_title
from organdose.export.time_activity_tables import Curve

_MOST_CURVES, _MOST_ORGANS = 10, 12
_DECADES = 4  # of activity below the largest that a plot shows
_BAR_ROW_IN, _ORGAN_GAP_IN = 0.12, 0.13
_LEGEND_COLUMNS = 3


def draw_time_activity(curves: Sequence[Curve], path: Path) -> Path:
    """Activity of the organs with the most decays over time: the points, and the curves that were integrated."""
    shown = _shown(curves)
    figure = new_figure(9.5, 4.9)
    axes = figure.add_axes([0.085, 0.115, 0.65, 0.85])
    style_plot(axes, "hours after administration", "activity in MBq, as it was then")
    for number, (curve, colour) in enumerate(zip(shown, LINE_COLOURS)):
        axes.plot(curve.curve_s / 3600, curve.curve_bq / 1e6, color=colour, linewidth=1.7,
                  label=short_title(curve.organ), linestyle="-" if number % 2 == 0 else (0, (5, 1.2)))
        error_mbq = np.nan_to_num(curve.uncertainty_bq / 1e6)
        axes.errorbar(curve.times_s / 3600, curve.activity_bq / 1e6, yerr=error_mbq, fmt="o", color=colour,
                      markersize=5.5, markeredgecolor=INK, markeredgewidth=0.6, elinewidth=1.2)
    highest_mbq = max((np.nanmax(curve.curve_bq, initial=0.0) for curve in shown), default=0.0) / 1e6
    if highest_mbq > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        lowest_mbq = min(np.nanmin(curve.curve_bq[curve.curve_bq > 0], initial=np.inf) for curve in shown) / 1e6
        axes.set_ylim(max(lowest_mbq, highest_mbq * 10.0**-_DECADES), 1.5 * highest_mbq)
    axes.set_xlim(left=0)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=9.5, labelcolor=INK,
                handlelength=2.4)
    return save_png(figure, path)


def _shown(curves: Sequence[Curve]) -> list[Curve]:
    """Main organs, and whatever the user drew beside the vocabulary's (lesions), by falling decays."""
    known = [curve for curve in curves if curve.integral_bq_s > 0]
    chosen = [curve for curve in known if is_main_organ(curve.organ) or not is_known(curve.organ)] or known
    return sorted(chosen, key=lambda curve: -curve.integral_bq_s)[:_MOST_CURVES]


def draw_engines(comparison: EngineComparison, rows: Sequence[OrganDose], titles: Mapping[str, str],
                 path: Path) -> Path:
    """Mean doses of the main organs (of the table `rows`) by each engine as bars, and the differences from one.
    `titles`: of the engines."""
    by_organ = {row.organ: row for row in comparison.rows}
    organs = [row.organ for row in main_organs(rows, _MOST_ORGANS) if row.organ in by_organ][::-1]
    count, columns = len(comparison.engines), min(_LEGEND_COLUMNS, len(comparison.engines))
    head_in = 0.25 + 0.22 * math.ceil(count / columns)
    height = 0.62 + head_in + len(organs) * (_BAR_ROW_IN * count + _ORGAN_GAP_IN)
    figure = new_figure(9.5, height)
    bottom, up = 0.62 / height, 1 - (0.62 + head_in) / height
    doses = figure.add_axes([0.19, bottom, 0.42, up])
    differences = figure.add_axes([0.65, bottom, 0.32, up], sharey=doses)
    style_plot(doses, "mean absorbed dose in mGy", grid="x")
    style_plot(differences, f"difference from {titles.get(comparison.reference, comparison.reference)} in %", grid="x")
    places = np.arange(len(organs), dtype=float)
    for number, (name, colour) in enumerate(zip(comparison.engines, LINE_COLOURS)):
        at = places + (0.5 * (count - 1) - number) * 0.82 / count
        chosen = [by_organ[organ] for organ in organs]
        doses.barh(at, [row.mean_mgy[name] for row in chosen], height=0.74 / count, color=colour,
                   label=titles.get(name, name))
        if name != comparison.reference:
            differences.barh(at, _differences(chosen, name), height=0.74 / count, color=colour)
    doses.set_yticks(places, [short_title(organ) for organ in organs])
    doses.tick_params(axis="y", length=0)
    doses.set_ylim(-0.6, len(organs) - 0.4)
    doses.set_xlim(left=0)
    differences.axvline(0, color=MUTED, linewidth=1)
    differences.tick_params(axis="y", labelleft=False, length=0)
    figure.legend(loc="upper right", bbox_to_anchor=(0.985, 0.995), frameon=False, ncols=columns, fontsize=9,
                  labelcolor=INK)
    return save_png(figure, path)


def _differences(rows: Sequence[EngineRow], name: str) -> list[float]:
    return [row.difference_percent[name] for row in rows]
