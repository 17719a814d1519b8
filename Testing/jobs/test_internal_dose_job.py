"""Internal dose as a job: a uniform beta emitter in water has a dose that a pocket calculator gives."""

import csv
import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError, MissingFacts
from organdose.jobs.internal_dose_job import InternalDoseJob, run_internal_dose
from organdose.jobs.parameters import internal_dose_job, read_job
from organdose.progress import Progress

# Y-90, NNDC (NuDat): half-life 64.05 h, mean beta energy 932.4 keV with the weak branches.
Y90_HALF_LIFE_S, Y90_KEV = 64.05 * 3600, 932.4
DECAYS_PER_ML = 1000 * Y90_HALF_LIFE_S / math.log(2)
WATER_G_ML = 1.02  # of 0 HU by Schneider's curve, read off its table
LIVER_ML, BODY_ML = 6 * 8 * 8, 12 * sum(np.hypot(10 * (x - 9.5), 10 * (y - 9.5)) < 80
                                        for x in range(20) for y in range(20))
EQUILIBRIUM_MGY = DECAYS_PER_ML * Y90_KEV * 1.602176634e-16 / (WATER_G_ML * 1e-3) * 1e3


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})


@pytest.fixture
def job_of(uniform_study, tmp_path):
    """Makes a job on the water cylinder; by local deposition and without a scene unless asked otherwise."""
    def make(study=None, **changed):
        values = {**(study or uniform_study()), "out": tmp_path / "result", "engine": "local", "scene": False}
        return internal_dose_job(**(values | changed))
    return make


def by_name(result):
    return {row.organ: row for row in result.rows}


def test_a_uniform_beta_emitter_leaves_its_mean_energy_in_its_own_mass(job_of):
    rows = by_name(run_internal_dose(job_of()))
    assert rows["liver"].mass_g == pytest.approx(LIVER_ML * WATER_G_ML, rel=0.005)
    for row in rows.values():
        assert row.mean_mgy == pytest.approx(EQUILIBRIUM_MGY, rel=0.01)
        assert row.sd_mgy < 1e-3 * row.mean_mgy


def test_monte_carlo_has_the_equilibrium_dose_inside_and_less_at_the_surface(job_of):
    rows = by_name(run_internal_dose(job_of(engine="mc", histories=200_000)))
    liver, body = rows["liver"], rows["body"]
    assert liver.uncertainty_percent < 1
    # 0.6 % of the energy becomes bremsstrahlung (ESTAR, radiation yield of water at 0.9 MeV), most of which leaves.
    assert liver.mean_mgy == pytest.approx(0.994 * EQUILIBRIUM_MGY, rel=0.02)
    assert 0.85 * EQUILIBRIUM_MGY < body.mean_mgy < 0.98 * EQUILIBRIUM_MGY


def test_activity_and_dose_per_activity_are_those_of_the_decays(job_of):
    result = run_internal_dose(job_of())
    liver = by_name(result)["liver"]
    assert liver.tia_mbq_h == pytest.approx(LIVER_ML * DECAYS_PER_ML / 3.6e9, rel=0.002)
    assert liver.tiac_h == pytest.approx(liver.tia_mbq_h / 10, rel=1e-6)  # of 10 MBq
    assert liver.mean_mgy_per_mbq == pytest.approx(liver.mean_mgy / 10, rel=1e-6)
    assert result.source.total_decays == pytest.approx(BODY_ML * DECAYS_PER_ML, rel=0.002)


def test_the_residual_is_not_administered(job_of, uniform_study):
    result = run_internal_dose(job_of(uniform_study(residual_bq=2e6)))
    liver = by_name(result)["liver"]
    assert liver.mean_mgy_per_mbq == pytest.approx(liver.mean_mgy / 8, rel=1e-6)


def test_three_time_points_are_integrated_with_the_half_life_that_they_show(job_of, uniform_study):
    half_life_h = 40.0
    hours = {"day0.nrrd": 4, "day1.nrrd": 24, "day2.nrrd": 48}
    study = uniform_study({name: 1000 * 2 ** (-hour / half_life_h) for name, hour in hours.items()},
                          of_images={name: {"scan_start_s": 3600 * hour} for name, hour in hours.items()},
                          decay_correction="START", scan_start_s=None)
    result = run_internal_dose(job_of(study))
    assert result.source.model == "mono"
    per_ml = 1000 * half_life_h * 3600 / math.log(2)
    assert by_name(result)["liver"].tia_mbq_h == pytest.approx(LIVER_ML * per_ml / 3.6e9, rel=0.002)
    assert result.source.total_decays == pytest.approx(BODY_ML * per_ml, rel=0.002)


