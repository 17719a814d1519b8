"""The transport against analytic results, and its uncertainty against repeated runs."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.transport.cross_sections import mass_attenuation_cm2_g, photon_tables
from organdose.transport.materials import WATER
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.voxel_grid import VoxelGrid


class PencilBeam:
    """Photons of one energy along +z into the middle of the grid."""

    highest_kev = 60.0

    def emit(self, photons, seed, first_history):
        photons.position_mm[:] = (0.0, 0.0, -500.0)
        photons.direction[:] = (0.0, 0.0, 1.0)
        photons.energy_kev[:] = 60.0
        photons.weight[:] = 1.0


def water(count_xy=21, slices=20, size_mm=10.0, density=1.0) -> VoxelGrid:
    shape = (slices, count_xy, count_xy)
    first_mm = -0.5 * (count_xy - 1) * size_mm
    return VoxelGrid((WATER,), np.zeros(shape, np.uint8), np.full(shape, density, np.float32), (size_mm,) * 3,
                     (first_mm, first_mm, 0.5 * size_mm))


TABLES = photon_tables((WATER,))


def test_a_thin_layer_absorbs_what_the_cross_sections_say():
    # In a layer so thin that scattered photons leave, energy per photon is mu_tr times thickness: photoelectric plus
    # Compton times its mean transfer. NIST mu_en/rho of water at 60 keV is 0.03190 cm2/g (bremsstrahlung below 0.1 %).
    grid = water(count_xy=3, slices=1, size_mm=10.0, density=0.002)
    tally = run_photons(PencilBeam(), grid, TABLES, StopRule(8_000_000))
    expected_kev = 60.0 * 0.03190 * 0.002
    assert tally.energy_kev.sum() == pytest.approx(expected_kev, rel=0.03)


def test_primary_photons_fall_off_with_the_linear_attenuation():
    grid = water(count_xy=1, slices=20, size_mm=10.0)  # one column: scattered photons leave at once
    narrow = VoxelGrid(grid.materials, grid.material_index, grid.density_g_cm3, (0.01, 0.01, 10.0), (0.0, 0.0, 5.0))
    tally = run_photons(PencilBeam(), narrow, TABLES, StopRule(2_000_000))
    profile = tally.energy_kev[:, 0, 0]
    mu_per_mm = 0.1 * mass_attenuation_cm2_g(WATER, np.array([60.0]))[0]
    slope = np.polyfit(10.0 * np.arange(20), np.log(profile), 1, w=np.sqrt(profile))[0]
    assert -slope == pytest.approx(mu_per_mm, rel=0.02)


def test_energy_is_conserved_in_a_body_too_large_to_leave():
    big = water(count_xy=41, slices=40, size_mm=100.0)
    inside = PencilBeam()
    inside.emit = lambda photons, *_: (photons.position_mm.__setitem__(slice(None), (0.0, 0.0, 2000.0)),
                                       photons.direction.__setitem__(slice(None), (0.0, 0.0, 1.0)),
                                       photons.energy_kev.__setitem__(slice(None), 60.0))
    whole = sp.csr_array(np.ones((1, big.density_g_cm3.size)))
    tally = run_photons(inside, big, TABLES, StopRule(100_000), regions=whole)
    # Energy is scored as its expected value, so that it is conserved on average.
    assert tally.regions[0] == pytest.approx(60.0, rel=4 * tally.region_relative_uncertainty[0])
    assert tally.region_relative_uncertainty[0] < 0.004


def test_results_do_not_depend_on_the_number_of_threads_to_the_last_bit():
    grid = water()
    one = run_photons(PencilBeam(), grid, TABLES, StopRule(40_000), threads=1)
    three = run_photons(PencilBeam(), grid, TABLES, StopRule(40_000), threads=3)
    assert np.array_equal(one.energy_kev, three.energy_kev)
    assert np.array_equal(one.relative_uncertainty, three.relative_uncertainty)


def test_another_seed_gives_another_result():
    grid = water()
    first = run_photons(PencilBeam(), grid, TABLES, StopRule(4000), seed=1)
    second = run_photons(PencilBeam(), grid, TABLES, StopRule(4000), seed=2)
    assert not np.array_equal(first.energy_kev, second.energy_kev)


def test_stated_uncertainty_is_the_spread_of_independent_runs():
    grid = water(count_xy=11, slices=10)
    near_surface = np.zeros(grid.density_g_cm3.shape)
    near_surface[0] = 1.0
    regions = sp.csr_array(near_surface.reshape(1, -1))
    tallies = [run_photons(PencilBeam(), grid, TABLES, StopRule(4000), seed=seed, regions=regions)
               for seed in range(40)]
    means = np.array([tally.regions[0] for tally in tallies])
    stated = np.array([tally.region_relative_uncertainty[0] for tally in tallies])
    spread = means.std(ddof=1) / means.mean()
    # The spread of 40 runs is itself known to 1/sqrt(2 * 39) = 11 %.
    assert stated.mean() == pytest.approx(spread, rel=0.35)
    covered = np.abs(means / means.mean() - 1) < 2 * stated
    assert covered.mean() > 0.85


def test_the_run_stops_at_the_wanted_uncertainty():
    grid = water()
    regions = sp.csr_array(np.ones((1, grid.density_g_cm3.size)))
    tally = run_photons(PencilBeam(), grid, TABLES, StopRule(5_000_000, 0.5), regions=regions)
    assert tally.histories < 5_000_000
    assert tally.region_relative_uncertainty[0] <= 0.005


def test_a_cancelled_run_stops_at_the_next_batch():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        run_photons(PencilBeam(), water(), TABLES, StopRule(100_000), progress=progress)


def test_progress_grows_to_one():
    fractions = []
    progress = Progress(lambda report: fractions.append(report.fraction))
    run_photons(PencilBeam(), water(), TABLES, StopRule(4000), progress=progress)
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_a_source_beyond_the_tables_is_refused():
    beam = PencilBeam()
    beam.highest_kev = 400.0
    with pytest.raises(InputError, match="400 keV"):
        run_photons(beam, water(), TABLES, StopRule(1000))


@pytest.mark.parametrize("bad", [math.nan, -1.0])
def test_impossible_densities_are_refused(bad):
    with pytest.raises(InputError, match="densities"):
        water(density=bad)
