"""One look for every picture: images on a dark ground, plots on white, the same inks everywhere."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER = "#1c2530", "#5c6876", "#dfe4ea", "#ffffff"
DARK, DARK_INK, DARK_MUTED = "#0e1216", "#eef2f6", "#9aa7b4"
BAR = "#8dbdcd"
# Paul Tol's "bright" and "high-contrast" hues, told apart by colour-blind readers too (Tol 2021, SRON/EPS/TN/09-002).
LINE_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#66ccee", "#ddaa33", "#004488", "#bb5566", "#44bb99",
                "#777777", "#332288", "#999933")
_PIXELS_PER_INCH = 150


def new_figure(width_in: float, height_in: float, *, dark: bool = False) -> Figure:
    """An empty figure of the house's look."""
    return Figure(figsize=(width_in, height_in), facecolor=DARK if dark else PAPER)


def style_plot(axes: Axes, x_label: str = "", y_label: str = "", grid: str = "both") -> None:
    """Plot axes on white: no box, light rules, labels in ink."""
    axes.set_facecolor(PAPER)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=3)
    axes.set_xlabel(x_label, color=INK, fontsize=10)
    axes.set_ylabel(y_label, color=INK, fontsize=10)
    axes.grid(True, axis=grid, color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)


def save_png(figure: Figure, path: Path) -> Path:
    """Write the figure; the same figure gives the same bytes (no software name, no date)."""
    figure.savefig(path, dpi=_PIXELS_PER_INCH, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return path
