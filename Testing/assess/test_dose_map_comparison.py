"""All figures of one pair of dose maps."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.dose_map_comparison import compare_dose_maps, joint_histogram
from organdose.assess.dose_map_pair import dose_map_pair
from organdose.assess.gamma_index import GammaCriteria


def _map(dose_mgy, spacing_mm=5.0) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, np.float32))
    image.SetSpacing((spacing_mm,) * 3)
    return image


@pytest.fixture
def reference_mgy():
    z, y, x = np.ogrid[:12, :14, :16]
    return 20 * np.exp(-((y - 7) ** 2 + (x - 8) ** 2) / 60) + 0 * z


def test_a_test_two_percent_high_has_the_errors_of_two_percent(reference_mgy):
    pair = dose_map_pair(_map(1.02 * reference_mgy), _map(reference_mgy), low_dose_percent=10)
    found = compare_dose_maps(pair, GammaCriteria(1.0, 2.0))
    inside = reference_mgy[reference_mgy >= 2]
    assert found.errors.re_percent.mean == pytest.approx(2, abs=1e-4)
    assert found.errors.me_mgy.mean == pytest.approx(0.02 * inside.mean(), rel=1e-5)
    assert found.psnr_db == pytest.approx(10 * np.log10(400 / np.mean((0.02 * inside) ** 2)), abs=1e-3)
    assert found.gamma_global.pass_percent == found.gamma_local.pass_percent == 100
    assert found.gamma_global.evaluated == inside.size
    assert 0.99 < found.ssim < 1 and found.errors.correlation == pytest.approx(1)
    np.testing.assert_allclose(found.difference_mgy, 0.02 * reference_mgy, atol=1e-5)
    assert found.statistics is None and "neither" in found.no_statistics


def test_stated_uncertainties_give_z_scores_on_one_grid_only(reference_mgy):
    noise = np.random.default_rng(1).normal(0, 0.03, (2, *reference_mgy.shape))
    maps = [_map(reference_mgy * (1 + part)) for part in noise]
    uncertainty = _map(np.full(reference_mgy.shape, 0.03))
    pair = dose_map_pair(*maps)
    found = compare_dose_maps(pair, test_uncertainty=uncertainty, reference_uncertainty=uncertainty)
    assert found.statistics.sd_z == pytest.approx(1, abs=0.1) and found.no_statistics == ""
    other = sitk.Resample(maps[0], (20, 18, 15), sitk.Transform(), sitk.sitkLinear, (0, 0, 0), (4.0, 4.0, 4.0))
    elsewhere = compare_dose_maps(dose_map_pair(other, maps[1]), test_uncertainty=other,
                                  reference_uncertainty=uncertainty)
    assert elsewhere.statistics is None and "interpolation" in elsewhere.no_statistics


def test_the_joint_histogram_counts_every_voxel_in_its_pair_of_bins():
    reference, test = np.array([0.0, 1.0, 1.0, 9.9, 10.0]), np.array([0.0, 1.0, 5.0, 10.0, 10.0])
    found = joint_histogram(test, reference, bins=10)
    np.testing.assert_allclose(found.edges_mgy, np.arange(11))
    assert found.counts.sum() == 5
    assert (found.counts[0, 0], found.counts[1, 1], found.counts[1, 5], found.counts[9, 9]) == (1, 1, 1, 2)
    assert joint_histogram(np.array([-2.0, 8.0]), np.array([1.0, 2.0])).edges_mgy[0] == -2
