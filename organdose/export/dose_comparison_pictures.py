"""Pictures of a comparison of dose maps: slices of both, difference and gamma; joint histogram, z-scores, organs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import find_objects

from organdose.assess.dose_map_comparison import DoseMapComparison, JointHistogram
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.assess.statistical_agreement import StatisticalAgreement
from organdose.export.difference_scale import symmetric_limit
from organdose.export.figure_style import (
    DARK_INK,
    DARK_MUTED,
    INK,
    LINE_COLOURS,
    MUTED,
    RULE,
    new_figure,
    save_png,
    style_plot,
)
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title
from organdose.export.planes import AXIAL, CORONAL, LETTERS, SAGITTAL, TITLES
from organdose.progress import Progress

# Perceptually uniform for dose, diverging and fit for colour-blind readers for what has a neutral middle.
_DOSE, _DIFFERENCE, _GAMMA = colormaps["plasma"], colormaps["RdBu_r"], colormaps["RdYlBu_r"]
_PANEL_WIDTH_IN, _TALLEST_IN, _GAP_IN, _SIDE_IN, _HEAD_IN, _FOOT_IN = 3.1, 7.0, 0.18, 0.25, 0.62, 0.78
_MARGIN_VOXELS = 3


def write_comparison_pictures(folder: Path, found: DoseMapComparison, organs: Sequence[OrganDoseDifference] | None,
                              progress: Progress | None = None) -> list[Path]:
    """Write the pictures as PNG into `folder` (made when it is not there); returns the files."""
    progress = progress or Progress()
    folder.mkdir(parents=True, exist_ok=True)
    drawings = [lambda axis=axis: draw_maps(found, axis, folder / f"{TITLES[axis].lower()}.png")
                for axis in (AXIAL, CORONAL, SAGITTAL)]
    drawings.append(lambda: draw_joint_histogram(found.histogram, folder / "joint_histogram.png"))
    if found.statistics is not None:
        drawings.append(lambda: draw_z_scores(found.statistics, folder / "z_scores.png"))
    if organs and any(math.isfinite(row.relative_percent) for row in organs):
        drawings.append(lambda: draw_organ_errors(organs, folder / "organ_errors.png"))
    written = []
    for done, draw in enumerate(drawings):
        progress.report("Pictures", done / len(drawings))
        written.append(draw())
    return written


def draw_maps(found: DoseMapComparison, axis: int, path: Path) -> Path:
    """Reference, test, difference and gamma in the slice across `axis` that holds most dose."""
    pair = found.pair
    index = int(np.argmax(np.where(pair.region, pair.reference_mgy, 0).sum(axis=tuple({0, 1, 2} - {axis}))))
    dose = Normalize(0, float(np.percentile(pair.reference_mgy[pair.region], 99.5)))
    limit = symmetric_limit(found.difference_mgy[pair.region])
    gamma = found.gamma_global
    difference = np.where(pair.region, found.difference_mgy, np.nan)
    # A dose of exactly zero is none that somebody computed: the ground shows through.
    panels = (("Reference", _without_zero(pair.reference_mgy), _DOSE, dose, "absorbed dose in mGy", "max"),
              ("Test", _without_zero(pair.test_mgy), _DOSE, dose, "absorbed dose in mGy", "max"),
              ("Test - reference", difference, _DIFFERENCE, Normalize(-limit, limit), "difference in mGy", "both"),
              (f"Gamma {gamma.criteria.title}", gamma.gamma, _GAMMA, TwoSlopeNorm(1, 0, gamma.criteria.max_gamma),
               f"gamma; {gamma.pass_percent:.1f} % of all voxels pass", "neither"))
    rows, columns = [a for a in range(3) if a != axis]
    window = _window(pair.region)
    size_mm = [pair.reference.GetSpacing()[2 - a] * (window[a].stop - window[a].start) for a in (columns, rows)]
    height = min(_PANEL_WIDTH_IN * size_mm[1] / size_mm[0], _TALLEST_IN)
    width = height * size_mm[0] / size_mm[1]
    step = max(width, 2.2) + _GAP_IN
    figure = new_figure(2 * _SIDE_IN + 4 * step - _GAP_IN, _HEAD_IN + height + _FOOT_IN, dark=True)
    for number, panel in enumerate(panels):
        box = (_SIDE_IN + number * step, _FOOT_IN, width, height)
        _draw_panel(figure, box, np.take(panel[1], index, axis)[window[rows], window[columns]], axis, panel)
    position_mm = pair.reference.GetOrigin()[2 - axis] + index * pair.reference.GetSpacing()[2 - axis]
    figure.text(_SIDE_IN / figure.get_figwidth(), 1 - 0.12 / figure.get_figheight(), va="top", color=DARK_MUTED,
                s=f"{TITLES[axis]}, {'zyx'[axis]} = {position_mm:.0f} mm", fontsize=9)
    return save_png(figure, path)


def _without_zero(dose_mgy: np.ndarray) -> np.ndarray:
    return np.where(dose_mgy == 0, np.nan, dose_mgy)


def _window(region: np.ndarray) -> list[slice]:
    """The box (z, y, x) of the region with a margin, inside the map."""
    box = find_objects(region.astype(np.uint8))[0]
    return [slice(max(0, side.start - _MARGIN_VOXELS), min(size, side.stop + _MARGIN_VOXELS))
            for side, size in zip(box, region.shape)]


def _draw_panel(figure: Figure, box: tuple[float, float, float, float], values: np.ndarray, axis: int,
                panel: tuple) -> None:
    """One slice in its mm aspect with a colour bar below; `box` (left, bottom, width, height) in inches."""
    title, _, colours, scale, label, extend = panel
    across, upwards = figure.get_size_inches()
    axes = figure.add_axes([box[0] / across, box[1] / upwards, box[2] / across, box[3] / upwards])
    axes.set_facecolor("none")
    axes.imshow(np.ma.masked_invalid(values), cmap=colours, norm=scale, interpolation="nearest", aspect="auto",
                origin="upper" if axis == AXIAL else "lower")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(DARK_MUTED)
        spine.set_linewidth(0.5)
    axes.set_title(title, color=DARK_INK, fontsize=10, loc="left", pad=5)
    for letter, x, at in zip(LETTERS[axis][:2], (0.02, 0.98), ("left", "right")):
        axes.text(x, 0.02, letter, transform=axes.transAxes, ha=at, va="bottom", color=DARK_INK, fontsize=8.5)
    bar = figure.colorbar(ScalarMappable(scale, colours), orientation="horizontal", extend=extend,
                          cax=figure.add_axes([box[0] / across, (box[1] - 0.22) / upwards, box[2] / across,
                                               0.11 / upwards]))
    bar.ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    bar.outline.set_edgecolor(DARK_MUTED)
    bar.ax.tick_params(colors=DARK_INK, labelsize=8, color=DARK_MUTED)
    bar.set_label(label, color=DARK_INK, fontsize=8.5, labelpad=3)


def draw_joint_histogram(histogram: JointHistogram, path: Path) -> Path:
    """Test over reference dose, voxels by colour (logarithmic), with the line of equal doses."""
    figure = new_figure(6.4, 5.4)
    axes = figure.add_axes([0.12, 0.12, 0.66, 0.8])
    style_plot(axes, "reference dose in mGy", "test dose in mGy")
    edges, counts = histogram.edges_mgy, np.ma.masked_equal(histogram.counts.T, 0)
    scale = LogNorm(1, max(2, int(histogram.counts.max())))
    axes.pcolormesh(edges, edges, counts, cmap="viridis_r", norm=scale)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color=INK, linewidth=0.9)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(edges[0], edges[-1])
    bar = figure.colorbar(ScalarMappable(scale, "viridis_r"), cax=figure.add_axes([0.82, 0.12, 0.03, 0.8]))
    bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
    bar.set_label("voxels", color=INK, fontsize=10)
    return save_png(figure, path)


def draw_z_scores(found: StatisticalAgreement, path: Path) -> Path:
    """Histogram of z with the normal distribution that statistics alone would give."""
    figure = new_figure(7.2, 4.2)
    axes = figure.add_axes([0.1, 0.14, 0.86, 0.74])
    style_plot(axes, "z = (test - reference) / standard uncertainty", "part of the voxels per unit of z")
    widths = np.diff(found.z_edges)
    middles = 0.5 * (found.z_edges[1:] + found.z_edges[:-1])
    axes.bar(middles, found.z_counts / found.z_counts.sum() / widths, widths, color=LINE_COLOURS[0], alpha=0.45,
             label=f"{found.voxels} voxels: mean {found.mean_z:.2f}, SD {found.sd_z:.2f}")
    fine = np.linspace(found.z_edges[0], found.z_edges[-1], 400)
    axes.plot(fine, np.exp(-fine ** 2 / 2) / math.sqrt(2 * math.pi), color=LINE_COLOURS[1], linewidth=1.8,
              label="statistics alone")
    axes.set_xlim(found.z_edges[0], found.z_edges[-1])
    figure.legend(loc="upper right", bbox_to_anchor=(0.97, 0.995), frameon=False, ncols=2, fontsize=9, labelcolor=INK)
    return save_png(figure, path)


def draw_organ_errors(organs: Sequence[OrganDoseDifference], path: Path) -> Path:
    """Relative error of the main organs' mean doses, with the standard uncertainty of the difference where stated.

    Without a main organ among them: of all organs. `organ_comparison.csv` has them all.
    """
    known = [row for row in organs if math.isfinite(row.relative_percent)]
    shown = ([row for row in known if is_main_organ(row.organ)] or known)[::-1]
    figure = new_figure(8.4, 1.0 + 0.25 * len(shown))
    axes = figure.add_axes([0.27, 0.6 / figure.get_figheight(), 0.7, 1 - 0.8 / figure.get_figheight()])
    style_plot(axes, "(test - reference) / reference in %", grid="x")
    places, values = np.arange(len(shown)), np.array([row.relative_percent for row in shown])
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.hlines(places, 0, values, color=RULE, linewidth=3)
    error = np.array([abs(row.relative_percent / row.z) if math.isfinite(row.z) and row.z else math.nan
                      for row in shown])
    axes.errorbar(values, places, xerr=np.nan_to_num(error), fmt="o", color=LINE_COLOURS[0], ecolor=INK, markersize=5,
                  elinewidth=1.3)
    axes.set_yticks(places, [short_title(row.organ) for row in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.7, len(shown) - 0.3)
    if np.isfinite(error).any():
        axes.set_xlabel("(test - reference) / reference in %, with its standard uncertainty (k = 1)", color=INK,
                        fontsize=10)
    return save_png(figure, path)
