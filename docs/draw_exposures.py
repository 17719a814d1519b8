"""The pictures and tables of docs/exposures.md.

    python docs/draw_exposures.py OUT [--photons 20000000]

Writes two pictures for each pair of exposures into OUT, and prints the organ doses and how much the start angle of a
helix matters as Markdown tables.
"""

import argparse
from pathlib import Path

from PIL import Image

from organdose.export.compared_slices import draw_compared_doses, draw_compared_profiles
from organdose.terminal import progress_on_terminal
from organdose.validation.exposure_examples import (
    exposed,
    exposed_phantom,
    exposure_pairs,
    markdown_table,
    plane_of,
)
from organdose.validation.start_angle_spread import start_angle_spreads

_COLOURS = 256
_PITCHES = (0.6, 0.74, 0.9, 1.0, 1.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--photons", type=int, default=20_000_000)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables = []
    progress, display = progress_on_terminal()
    with display:
        phantom = exposed_phantom(progress=progress)
        for pair in exposure_pairs(phantom):
            cases = exposed(phantom, pair, histories=arguments.photons, progress=progress)
            views = {case.label: case.views for case in cases}
            plane = cases[0].views.plane(pair.plane, plane_of(pair, phantom))
            _few_colours(draw_compared_doses(views, plane, arguments.out / f"{pair.name}-dose.png",
                                             ends_mm=pair.ends_mm, outlined=pair.outlined))
            _few_colours(draw_compared_profiles(views, pair.profile_axis, arguments.out / f"{pair.name}-profile.png",
                                                ends_mm=pair.ends_mm))
            tables += [f"## {pair.title}", "", *(_facts(case) for case in cases), "", *markdown_table(cases), ""]
        spreads = start_angle_spreads(_PITCHES, histories=arguments.photons // 2, progress=progress)
    tables += ["| pitch | spread between start angles |", "| --- | --- |",
               *(f"| {pitch:g} | {percent:.0f} % |" for pitch, percent in spreads.items())]
    print("\n".join(tables))


def _few_colours(path: Path) -> None:
    """A palette makes a picture a quarter as large, for a repository that keeps every version of it."""
    with Image.open(path) as picture:
        # The octree spreads its colours over all there are, so that colour bars stay smooth.
        small = picture.convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def _facts(case) -> str:
    facts = case.dose.facts
    return (f"{case.label}: CTDIvol {facts['ctdivol_mean_mgy']:.2f} mGy, DLP {facts['dlp_mgy_cm']:.1f} mGy cm, "
            f"{facts['histories']:,} photons")


if __name__ == "__main__":
    main()
