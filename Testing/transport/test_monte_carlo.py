"""The transport against analytic results, and its uncertainty against repeated runs."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
import xraylib

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.transport.cross_sections import mass_attenuation_cm2_g, photon_tables
from organdose.transport.materials import WATER, Material
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.rectangular_beam import RectangularBeam
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


SCORINGS = ("stops", "tracks", "analogue")


def mixed_body() -> VoxelGrid:
    """Water with a bone and a lung; 12 mm voxels."""
    index = np.zeros((12, 15, 15), np.uint8)
    index[3:9, 3:6, 6:9] = 1
    index[3:9, 8:13, 2:8] = 2
    bone = Material.from_symbols("bone", {"H": 3.4, "C": 15.5, "N": 4.2, "O": 43.5, "P": 10.3, "Ca": 22.5})
    return VoxelGrid.of_materials((WATER, bone, WATER), (1.0, 1.9, 0.26), index, (12.0, 12.0, 12.0))


def fan_at(grid, gantry_deg=30.0) -> RectangularBeam:
    return RectangularBeam.fan((0.0, 0.0, 0.0), 600.0, gantry_deg, 20.0, 8.0, [40.0, 60.0, 100.0], [1.0, 2.0, 1.0])


def test_all_ways_to_score_agree_within_their_statistics():
    grid = mixed_body()
    tables = photon_tables(grid.materials)
    tallies = [run_photons(fan_at(grid), grid, tables, StopRule(400_000), seed=seed, scoring=scoring,
                           regions=grid.material_index) for seed, scoring in enumerate(SCORINGS)]
    analogue = tallies[-1]
    for tally in tallies[:-1]:
        sigma = np.hypot(tally.region_relative_uncertainty, analogue.region_relative_uncertainty)
        assert np.all(np.abs(tally.regions / analogue.regions - 1) < 3.5 * sigma)
        # Where few photons interact, expected values are worth most.
        assert tally.region_relative_uncertainty[2] < 0.6 * analogue.region_relative_uncertainty[2]


@pytest.mark.parametrize("scoring", SCORINGS)
def test_the_energy_of_the_photons_is_accounted_for_to_the_last_digits(scoring):
    grid = mixed_body()
    tally = run_photons(fan_at(grid), grid, photon_tables(grid.materials), StopRule(50_000), scoring=scoring)
    balance = tally.energy_balance
    assert balance["emitted_kev"] == pytest.approx(65.0, rel=0.01)
    assert balance["deposited_kev"] + balance["leaving_kev"] == pytest.approx(balance["emitted_kev"], rel=1e-10)
    assert abs(balance["relative_difference"]) < 1e-10
    assert balance["scored_kev"] == pytest.approx(balance["deposited_kev"], rel=0.02)
    assert balance["scored_kev"] == pytest.approx(tally.energy_kev.sum(), rel=1e-6)


def test_photons_that_pass_beside_the_grid_leave_with_all_their_energy():
    beam = RectangularBeam((500.0, 0.0, -500.0), (500.0, 0.0, 0.0), (1, 0, 0), (0, 1, 0), [60.0])
    balance = run_photons(beam, mixed_body(), photon_tables(mixed_body().materials), StopRule(1000)).energy_balance
    assert balance["leaving_kev"] == balance["emitted_kev"] == pytest.approx(60.0)


def test_a_droplet_of_iodine_lets_its_k_x_rays_go():
    # A layer so thin that they leave keeps what electrons get: E minus the K x-ray (28.5 and 31.8 keV, mean 29.1) in
    # 0.834 (jump ratio 6.04) times 0.882 (yield) of the photoelectric events, 7.2 of the 7.58 cm2/g at 60 keV.
    iodine = Material.from_symbols("iodine", {"I": 1.0})
    grid = VoxelGrid.of_materials((iodine,), (0.01,), np.zeros((1, 3, 3), np.uint8), (1.0, 1.0, 1.0))
    tally = run_photons(PencilBeam(), grid, photon_tables(grid.materials), StopRule(400_000))
    photoelectric = xraylib.CS_Photo(53, 60.0)
    kept_kev = photoelectric * (60.0 - 0.834 * 0.882 * 29.1) + xraylib.CS_Compt(53, 60.0) * 5.3
    assert tally.energy_kev.sum() == pytest.approx(kept_kev * 0.01 * 0.1, rel=0.03)
    assert tally.energy_kev.sum() < 0.7 * photoelectric * 60.0 * 0.01 * 0.1


def test_labels_and_matrices_make_the_same_regions():
    grid = mixed_body()
    matrix = sp.csr_array(np.stack([(grid.material_index == k).ravel().astype(float) for k in range(3)]))
    tables = photon_tables(grid.materials)
    labelled, scored = (run_photons(fan_at(grid), grid, tables, StopRule(20_000), regions=regions)
                        for regions in (grid.material_index, matrix))
    assert labelled.regions == pytest.approx(scored.regions, rel=1e-6)
    assert labelled.region_relative_uncertainty == pytest.approx(scored.region_relative_uncertainty, rel=1e-5)


@pytest.mark.parametrize("regions", [np.zeros((2, 2, 2), np.uint8), np.zeros((12, 15, 15)), sp.csr_array((1, 7))])
def test_regions_of_another_grid_are_refused(regions):
    grid = mixed_body()
    with pytest.raises(InputError, match=r"regions cover|region labels"):
        run_photons(fan_at(grid), grid, photon_tables(grid.materials), StopRule(1000), regions=regions)


def test_tables_of_other_materials_are_refused():
    with pytest.raises(InputError, match="other materials"):
        run_photons(fan_at(None), mixed_body(), TABLES, StopRule(1000))


def test_an_unknown_way_to_score_is_named():
    with pytest.raises(InputError, match="unknown scoring 'kerma'"):
        run_photons(PencilBeam(), water(), TABLES, StopRule(1000), scoring="kerma")


@pytest.mark.parametrize("scoring", SCORINGS)
def test_stated_uncertainties_cover_the_truth_in_twenty_small_runs(scoring):
    grid = mixed_body()
    tables = photon_tables(grid.materials)
    truth = run_photons(fan_at(grid), grid, tables, StopRule(2_000_000), seed=999, regions=grid.material_index)
    runs = [run_photons(fan_at(grid), grid, tables, StopRule(10_000), seed=seed, regions=grid.material_index,
                        scoring=scoring) for seed in range(20)]
    z = np.array([(run.regions / truth.regions - 1) / run.region_relative_uncertainty for run in runs])
    # 60 values of a t distribution with about 19 degrees of freedom: 67 % inside one sigma, 94 % inside two.
    assert 0.5 < np.mean(np.abs(z) < 1) < 0.84
    assert np.mean(np.abs(z) < 2) > 0.85
    voxels = np.array([run.energy_kev for run in runs])
    shone_on = voxels.mean(axis=0) > 0.2 * voxels.mean(axis=0).max()
    spread = voxels.std(axis=0, ddof=1)[shone_on]
    stated = np.mean([run.relative_uncertainty * run.energy_kev for run in runs], axis=0)[shone_on]
    assert np.median(stated / spread) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_results_do_not_depend_on_the_number_of_threads_to_the_last_bit(scoring):
    grid = water()
    one = run_photons(PencilBeam(), grid, TABLES, StopRule(40_000), threads=1, scoring=scoring)
    three = run_photons(PencilBeam(), grid, TABLES, StopRule(40_000), threads=3, scoring=scoring)
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
