"""Pictures of the patient in three planes: the dose over the CT with isodose lines, and the organs' outlines."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from organdose.anatomy.organs import expand
from organdose.anatomy.organs import organs as vocabulary
from organdose.assess.organ_selection import BODY, REMAINDER
from organdose.export.figure_style import DARK, DARK_INK, DARK_MUTED, new_figure, save_png
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import colour, title
from organdose.export.panel_layout import Layout, panel_layout
from organdose.export.planes import AXIAL, LETTERS, Plane, PlaneViews

WINDOW_HU = (-160.0, 240.0)  # soft tissue: centre 40, width 400
DOSE_COLOURS = colormaps["plasma"]  # perceptually uniform
_TRANSPARENT_BELOW = 0.04  # part of the colour scale under which the CT shows through untouched
_OVERLAY_OPACITY = 0.55
_ISODOSE_LINES = 8
_EVERYWHERE = (BODY, "skin", "skeletal_muscle", "subcutaneous_fat", "torso_fat", "couch")
_SCALE_BAR_FROM_IN = 1.0  # a lower panel has no room for it
_MOST_LEGEND_ENTRIES, _LEGEND_COLUMN_IN, _LEGEND_LINE_IN = 30, 2.3, 0.178


def draw_dose(views: PlaneViews, planes: list[Plane], path: Path) -> Path:
    """CT and dose overlay with isodose lines in mGy and one colour bar. `planes`: axial, coronal, sagittal."""
    figure, panels, side = _three_panels(views, planes)
    scale = Normalize(0, views.highest_shown_mgy)
    levels = dose_levels(scale.vmax)
    for axes, plane in zip(panels, planes, strict=True):
        draw_dose_panel(axes, views, plane, scale, levels)
    _dose_colour_bar(figure, side, scale, levels)
    return save_png(figure, path)


def draw_overlay(views: PlaneViews, planes: list[Plane], path: Path, label: str) -> Path:
    """CT and overlay of any quantity, without lines; `label` stands beside the colour bar."""
    figure, panels, side = _three_panels(views, planes)
    scale = Normalize(0, views.highest_shown_mgy)
    for axes, plane in zip(panels, planes, strict=True):
        _draw_ct(axes, views, plane)
        _draw_overlay(axes, views, plane, scale)
        _finish(axes, views, plane)
    _dose_colour_bar(figure, side, scale, dose_levels(scale.vmax), label)
    return save_png(figure, path)


def dose_levels(highest_mgy: float) -> list[float]:
    """Round doses in mGy for isodose lines below `highest_mgy`, the end of the colour scale."""
    ticks = MaxNLocator(_ISODOSE_LINES, steps=[1, 2, 2.5, 5, 10]).tick_values(0, highest_mgy)
    return [level for level in ticks if _TRANSPARENT_BELOW * highest_mgy < level < highest_mgy]


def draw_dose_panel(axes: Axes, views: PlaneViews, plane: Plane, scale: Normalize, levels: list[float]) -> None:
    """One plane: CT, dose, isodose lines, letters and a scale bar."""
    _draw_ct(axes, views, plane)
    _draw_overlay(axes, views, plane, scale)
    _draw_isodoses(axes, views, plane, levels)
    _finish(axes, views, plane)


def draw_grey_panel(axes: Axes, views: PlaneViews, plane: Plane) -> None:
    """One plane of the CT, letters and a scale bar, to draw over."""
    _draw_ct(axes, views, plane)
    _finish(axes, views, plane)


def draw_organs(views: PlaneViews, planes: list[Plane], path: Path) -> Path:
    """The CT with the outlines of all drawn organs in the colours of the vocabulary, and a legend."""
    areas = [{name: area for name in views.masks.names if name != REMAINDER
              and (area := np.count_nonzero(views.slice_mask(plane, name)))} for plane in planes]
    entries = _legend_entries(views, areas)
    width_in = _layout(views, planes, foot_in=_LEGEND_LINE_IN).side.width
    lines = math.ceil(min(len(entries), _MOST_LEGEND_ENTRIES) / _legend_columns(width_in))
    figure, panels, side = _three_panels(views, planes, foot_in=_LEGEND_LINE_IN * lines + 0.1)
    for axes, plane, names in zip(panels, planes, areas, strict=True):
        _draw_ct(axes, views, plane)
        _draw_outlines(axes, views, plane, names)
        _finish(axes, views, plane)
    _organ_legend(side, entries)
    return save_png(figure, path)


def _three_panels(views: PlaneViews, planes: list[Plane], foot_in: float = 0.0) -> tuple[Figure, list[Axes], Axes]:
    """Dark figure, axes of the axial, coronal and sagittal panel in their mm aspect, and axes for bar or legend."""
    layout = _layout(views, planes, foot_in)
    figure = new_figure(layout.width_in, layout.height_in, dark=True)
    panels = [figure.add_axes(layout.fractions(box)) for box in layout.panels]
    side = figure.add_axes(layout.fractions(layout.side))
    side.set_axis_off()
    return figure, panels, side


def _layout(views: PlaneViews, planes: list[Plane], foot_in: float) -> Layout:
    return panel_layout(*(_size_mm(views.window_mm(plane)) for plane in planes), foot_in=foot_in)


def _size_mm(window: tuple[float, float, float, float]) -> tuple[float, float]:
    left, right, bottom, top = window
    return abs(right - left), abs(top - bottom)


def _draw_ct(axes: Axes, views: PlaneViews, plane: Plane) -> None:
    axes.imshow(views.slice_hu(plane), cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1], interpolation="bilinear",
                extent=views.extent_mm(plane), origin=_origin(plane), aspect="equal")


def _origin(plane: Plane) -> str:
    return "upper" if plane.axis == AXIAL else "lower"


def _draw_overlay(axes: Axes, views: PlaneViews, plane: Plane, scale: Normalize) -> None:
    dose_mgy = views.slice_dose_mgy(plane)
    part = np.clip(scale(dose_mgy).filled(0), 0, 1)
    colours = DOSE_COLOURS(part)
    colours[..., 3] = _OVERLAY_OPACITY * np.clip(part / _TRANSPARENT_BELOW - 1, 0, 1) * views.slice_body(plane)
    axes.imshow(colours, extent=views.extent_mm(plane), origin=_origin(plane), interpolation="bilinear", aspect="equal")


def _draw_isodoses(axes: Axes, views: PlaneViews, plane: Plane, levels: list[float]) -> None:
    dose_mgy = np.ma.masked_where(~views.slice_body(plane), views.slice_dose_mgy(plane, smooth=True))
    if min(dose_mgy.shape) < 2 or dose_mgy.count() == 0:
        return
    inside = [level for level in levels if dose_mgy.min() < level < dose_mgy.max()]
    if not inside:
        return
    lines = axes.contour(dose_mgy, levels=inside, extent=views.extent_mm(plane), origin=_origin(plane),
                         colors=DARK_INK, linewidths=0.75, alpha=0.9)
    outline = [patheffects.withStroke(linewidth=1.8, foreground=DARK)]
    for text in axes.clabel(lines, fmt="%g", fontsize=7, inline_spacing=2):
        text.set_path_effects(outline)


def _draw_outlines(axes: Axes, views: PlaneViews, plane: Plane, names: Iterable[str]) -> None:
    """Outline and tint each organ; below them, with a thin line only, the body, bones and tissues found everywhere."""
    thin_lined = {*_EVERYWHERE, *expand("bones", views.masks.names)}
    tint = np.zeros((*views.slice_hu(plane).shape, 4))
    for name in sorted(names, key=lambda name: name not in thin_lined):
        mask = views.slice_mask(plane, name)
        if min(mask.shape) < 2:
            continue
        thin = name in thin_lined
        axes.contour(mask.astype(np.float32), levels=[0.5], extent=views.extent_mm(plane), origin=_origin(plane),
                     colors=[colour(name)], linewidths=0.6 if thin else 1.3)
        if not thin:
            tint[mask] = (*colour(name), 0.28)
    axes.imshow(tint, extent=views.extent_mm(plane), origin=_origin(plane), interpolation="nearest", zorder=1)


def _finish(axes: Axes, views: PlaneViews, plane: Plane) -> None:
    """Crop to the body, title, orientation letters, a scale bar."""
    left, right, bottom, top = views.window_mm(plane)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    axes.set_title(plane.title, color=DARK_INK, fontsize=9.5, loc="left", pad=5)
    places = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"),
              (0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom"))
    for letter, (x, y, across, along) in zip(LETTERS[plane.axis], places, strict=True):
        axes.text(x, y, letter, transform=axes.transAxes, ha=across, va=along, color=DARK_INK, fontsize=9,
                  path_effects=[patheffects.withStroke(linewidth=2, foreground=DARK)])
    if axes.get_window_extent().height / axes.figure.dpi > _SCALE_BAR_FROM_IN:
        _scale_bar(axes, abs(right - left))


def _scale_bar(axes: Axes, width_mm: float) -> None:
    length_mm = 100 if width_mm > 250 else 50
    halo = [patheffects.withStroke(linewidth=2.5, foreground=DARK)]
    bar, text = (axes.transAxes + ScaledTranslation(0, points / 72, axes.figure.dpi_scale_trans) for points in (7, 10))
    axes.plot([0.03, 0.03 + length_mm / width_mm], [0, 0], transform=bar, color=DARK_INK, linewidth=2,
              solid_capstyle="butt", path_effects=halo)
    axes.text(0.03, 0, f"{length_mm // 10} cm", transform=text, color=DARK_INK, fontsize=7.5, va="bottom",
              path_effects=halo)


def _dose_colour_bar(figure: Figure, side: Axes, scale: Normalize, levels: list[float],
                     label: str = "absorbed dose in mGy") -> None:
    """A colour bar in the side space: upright at its left, or lying at its top where the space is wide."""
    place, (width_in, height_in) = side.get_position(), figure.get_size_inches()
    space_in = place.width * width_in, place.height * height_in
    if space_in[0] > space_in[1]:
        length = min(4.5, 0.7 * space_in[0]) / width_in
        box = [place.x0 + 0.1 / width_in, place.y1 - 0.45 / height_in, length, 0.17 / height_in]
    else:
        length = min(3.4, 0.8 * space_in[1]) / height_in
        box = [place.x0 + 0.12 / width_in, place.y0 + (place.height - length) / 2, 0.17 / width_in, length]
    bar = figure.colorbar(ScalarMappable(scale, DOSE_COLOURS), cax=figure.add_axes(box), extend="max",
                          ticks=[0, *levels], orientation="horizontal" if box[2] > box[3] else "vertical")
    bar.outline.set_edgecolor(DARK_MUTED)
    bar.ax.tick_params(colors=DARK_INK, labelsize=9, color=DARK_MUTED)
    bar.set_label(label, color=DARK_INK, fontsize=9.5, labelpad=7)


def _legend_entries(views: PlaneViews, areas: list[dict[str, int]]) -> list[str]:
    """Names for the legend, bones as one: the main organs and their parts first, then by the size of their sections."""
    seen: dict[str, int] = {}
    bones = set(expand("bones", views.masks.names))
    for name, area in (item for panel in areas for item in panel.items()):
        if name != BODY:
            entry = "bones" if name in bones else name
            seen[entry] = seen.get(entry, 0) + area
    main = {part for name in vocabulary() if is_main_organ(name) for part in expand(name, seen)}
    return sorted(seen, key=lambda name: (name not in main, -seen[name]))


def _organ_legend(side: Axes, entries: list[str]) -> None:
    """As many of `entries` as the space holds, in columns."""
    width_in, height_in = side.get_window_extent().size / side.figure.dpi
    columns = _legend_columns(width_in)
    fitting = columns * max(1, int(height_in / _LEGEND_LINE_IN))
    shown = entries if len(entries) <= fitting else entries[:fitting - 1]
    handles = [Line2D([], [], color=colour(name), linewidth=5, label=title(name))
               for name in shown]
    if len(shown) < len(entries):
        handles.append(Line2D([], [], color="none", label=f"and {len(entries) - len(shown)} more"))
    if handles:
        side.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0, 1, 1), borderaxespad=0, frameon=False,
                    fontsize=8.5, labelcolor=DARK_INK, handlelength=1.0, ncols=columns, labelspacing=0.45,
                    mode="expand" if len(handles) > columns else None)


def _legend_columns(width_in: float) -> int:
    return max(1, int(width_in / _LEGEND_COLUMN_IN))
