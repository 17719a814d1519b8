"""Plots of the result: organ doses, dose-volume histograms, the exposure along the patient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.export.figure_style import (
    BAR,
    INK,
    LINE_COLOURS,
    MUTED,
    PAPER,
    RULE,
    new_figure,
    save_png,
    style_plot,
)
from organdose.export.main_organs import main_organs
from organdose.export.organ_look import short_title
from organdose.export.planes import CORONAL, PlaneViews
from organdose.export.slice_pictures import WINDOW_HU
from organdose.study.facts import CTAcquisition

_MOST_CURVES, _MOST_BARS = 10, 24
_WIDEST_OVER_HIGH = 2.2  # the coronal picture beside the exposure is at most this wide for its height
# Facts with one value a slice, in the order of the panels: title, unit.
_PER_SLICE = {"tube_current_ma": ("Tube current", "mA"), "exposure_mas": ("Effective exposure", "mAs"),
              "ctdivol_mgy": ("CTDIvol", "mGy")}


def draw_organ_doses(rows: Sequence[OrganDose], path: Path) -> Path:
    """Mean dose of the main organs as bars, with the standard uncertainty and the range from D98 to D2."""
    shown = main_organs(rows, _MOST_BARS)[::-1]
    figure = new_figure(9.5, 1.1 + 0.29 * len(shown))
    axes = figure.add_axes([0.22, 0.62 / figure.get_figheight(), 0.75, 1 - 1.0 / figure.get_figheight()])
    style_plot(axes, "absorbed dose in mGy", grid="x")
    places, means = np.arange(len(shown)), np.array([row.mean_mgy for row in shown])
    axes.barh(places, means, height=0.62, color=BAR, label="mean")
    axes.hlines(places, [row.d98_mgy for row in shown], [row.d2_mgy for row in shown], color=MUTED, linewidth=1.4,
                label="D98 to D2")
    stated = [row.uncertainty_percent is not None for row in shown]
    if any(stated):
        error_mgy = np.array([row.mean_mgy * (row.uncertainty_percent or 0) / 100 for row in shown])
        axes.errorbar(means[stated], places[stated], xerr=error_mgy[stated], fmt="none", ecolor=INK, elinewidth=2.2,
                      capsize=3.5, label="standard uncertainty of the mean (k = 1)")
    axes.set_yticks(places, [_label(row) for row in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(left=0)
    figure.legend(loc="upper right", bbox_to_anchor=(0.985, 0.995), frameon=False, ncols=3, fontsize=8.5,
                  labelcolor=INK)
    return save_png(figure, path)


def _label(row: OrganDose) -> str:
    """The organ's short title, with a star where the image does not show all of it."""
    return short_title(row.organ) + ("" if row.in_image_percent >= 100 else " *")


def draw_dvh(histograms: Sequence[DoseVolumeHistogram], rows: Sequence[OrganDose], path: Path) -> Path:
    """Cumulative DVH of the main organs."""
    curves = {histogram.organ: histogram for histogram in histograms}
    shown = [row for row in main_organs(rows, len(rows)) if row.organ in curves][:_MOST_CURVES]
    figure = new_figure(9.5, 4.9)
    axes = figure.add_axes([0.075, 0.115, 0.66, 0.85])
    style_plot(axes, "absorbed dose in mGy", "volume receiving at least this dose in %")
    for number, (row, colour) in enumerate(zip(shown, LINE_COLOURS)):
        curve = curves[row.organ]
        axes.plot(curve.dose_mgy, curve.volume_percent, color=colour, linewidth=1.9, label=short_title(row.organ),
                  linestyle="-" if number % 2 == 0 else (0, (5, 1.2)))
    axes.set_ylim(0, 101)
    # Few hot voxels must not squeeze the curves: far beyond the highest D2 there is nothing to see.
    axes.set_xlim(0, min(max(row.max_mgy for row in shown), 1.6 * max(row.d2_mgy for row in shown)) or 1)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=9.5, labelcolor=INK,
                handlelength=2.4)
    return save_png(figure, path)


