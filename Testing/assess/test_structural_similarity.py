"""SSIM and PSNR beside scikit-image's."""

import math

import numpy as np
import pytest

from organdose.assess.structural_similarity import (
    peak_signal_to_noise_db,
    similarity_map,
    structural_similarity,
)

EDGE = 5  # voxels: half of the window


@pytest.fixture
def doses():
    """(test, reference): a smooth dose with and without noise."""
    z, y, x = np.ogrid[:24, :28, :30]
    reference = 10 * np.exp(-((z - 12) ** 2 + (y - 14) ** 2 + (x - 15) ** 2) / 120)
    return reference + np.random.default_rng(4).normal(0, 0.3, reference.shape), reference


def test_ssim_is_that_of_scikit_image(doses):
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed ('organdose[dev]')")
    _, theirs = metrics.structural_similarity(*doses, data_range=10.0, gaussian_weights=True, sigma=1.5,
                                              use_sample_covariance=False, full=True)
    inner = (slice(EDGE, -EDGE),) * 3  # at the edges they mirror the dose, we leave it out
    ours = similarity_map(*doses, np.ones(doses[0].shape, bool), 10.0)
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-9)


def test_psnr_is_that_of_scikit_image(doses):
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed ('organdose[dev]')")
    theirs = metrics.peak_signal_noise_ratio(doses[1], doses[0], data_range=10.0)
    assert peak_signal_to_noise_db(*doses, 10.0) == pytest.approx(theirs, abs=1e-9)
    assert peak_signal_to_noise_db(np.full(4, 1.1), np.full(4, 1.0), 10.0) == pytest.approx(40.0)
    assert peak_signal_to_noise_db(np.ones(4), np.ones(4), 10.0) == math.inf


def test_equal_doses_have_a_similarity_of_one_and_noise_less(doses):
    test, reference = doses
    everywhere = np.ones(test.shape, bool)
    assert structural_similarity(reference, reference, everywhere, 10.0) == pytest.approx(1, abs=1e-12)
    assert 0.5 < structural_similarity(test, reference, everywhere, 10.0) < 0.99


def test_what_lies_outside_the_region_has_no_part_in_it(doses):
    test, reference = (dose.copy() for dose in doses)
    region = np.zeros(test.shape, bool)
    region[8:16, 8:20, 8:20] = True
    before = structural_similarity(test, reference, region, 10.0)
    test[~region], reference[~region] = np.nan, 1e6
    assert structural_similarity(test, reference, region, 10.0) == pytest.approx(before, abs=1e-12)


def test_slabs_give_what_the_whole_gives(doses, monkeypatch):
    region = doses[1] > 1
    whole = structural_similarity(*doses, region, 10.0)
    monkeypatch.setattr("organdose.assess.structural_similarity._SLAB_VOXELS", 1500)
    assert structural_similarity(*doses, region, 10.0) == pytest.approx(whole, abs=1e-12)
