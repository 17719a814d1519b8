"""Decays as sources of photons, electrons and positrons."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.decay_source import decay_source
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.media import SOFT_TISSUE
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.radionuclide import radionuclide
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import electron_tables
from organdose.transport.monte_carlo import StopRule, run_particles
from organdose.transport.voxel_grid import VoxelGrid

ONE = np.ones((1, 1, 1), np.float32)


def source_of(emissions, decays=ONE, size_mm=1.0):
    return decay_source(emissions, decays, (size_mm,) * 3, (0.0, 0.0, 0.0))


def energy_kev(source) -> float:
    """Mean energy of a history: what its particles carry times their weights."""
    return sum(part.energies.mean_kev * part.weight for part in (*source.photons, *source.electrons))


@pytest.mark.parametrize(("name", "emitted_kev"), [("F-18", 241.5), ("Lu-177", 182.4), ("Tc-99m", 142.9)])
def test_a_history_carries_the_energy_of_a_decay(name, emitted_kev):
    # ICRP 107, table A.1: energy of betas, electrons and photons per decay; F-18 without its annihilation photons.
    assert energy_kev(source_of(radionuclide(name).emissions)) == pytest.approx(emitted_kev, rel=0.01)


def test_alphas_and_recoils_stay_where_they_arise():
    source = source_of(with_progeny("Ra-223").emissions)
    assert source.local_kev / 1000 == pytest.approx(26.7, rel=0.02)  # four alphas of Ra-223 and its progeny


def test_fluorine_has_positrons_and_no_annihilation_photons():
    source = source_of(radionuclide("F-18").emissions)
    assert [part.charge for part in source.electrons][-1] == 1
    assert source.electrons[-1].weight == pytest.approx(0.967, abs=0.001)
    assert all(part.highest_kev < 511 for part in source.photons)


def test_the_energy_of_a_mixed_run_closes():
    grid = VoxelGrid.of_materials((SOFT_TISSUE.material,), (1.04,), np.zeros((40, 40, 40), np.uint8), (20.0,) * 3)
    decays = np.zeros(grid.shape, np.float32)
    decays[20, 20, 20] = 1.0
    source = decay_source(radionuclide("F-18").emissions, decays, grid.spacing_mm, grid.origin_mm)
    tally = run_particles(source.photons, source.electrons, grid, photon_tables(grid.materials, source.highest_kev + 1),
                          electron_tables(grid.materials, (1.04,), source.highest_kev + 1), StopRule(20_000), threads=1)
    balance = tally.energy_balance
    assert balance["emitted_kev"] == pytest.approx(0.967 * (249.8 + 2 * 511), rel=0.01)
    assert abs(balance["relative_difference"]) < 1e-6
    assert balance["scored_kev"] == pytest.approx(balance["deposited_kev"], rel=0.005)


def test_the_same_seed_gives_the_same_map_on_any_number_of_threads():
    grid = VoxelGrid.of_materials((SOFT_TISSUE.material,), (1.04,), np.zeros((9, 9, 9), np.uint8), (5.0,) * 3)
    source = decay_source(radionuclide("I-131").emissions, np.ones(grid.shape), grid.spacing_mm, grid.origin_mm)
    tables = photon_tables(grid.materials, source.highest_kev + 1)
    stopping = electron_tables(grid.materials, (1.04,), source.highest_kev + 1)
    one, two = (run_particles(source.photons, source.electrons, grid, tables, stopping, StopRule(2000),
                              threads=threads).energy_kev for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_map_without_decays_is_refused():
    with pytest.raises(InputError, match="activity map"):
        source_of(radionuclide("F-18").emissions, np.zeros((2, 2, 2)))


def test_a_nuclide_that_emits_nothing_is_refused():
    with pytest.raises(InputError, match="nothing"):
        source_of(Emissions((), (), (), (), (), ()))
