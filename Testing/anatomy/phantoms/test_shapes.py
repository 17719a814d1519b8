"""Solids against the volumes of geometry books."""

import math

import numpy as np
import pytest

from organdose.anatomy.phantoms.shapes import solid_from_json
from organdose.anatomy.phantoms.stylised_phantom import equation_volume_cm3
from organdose.errors import InputError

_FRUSTUM = {"cone": {"bottom": [1, 2, 0], "top": [4, -1, 6], "bottom_axes": [1, 2], "top_axes": [2, 4]}}


@pytest.mark.parametrize(("data", "volume_cm3"), [
    ({"ellipsoid": {"centre": [1, -2, 3], "semi_axes": [2, 3, 1.5]}}, 4 / 3 * math.pi * 2 * 3 * 1.5),
    ({"cylinder": {"along": "x", "centre": [0, 1], "semi_axes": [2, 1], "span": [-3, 4]}}, math.pi * 2 * 7),
    ({"torus": {"centre": [0, 0, 5], "axis": "z", "ring_radius": 4, "tube_radius": 1}}, 2 * math.pi**2 * 4),
    (_FRUSTUM, math.pi * 6 / 3 * 2 * (1 + 2 + 4)),
    ({"tube": {"points": [[0, 0, 0, 1], [0, 3, 4, 1]]}}, math.pi * 5 + 4 / 3 * math.pi),
    ({"slanted": {"slope": 0.4, "pivot_y": 2,
                  "shape": {"ellipsoid": {"centre": [0, 0, 0], "semi_axes": [2, 3, 2]}}}}, 4 / 3 * math.pi * 12),
    ({"mirrored": _FRUSTUM}, math.pi * 6 / 3 * 2 * 7),
    ({"turned": {"origin": [1, 1, 1], "axes": [[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]],
                 "shape": {"ellipsoid": {"centre": [0, 0, 0], "semi_axes": [3, 1, 2]}}}}, 4 / 3 * math.pi * 6),
    ({"all_of": [{"ellipsoid": {"centre": [0, 0, 0], "semi_axes": [3, 3, 3]}},
                 {"half_space": {"normal": [1, 1, 0], "value": 0}}]}, 2 / 3 * math.pi * 27),
    ({"all_of": [{"box": {"x": [0, 4], "y": [0, 4], "z": [0, 4]}},
                 {"outside": {"cylinder": {"along": "z", "centre": [2, 2], "semi_axes": [1, 1], "span": [-1, 9]}}}]},
     64 - 4 * math.pi),
    ({"outline": {"sections": [[0, 4, 3, 0.5, 2], [5, 4, 3, 0.5, 2]]}}, math.pi * 12 * 5),
    ({"outline": {"sections": [[0, 4, 3, 0, 2], [5, 4, 3, 0, 2]], "inset_cm": 1}}, math.pi * 6 * 5),
])
def test_the_volume_of_a_solid_is_that_of_its_formula(data, volume_cm3):
    assert equation_volume_cm3(solid_from_json(data, {}), 0.05) == pytest.approx(volume_cm3, rel=0.01)


def test_nothing_of_a_solid_lies_outside_its_bounds():
    generator = np.random.default_rng(1)
    points = generator.uniform(-12, 12, (3, 200_000))
    for data in (_FRUSTUM, {"turned": {"origin": [1, 0, 0], "axes": [[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]],
                                       "shape": {"cylinder": {"along": "y", "centre": [1, 0], "semi_axes": [1, 2],
                                                              "span": [-2, 5]}}}}):
        solid = solid_from_json(data, {})
        inside = points[:, solid.inside(*points)]
        assert inside.shape[1] > 100
        for row, (low, high) in zip(inside, solid.bounds):
            assert low <= row.min() and row.max() <= high


@pytest.mark.parametrize("data", [{"blob": {}}, {"ellipsoid": {"centre": [0, 0, 0]}}, {"organ": "tail"}, {},
                                  {"all_of": []}])
def test_a_solid_that_makes_no_sense_is_refused(data):
    with pytest.raises(InputError, match="solid"):
        solid_from_json(data, {}, "phantom.json")
