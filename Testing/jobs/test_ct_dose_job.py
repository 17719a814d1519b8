"""CT dose as a job: the same for every front door."""

import importlib.util
import json
import time

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError, MissingFacts
from organdose.jobs.ct_dose_job import CTDoseJob, run_ct_dose
from organdose.jobs.parameters import read_job
from organdose.progress import Progress


@pytest.fixture(autouse=True)
def cheap(cheap_calibration, no_pictures):
    pass


def by_name(result):
    return {row.organ: row for row in result.rows}


def test_the_result_in_memory_is_the_result_on_disk(job_of):
    job = job_of()
    result = run_ct_dose(job)
    on_disk = sitk.ReadImage(str(job.out / "dose.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(on_disk), sitk.GetArrayFromImage(result.dose.dose_mgy))
    assert [row.organ for row in result.rows] == ["body"]
    assert (job.out / "organs.csv").read_text().count("\n") == 2
    assert not (job.out / "scene.mrb").exists()  # not asked for


def test_the_body_weighs_what_water_weighs(job_of):
    body = by_name(run_ct_dose(job_of()))["body"]
    voxels = sum(np.hypot(10 * (x - 15.5), 10 * (y - 15.5)) < 100 for x in range(32) for y in range(32)) * 8
    assert body.volume_ml == voxels  # of 1 ml
    assert body.mass_g == pytest.approx(voxels * 1.0, rel=0.03)  # Schneider's water is 1.02 g/cm3


def test_the_dose_is_near_the_size_specific_estimate(job_of):
    # AAPM 204: SSDE = 1.78 CTDIvol for 20 cm of water, at the centre of a long scan; this one is 8 cm (and 2 cm of
    # overranging), where the 32 cm phantom's CTDIvol itself has reached about two thirds of its long-scan value.
    body = by_name(run_ct_dose(job_of()))["body"]
    assert 0.6 * 17.8 < body.mean_mgy < 1.1 * 17.8


def test_twice_the_ctdivol_is_twice_the_dose(job_of, tmp_path):
    single = by_name(run_ct_dose(job_of()))["body"].mean_mgy
    double = by_name(run_ct_dose(job_of(facts={"ctdivol_mgy": 20}, out=tmp_path / "double")))["body"].mean_mgy
    assert double == pytest.approx(2 * single, rel=1e-6)


def test_the_record_run_again_gives_the_same_bytes(job_of, tmp_path):
    job = job_of(seed=5)
    run_ct_dose(job)
    again = read_job(job.out / "run.json", CTDoseJob).model_copy(update={"out": tmp_path / "again"})
    run_ct_dose(again)
    for name in ("organs.csv", "dvh.csv", "dose.nrrd", "uncertainty.nrrd"):
        assert (tmp_path / "again" / name).read_bytes() == (job.out / name).read_bytes()
    first, second = (json.loads((folder / "run.json").read_text()) for folder in (job.out, tmp_path / "again"))
    assert first["facts"] == second["facts"] and first["inputs"] == second["inputs"]


def test_the_record_holds_the_defaults_of_its_day(job_of):
    job = job_of(histories=None, uncertainty_percent=20)
    run_ct_dose(job)
    record = json.loads((job.out / "run.json").read_text())
    assert record["job"]["engine_parameters"]["histories"] == 10_000_000
    assert record["job"]["engine_parameters"]["scanner"] == "auto"
    assert record["facts"]["histories"] < 10_000_000  # it stopped when sure enough


def test_a_wanted_uncertainty_is_reached(job_of):
    body = by_name(run_ct_dose(job_of(histories=5_000_000, uncertainty_percent=2)))["body"]
    assert body.uncertainty_percent < np.hypot(2, 3)  # and the cheap calibration's


def test_missing_facts_are_told_before_any_masks_are_drawn(job_of, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_job.masks_for_study", None)
    job = job_of().model_copy(update={"protocol": None})
    with pytest.raises(MissingFacts) as caught:
        run_ct_dose(job)
    assert {"tube_voltage_kv", "ctdivol_mgy", "scan_kind"} <= set(caught.value.facts)
    assert not job.out.exists()


def test_a_folder_that_cannot_take_the_result_is_told_before_anything_is_read(job_of, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_job.read_ct", None)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(InputError, match="not a result"):
        run_ct_dose(job_of(out=tmp_path / "thesis"))


def test_an_engine_parameter_of_a_written_job_is_named(job_of):
    job = job_of().model_copy(update={"engine_parameters": {"historys": 5}})
    with pytest.raises(InputError, match=r"engine parameter 'historys'.*Parameters: scanner, couch"):
        run_ct_dose(job)


@pytest.mark.parametrize("stage", ["reading the CT", "body", "Monte Carlo", "Done"])
def test_cancelling_at_any_stage_is_quick_and_leaves_nothing(job_of, tmp_path, stage):
    cancelled_at = []

    def listen(report):
        if report.stage == stage and not cancelled_at:
            cancelled_at.append(time.monotonic())
            progress.cancel()
    progress = Progress(listen)
    job = job_of(histories=20_000 if stage == "Done" else 10**9)
    if stage == "Done":
        run_ct_dose(job, progress)  # the last report: too late to stop
        assert (job.out / "run.json").exists()
        return
    with pytest.raises(Cancelled):
        run_ct_dose(job, progress)
    assert time.monotonic() - cancelled_at[0] < 10
    assert {path.name for path in tmp_path.iterdir()} == {"ct.nrrd", "protocol.json"}


def test_progress_goes_through_the_stages_in_order_and_only_forward(job_of):
    reports = []
    run_ct_dose(job_of(), Progress(reports.append))
    stages = list(dict.fromkeys(report.stage for report in reports))
    wanted = ["reading the CT", "body", "Dose grid", "Monte Carlo", "Done"]
    assert [stage for stage in stages if stage in wanted] == wanted
    for stage in stages:
        fractions = [report.fraction for report in reports if report.stage == stage]
        assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1


def test_without_slicers_libraries_the_record_says_that_there_is_no_scene(job_of, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == "slicer" else real(name, *more))
    job = job_of(scene=True)
    run_ct_dose(job)
    assert "slicer-core is not installed" in json.loads((job.out / "run.json").read_text())["facts"]["scene"]
    assert not (job.out / "scene.mrb").exists()


def test_a_wanted_uncertainty_that_was_not_reached_is_told_with_the_organ(job_of):
    result = run_ct_dose(job_of(histories=2000, uncertainty_percent=0.01))
    assert len(result.warnings) == 1 and "0.01 %" in result.warnings[0] and "body" in result.warnings[0]


def test_an_output_folder_that_holds_the_input_is_refused(job_of, tmp_path):
    (tmp_path / "run.json").write_text('{"organdose": "0", "task": "ct-dose", "job": {}}')
    with pytest.raises(InputError, match="holds an input"):
        run_ct_dose(job_of(out=tmp_path))
    assert (tmp_path / "ct.nrrd").exists()


def test_asking_for_one_organ_leaves_the_dose_of_the_rest(job_of, tmp_path):
    job = job_of()
    ct = sitk.ReadImage(str(job.ct))
    labels = np.zeros((8, 32, 32), np.uint8)
    labels[3:5, 14:18, 14:18] = 1
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(ct)
    (tmp_path / "masks").mkdir()
    sitk.WriteImage(image, str(tmp_path / "masks" / "masks.nrrd"))
    (tmp_path / "masks" / "labels.json").write_text('{"1": "liver"}')
    result = run_ct_dose(job_of(segmentation=tmp_path / "masks" / "masks.nrrd", organs=("liver",)))
    assert [row.organ for row in result.rows] == ["liver"]
    in_water = result.dose.density_g_cm3 > 0.9
    assert sitk.GetArrayFromImage(result.dose.dose_mgy)[in_water].min() > 0
