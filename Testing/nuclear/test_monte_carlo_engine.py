"""Internal dose by Monte Carlo against what energy conservation and published absorbed fractions say."""

import numpy as np
import pytest
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.dose_map import MGY_KG_PER_KEV
from organdose.nuclear.engines import engine
from organdose.nuclear.media import LUNG, SOFT_TISSUE
from organdose.nuclear.monte_carlo_engine import MonteCarloParameters
from organdose.transport.materials import DRY_AIR

FEW = MonteCarloParameters(histories=20_000, seed=3)


def middle(dose) -> np.ndarray:
    values = sitk.GetArrayFromImage(dose.dose_mgy)
    return values[tuple(slice(n // 3, n - n // 3) for n in values.shape)]


def test_a_beta_emitter_everywhere_gives_its_equilibrium_dose(tissue_grid, make_source):
    grid = tissue_grid((15, 15, 15), 20.0)
    source = make_source("Y-90", np.full((15, 15, 15), 8e9))
    dose = engine("mc").run(source, grid, MonteCarloParameters(histories=200_000))
    # ICRP 107: 932.9 keV of betas a decay, of which some keV leave as bremsstrahlung.
    equilibrium = 1e9 * 932.9 * MGY_KG_PER_KEV / 1.04e-3
    assert sitk.GetArrayFromImage(dose.dose_mgy)[1:-1, 1:-1, 1:-1].mean() == pytest.approx(equilibrium, rel=0.015)


def test_dose_is_energy_over_the_mass_of_each_voxel(tissue_grid, make_source):
    index = np.zeros((9, 9, 18), np.uint8)
    index[:, :, 9:] = 1
    grid = tissue_grid(index.shape, 20.0, (SOFT_TISSUE.material, LUNG.material), (1.04, 0.26), index)
    dose = engine("mc").run(make_source("C-14", np.full(index.shape, 1e8)), grid, FEW)
    values = sitk.GetArrayFromImage(dose.dose_mgy)[3:6, 3:6]
    # Betas of carbon (156 keV at most) reach 0.3 mm in tissue and 1.2 mm in lung.
    assert values[..., 12:15].mean() / values[..., 3:6].mean() == pytest.approx(1.04 / 0.26, rel=0.1)


def test_alphas_stay_in_their_voxel(tissue_grid, make_source):
    decays = np.zeros((5, 5, 5))
    decays[2, 2, 2] = 1e6
    dose = engine("mc").run(make_source("Ra-223", decays), tissue_grid((5, 5, 5), 4.0), FEW)
    values = middle(dose)
    kev = values.max() * 1.04e-3 * 0.064 / MGY_KG_PER_KEV / 1e6
    assert kev == pytest.approx(27_000, rel=0.03)  # alphas, recoils and most of the betas of Ra-223 and its progeny
    assert any("alphas" in line for line in dose.facts["assumptions"])


def test_an_organs_uncertainty_is_stated_and_shrinks(tissue_grid, make_source):
    grid, organ = tissue_grid((9, 9, 9), 10.0), sp.csr_matrix(np.full((1, 729), 1.04))
    source = make_source("F-18", np.full((9, 9, 9), 1e6))
    few, more = (engine("mc").run(source, grid, MonteCarloParameters(histories=n), organs=("body",),
                                  organ_mass_g=organ).organ_relative_uncertainty["body"] for n in (4000, 64_000))
    assert 0 < more < few < 0.1
    assert more == pytest.approx(few / 4, rel=0.6)


def test_twice_the_decays_are_twice_the_dose(tissue_grid, make_source):
    grid = tissue_grid((5, 5, 5), 5.0)
    one, two = (engine("mc").run(make_source("I-131", np.full((5, 5, 5), number)), grid, FEW) for number in (1e6, 2e6))
    np.testing.assert_allclose(middle(two), 2 * middle(one), rtol=1e-5)


def test_activity_in_air_leaves_finite_dose(tissue_grid, make_source):
    grid = tissue_grid((5, 5, 5), 5.0, (DRY_AIR,), (0.001205,))
    assert np.isfinite(middle(engine("mc").run(make_source("F-18", np.ones((5, 5, 5))), grid, FEW))).all()


def test_the_record_tells_energy_and_decays(tissue_grid, make_source):
    dose = engine("mc").run(make_source("F-18", np.full((5, 5, 5), 8.0)), tissue_grid((5, 5, 5), 5.0), FEW)
    assert dose.facts["decays"] == pytest.approx(1000)
    assert abs(dose.facts["energy_balance"]["relative_difference"]) < 1e-6
