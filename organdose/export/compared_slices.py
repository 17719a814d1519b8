"""Two doses of one patient side by side: the same slice of both, what the second is more or less, and profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from organdose.export.figure_style import (
    DARK_INK,
    DARK_MUTED,
    INK,
    LINE_COLOURS,
    MUTED,
    new_figure,
    save_png,
    style_plot,
)
from organdose.export.organ_look import colour
from organdose.export.planes import AXIAL, Plane, PlaneViews
from organdose.export.slice_pictures import DOSE_COLOURS, dose_levels, draw_dose_panel, draw_grey_panel

CHANGE_COLOURS = colormaps["RdBu_r"]
_WIDTH_IN, _BAR_IN, _GAP_IN, _TITLE_IN, _MARGIN_IN = 8.5, 0.75, 0.12, 0.34, 0.15
_MOST_CHANGE = 0.5
_CHANGE_OPACITY = 0.88  # the CT only hints at the anatomy: its brightness must not be taken for change
_PROFILE_LABELS = {0: "z in mm (feet to head)", 1: "y in mm (front to back)", 2: "x in mm (right to left)"}


def draw_compared_doses(views: Mapping[str, PlaneViews], plane: Plane, path: Path, *,
                        ends_mm: Sequence[float] = (), outlined: Sequence[str] = ()) -> Path:
    """One plane of two doses on one colour scale, and the change from the first to the second in percent.

    `views`: label -> views, on one CT. `ends_mm`: z at which a dashed line is drawn (coronal and sagittal planes).
    `outlined`: organs to draw the outline of.
    """
    (first, second), labels = tuple(views.values()), tuple(views)
    figure, panels, bars = _figure(first, plane)
    scale = Normalize(0, max(first.highest_shown_mgy, second.highest_shown_mgy))
    levels = dose_levels(scale.vmax)
    for axes, each, label in zip(panels[:2], (first, second), labels, strict=True):
        draw_dose_panel(axes, each, plane, scale, levels)
        axes.set_title(f"{label[0].upper()}{label[1:]}", color=DARK_INK, fontsize=9.5, loc="left", pad=5)
    change_scale = _draw_change(panels[2], first, second, plane)
    for axes in panels:
        for end_mm in ends_mm if plane.axis != AXIAL else ():
            axes.axhline(end_mm, color=DARK_INK, linewidth=1, linestyle=(0, (5, 4)))
        for name in outlined:
            axes.contour(first.slice_mask(plane, name).astype(np.float32), levels=[0.5], colors=[colour(name)],
                         extent=first.extent_mm(plane), origin="upper" if plane.axis == AXIAL else "lower",
                         linewidths=1.4)
    _bar(figure, bars[0], ScalarMappable(scale, DOSE_COLOURS), "absorbed dose in mGy", "max")
    _bar(figure, bars[1], ScalarMappable(change_scale, CHANGE_COLOURS), "change in %", "both")
    return save_png(figure, path)


def _figure(views: PlaneViews, plane: Plane) -> tuple[Figure, list[Axes], list[list[float]]]:
    """Dark figure, three panels of the plane's shape, and the boxes of the bars behind the second and the third."""
    left, right, bottom, top = views.window_mm(plane)
    width = (_WIDTH_IN - 2 * _MARGIN_IN - 2 * _BAR_IN - 2 * _GAP_IN) / 3
    height = width * abs(top - bottom) / abs(right - left)
    figure = new_figure(_WIDTH_IN, height + _TITLE_IN + _MARGIN_IN, dark=True)
    tall = figure.get_figheight()
    starts = [_MARGIN_IN, _MARGIN_IN + width + _GAP_IN, _MARGIN_IN + 2 * width + 2 * _GAP_IN + _BAR_IN]
    panels = [figure.add_axes([start / _WIDTH_IN, _MARGIN_IN / tall, width / _WIDTH_IN, height / tall])
              for start in starts]
    bars = [[(start + width + 0.1) / _WIDTH_IN, (_MARGIN_IN + 0.15 * height) / tall, 0.13 / _WIDTH_IN,
             0.7 * height / tall] for start in starts[1:]]
    return figure, panels, bars


def _draw_change(axes: Axes, first: PlaneViews, second: PlaneViews, plane: Plane) -> Normalize:
    """Change of the smoothed dose within the body."""
    before_mgy, after_mgy = (each.slice_dose_mgy(plane, smooth=True) for each in (first, second))
    inside = first.slice_body(plane) & (before_mgy > 0)
    change = np.where(inside, after_mgy / np.where(inside, before_mgy, 1.0) - 1.0, 0.0)
    most = min(_MOST_CHANGE, max(0.1, float(np.ceil(20 * np.percentile(np.abs(change[inside]), 98)) / 20)))
    scale = Normalize(-100 * most, 100 * most)
    draw_grey_panel(axes, first, plane)
    colours = CHANGE_COLOURS(np.clip(scale(100 * change), 0, 1))
    colours[..., 3] = _CHANGE_OPACITY * inside
    axes.imshow(colours, extent=first.extent_mm(plane), origin="upper" if plane.axis == AXIAL else "lower",
                interpolation="bilinear", aspect="equal")
    axes.set_title("Change", color=DARK_INK, fontsize=9.5, loc="left", pad=5)
    return scale


def _bar(figure: Figure, box: list[float], mappable: ScalarMappable, label: str, extend: str) -> None:
    bar = figure.colorbar(mappable, cax=figure.add_axes(box), extend=extend)
    bar.outline.set_edgecolor(DARK_MUTED)
    bar.ax.tick_params(colors=DARK_INK, labelsize=8, color=DARK_MUTED)
    bar.set_label(label, color=DARK_INK, fontsize=8.5, labelpad=3)


def draw_compared_profiles(views: Mapping[str, PlaneViews], axis: int, path: Path, *, ends_mm: Sequence[float] = ()
                           ) -> Path:
    """Mean dose in the body for each slice across `axis` (0: z, 1: y, 2: x), a line for each dose."""
    figure = new_figure(8.5, 3.2)
    axes = figure.add_axes([0.08, 0.17, 0.9, 0.74])
    style_plot(axes, _PROFILE_LABELS[axis], "mean dose in the body in mGy")
    for (label, each), line_colour in zip(views.items(), LINE_COLOURS):
        image, at = each.ct, 2 - axis
        places_mm = image.GetOrigin()[at] + image.GetSpacing()[at] * np.arange(image.GetSize()[at])
        axes.plot(places_mm, each.mean_dose_profile_mgy(axis), color=line_colour, linewidth=1.6, label=label)
    for end_mm in ends_mm:
        axes.axvline(end_mm, color=MUTED, linewidth=1, linestyle=(0, (5, 4)), label="end of the scan range")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return save_png(figure, path)
