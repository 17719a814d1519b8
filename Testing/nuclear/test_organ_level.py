"""Organ-level MIRD by hand: sums over sources, mass scaling, walls of hollow organs, sources of a patient."""

import numpy as np
import pytest

from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom, PhantomLabel, PhantomMedium
from organdose.errors import InputError
from organdose.nuclear.biokinetics import biokinetics
from organdose.nuclear.bladder_voiding import BladderVoiding, ExcretionPhase, bladder_tiac_h
from organdose.nuclear.organ_level import organ_level_dose, sources_in, with_surface_walls
from organdose.nuclear.radionuclide import radionuclide
from organdose.nuclear.s_values import SValues

LIVER, SPLEEN, WALL, URINE = ({label: 1.0} for label in (1, 2, 3, 4))


@pytest.fixture
def values():
    """Targets liver, spleen, bladder wall and both organs; sources liver, spleen, urine (mGy/(MBq s))."""
    charged = np.array([[4.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.0, 0.0, 0.5], [3.0, 2.0, 0.0]])
    photon = np.array([[1.0, 0.1, 0.0], [0.1, 2.0, 0.0], [0.0, 0.0, 0.2], [0.7, 0.6, 0.0]])
    return SValues("Test", "F-18", ("liver", "spleen", "urinary_bladder", "gi_tract"),
                   ("liver", "spleen", "urinary_bladder_contents"), charged, photon, 0.01 * charged, 0.01 * photon,
                   np.array([300.0, 100.0, 50.0, 400.0]), np.array([300.0, 100.0, 200.0]),
                   (LIVER, SPLEEN, WALL, LIVER | SPLEEN), (LIVER, SPLEEN, URINE), 250.0)


def test_the_dose_is_the_sum_over_sources(values):
    dose = organ_level_dose(values, {"liver": 2e6, "spleen": 1e6}, administered_bq=4e6)
    assert dose.total_mgy["liver"] == pytest.approx(2 * 5.0 + 0.1)
    assert dose.mgy_per_mbq["liver"] == pytest.approx(10.1 / 4)
    assert dose.contributions("spleen") == {"spleen": pytest.approx(10.0), "liver": pytest.approx(0.2),
                                            "urinary_bladder_contents": 0.0}


def test_self_dose_is_scaled_by_mass_and_cross_dose_is_not(values):
    dose = organ_level_dose(values, {"liver": 1e6, "spleen": 1e6}, patient_mass_g={"liver": 600.0})
    assert dose.contributions("liver")["liver"] == pytest.approx(4.0 / 2 + 1.0 / 2 ** (2 / 3))
    assert dose.contributions("liver")["spleen"] == pytest.approx(0.1)
    assert dose.contributions("spleen")["spleen"] == pytest.approx(10.0)
    assert dose.mass_g[0] == 600.0
    assert any("600 g (300 g)" in note for note in dose.notes)


def test_a_group_is_scaled_by_its_own_mass(values):
    dose = organ_level_dose(values, {"liver": 1e6}, patient_mass_g={"gi_tract": 800.0})
    assert dose.total_mgy["gi_tract"] == pytest.approx(3.0 / 2 + 0.7 / 2 ** (2 / 3))


def test_electrons_of_urine_give_the_wall_half_of_what_they_give_the_urine(values):
    wall = with_surface_walls(values)
    expected = 0.5 * 250.0 * 1e6 * 1.602176634e-13 / 0.2  # half of 250 keV in 200 g
    assert wall.charged[2, 2] == pytest.approx(expected)
    assert wall.photon[2, 2] == 0.2
    kept = organ_level_dose(values, {"urinary_bladder_contents": 1e6}, surface_walls=False)
    assert kept.total_mgy["urinary_bladder"] == pytest.approx(0.7)


def test_uncertainties_of_statistics_and_of_decays_are_joined(values):
    dose = organ_level_dose(values, {"spleen": 1e6}, decay_relative_uncertainty={"spleen": 0.2})
    assert dose.relative_uncertainty[1] == pytest.approx(np.hypot(0.2, np.hypot(0.08, 0.02) / 10), rel=1e-6)


