"""Seeded patients: the same from one seed, different between seeds, still people."""

from dataclasses import replace

import numpy as np
import pytest

from organdose.anatomy.phantoms.ct_appearance import FIELD_OF_VIEW_MM
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import body_bounds_mm, voxelise

_ORGANS = ("liver", "heart", "spleen", "kidney_left", "kidney_right", "stomach", "pancreas", "urinary_bladder",
           "lung_left", "lung_right")


def test_seed_0_is_the_reference_patient():
    reference = load_phantom("adult-male")
    assert vary(reference, 0) is reference


def test_one_seed_is_one_patient_and_two_seeds_are_two():
    first, again, other = (voxelise(vary(load_phantom("adult-female"), seed), (6, 6, 8)) for seed in (7, 7, 8))
    assert np.array_equal(first.part, again.part) and np.array_equal(first.medium, again.medium)
    assert first.part.shape != other.part.shape or (first.part != other.part).mean() > 0.02


def test_a_hundred_patients_stay_within_the_stated_ranges_and_spread_over_them():
    patients = [vary(load_phantom("adult-male"), seed) for seed in range(1, 101)]
    stature, girth = (np.array([getattr(p, name) for p in patients]) for name in ("stature_cm", "girth"))
    assert 178.6 * 0.91 <= stature.min() < 170 and 187 < stature.max() <= 178.6 * 1.09
    assert 0.98 <= girth.min() < 1.0 and 1.15 < girth.max() <= 1.22
    assert stature.mean() == pytest.approx(178.6, rel=0.015)
    for patient in patients:
        bounds_mm = body_bounds_mm(patient, ARMS_UP)
        assert max(abs(edge) for side in bounds_mm[:2] for edge in side) <= FIELD_OF_VIEW_MM / 2


@pytest.mark.parametrize(("name", "seed"), [("adult-male", 3), ("adult-female", 11), ("adult-male", 42)])
def test_organs_stay_whole_and_inside_the_body(name, seed):
    reference, patient = load_phantom(name), vary(load_phantom(name), seed)
    volumes = {organ: ml for organ, (ml, _) in voxelise(patient, (3, 3, 5), (0, 760)).volumes_and_masses().items()}
    usual = {organ: ml for organ, (ml, _) in voxelise(reference, (3, 3, 5), (0, 760)).volumes_and_masses().items()}
    size = float(np.prod(patient.scale))
    for organ in _ORGANS:
        # Lengths of a soft organ vary by -12 to +10 %; where it meets another it may lose a little more.
        assert 0.88**3 * 0.85 < volumes[organ] / (usual[organ] * size) < 1.1**3 * 1.05, organ


def test_a_stouter_patient_has_more_fat_not_more_liver():
    slim, stout = (voxelise(replace(load_phantom("adult-male"), girth=g), (4, 4, 8), (200, 500)).volumes_and_masses()
                   for g in (1.0, 1.2))
    assert stout["subcutaneous_fat"][0] > 2.5 * slim["subcutaneous_fat"][0]
    assert stout["liver"][0] == pytest.approx(slim["liver"][0], rel=0.01)
