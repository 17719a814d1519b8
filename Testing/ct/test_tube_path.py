"""The tube's path: constructors, and one clear line for impossible ones."""

import math

import numpy as np
import pytest

from organdose.ct.tube_path import TubePath
from organdose.errors import InputError


def test_a_rotation_at_one_place_averages_the_angle_unless_told():
    path = TubePath.axial(30.0)
    assert path.z_mm.tolist() == [30.0] and path.start_angle_rad is None and path.arc_rad == pytest.approx(2 * math.pi)


def test_only_a_helical_scan_with_a_start_angle_couples_angle_and_place():
    z_mm, weight = np.array([0.0, 100.0]), np.ones(2)
    assert TubePath.helical(z_mm, weight, 40.0, start_angle_rad=1.0).angle_goes_with_z
    assert not TubePath.helical(z_mm, weight, 40.0).angle_goes_with_z
    assert not TubePath.localiser(z_mm, 0.5 * math.pi).angle_goes_with_z


def test_a_localiser_stands_still_and_shines_evenly():
    path = TubePath.localiser(np.array([-100.0, 300.0]), 0.5 * math.pi)
    assert path.arc_rad == 0 and path.weight.tolist() == [1.0, 1.0]


def test_tube_output_is_linear_between_angles_and_periodic():
    path = TubePath.axial(0.0, angular_weight=np.array([1.0, 3.0, 1.0, 3.0]))
    angles = np.radians([0, 45, 90, 315, 360, -90])
    assert path.output_at(angles) == pytest.approx([1, 2, 3, 2, 1, 3])


@pytest.mark.parametrize(("z_mm", "weight", "more", "named"), [
    ([0.0, 1.0], [1.0], {}, "differ in number"), ([], [], {}, "differ in number"),
    ([1.0, 0.0], [1.0, 1.0], {}, "must rise"), ([0.0, float("nan")], [1.0, 1.0], {}, "must rise"),
    ([0.0, 1.0], [-1.0, 2.0], {}, "not negative"), ([0.0, 1.0], [0.0, 0.0], {}, "not all 0"),
    ([0.0], [1.0], {"arc_rad": -1.0}, "arc"), ([0.0], [1.0], {"feed_mm": 0.0}, "feed"),
    ([0.0], [1.0], {"start_angle_rad": float("inf")}, "start angle"),
    ([0.0], [1.0], {"angular_weight": [0.0, 0.0]}, "angular weights")])
def test_an_impossible_path_is_refused_in_one_line(z_mm, weight, more, named):
    with pytest.raises(InputError, match=named) as caught:
        TubePath(z_mm, weight, **more)
    assert "\n" not in str(caught.value)


def test_a_cone_beam_without_an_arc_is_refused():
    with pytest.raises(InputError, match="arc"):
        TubePath.cone_beam(0.0, 0.0, 0.0)
