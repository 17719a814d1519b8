"""Averaging onto the dose grid: mass is kept, and places stay where they are."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.errors import InputError
from organdose.patient.dose_grid import dose_grid


@pytest.fixture
def ct() -> sitk.Image:
    rng = np.random.default_rng(3)
    image = sitk.GetImageFromArray(rng.integers(-1000, 1200, (21, 33, 47)).astype(np.int16))
    image.SetSpacing((0.9, 1.1, 2.5))
    image.SetOrigin((-20.0, 35.0, 700.0))
    return image


def test_mass_on_the_dose_grid_is_that_of_the_ct(ct):
    grid = dose_grid(ct, 5.0, schneider2000())
    ct_mass_kg = schneider2000().density_g_cm3(sitk.GetArrayFromImage(ct)).sum() * 0.9 * 1.1 * 2.5 * 1e-6
    rim_of_air_kg = (grid.voxels.voxel_mass_kg.size * 125 - 47 * 33 * 21 * 0.9 * 1.1 * 2.5) * 1e-6 * 0.00121
    assert grid.voxels.voxel_mass_kg.sum() == pytest.approx(ct_mass_kg + rim_of_air_kg, rel=1e-5)


def test_whole_multiples_average_like_simple_itk(ct):
    grid = dose_grid(sitk.Image(ct), 5.0, schneider2000())
    even = sitk.GetImageFromArray(np.arange(4 * 8 * 12).reshape(4, 8, 12).astype(np.int16))
    even.SetSpacing((2.5, 2.5, 5.0))
    coarse = dose_grid(even, 5.0, schneider2000())
    density = sitk.GetImageFromArray(schneider2000().density_g_cm3(sitk.GetArrayFromImage(even)))
    density.CopyInformation(even)
    expected = sitk.BinShrink(density, (2, 2, 1))
    assert coarse.geometry.GetOrigin() == pytest.approx(expected.GetOrigin())
    assert sitk.GetArrayFromImage(coarse.geometry) == pytest.approx(sitk.GetArrayFromImage(expected), rel=1e-5)
    assert grid.geometry.GetSpacing() == (5.0, 5.0, 5.0)


def test_the_grid_starts_at_the_corner_of_the_ct_and_covers_it(ct):
    geometry = dose_grid(ct, 4.0, schneider2000()).geometry
    for axis in range(3):
        lower = ct.GetOrigin()[axis] - 0.5 * ct.GetSpacing()[axis]
        upper = lower + ct.GetSize()[axis] * ct.GetSpacing()[axis]
        assert geometry.GetOrigin()[axis] - 2.0 == pytest.approx(lower)
        assert lower + 4.0 * geometry.GetSize()[axis] >= upper - 1e-6


def test_bone_keeps_its_composition(ct):
    bone = sitk.GetImageFromArray(np.full((4, 4, 4), 850, np.int16))
    bone.SetSpacing((2.0, 2.0, 2.0))
    grid = dose_grid(bone, 4.0, schneider2000())
    names = {grid.voxels.materials[m].name for m in np.unique(grid.voxels.material_index)}
    assert names == {"marrow and bone 08"}  # Schneider 2000, bin 800-900 HU


def test_fat_beside_air_stays_fat():
    layers = np.full((4, 4, 4), -1000, np.int16)
    layers[:, 1::2] = -100
    ct = sitk.GetImageFromArray(layers)
    ct.SetSpacing((2.0, 2.0, 2.0))
    grid = dose_grid(ct, 4.0, schneider2000())
    names = {grid.voxels.materials[m].name for m in np.unique(grid.voxels.material_index)}
    assert names == {"soft tissue 1"}  # Schneider 2000, bin from -120 HU: adipose
    assert grid.voxels.density_g_cm3 == pytest.approx(0.465, abs=0.002)  # half of 0.93 g/cm3


@pytest.mark.parametrize("size_mm", [0.0, 0.1, 50.0])
def test_impossible_voxel_sizes_are_refused(ct, size_mm):
    with pytest.raises(InputError, match=r"between 0\.5 and 20 mm"):
        dose_grid(ct, size_mm, schneider2000())