def test_without_administered_activity_there_is_no_dose_per_activity(values):
    assert np.isnan(organ_level_dose(values, {"liver": 1e6}).mgy_per_mbq["liver"])


@pytest.mark.parametrize(("decays", "masses", "said"), [
    ({"brain": 1.0}, {}, "no S-values for the source 'brain'"), ({"liver": -1.0}, {}, "-1 decays"),
    ({"liver": np.nan}, {}, "nan decays"), ({"liver": 1.0}, {"liver": 0.0}, "a mass of 0 g")])
def test_what_makes_no_dose_is_refused(values, decays, masses, said):
    with pytest.raises(InputError, match=said):
        organ_level_dose(values, decays, patient_mass_g=masses)


def test_an_unknown_target_is_named(values):
    with pytest.raises(InputError, match="no dose to 'heart'"):
        organ_level_dose(values, {"liver": 1.0}).contributions("heart")


@pytest.fixture
def phantom():
    labels = np.array([[[1, 2, 3, 4]]], np.uint16)
    names = {1: "kidney_left", 2: "kidney_right", 3: "urinary_bladder", 4: "urinary_bladder_contents"}
    regions = {name: {label: 1.0} for label, name in names.items()}
    regions |= {"kidneys": {1: 1.0, 2: 1.0}, "body": dict.fromkeys(names, 1.0)}
    entries = {label: PhantomLabel(name, "water", 1.0) for label, name in names.items()}
    return LabelledPhantom("Tiny", "", labels, (10.0, 10.0, 10.0), entries,
                           {"water": PhantomMedium({"H": 11.2, "O": 88.8})}, regions, frozenset({4}))


def test_a_bladder_that_was_measured_is_its_contents(phantom):
    decays, notes = sources_in(phantom, {"urinary_bladder": 3.0, "body": 9.0})
    assert decays == {"urinary_bladder_contents": 3.0}
    assert any("contents" in note for note in notes)


def test_a_group_beside_all_its_members_does_not_count_twice(phantom):
    decays, notes = sources_in(phantom, {"kidneys": 3.0, "kidney_left": 1.0, "kidney_right": 2.0})
    assert decays == {"kidney_left": 1.0, "kidney_right": 2.0} and notes == ()


def test_what_the_phantom_lacks_goes_to_the_remainder_and_is_named(phantom):
    decays, notes = sources_in(phantom, {"kidneys": 3.0, "tumour_1": 1.0})
    assert decays == {"kidneys": 3.0}
    assert any("tumour_1" in note for note in notes)


def test_the_fdg_model_of_icrp_128_is_consistent_in_itself():
    """Its excretion gives the bladder, the remainder and the kidneys that the table has."""
    model = biokinetics("fdg_icrp128")
    per_h = radionuclide(model.nuclide).decay_constant_per_s * 3600
    phases = [ExcretionPhase(0.06, 0.2), ExcretionPhase(0.18, 1.5)]
    bladder_h = bladder_tiac_h(phases, per_h / 3600, BladderVoiding(interval_h=3.5))
    assert bladder_h == pytest.approx(model.tiac_h["urinary_bladder_contents"], abs=0.0051)
    rates = [np.log(2) / phase.half_life_h for phase in phases]
    body_h = 0.76 / per_h + sum(phase.fraction / (per_h + rate) for phase, rate in zip(phases, rates))
    organs_h = sum(model.tiac_h[name] for name in ("brain", "heart_myocardium", "lungs", "liver", "kidneys"))
    assert body_h - organs_h == pytest.approx(model.tiac_h["remainder"], abs=0.05)
    passing = sum(phase.fraction * rate / (per_h + rate) for phase, rate in zip(phases, rates))
    urine_h = passing * -np.expm1(-per_h / 12) / per_h  # 5 min in the kidneys
    tissue_h = model.tiac_h["remainder"] * 310 / 70000  # 310 g of about 70 kg
    assert urine_h + tissue_h == pytest.approx(model.tiac_h["kidneys"], rel=0.01)


def test_unknown_biokinetics_are_refused():
    with pytest.raises(InputError, match="fdg_icrp128"):
        biokinetics("fdg")
