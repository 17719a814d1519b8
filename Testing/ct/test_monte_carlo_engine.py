"""The engine as a whole: absolute dose, reproducibility, what it refuses."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.ct.dose_grid import dose_grid
from organdose.ct.engines import engine, engines
from organdose.errors import InputError, MissingFacts


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANDOSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("organdose.ct.ctdi._WANTED_PERCENT", 2.0)
        yield


def run(study, **parameters):
    monte_carlo = engine("mc")
    grid = dose_grid(study.image, 10.0, schneider2000())
    return monte_carlo.run(study, grid, monte_carlo.parameters(**({"histories": 200_000} | parameters))), grid


def test_the_middle_of_a_long_water_cylinder_gets_the_size_specific_dose_estimate(make_study):
    # AAPM report 204: SSDE / CTDIvol(32 cm) = 3.704369 exp(-0.03671937 D / cm), which is 1.144 for D = 32 cm of water.
    # SSDE is stated for the centre of the scan range and is itself good to 10 or 20 %.
    dose, grid = run(make_study(slices=40))
    middle = sitk.GetArrayFromImage(dose.dose_mgy)[18:22]
    water = grid.voxels.density_g_cm3[18:22] > 0.9
    assert middle[water].mean() == pytest.approx(11.44, rel=0.1)


def test_dose_goes_with_ctdivol(make_study):
    single, _ = run(make_study())
    double, _ = run(make_study(ctdivol_mgy=(20.0,)))
    assert sitk.GetArrayFromImage(double.dose_mgy) == pytest.approx(2 * sitk.GetArrayFromImage(single.dose_mgy))


def test_dose_follows_the_modulated_tube_current(make_study):
    lower, upper = (50.0,) * 6 + (150.0,) * 6, (150.0,) * 6 + (50.0,) * 6
    dose, grid = run(make_study(tube_current_ma=lower))
    mirrored, _ = run(make_study(tube_current_ma=upper), seed=2)
    water = grid.voxels.density_g_cm3 > 0.9
    profile = [sitk.GetArrayFromImage(d.dose_mgy)[:, water[0]].mean(axis=1) for d in (dose, mirrored)]
    assert profile[0][9] > 1.8 * profile[0][2]
    assert profile[0] == pytest.approx(profile[1][::-1], rel=0.06)


def test_the_same_seed_gives_the_same_map(make_study):
    first, _ = run(make_study())
    again, _ = run(make_study())
    assert np.array_equal(sitk.GetArrayFromImage(first.dose_mgy), sitk.GetArrayFromImage(again.dose_mgy))


def test_every_voxel_has_an_uncertainty_and_it_shrinks_with_histories(make_study):
    few, grid = run(make_study())
    many, _ = run(make_study(), histories=800_000)
    water = grid.voxels.density_g_cm3 > 0.9
    ratio = (sitk.GetArrayFromImage(few.relative_uncertainty)[water].mean()
             / sitk.GetArrayFromImage(many.relative_uncertainty)[water].mean())
    assert ratio == pytest.approx(2.0, rel=0.15)


def test_missing_facts_are_told_before_any_work(make_study):
    study = make_study(tube_voltage_kv=None, ctdi_phantom_cm=None)
    monte_carlo = engine("mc")
    with pytest.raises(MissingFacts) as caught:
        monte_carlo.check(study, monte_carlo.parameters())
    assert set(caught.value.facts) == {"tube_voltage_kv", "ctdi_phantom_cm"}


def test_engines_are_found_by_name_and_say_what_they_need():
    assert engines()["mc"].needs
    with pytest.raises(InputError, match="mc"):
        engine("abacus")


def test_cuda_is_refused_while_this_version_has_none(make_study):
    monte_carlo = engine("mc")
    with pytest.raises(InputError, match="CPU"):
        monte_carlo.check(make_study(), monte_carlo.parameters(device="cuda"))
