"""Engines with voxel S-values and local deposition: equilibrium doses, borders of media, and what they say of it."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.engines import engine
from organdose.nuclear.kernel_dose import REACH_MM
from organdose.nuclear.local_engine import local_kev
from organdose.nuclear.media import CORTICAL_BONE, LUNG, SOFT_TISSUE, SPONGY_BONE
from organdose.nuclear.msv_engine import medium_index
from organdose.nuclear.radionuclide import radionuclide
from organdose.transport.materials import DRY_AIR, DRY_AIR_DENSITY_G_CM3

FEW = {"kernel_histories": 20_000}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path_factory.getbasetemp() / "kernels"))


def dose_of(name, source, grid, **parameters):
    chosen = engine(name)
    return chosen.run(source, grid, chosen.parameters(**parameters))


def values(dose):
    return sitk.GetArrayFromImage(dose.dose_mgy)


def halves(shape, axis=2):
    """Index of materials (z, y, x): 0 in the lower half along an axis, 1 in the upper one."""
    index = np.zeros(shape, np.uint8)
    np.moveaxis(index, axis, 0)[shape[axis] // 2:] = 1
    return index


def test_a_beta_emitter_everywhere_gives_its_equilibrium_dose(tissue_grid, make_source):
    shape = (15, 15, 15)
    dose = dose_of("vsv", make_source("Y-90", np.full(shape, 1e9)), tissue_grid(shape, 6.0), **FEW)
    # ICRP 107: 932.9 keV of betas a decay; 3 keV of them become bremsstrahlung, most of which leaves.
    equilibrium = 1e9 * 932.9 * MGY_KG_PER_KEV / (1.04e-3 * 0.216)
    assert values(dose)[7, 7, 7] == pytest.approx(equilibrium, rel=0.01)
    # At a face half of it, in a corner an eighth, of what crosses borders; voxels keep most of theirs.
    assert 0.5 * equilibrium < values(dose)[0, 7, 7] < 0.99 * equilibrium


def test_photons_everywhere_give_all_their_energy_in_a_large_body(tissue_grid, make_source):
    shape = (41, 41, 41)
    source = make_source("F-18", np.full(shape, 1e6))
    dose = dose_of("vsv", source, tissue_grid(shape, 25.0), **FEW)
    # 241.7 keV of positrons and 988.2 keV of annihilation photons, of which 2 to 3 % come from beyond 50 cm.
    equilibrium = 1e6 * (241.7 + 988.2) * MGY_KG_PER_KEV / (1.04e-3 * 15.625)
    assert 0.97 * equilibrium < values(dose)[20, 20, 20] < 0.985 * equilibrium


def test_alphas_stay_in_their_voxel(tissue_grid, make_source):
    decays = np.zeros((5, 5, 5))
    decays[2, 2, 2] = 1e6
    source = make_source("Ac-225", decays)
    dose = values(dose_of("vsv", source, tissue_grid((5, 5, 5), 4.0), **FEW))
    alphas = source.mixture.emissions.alpha_energy_kev * 1e6 * MGY_KG_PER_KEV / (1.04e-6 * 64)
    assert alphas < dose[2, 2, 2] < 1.05 * alphas
    assert dose[2, 2, 3] < 0.01 * alphas


@pytest.mark.parametrize("name", ["vsv", "msv"])
def test_density_scaling_gives_the_equilibrium_dose_in_any_density(name, tissue_grid, make_source):
    shape = (13, 13, 13)
    grid = tissue_grid(shape, 20.0, densities=(0.4,))
    source = make_source("Lu-177", np.full(shape, 1e9))
    plain, scaled = (values(dose_of(name, source, grid, density_scaled=chosen, **FEW)) for chosen in (False, True))
    reference = SOFT_TISSUE if name == "vsv" else LUNG
    assert scaled == pytest.approx(plain * reference.density_g_cm3 / 0.4, rel=1e-5)
    betas = 1e9 * 148.0 * MGY_KG_PER_KEV / (0.4e-3 * 8.0)  # ICRP 107: 148.0 keV of electrons a decay
    assert betas < scaled[6, 6, 6] < 1.25 * betas


def test_each_voxel_takes_the_kernel_of_its_own_medium(tissue_grid, make_source):
    shape = (9, 9, 16)
    source, index = make_source("Y-90", np.full(shape, 1e9)), halves(shape)
    media = (LUNG, CORTICAL_BONE)
    both = values(dose_of("msv", source, tissue_grid(shape, 4.0, tuple(m.material for m in media),
                                                     tuple(m.density_g_cm3 for m in media), index), **FEW))
    for k, medium in enumerate(media):
        alone = values(dose_of("msv", source, tissue_grid(shape, 4.0, (medium.material,), (medium.density_g_cm3,)),
                               **FEW))
        assert both[index == k] == pytest.approx(alone[index == k], rel=1e-5)


def test_media_are_told_by_density():
    media = [m.density_g_cm3 for m in (LUNG, SOFT_TISSUE, SPONGY_BONE, CORTICAL_BONE)]
    assert medium_index(np.array(media)).tolist() == [0, 1, 2, 3]
    # ICRP 110: adipose tissue, muscle, spongiosa of the upper humerus, mineral bone; air.
    assert medium_index(np.array([0.95, 1.05, 1.205, 1.92, 0.001])).tolist() == [1, 1, 2, 3, 0]


@pytest.mark.parametrize(("name", "parameters"), [("vsv", {}), ("vsv", {"density_scaled": True}), ("msv", {}),
                                                  ("msv", {"density_scaled": True}), ("local", None)])
def test_air_gets_finite_doses(name, parameters, tissue_grid, make_source):
    shape = (8, 8, 8)
    grid = tissue_grid(shape, 4.0, (SOFT_TISSUE.material, DRY_AIR), (1.04, DRY_AIR_DENSITY_G_CM3), halves(shape))
    grid.voxels.density_g_cm3[7, 7, 7] = 0.0
    parameters = {} if parameters is None else parameters | FEW
    dose = values(dose_of(name, make_source("F-18", np.full(shape, 1e9)), grid, **parameters))
    assert np.isfinite(dose).all() and dose.min() > 0
    assert dose[:, :, 4:].max() < 30 * dose[:, :, :4].max()


def test_local_deposition_is_energy_over_mass(tissue_grid, make_source):
    decays = np.arange(27.0).reshape(3, 3, 3) * 1e6
    grid = tissue_grid((3, 3, 3), 5.0, densities=(0.5,))
    dose = values(dose_of("local", make_source("Lu-177", decays), grid))
    assert dose == pytest.approx(decays * 148.0 * MGY_KG_PER_KEV / (0.5e-3 * 0.125), rel=1e-3)
    assert dose[0, 0, 0] == 0


def test_photons_are_left_out_or_absorbed_locally(tissue_grid, make_source):
    emissions = radionuclide("F-18").emissions
    # ICRP 107: 0.9673 positrons of 249.8 keV; 511 keV twice for each.
    assert local_kev(emissions, "none") == pytest.approx(241.7, rel=1e-3)
    assert local_kev(emissions, "all") == pytest.approx(241.7 + 0.9673 * 1022.0, rel=1e-3)


def test_what_was_assumed_is_said(tissue_grid, make_source):
    source = make_source("Ra-223", np.ones((4, 4, 4)))
    grid = tissue_grid((4, 4, 4), 4.0)
    single, multiple = (dose_of(name, source, grid, **FEW).facts for name in ("vsv", "msv"))
    local = dose_of("local", source, grid).facts
    for facts in (single, multiple, local):
        assert any("in equilibrium with its progeny" in line for line in facts["assumptions"])
        assert any("no uncertainty" in line or "has none of its own" in line for line in facts["assumptions"])
    assert any("soft tissue" in line and "1.04" in line for line in single["assumptions"])
    assert len(single["kernels"]) == 1 and len(multiple["kernels"]) == 4
    assert single["kernel_histories"] == 20_000 and single["kernel_reach_mm"] == REACH_MM


def test_anisotropic_voxels_are_what_the_kernel_is_made_for(tissue_grid, make_source):
    decays = np.zeros((5, 7, 7))
    decays[2, 3, 3] = 1e6
    grid = tissue_grid((5, 7, 7), 4.0)
    geometry = sitk.GetImageFromArray(np.ones((5, 7, 7), np.float32))
    geometry.SetSpacing((2.0, 2.0, 6.0))
    object.__setattr__(grid.voxels, "spacing_mm", (2.0, 2.0, 6.0))
    object.__setattr__(grid, "geometry", geometry)
    dose = dose_of("vsv", make_source("Y-90", decays), grid, **FEW)
    assert dose.dose_mgy.GetSpacing() == (2.0, 2.0, 6.0)
    assert values(dose)[2, 3, 4] > 2 * values(dose)[3, 3, 3]


def test_a_nuclide_without_radiation_is_refused(make_source, monkeypatch):
    source = make_source("F-18", np.ones((3, 3, 3)))
    silent = source.mixture.emissions.scaled(0.0)
    monkeypatch.setitem(source.mixture.__dict__, "emissions", silent)
    for name in ("vsv", "msv", "local"):
        with pytest.raises(InputError, match="emits nothing"):
            engine(name).check(source, engine(name).parameters())
