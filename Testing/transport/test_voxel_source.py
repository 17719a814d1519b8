"""Particles from activity maps: where they start, where they go, with what energy."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport.cross_sections import photon_tables
from organdose.transport.materials import WATER
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.particles import Electrons, Photons
from organdose.transport.voxel_grid import VoxelGrid
from organdose.transport.voxel_source import Energies, VoxelSource

COUNT = 200_000


def photons_of(source, count=COUNT):
    photons = Photons.empty(count)
    source.emit(photons, 1, 0)
    return photons


def test_particles_start_where_the_activity_is_and_fill_their_voxels():
    activity = np.zeros((4, 5, 6))
    activity[1, 2, 3], activity[3, 0, 5] = 3.0, 1.0
    source = VoxelSource(activity, (2.0, 3.0, 4.0), (-10.0, 0.0, 5.0), Energies.lines(140.0))
    places = photons_of(source).position_mm
    first = places[:, 2] < 5.0 + 1.5 * 4.0
    assert first.mean() == pytest.approx(0.75, abs=0.004)
    centre = (-10.0 + 3 * 2.0, 2 * 3.0, 5.0 + 4.0)
    assert places[first].mean(axis=0) == pytest.approx(centre, abs=0.02)
    assert places[first].std(axis=0) == pytest.approx(np.array([2.0, 3.0, 4.0]) / np.sqrt(12), rel=0.01)


def test_they_leave_evenly_in_all_directions():
    direction = photons_of(VoxelSource(np.ones((1, 1, 1)), (1.0,) * 3, (0.0,) * 3, Energies.lines(140.0))).direction
    assert np.linalg.norm(direction, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert direction.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.006)
    assert (direction**2).mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.003)


def test_energies_are_lines_and_cells():
    energies = Energies(np.array([0.0, 100.0, 364.5]), np.array([100.0, 100.0, 0.0]), np.array([1.0, 2.0, 1.0]))
    drawn = photons_of(VoxelSource(np.ones((1, 1, 1)), (1.0,) * 3, (0.0,) * 3, energies)).energy_kev
    assert np.mean(drawn == np.float32(364.5)) == pytest.approx(0.25, abs=0.004)
    assert np.mean((drawn > 100) & (drawn < 200)) == pytest.approx(0.5, abs=0.005)
    assert drawn.mean() == pytest.approx(energies.mean_kev, rel=0.01)
    assert energies.highest_kev == 364.5


def test_a_large_map_is_drawn_from_as_it_is():
    activity = np.random.default_rng(3).random((40, 50, 60))
    source = VoxelSource(activity, (1.0,) * 3, (0.0,) * 3, Energies.lines(511.0))
    places = np.rint(photons_of(source).position_mm).astype(int)
    slices = np.bincount(places[:, 2].clip(0, 39), minlength=40) / COUNT
    assert slices == pytest.approx(activity.sum(axis=(1, 2)) / activity.sum(), abs=0.002)


@pytest.mark.parametrize("activity", [np.zeros((2, 2, 2)), np.full((2, 2, 2), np.nan), -np.ones((2, 2, 2)), np.ones(3)])
def test_a_map_that_is_none_is_refused(activity):
    with pytest.raises(InputError, match="activity map"):
        VoxelSource(activity, (1.0,) * 3, (0.0,) * 3, Energies.lines(140.0))


@pytest.mark.parametrize(("energies", "yields"), [([0.0], [1.0]), ([100.0], [0.0]), ([100.0, 200.0], [1.0])])
def test_a_spectrum_that_is_none_is_refused(energies, yields):
    with pytest.raises(InputError, match="spectrum"):
        Energies.lines(energies, yields)


def test_a_small_sphere_absorbs_what_the_mean_path_out_of_it_says():
    # From inside a sphere it is 3/4 of the radius to the surface on average; NIST mu_en/rho of water at 150 keV is
    # 0.02764 cm2/g. Scattered photons add a per cent in 1 cm of water.
    radius_mm, axis = 5.0, np.arange(-5.25, 5.5, 0.5)
    inside = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2 < radius_mm**2
    grid = VoxelGrid.of_materials((WATER,), (1.0,), np.zeros(inside.shape, np.uint8), (0.5,) * 3)
    source = VoxelSource(inside, grid.spacing_mm, grid.origin_mm, Energies.lines(150.0))
    tally = run_photons(source, grid, photon_tables(grid.materials), StopRule(100_000), scoring="tracks",
                        regions=inside.astype(np.uint8))
    assert tally.regions[1] / 150.0 == pytest.approx(0.02764 * 0.75 * 0.5 * 1.01, rel=0.02)


def test_electrons_know_their_charge():
    electrons = Electrons.empty(10)
    VoxelSource(np.ones((1, 1, 1)), (1.0,) * 3, (0.0,) * 3, Energies.lines(250.0), charge=1).emit_electrons(
        electrons, 1, 0)
    assert electrons.charge.tolist() == [1] * 10 and electrons.energy_kev.tolist() == [250.0] * 10
