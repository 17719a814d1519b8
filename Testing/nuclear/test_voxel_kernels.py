"""Voxel S-values against MIRD pamphlet 17 and Lanconelli et al."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.emission_sampling import electron_table
from organdose.nuclear.media import CORTICAL_BONE, LUNG, SOFT_TISSUE
from organdose.nuclear.radionuclide import radionuclide
from organdose.nuclear.voxel_kernels import voxel_kernel

# MIRD pamphlet 17 (Bolch 1999): self doses, mGy/(MBq s), good to 2-3 %.
MIRD_17 = {("Y-90", 3.0): 1.61, ("Y-90", 6.0): 0.346, ("Sr-89", 3.0): 1.55, ("Sr-89", 6.0): 0.285, ("I-131", 3.0): 0.92,
           ("I-131", 6.0): 0.129}


@pytest.mark.parametrize(("nuclide", "voxel_mm"), MIRD_17)
def test_self_doses_are_those_of_mird_17(nuclide, voxel_mm):
    kernel = voxel_kernel(radionuclide(nuclide).emissions, SOFT_TISSUE, (voxel_mm,) * 3, 2, histories=20_000)
    assert kernel.at(0, 0, 0) == pytest.approx(MIRD_17[nuclide, voxel_mm], rel=0.03)


@pytest.mark.parametrize(("nuclide", "self_dose", "neighbour"), [("Y-90", 1.59, 0.275), ("Sr-89", 1.54, 0.191)])
def test_neighbours_at_3_mm_are_those_of_lanconelli(nuclide, self_dose, neighbour):
    # Phys Med Biol 57 (2012) 517, soft tissue, 3 mm, mGy/(MBq s).
    kernel = voxel_kernel(radionuclide(nuclide).emissions, SOFT_TISSUE, (3.0,) * 3, 3, histories=40_000)
    assert kernel.at(0, 0, 0) == pytest.approx(self_dose, rel=0.03)
    assert kernel.at(0, 0, 1) == pytest.approx(neighbour, rel=0.05)
    # Averaged over what is alike.
    assert kernel.at(1, 0, 0) == pytest.approx(kernel.at(0, 0, 1))


def test_a_kernel_keeps_all_electron_energy_that_does_not_leave():
    emissions = radionuclide("Sr-89").emissions
    kernel = voxel_kernel(emissions, SOFT_TISSUE, (5.0,) * 3, 3, histories=20_000)
    # But for bremsstrahlung (0.3 %), which mostly leaves.
    assert kernel.energy_kev == pytest.approx(electron_table(emissions).energy_kev, rel=0.005)
    assert kernel.emitted_kev == pytest.approx(electron_table(emissions).energy_kev, rel=0.001)


def test_positrons_leave_their_energy_and_their_photons_come_far():
    emissions = radionuclide("F-18").emissions
    kernel = voxel_kernel(emissions, SOFT_TISSUE, (4.0,) * 3, 5, histories=20_000)
    # Positrons: 0.967 x 249.8 keV; of the 988 keV of annihilation photons a tenth stays in 4.4 cm.
    assert 241.7 < kernel.energy_kev < 241.7 + 0.2 * 988
    assert kernel.emitted_kev == pytest.approx(241.7 + 0.967 * 1022, rel=0.01)
    assert kernel.at(5, 5, 5) > 0


def test_longer_voxels_have_nearer_neighbours_across_them():
    kernel = voxel_kernel(radionuclide("Y-90").emissions, SOFT_TISSUE, (2.0, 2.0, 6.0), 2, histories=20_000)
    assert kernel.mgy_per_mbq_s.shape == (5, 5, 5)
    assert kernel.at(1, 0, 0) == pytest.approx(kernel.at(0, 1, 0))
    assert kernel.at(1, 0, 0) > 2 * kernel.at(0, 0, 1)


def test_betas_get_far_in_lung_and_not_far_in_bone():
    emissions = radionuclide("Y-90").emissions
    lung, bone = (voxel_kernel(emissions, medium, (3.0,) * 3, 3, histories=10_000) for medium in (LUNG, CORTICAL_BONE))
    outside = [1 - k.mgy_per_mbq_s[3, 3, 3] / k.mgy_per_mbq_s.sum() for k in (lung, bone)]
    assert outside[0] > 0.7 > 0.6 > outside[1]


def test_the_stated_uncertainty_is_the_spread_between_seeds():
    emissions = radionuclide("Y-90").emissions
    runs = [voxel_kernel(emissions, SOFT_TISSUE, (3.0,) * 3, 1, histories=2000, seed=seed) for seed in range(12)]
    values = np.array([run.at(0, 0, 1) for run in runs])
    stated = np.mean([run.relative_uncertainty[1, 1, 2] for run in runs])
    # The spread of 12 runs is known to a fifth; the 6 neighbours are nearly independent.
    assert 0.5 < stated / (values.std(ddof=1) / values.mean()) < 1.7


@pytest.mark.parametrize(("voxel_mm", "half"), [((0.0, 1.0, 1.0), 3), ((3.0, 3.0, 3.0), 0), ((0.1, 0.1, 0.1), 200)])
def test_kernels_that_are_none_are_refused(voxel_mm, half):
    with pytest.raises(InputError, match="kernel of"):
        voxel_kernel(radionuclide("Y-90").emissions, SOFT_TISSUE, voxel_mm, half)


def test_second_neighbours_reach_as_far_as_published_ones():
    # Lanconelli, soft tissue, 4.42 mm: 0.0021 mGy/(MBq s) for Y-90, from the last millimetres of its range.
    kernel = voxel_kernel(radionuclide("Y-90").emissions, SOFT_TISSUE, (4.42,) * 3, 2, histories=150_000)
    assert kernel.at(0, 0, 2) == pytest.approx(0.0021, rel=0.10)


def test_a_kernel_is_smooth_and_positive_however_far_it_reaches():
    kernel = voxel_kernel(radionuclide("F-18").emissions, SOFT_TISSUE, (4.0, 4.0, 5.0), (100, 10, 80), histories=50_000)
    along_x, along_z = kernel.octant_mgy_per_mbq_s[0, 0], kernel.octant_mgy_per_mbq_s[:, 0, 0]
    assert kernel.mgy_per_mbq_s.shape == (161, 21, 201) and kernel.octant_mgy_per_mbq_s.min() > 0
    assert np.all(np.diff(along_x) < 0) and np.all(np.diff(along_z) < 0)
    # The same distance along both axes.
    assert along_x[50] == pytest.approx(along_z[40], rel=0.01)
    # 511 keV in water, NIST: 0.096 cm2/g attenuation; scattered photons make the fall about half as steep, but not
    # less steep than the absorption of 0.033 cm2/g would.
    slope_per_cm = -np.log(along_x[75] / along_x[50] * (75 / 50) ** 2) / 10.0
    assert 1.04 * 0.033 < slope_per_cm < 1.04 * 0.096


def test_alphas_are_in_the_middle_voxel_and_counted():
    emissions = radionuclide("Ac-225").emissions
    kernel = voxel_kernel(emissions, SOFT_TISSUE, (3.0,) * 3, 3, histories=5000)
    assert kernel.energy_kev == pytest.approx(emissions.alpha_energy_kev, rel=0.02)
    # ICRP 107: 5.75 MeV of alphas and 0.1 MeV of recoils a decay of Ac-225.
    assert kernel.at(0, 0, 0) == pytest.approx(5880 * 1.602e-13 * 1e6 / 28.08e-6, rel=0.02)
    assert 0 <= kernel.beyond < 0.01
