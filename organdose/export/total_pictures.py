"""Pictures of a whole examination: each part's share of the organ doses, the summed map, its histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from organdose.assess.total_organ_dose import TotalOrganDose
from organdose.export.figure_style import INK, LINE_COLOURS, MUTED, PAPER, new_figure, save_png, style_plot
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title

_MOST_BARS = 26


def draw_shares(parts: Sequence[str], totals: Sequence[TotalOrganDose], path: Path) -> Path:
    """Organ doses as bars stacked from the parts; where one lacks the organ the label says so. By falling total."""
    chosen = [total for total in totals if is_main_organ(total.organ)] or list(totals)
    shown = sorted(chosen, key=lambda total: -total.total_mgy)[:_MOST_BARS][::-1]
    figure = new_figure(9.5, 1.25 + 0.29 * len(shown))
    height = figure.get_figheight()
    axes = figure.add_axes([0.25, 0.62 / height, 0.68, 1 - 1.12 / height])
    style_plot(axes, "absorbed dose in mGy", grid="x")
    places, left = np.arange(len(shown)), np.zeros(len(shown))
    for number, part in enumerate(parts):
        doses = np.nan_to_num([total.parts_mgy[number] for total in shown])
        axes.barh(places, doses, left=left, height=0.64, color=LINE_COLOURS[number % len(LINE_COLOURS)], label=part,
                  edgecolor=PAPER, linewidth=0.6)
        left += doses
    stated = np.array([total.uncertainty_percent is not None for total in shown])
    if stated.any():
        error_mgy = np.array([total.total_mgy * (total.uncertainty_percent or 0) / 100 for total in shown])
        axes.errorbar(left[stated], places[stated], xerr=error_mgy[stated], fmt="none", ecolor=INK, elinewidth=1.6,
                      capsize=3, label="standard uncertainty of the total (k = 1)")
    for place, total in zip(places, shown):
        axes.annotate(_shares(total), (left[place], place), xytext=(7, 0), textcoords="offset points", va="center",
                      color=MUTED, fontsize=7.5)
    axes.set_yticks(places, [_label(total, parts) for total in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(0, 1.12 * max(left.max(), 1e-9))
    figure.legend(loc="upper left", bbox_to_anchor=(0.24, 0.995), frameon=False, ncols=len(parts) + 1, fontsize=8.5,
                  labelcolor=INK)
    return save_png(figure, path)


def _shares(total: TotalOrganDose) -> str:
    """30 : 70 %, in the order of the parts."""
    shares = total.shares_percent
    return "" if any(map(math.isnan, shares)) else " : ".join(f"{share:.0f}" for share in shares) + " %"


def _label(total: TotalOrganDose, parts: Sequence[str]) -> str:
    there = [part for part, mgy in zip(parts, total.parts_mgy, strict=True) if not math.isnan(mgy)]
    return short_title(total.organ) + ("" if total.is_whole else f" (only {', '.join(there)})")
