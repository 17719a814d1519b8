"""How much of an organ the image shows: an organ that the scan cuts has no organ dose of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from organdose.anatomy.organs import is_known, organ
from organdose.assess.organ_selection import Selection


@dataclass(frozen=True)
class Coverage:
    """`in_image_percent`: 100 where the organ ends inside the image, NaN where nobody can tell."""

    touches_image_edge: bool
    in_image_percent: float
    note: str = ""


def organ_coverage(selection: Selection, shape: tuple[int, int, int], mass_g: float, sex: str = "") -> Coverage:
    """Judge whether the image of `shape` (z, y, x) cuts the organ, and estimate how much of it is shown.

    An organ that ends inside the image is shown whole (100). For one that reaches the image's edge the part shown is
    estimated as its mass over the reference mass of ICRP Publication 89 (mass, not volume, so that lungs and bones
    are judged by the same rule); NaN where the vocabulary has no reference mass.
    """
    where = _edges(selection.box, shape)
    if not where:
        return Coverage(False, 100.0)
    cut = f"reaches {', '.join(where)}"
    reference_g = _reference_mass_g(selection.name, sex)
    if math.isnan(reference_g):
        return Coverage(True, math.nan, f"{cut}; part shown unknown")
    percent = 100.0 * mass_g / reference_g
    if percent >= 100.0:
        return Coverage(True, math.nan, f"{cut}; part shown unknown (heavier than the reference, {reference_g:,.6g} g)")
    return Coverage(True, percent, f"{cut}; part shown estimated (reference mass {reference_g:,.6g} g)")


def _edges(box: tuple[slice, slice, slice], shape: tuple[int, int, int]) -> list[str]:
    edges = []
    if box[0].start == 0:
        edges.append("the first slice")
    if box[0].stop == shape[0]:
        edges.append("the last slice")
    if any(part.start == 0 or part.stop == size for part, size in zip(box[1:], shape[1:], strict=True)):
        edges.append("the side border")
    return edges


def _reference_mass_g(name: str, sex: str) -> float:
    """Reference mass in g; the mean of both sexes where the sex is not known or has none; NaN without any."""
    masses_g = organ(name).reference_mass_g if is_known(name) else {}
    if sex in masses_g:
        return masses_g[sex]
    return sum(masses_g.values()) / len(masses_g) if masses_g else math.nan
