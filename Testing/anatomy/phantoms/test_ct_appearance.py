"""The look of the CT: numbers that a physicist would check on a scanner."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.phantoms.ct_appearance import ScanProtocol, simulate_ct, water_equivalent_diameter_cm
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import BACKGROUND
from organdose.errors import InputError

_SMALL = {"slice_mm": 20.0, "pixels": 192}


@pytest.fixture(scope="module")
def ct():
    return simulate_ct(load_phantom("adult-male"), (-180, 800), **_SMALL)


def _hu(ct):
    return sitk.GetArrayFromImage(ct.image)


def _inner(ct, organ):
    names = BACKGROUND + tuple(p.name for p in load_phantom("adult-male").parts_in("arms-up"))
    return ndimage.binary_erosion(ct.part == names.index(organ), np.ones((1, 3, 3)), iterations=2)


def test_organs_have_their_hu_in_the_noisy_image(ct):
    hu = _hu(ct)
    for organ, expected in (("liver", 56), ("spleen", 50), ("skeletal_muscle", 52), ("heart", 44)):
        values = hu[_inner(ct, organ)]
        assert values.mean() == pytest.approx(expected, abs=6), organ
    assert -800 < hu[_inner(ct, "lung_left")].mean() < -640


def test_noise_grows_where_the_tube_current_falls():
    high, low = (simulate_ct(load_phantom("adult-male"), (360, 400), slice_mm=5, pixels=256,
                             protocol=ScanProtocol(mean_ctdivol_mgy=dose)) for dose in (20, 5))
    deviations = [np.std(_hu(ct)[_inner(ct, "spleen")]) for ct in (high, low)]
    assert deviations[1] / deviations[0] == pytest.approx(2.0, rel=0.15)  # sigma ~ 1 / sqrt(mAs)
    assert 3 < deviations[0] < 15


def test_tube_current_follows_attenuation_and_ctdivol_follows_tube_current(ct):
    assert np.corrcoef(np.log(ct.tube_current_ma), ct.water_equivalent_diameter_cm)[0, 1] > 0.95
    assert ct.tube_current_ma.max() / ct.tube_current_ma.min() > 1.5
    assert ct.ctdivol_mgy.mean() == pytest.approx(10.0, rel=0.01)
    assert ct.ctdivol_mgy / ct.effective_mas == pytest.approx(0.07)


def test_the_water_equivalent_diameter_of_a_water_disc_is_its_diameter():
    y, x = np.mgrid[-127.5:128, -127.5:128]
    disc = np.where(np.hypot(x, y) <= 100, 0.0, -1000.0)[None]
    assert water_equivalent_diameter_cm(disc, 1.0)[0] == pytest.approx(20.0, rel=0.002)


def test_the_patient_is_as_wide_as_patients_are(ct):
    assert 20 < ct.water_equivalent_diameter_cm.min() + 3 < ct.water_equivalent_diameter_cm.max() < 36


def test_a_couch_lies_under_the_patient_and_air_around(ct):
    hu = _hu(ct)
    k = hu.shape[0] // 2
    rows = np.flatnonzero((ct.part[k] > 0).any(axis=1))
    column = hu[k, :, hu.shape[2] // 2]
    below = column[rows[-1] + 1:]
    assert (below > -600).any()
    assert column[:rows[0] - 3].mean() == pytest.approx(-1000, abs=15)
    assert (hu[:, 0, 0] == -1024).all() and (hu[:, 2, hu.shape[2] // 2] > -1024).any()


def test_the_same_seed_gives_the_same_image():
    first, again = (simulate_ct(load_phantom("adult-male"), (300, 340), **_SMALL) for _ in range(2))
    assert np.array_equal(_hu(first), _hu(again))


def test_a_ct_of_nothing_is_refused():
    with pytest.raises(InputError, match="pixels"):
        simulate_ct(load_phantom("adult-male"), (300, 200))
    with pytest.raises(InputError, match="slices"):
        simulate_ct(load_phantom("adult-male"), (200, 300), slice_mm=-1)
