"""A cylinder whose images are cut gets the dose of the whole cylinder where its end slices are repeated."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.ct.exposure import exposure_of
from organdose.ct.monte_carlo_engine import xray_source
from organdose.ct.scan_extension import Extension, beam_range_mm, extension_for, extension_lines
from organdose.ct.scanner import load_scanner
from organdose.patient.dose_grid import dose_grid
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons

LONG, CUT = 40, 12  # slices of 10 mm


@pytest.fixture(scope="module")
def water():
    """(z, y, x) of the dose grid of a cut cylinder that lie in water, in one slice."""
    place = 5.0 * (np.arange(70) - 34.5)
    return np.hypot(place[:, None], place[None, :]).reshape(35, 2, 35, 2).max(axis=(1, 3)) < 155


@pytest.fixture
def slice_energy(make_study, water):
    """Energy (any unit) in the water of each slice of the cut cylinder, for the scan of the cut images."""
    exposure = exposure_of(make_study(CUT), load_scanner("generic"))
    source = xray_source(load_scanner("generic"), exposure)

    def simulate(slices: int, extension=None, seed: int = 1, histories: int = 500_000) -> np.ndarray:
        grid = dose_grid(make_study(slices).image, 10.0, schneider2000())
        chosen = extension or (extension_for(grid, exposure.path.z_mm, exposure.total_collimation_mm)
                               if slices == CUT else Extension())
        voxels = chosen.extended(grid.voxels)
        tally = run_photons(source, voxels, photon_tables(voxels.materials, source.highest_kev + 1),
                            StopRule(histories), seed=seed)
        spare = (slices - CUT) // 2
        energy = chosen.cropped(tally.energy_kev)[spare:spare + CUT]
        assert energy.shape[0] == CUT
        return energy[:, water].sum(axis=1)

    return simulate


def test_the_end_slices_of_a_cut_cylinder_get_the_dose_of_the_whole_one(slice_energy):
    whole, extended = slice_energy(LONG), slice_energy(CUT, seed=2)
    assert extended / whole == pytest.approx(1.0, abs=0.025)  # of 0.7 % statistics each
    assert extended.sum() / whole.sum() == pytest.approx(1.0, abs=0.01)


def test_without_extension_the_end_slices_are_too_low(slice_energy):
    whole, bare = slice_energy(LONG), slice_energy(CUT, Extension(), seed=2)
    assert (bare / whole)[[0, -1]].max() < 0.85
    assert bare.sum() < 0.95 * whole.sum()


def test_the_grid_grows_by_what_the_beam_reaches_and_the_margin(make_study):
    study = make_study(CUT)
    grid = dose_grid(study.image, 10.0, schneider2000())
    exposure = exposure_of(study, load_scanner("generic"))
    found = extension_for(grid, exposure.path.z_mm, 20.0, margin_mm=100.0)
    # Images to 60 mm, the beam's centre 10 mm of overranging farther, 15 mm of divergent beam, 100 mm of margin.
    assert (found.below, found.above) == (13, 13)
    voxels = found.extended(grid.voxels)
    assert voxels.shape == (12 + 26, *grid.voxels.shape[1:])
    assert voxels.origin_mm[2] == pytest.approx(grid.voxels.origin_mm[2] - 130.0)
    assert np.array_equal(voxels.density_g_cm3[0], grid.voxels.density_g_cm3[0])
    assert np.array_equal(found.cropped(voxels.density_g_cm3), grid.voxels.density_g_cm3)


def test_a_beam_that_stays_well_inside_the_image_needs_no_extension(make_study):
    grid = dose_grid(make_study(60).image, 10.0, schneider2000())
    found = extension_for(grid, np.array([-20.0, 20.0]), 20.0)
    assert (found.below, found.above) == (0, 0)
    assert found.extended(grid.voxels) is grid.voxels
    assert "no tissue is added" in extension_lines(found, Extension(), 10.0)[0]


def test_tissue_that_is_left_out_is_told_with_how_far_the_beam_would_have_reached():
    [line] = extension_lines(Extension(13, 4), Extension(), 10.0)
    assert "left out" in line and "130 mm beyond it at the feet and 40 mm at the head" in line


def test_the_last_slice_that_the_image_fills_in_part_is_filled_before_it_is_repeated():
    ct = sitk.GetImageFromArray(np.zeros((5, 4, 4), np.int16))  # 15 mm of water in slices of 10 mm
    ct.SetSpacing((10.0, 10.0, 3.0))
    grid = dose_grid(ct, 10.0, schneider2000())
    water = float(schneider2000().density_g_cm3(np.array([0], np.int16))[0])
    assert grid.voxels.density_g_cm3[-1] == pytest.approx(0.5 * water, rel=2e-3)
    found = extension_for(grid, np.array([0.0, 12.0]), 10.0).extended(grid.voxels)
    assert found.density_g_cm3 == pytest.approx(water, rel=1e-4)


def test_an_image_that_ends_in_air_is_continued_with_air():
    hu = np.zeros((6, 4, 4), np.int16)
    hu[:2] = hu[4:] = -1000
    ct = sitk.GetImageFromArray(hu)
    ct.SetSpacing((5.0, 5.0, 5.0))
    grid = dose_grid(ct, 5.0, schneider2000())
    voxels = extension_for(grid, np.array([0.0, 25.0]), 10.0).extended(grid.voxels)
    assert voxels.voxel_mass_kg.sum() == pytest.approx(grid.voxels.voxel_mass_kg.sum(), rel=0.05)


def test_organ_weights_stay_with_their_voxels():
    extension = Extension(below=1, above=2)
    weights = np.arange(12.0).reshape(2, 6)  # two organs, three slices of two voxels
    widened = extension.widened(weights, 2).toarray()
    assert widened.shape == (2, 12)
    assert np.array_equal(widened[:, 2:8], weights) and widened.sum() == weights.sum()


def test_the_beam_reaches_half_a_collimation_beyond_its_path():
    assert beam_range_mm(np.array([-70.0, 0.0, 70.0]), 20.0) == (-80.0, 80.0)