def test_facts_that_nobody_states_are_asked_for_and_those_not_needed_are_not(job_of, uniform_study):
    with pytest.raises(MissingFacts) as caught:
        run_internal_dose(job_of(uniform_study(radionuclide=None, injected_activity_bq=None, duration_s=None)))
    assert {"radionuclide", "injected_activity_bq", "duration_s"} <= set(caught.value.facts)
    assert "patient_mass_kg" not in caught.value.facts
    assert not job_of().out.exists()


def test_what_the_job_states_answers_the_questions(job_of, uniform_study):
    study = uniform_study(radionuclide=None, injected_activity_bq=None)
    liver = by_name(run_internal_dose(job_of(study, nuclide="90Y", administered_mbq=20)))["liver"]
    assert liver.mean_mgy == pytest.approx(EQUILIBRIUM_MGY, rel=0.01)
    assert liver.mean_mgy_per_mbq == pytest.approx(liver.mean_mgy / 20, rel=1e-6)


def test_activity_outside_the_body_is_left_out_and_said_or_kept(job_of, uniform_study, tmp_path):
    study = uniform_study(spot_bq_ml=1000.0 * BODY_ML)  # as much again
    left_out = run_internal_dose(job_of(study))
    assert any("50 % of the decays lie outside the body" in note for note in left_out.source.notes)
    assert left_out.source.total_decays == pytest.approx(BODY_ML * DECAYS_PER_ML, rel=0.002)
    kept = run_internal_dose(job_of(study, outside_body="keep", out=tmp_path / "kept"))
    assert kept.source.total_decays == pytest.approx(2 * BODY_ML * DECAYS_PER_ML, rel=0.002)


def test_alphas_leave_no_effective_dose_but_a_reason(job_of, uniform_study):
    dose = run_internal_dose(job_of(uniform_study(radionuclide="Ra-223"))).effective_dose.dose
    assert math.isnan(dose.effective_msv)
    assert any("alphas" in remark and "Ra-223" in remark for remark in dose.remarks)


def test_asking_for_one_organ_leaves_the_effective_dose_of_all(job_of, tmp_path):
    everything = run_internal_dose(job_of())
    one = run_internal_dose(job_of(organs=("body",), out=tmp_path / "one"))
    assert [row.organ for row in one.rows] == ["body"]
    assert one.effective_dose.dose.effective_msv == pytest.approx(everything.effective_dose.dose.effective_msv)
    assert one.effective_dose.dose.effective_msv > 0  # the liver's


def test_the_record_run_again_gives_the_same_bytes(job_of, tmp_path):
    job = job_of(engine="mc", histories=20_000, seed=5)
    run_internal_dose(job)
    again = read_job(job.out / "run.json", InternalDoseJob).model_copy(update={"out": tmp_path / "again"})
    run_internal_dose(again)
    names = ("organs.csv", "dvh.csv", "dose.nrrd", "uncertainty.nrrd", "time_activity.csv", "effective_dose.csv")
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (job.out / name).read_bytes()
    first, second = (json.loads((folder / "run.json").read_text()) for folder in (job.out, tmp_path / "again"))
    assert first["facts"] == second["facts"] and first["inputs"] == second["inputs"]
    assert set(first["inputs"]) == {"ct", "pet 1", "protocol", "segmentation"}


def test_engines_stand_beside_each_other_on_the_same_activity(job_of):
    job = job_of(engine="mc", compare_with=("local",), histories=100_000)
    result = run_internal_dose(job)
    with open(job.out / "engines.csv", newline="") as file:
        rows = {row["organ"]: row for row in csv.DictReader(file)}
    assert float(rows["liver"]["local_mgy"]) == pytest.approx(EQUILIBRIUM_MGY, rel=0.01)
    assert float(rows["liver"]["mc_mgy"]) == pytest.approx(by_name(result)["liver"].mean_mgy, rel=1e-4)
    # Local deposition keeps in the body what leaves its surface.
    assert 2 < float(rows["body"]["local_from_mc_percent"]) < 18
    assert sitk.ReadImage(str(job.out / "engines" / "local" / "dose.nrrd")).GetMetaData("units") == "mGy"


