"""The engine that gives a patient's organs the doses of a phantom's."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.engines import engine
from organdose.nuclear.mird_engine import MirdParameters
from organdose.nuclear.time_activity import TimeActivityCurve

ORGANS = ("body", "liver", "spleen", "tumour_1", "femur_left")
FEW = {"phantom": "adult_male", "voxel_mm": 10.0, "histories": 20_000}
ADMINISTERED_BQ = 1e9


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path_factory.getbasetemp() / "s-values"))


@pytest.fixture
def patient(make_source, tissue_grid):
    """A cuboid patient: liver, spleen, tumour and femur are slabs of it; all its decays are given by organ."""
    def make(decays, nuclide="Lu-177", administered_bq=ADMINISTERED_BQ):
        grid = tissue_grid((10, 10, 10), 20.0)
        voxel_g = 1000 * grid.voxels.voxel_mass_kg
        slabs = {"body": slice(0, 10), "liver": slice(0, 4), "spleen": slice(4, 5), "tumour_1": slice(5, 6),
                 "femur_left": slice(7, 9)}
        rows = []
        for name in ORGANS:
            row = np.zeros((10, 10, 10))
            row[slabs[name]] = voxel_g[slabs[name]]
            rows.append(row.ravel())
        source = make_source(nuclide, np.full((10, 10, 10), sum(decays.values()) / 1000), administered_bq)
        nothing = np.zeros(0)
        curves = tuple(TimeActivityCurve(name, nothing, nothing, nothing, nothing, nothing, number, np.nan, 0.0, 0.0,
                                         "physical", 0, 1.0, "") for name, number in decays.items())
        return replace(source, curves=curves), grid, sp.csr_matrix(np.stack(rows))

    return make


def run(made, **parameters):
    source, grid, masses = made
    return engine("mird").run(source, grid, MirdParameters(**{**FEW, **parameters}), organs=ORGANS, organ_mass_g=masses)


def test_the_liver_gets_the_energy_of_its_electrons_by_its_own_mass(patient):
    made = patient({"liver": 1e12})
    dose = run(made, remainder="none")
    mass_kg = float(made[2][1].sum()) / 1000
    electrons_mgy = 1e12 * 147.9 * MGY_KG_PER_KEV / mass_kg  # Lu-177: 147.9 keV of electrons a decay (ICRP 107)
    # 35 keV of photons a decay, of which the liver keeps a part, come on top.
    assert electrons_mgy < dose.organ_mean_mgy["liver"] < 1.1 * electrons_mgy
    unscaled = run(made, remainder="none", mass_scaling=False)
    ratio = dose.organ_mean_mgy["liver"] / unscaled.organ_mean_mgy["liver"]
    assert ratio == pytest.approx(1.894 / mass_kg, rel=0.05)  # the phantom's liver: 1.9 kg


def test_both_kidneys_have_the_dose_of_each_of_them_where_the_patients_are_larger(make_source, tissue_grid):
    grid = tissue_grid((10, 10, 10), 20.0)
    left, right = np.zeros((10, 10, 10)), np.zeros((10, 10, 10))
    left[:, :, 0] = right[:, :, 9] = 3.0  # g in each of 100 voxels: twice the phantom's kidneys
    masses = sp.csr_matrix(np.stack([left.ravel(), right.ravel(), (left + right).ravel()]))
    names, nothing = ("kidney_left", "kidney_right", "kidneys"), np.zeros(0)
    curves = tuple(TimeActivityCurve(name, nothing, nothing, nothing, nothing, nothing, number, np.nan, 0.0, 0.0,
                                     "physical", 0, 1.0, "") for name, number in zip(names, (1e12, 1e12, 2e12)))
    source = replace(make_source("Y-90", np.full((10, 10, 10), 2e9), ADMINISTERED_BQ), curves=curves)
    dose = engine("mird").run(source, grid, MirdParameters(**FEW, remainder="none"), organs=names, organ_mass_g=masses)
    means = dose.organ_mean_mgy
    # Y-90: 933 keV of electrons a decay (ICRP 107), of which a kidney keeps nearly all.
    assert means["kidneys"] == pytest.approx(1e12 * 933 * MGY_KG_PER_KEV / 0.3, rel=0.15)
    assert means["kidneys"] == pytest.approx(0.5 * (means["kidney_left"] + means["kidney_right"]), rel=0.03)


def test_the_map_has_each_organs_mean_in_its_voxels_and_says_what_it_is(patient):
    dose = run(patient({"liver": 1e12, "spleen": 2e11}))
    voxels = sitk.GetArrayFromImage(dose.dose_mgy)
    assert dose.quantity == "organ mean absorbed dose"
    assert voxels[2, 5, 5] == pytest.approx(dose.organ_mean_mgy["liver"])
    assert voxels[4, 5, 5] == pytest.approx(dose.organ_mean_mgy["spleen"])
    assert voxels[9, 5, 5] == pytest.approx(dose.organ_mean_mgy["body"])
    assert set(dose.organ_relative_uncertainty) == set(ORGANS)


def test_the_rest_of_what_was_administered_decays_in_the_rest_of_the_body(patient):
    half_life_s = 6.647 * 86400  # Lu-177
    dose = run(patient({"liver": 1e14}))
    all_mbq_h = ADMINISTERED_BQ * half_life_s / np.log(2) / 3.6e9
    found = dose.facts["source_organs_mbq_h"]
    assert found["liver"] + found["remainder"] == pytest.approx(all_mbq_h, rel=0.001)


def test_a_remainder_far_above_what_the_image_shows_is_doubted(patient):
    source, grid, masses = patient({"liver": 1e12})
    doubted = run((source, grid, masses)).facts["doubts"]
    assert len(doubted) == 1 and "upper bounds" in doubted[0]
    assert run((source, grid, masses), remainder="image").facts["doubts"] == []


def test_more_in_the_organs_than_was_given_is_said(patient):
    dose = run(patient({"liver": 1e16}))
    assert "remainder" not in dose.facts["source_organs_mbq_h"]
    assert any("more than there is" in line for line in dose.facts["assumptions"])


def test_excretion_fills_the_bladder_and_empties_the_body(patient):
    kept, voided = (run(patient({"liver": 1e13}), excreted_percent=percent) for percent in (None, 50))
    assert voided.facts["source_organs_mbq_h"]["urinary_bladder_contents"] > 0
    assert voided.facts["source_organs_mbq_h"]["remainder"] < 0.6 * kept.facts["source_organs_mbq_h"]["remainder"]


def test_a_tumour_that_no_phantom_has_gets_its_own_electrons_and_a_note(patient):
    made = patient({"liver": 1e12, "tumour_1": 1e12})
    dose = run(made, remainder="none")
    mass_kg = float(made[2][3].sum()) / 1000
    assert dose.organ_mean_mgy["tumour_1"] == pytest.approx(
        1e12 * 148.0 * MGY_KG_PER_KEV / mass_kg + dose.organ_mean_mgy["body"], rel=0.005)
    assert any("tumour_1" in line for line in dose.facts["assumptions"])


def test_without_administered_activity_the_image_tells_the_remainder(patient):
    source, grid, masses = patient({"liver": 1e12}, administered_bq=None)
    source = replace(source, decays=np.full((10, 10, 10), 3e9, np.float32))
    dose = run((source, grid, masses))
    assert dose.facts["source_organs_mbq_h"]["remainder"] == pytest.approx(2e12 / 3.6e9, rel=1e-4)


def test_several_time_points_show_what_has_left_the_body(patient):
    source, grid, masses = patient({"liver": 1e12})
    source = replace(source, decays=np.full((10, 10, 10), 3e9, np.float32),
                     curves=tuple(replace(curve, times_s=np.array([4.0, 24.0]) * 3600) for curve in source.curves))
    dose = run((source, grid, masses))
    # 3e12 decays in the image less 1e12 in the liver; all that was given would be 8e14.
    assert dose.facts["source_organs_mbq_h"]["remainder"] == pytest.approx(2e12 / 3.6e9, rel=1e-4)


@pytest.mark.parametrize(("parameters", "administered_bq", "decays", "said"), [
    ({"remainder": "administered"}, None, {"liver": 1e12}, "administered activity is not known"),
    ({"phantom": "nobody.json"}, 1e9, {"liver": 1e12}, "no phantom 'nobody.json'"),
    ({}, 1e9, {}, "no organs with a time-integrated activity")])
def test_what_cannot_run_is_said_before_any_work(patient, parameters, administered_bq, decays, said):
    source, *_ = patient(decays, administered_bq=administered_bq)
    with pytest.raises(InputError, match=said):
        engine("mird").check(source, MirdParameters(**parameters))
