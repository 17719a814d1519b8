"""A point source behind an opening: directions, energies and what is refused."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport.particles import Photons
from organdose.transport.rectangular_beam import RectangularBeam

COUNT = 200_000


def photons_of(beam, count=COUNT, seed=1) -> Photons:
    photons = Photons.empty(count)
    beam.emit(photons, seed, 0)
    return photons


def on_plane(photons: Photons, z_mm: float) -> np.ndarray:
    """(x, y) where the photons pass a plane."""
    path = (z_mm - photons.position_mm[:, 2]) / photons.direction[:, 2]
    return photons.position_mm[:, :2] + path[:, None] * photons.direction[:, :2]


def test_photons_fill_the_opening_evenly_in_solid_angle():
    # Opening 200 x 100 mm at 100 mm: the solid angle of a rectangle is 4 arcsin(ab / sqrt((a2 + d2)(b2 + d2))).
    beam = RectangularBeam((0, 0, 0), (0, 0, 100), (100, 0, 0), (0, 50, 0), [60.0])
    x, y = on_plane(photons_of(beam), 100.0).T

    def solid_angle(a, b, d=100.0):
        return 4 * np.arcsin(a * b / np.sqrt((a**2 + d**2) * (b**2 + d**2)))

    inner = np.mean((np.abs(x) < 40) & (np.abs(y) < 20))
    assert inner == pytest.approx(solid_angle(40, 20) / solid_angle(100, 50), abs=0.004)
    assert np.abs(x).max() <= 100.001 and np.abs(y).max() <= 50.001


def test_a_slanting_opening_is_filled_evenly_too():
    # Moved sideways: seen from the focus, the near half of the opening is larger than the far one.
    beam = RectangularBeam((0, 0, 0), (100, 0, 100), (100, 0, 0), (0, 10, 0), [60.0])
    x, _ = on_plane(photons_of(beam), 100.0).T
    # A narrow strip: solid angle per length goes with d / r^3 (1 - ...), integrated to x / sqrt(x^2 + d^2).
    expected = (100 / np.hypot(100, 100)) / (200 / np.hypot(200, 100))
    assert np.mean(x < 100) == pytest.approx(expected, abs=0.005)


def test_a_round_opening_cuts_the_corners():
    beam = RectangularBeam((0, 0, 0), (0, 0, 1000), (50, 0, 0), (0, 50, 0), [60.0], round_opening=True)
    x, y = on_plane(photons_of(beam), 1000.0).T
    radius = np.hypot(x, y)
    assert radius.max() <= 50.001
    assert np.mean(radius < 25) == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize(("gantry_deg", "focus"), [(0, (0, -600, 0)), (90, (600, 0, 0)), (180, (0, 600, 0))])
def test_a_fan_beam_stands_where_the_gantry_is_and_looks_at_the_isocentre(gantry_deg, focus):
    beam = RectangularBeam.fan((10, 20, 30), 600, gantry_deg, 40, 4, [60.0])
    photons = photons_of(beam, 50_000)
    assert photons.position_mm[0] == pytest.approx(np.add(focus, (10, 20, 30)), abs=1e-3)
    axis = -np.asarray(focus) / 600
    cosines = photons.direction @ axis
    assert np.degrees(np.arccos(cosines.min())) == pytest.approx(20, abs=0.3)
    assert photons.direction.mean(axis=0) == pytest.approx(axis * cosines.mean(), abs=3e-3)
    elevation = np.degrees(np.arcsin(photons.direction[:, 2]))
    assert np.abs(elevation).max() == pytest.approx(2, abs=0.02)


def test_energies_follow_the_spectrum_and_fill_its_bins():
    energies = photons_of(RectangularBeam.fan((0, 0, 0), 600, 0, 10, 1, [50.0, 60.0], [1.0, 3.0], 2.0)).energy_kev
    assert np.mean(energies > 55) == pytest.approx(0.75, abs=0.005)
    assert energies.min() == pytest.approx(49, abs=0.01) and energies.max() == pytest.approx(61, abs=0.01)
    assert energies[energies < 55].std() == pytest.approx(2 / np.sqrt(12), rel=0.02)


@pytest.mark.parametrize(("energies", "photons"), [([60.0], [1.0, 2.0]), ([0.0], [1.0]), ([60.0], [0.0])])
def test_a_spectrum_that_is_none_is_refused(energies, photons):
    with pytest.raises(InputError, match="spectrum"):
        RectangularBeam((0, 0, 0), (0, 0, 100), (1, 0, 0), (0, 1, 0), energies, photons)


def test_a_focus_inside_the_opening_is_refused():
    with pytest.raises(InputError, match="focus lies in"):
        RectangularBeam((5, 5, 0), (0, 0, 0), (10, 0, 0), (0, 10, 0), [60.0])
