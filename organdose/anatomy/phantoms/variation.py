"""Different patients from one stylised adult: seeded variation of stature, breadth, girth and organs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from organdose.anatomy.phantoms.shapes import Adjusted
from organdose.anatomy.phantoms.stylised_phantom import Phantom, PhantomPart

# (mean, standard deviation, lowest, highest) of normal distributions cut at both ends.
STATURE = (1.0, 0.04, 0.91, 1.09)
BREADTH = (1.0, 0.03, 0.94, 1.06)
GIRTH = (1.05, 0.07, 0.98, 1.22)
ORGAN_SIZE = (1.0, 0.05, 0.88, 1.10)
ORGAN_SHIFT_CM = (0.0, 0.35, -0.7, 0.7)


def vary(phantom: Phantom, seed: int) -> Phantom:
    """The patient that belongs to `seed`; seed 0 is the phantom itself.

    Every quantity is normal, cut at the ends of its range (mean, standard deviation, range):
    stature 1.00, 0.04, 0.91 to 1.09 (all lengths along z); breadth 1.00, 0.03, 0.94 to 1.06 (skeleton and organs in x
    and y, one number for both); girth 1.05, 0.07, 0.98 to 1.22 (body surface in x and y relative to the skeleton, most
    of it subcutaneous fat); for each of heart, kidneys, spleen, gallbladder, stomach, bladder and liver a size
    (lengths) 1.00, 0.05, 0.88 to 1.10 and a shift 0, 3.5 mm, +-7 mm along each axis, half of that in y. These spreads
    are about those of adults (stature, breadth) and of breathing and anatomy (organs); chosen by this project, not
    measured. Bones and vessels keep their place between patients of one size; where organs meet, the later one in the
    phantom's order yields; nothing leaves the body because each part is cut at its surface.
    """
    if seed == 0:
        return phantom
    generator = np.random.default_rng([seed, 1 if phantom.sex == "M" else 2])
    stature, breadth, girth = (_draw(generator, *law) for law in (STATURE, BREADTH, GIRTH))
    parts = tuple(_adjusted(part, generator) if part.moves else part for part in phantom.parts)
    scale = (breadth * phantom.scale[0], breadth * phantom.scale[1], stature * phantom.scale[2])
    return replace(phantom, parts=parts, scale=scale, girth=girth * phantom.girth, seed=seed)


def _adjusted(part: PhantomPart, generator: np.random.Generator) -> PhantomPart:
    growth = _draw(generator, *ORGAN_SIZE)
    shift = np.array([_draw(generator, *ORGAN_SHIFT_CM) for _ in range(3)]) * (1.0, 0.5, 1.0)
    centre = tuple((low + high) / 2 for low, high in part.solid.bounds)

    def moved(solid):
        return Adjusted(solid, centre, growth, tuple(float(s) for s in shift))

    contents = tuple((moved(solid), medium) for solid, medium in part.contents)
    return replace(part, solid=moved(part.solid), contents=contents)


def _draw(generator: np.random.Generator, mean: float, deviation: float, low: float, high: float) -> float:
    while True:
        value = generator.normal(mean, deviation)
        if low <= value <= high:
            return float(value)
