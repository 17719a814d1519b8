"""The activity balance of the FDG patient, and the look of its PET."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.phantoms.fdg_uptake import UPTAKE_FRACTION, VOIDED_FRACTION, activity_map, fdg_study
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.pet_appearance import simulate_pet
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import body_bounds_mm, voxelise


@pytest.fixture(scope="module")
def fdg():
    return fdg_study(load_phantom("adult-male"))


def test_the_whole_body_holds_what_was_injected_less_urine_and_decay(fdg):
    phantom = load_phantom("adult-male")
    low, high = body_bounds_mm(phantom, "arms-up")[2]
    activity = activity_map(phantom, fdg, (low + 4, high), voxel_mm=8.0)
    found_bq = sitk.GetArrayViewFromImage(activity).sum(dtype=float) * 0.512
    decayed_bq = fdg.administered_bq * 0.5 ** (60 / 109.77)  # half-life in min, ICRP 107
    forearms = phantom.forearms_mass_g * fdg.fraction_per_ml[media().number["muscle"]] / 1.05
    assert found_bq == pytest.approx(decayed_bq * (1 - VOIDED_FRACTION - forearms), rel=0.01)


def test_organs_hold_their_uptake_fractions(fdg):
    whole = voxelise(load_phantom("adult-male"), (4, 4, 4))
    activity = fdg.bq_per_ml[whole.medium]
    for organ, medium in (("brain", "brain"), ("liver", "liver")):
        there = whole.part == whole.part_names.index(organ)
        share = activity[there].sum(dtype=float) * whole.voxel_ml / (fdg.administered_bq * fdg.decay_to_scan)
        assert share == pytest.approx(UPTAKE_FRACTION[medium], rel=0.03)


def test_standardised_uptake_values_are_those_of_patients(fdg):
    suv = {name: float(fdg.fraction_per_ml[i] * fdg.weight_kg * 1000) for name, i in media().number.items()}
    ranges = {"brain": (3, 8), "liver": (1.5, 3), "muscle": (0.4, 1.1), "fat": (0.1, 0.45), "blood": (1, 2.4),
              "lung": (0.3, 1.0), "spleen": (1.2, 2.7), "kidney": (2, 5), "urine": (5, 30)}
    for name, (low, high) in ranges.items():
        assert low < suv[name] < high, (name, suv[name])


def test_the_pet_keeps_the_total_and_has_the_noise_it_states_in_the_liver(fdg):
    liver_bq_per_ml = float(fdg.bq_per_ml[media().number["liver"]])
    truth = activity_map(load_phantom("adult-male"), fdg, (250, 500))
    a, b = (sitk.GetArrayFromImage(i) for i in (truth, simulate_pet(truth, liver_bq_per_ml, seed=0)))
    assert b.sum(dtype=float) == pytest.approx(a.sum(dtype=float), rel=0.01)
    inner = ndimage.binary_erosion(np.abs(a / liver_bq_per_ml - 1) < 0.03, iterations=2)
    assert 0.06 < b[inner].std() / b[inner].mean() < 0.14
    assert b.min() >= 0
    assert np.array_equal(b, sitk.GetArrayFromImage(simulate_pet(truth, liver_bq_per_ml, seed=0)))
    assert not np.array_equal(b, sitk.GetArrayFromImage(simulate_pet(truth, liver_bq_per_ml, seed=1)))


def test_an_edge_is_blurred_to_six_millimetres():
    step = np.zeros((3, 3, 81), np.float32)
    step[..., 40:] = 1000
    edge = sitk.GetImageFromArray(np.repeat(np.repeat(step, 9, 0), 9, 1))
    edge.SetSpacing((1.0, 1.0, 1.0))
    profile = sitk.GetArrayFromImage(simulate_pet(edge, 1e-6, 0))[13, 13]
    # The edge response falls from 76 to 24 % over 0.6 FWHM of a Gaussian.
    x = np.interp([240, 760], profile, np.arange(81))
    assert x[1] - x[0] == pytest.approx(0.6 * 6.0, rel=0.05)
