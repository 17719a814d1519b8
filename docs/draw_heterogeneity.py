"""The pictures and the table of docs/voxel-s-values.md: every voxel method across borders of media.

    python docs/draw_heterogeneity.py OUT [--decays 10000000]

Writes a picture for each medium beside soft tissue into OUT, and prints differences to Monte Carlo as Markdown.
"""

import argparse
from pathlib import Path

from PIL import Image

from organdose.export.figure_style import INK, LINE_COLOURS, MUTED, RULE, new_figure, save_png, style_plot
from organdose.terminal import progress_on_terminal
from organdose.validation.heterogeneity import INTERFACES, MONTE_CARLO, NUCLIDES, border_doses, table_lines

_COLOURS = 64
_SHOWN_MM = 80.0
_DASHES = ("-", "-", (0, (5, 2)), (0, (1.5, 1.5)))  # so that methods that agree are all seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--decays", type=int, default=10_000_000)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = []
    progress, display = progress_on_terminal()
    with display:
        for name, medium in INTERFACES.items():
            doses = [border_doses(nuclide, medium, histories=arguments.decays, progress=progress)
                     for nuclide in NUCLIDES]
            draw(doses, arguments.out / f"heterogeneity-{name}.png")
            lines += [f"| nuclide | place | {' | '.join(doses[0].methods)} |",
                      "| --- | --- |" + " ---: |" * len(doses[0].methods),
                      *(line for each in doses for line in table_lines(each)), ""]
            lines += [f"Monte Carlo of {each.nuclide}: {100 * each.monte_carlo_uncertainty.max():.2f} % at most"
                      for each in doses] + [""]
    print("\n".join(lines))


def draw(doses, path: Path) -> None:
    """Dose over depth above, difference to Monte Carlo below, a column for each nuclide."""
    figure = new_figure(12.0, 6.6)
    tops, bottoms = figure.subplots(2, len(doses), gridspec_kw={"height_ratios": (1.15, 1)})
    for each, top, bottom in zip(doses, tops, bottoms):
        style_plot(top, "", "dose in mGy" if top is tops[0] else "")
        style_plot(bottom, "distance from the border in mm", "difference to Monte Carlo in %" if top is tops[0] else "")
        shown = abs(each.depth_mm) < _SHOWN_MM
        depth, reference = each.depth_mm[shown], each.dose_mgy[MONTE_CARLO][shown]
        top.step(depth, reference, where="mid", color=INK, linewidth=2.2, label=MONTE_CARLO)
        for method, colour, dashes in zip(each.methods, LINE_COLOURS, _DASHES):
            look = {"where": "mid", "color": colour, "linewidth": 1.6, "linestyle": dashes}
            top.step(depth, each.dose_mgy[method][shown], label=method, **look)
            bottom.step(depth, each.percent(method)[shown], **look)
        bottom.axhline(0.0, color=INK, linewidth=1.0)
        for axes in (top, bottom):
            axes.axvline(0.0, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.set_xlim(-_SHOWN_MM, _SHOWN_MM)
        top.set_ylim(0.0, 1.2 * max(dose[shown].max() for dose in each.dose_mgy.values()))
        bottom.set_ylim(-100, 100)
        top.set_title(each.nuclide, color=INK, fontsize=11)
        for place, name in ((0.25, "soft tissue"), (0.75, each.medium.material.name.split(" (")[0])):
            top.text(place, 0.96, name, transform=top.transAxes, ha="center", va="top", color=MUTED, fontsize=9,
                     bbox={"facecolor": "white", "edgecolor": RULE, "boxstyle": "round,pad=0.25"})
    handles, labels = tops[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False, fontsize=9.5, labelcolor=INK)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.88, bottom=0.085, hspace=0.18, wspace=0.16)
    _few_colours(save_png(figure, path))


def _few_colours(path: Path) -> None:
    """A palette makes a picture a quarter as large, for a repository that keeps every version of it."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