def draw_exposure(views: PlaneViews, acquisition: CTAcquisition, slice_positions_mm: Sequence[float], index: int,
                  path: Path) -> Path:
    """Coronal slice `index` beside what the tube did and the mean dose in the body, along one z axis."""
    left, right, bottom, top = _exposure_window_mm(views, index)
    panels = [(title, unit, getattr(acquisition, name).value) for name, (title, unit) in _PER_SLICE.items()
              if getattr(acquisition, name) is not None]
    panels.append(("Mean dose in the body", "mGy", tuple(views.mean_dose_profile_mgy(0))))
    height = float(np.clip(4.2 * abs(top - bottom) / abs(right - left), 2.4, 7.0))
    image_w = height * abs(right - left) / abs(top - bottom)
    panel_w, gap, foot, head = 1.75, 0.22, 0.55, 0.42
    width, total = 0.75 + image_w + len(panels) * (panel_w + gap) + 0.15, height + foot + head
    figure = new_figure(width, total)
    image = figure.add_axes([0.7 / width, foot / total, image_w / width, height / total])
    _draw_coronal(image, views, index, (left, right, bottom, top))
    for number, (title, unit, values) in enumerate(panels):
        at = 0.7 + image_w + gap + number * (panel_w + gap)
        axes = figure.add_axes([at / width, foot / total, panel_w / width, height / total], sharey=image)
        _draw_profile(axes, title, unit, values, slice_positions_mm, LINE_COLOURS[number])
    return save_png(figure, path)


def _exposure_window_mm(views: PlaneViews, index: int) -> tuple[float, float, float, float]:
    """(left, right, bottom, top) of the coronal picture: the whole scan along z; the middle part of a short one."""
    plane = views.plane(CORONAL, index)
    left, right, _, _ = views.window_mm(plane)
    bottom, top = views.extent_mm(plane)[2:]
    half_mm = min(0.5 * (right - left), 0.5 * _WIDEST_OVER_HIGH * (top - bottom))
    centre_mm = 0.5 * (left + right)
    return centre_mm - half_mm, centre_mm + half_mm, bottom, top


def _draw_coronal(axes: Axes, views: PlaneViews, index: int, window_mm: tuple[float, float, float, float]) -> None:
    plane = views.plane(CORONAL, index)
    axes.imshow(views.slice_hu(plane), cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], interpolation="bilinear",
                extent=views.extent_mm(plane), origin="lower", aspect="auto")
    left, right, bottom, top = window_mm
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xticks([])
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=3)
    axes.set_ylabel("z in mm (feet to head)", color=INK, fontsize=10)
    for spine in axes.spines.values():
        spine.set_color(RULE)
    for x, letter in ((0.02, "R"), (0.98, "L")):
        axes.text(x, 0.5, letter, transform=axes.transAxes, color=PAPER, ha="left" if x < 0.5 else "right", fontsize=9)


def _draw_profile(axes: Axes, title: str, unit: str, values: Sequence[float], positions_mm: Sequence[float],
                  colour: str) -> None:
    """One quantity along z; a single value holds for the whole scan."""
    along = np.broadcast_to(np.asarray(values, float), len(positions_mm)) if len(values) == 1 else np.asarray(values)
    style_plot(axes, unit, grid="both")
    axes.tick_params(axis="y", labelleft=False, length=0)
    axes.set_title(title, fontsize=9.5, color=INK, loc="left", pad=6)
    axes.fill_betweenx(positions_mm, 0, along, color=colour, alpha=0.13, linewidth=0)
    axes.plot(along, positions_mm, color=colour, linewidth=1.6)
    axes.set_xlim(0, 1.12 * float(np.nanmax(along)) or 1)
    axes.locator_params(axis="x", nbins=4)