@pytest.mark.parametrize("stage", ["reading the PET or SPECT", "organ masses", "Monte Carlo"])
def test_cancelling_at_any_stage_leaves_nothing(job_of, tmp_path, stage):
    progress = Progress(lambda report: progress.cancel() if report.stage == stage else None)
    job = job_of(engine="mc", histories=10**9 if stage == "Monte Carlo" else 1000)
    before = set(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        run_internal_dose(job, progress)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("role", ["pet", "ct", "segmentation", "protocol"])
def test_a_path_that_is_not_there_is_named(job_of, tmp_path, role):
    lost = tmp_path / "lost.nrrd"
    with pytest.raises(InputError, match=r"lost\.nrrd"):
        run_internal_dose(job_of(**{role: (lost,) if role == "pet" else lost}))
    assert not (tmp_path / "result").exists()


def test_an_output_folder_that_holds_the_input_is_refused(job_of, tmp_path):
    (tmp_path / "run.json").write_text('{"organdose": "0", "task": "internal-dose", "job": {}}')
    with pytest.raises(InputError, match="holds an input"):
        run_internal_dose(job_of(out=tmp_path))
    assert (tmp_path / "ct.nrrd").exists()


def test_a_folder_that_cannot_take_the_result_is_told_before_anything_is_read(job_of, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_study.read_activity", None)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(InputError, match="not a result"):
        run_internal_dose(job_of(out=tmp_path / "thesis"))


@pytest.mark.parametrize(("changed", "told"), [
    ({"engine": "magic"}, "unknown internal dose engine 'magic'.*Engines: mc"),
    ({"tia": "cubic"}, "--tia"), ({"voxel_mm": 0.01}, "--voxel-mm"), ({"administered_mbq": -3}, "--administered-mbq"),
    ({"histories": 1000}, "--histories.*'mc', which is not among the engines \\(local\\)"),
    ({"settings": ("tia.uptake=true",), "tia": "mono"}, "--uptake"),
    ({"settings": ("local.photon=all",)}, "--photon"), ({"settings": ("photons=all",)}, "--set 'photons=all'"),
    ({"settings": ("vsv.density_scaled=true",)}, "'vsv', which is not among the engines")])
def test_values_that_do_not_fit_are_told_by_their_option(job_of, changed, told):
    with pytest.raises(InputError, match=told):
        job_of(**changed)


def test_settings_reach_engine_and_model(job_of):
    job = job_of(tia="trapezoid", settings=("tia.start=constant", "local.photons=all"))
    assert job.tia_parameters == {"start": "constant"}
    assert job.engine_parameters == {"local": {"photons": "all"}}


@pytest.mark.parametrize(("sex", "phantom"), [("F", "Stylised adult female"), ("M", "Stylised adult male")])
def test_a_patient_gets_the_phantom_of_their_sex(job_of, uniform_study, sex, phantom):
    result = run_internal_dose(job_of(uniform_study(patient_sex=sex), engine="mird",
                                      settings=("mird.voxel_mm=10", "mird.histories=1000")))
    assert result.dose.facts["phantom"] == phantom


def test_activity_that_misses_the_body_is_refused_with_the_likely_reason(job_of, uniform_study):
    study = uniform_study()
    image = sitk.ReadImage(str(study["pet"][0]))
    image.SetOrigin((400.0, 0.0, 0.0))
    sitk.WriteImage(image, str(study["pet"][0]))
    with pytest.raises(InputError, match="all of the activity lies outside the body and the masks"):
        run_internal_dose(job_of(study))


def test_a_pet_that_does_not_fit_the_ct_is_a_warning(job_of, uniform_study):
    study = uniform_study()
    image = sitk.ReadImage(str(study["pet"][0]))
    image.SetOrigin([x + shift for x, shift in zip(image.GetOrigin(), (40.0, 0.0, 0.0))])
    sitk.WriteImage(image, str(study["pet"][0]))
    assert any("outside the body and the masks" in line for line in run_internal_dose(job_of(study)).warnings)


def test_facts_of_a_series_that_was_not_read_are_told(job_of, uniform_study):
    result = run_internal_dose(job_of(uniform_study(of_images={"pte.nrrd": {"duration_s": 600}})))
    assert any("facts of 'pte.nrrd' were not used" in line for line in result.warnings)


def test_a_nuclide_that_does_not_exist_is_named(job_of, uniform_study):
    with pytest.raises(InputError, match="'Xx-1' is no radionuclide"):
        run_internal_dose(job_of(uniform_study(radionuclide="Xx-1")))


@pytest.mark.parametrize("given", [{"recovery": "table.json"}, {"recovery_organs": ("liver",)}])
def test_half_of_a_recovery_correction_is_refused_not_forgotten(job_of, given):
    with pytest.raises(InputError, match="need both"):
        run_internal_dose(job_of(**given))


def test_an_unknown_organ_of_the_radiobiology_is_refused_before_any_dose(job_of, tmp_path, monkeypatch):
    path = tmp_path / "radiobiology.json"
    path.write_text('{"organs": {"nieren": {"alpha_beta_gy": 2.5, "repair_half_time_h": 2.8, "source": "x"}}}')
    monkeypatch.setattr("organdose.jobs.internal_dose_job.activity_integral", None)
    with pytest.raises(InputError, match="unknown organ 'nieren'"):
        run_internal_dose(job_of(radiobiology=path))


def test_a_nuclide_that_outlives_its_excretion_is_warned_of(job_of, uniform_study):
    study = uniform_study(radionuclide="Na-22")
    assert any("2.602 y" in line and "for ever" in line for line in run_internal_dose(job_of(study)).warnings)
