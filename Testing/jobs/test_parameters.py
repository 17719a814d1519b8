"""Loose values become a job, or one line about the first that does not fit."""

import json

import pytest

from organdose.errors import InputError
from organdose.jobs.ct_dose_job import CTDoseJob
from organdose.jobs.parameters import checked, ct_dose_job, read_job
from organdose.jobs.segment_job import SegmentJob


def test_values_go_to_the_job_or_to_its_engine():
    job = ct_dose_job(ct="ct", out="out", voxel_mm=4, seed=3, histories=5000, uncertainty_percent=None,
                      organs=("liver",))
    assert job.voxel_mm == 4 and job.organs == ("liver",)
    assert job.engine_parameters == {"seed": 3, "histories": 5000}


def test_what_is_not_given_keeps_its_default():
    job = ct_dose_job(ct="ct", out="out", voxel_mm=None, series=None)
    assert (job.voxel_mm, job.engine, job.series, job.engine_parameters) == (5.0, "mc", None, {})


@pytest.mark.parametrize(("values", "told"), [
    ({"voxel_mm": 0.1}, "--voxel-mm: input should be greater than or equal to 0.5 (given: 0.1). Correct the value."),
    ({"histories": 10}, "--histories: input should be greater than or equal to 1000 (given: 10)"),
    ({"uncertainty_percent": 0}, "--uncertainty: input should be greater than 0 (given: 0)"),
    ({"seed": -1}, "--seed: "), ({"device": "tpu"}, "--device: input should be 'auto', 'cpu' or 'cuda' (given: tpu)"),
    ({"organs": ()}, "--organs: "), ({"engine": "none"}, "unknown CT dose engine 'none'. Engines: mc"),
    ({"colour": "red"}, "--colour: extra inputs are not permitted (given: red)")])
def test_a_value_that_does_not_fit_is_named_as_on_the_command_line(values, told):
    with pytest.raises(InputError) as caught:
        ct_dose_job(ct="ct", out="out", **values)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_saved_job_is_the_same_job(tmp_path):
    job = ct_dose_job(ct="ct", out="out", seed=3, organs=("liver", "spleen"), protocol="p.json")
    (tmp_path / "job.json").write_text(job.model_dump_json())
    assert read_job(tmp_path / "job.json", CTDoseJob) == job


def test_the_job_of_a_record_is_found(tmp_path):
    job = ct_dose_job(ct="ct", out="out")
    (tmp_path / "run.json").write_text(json.dumps({"organdose": "0", "job": json.loads(job.model_dump_json())}))
    assert read_job(tmp_path / "run.json", CTDoseJob) == job


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"ct": "a"}', '{"ct": "a", "out": "b", "power": 9}', b"\xff\xfe"])
def test_a_file_that_is_no_job_is_refused(tmp_path, content):
    path = tmp_path / "job.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError):
        read_job(path, CTDoseJob)


def test_a_job_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: not a readable job"):
        read_job(tmp_path / "none.json", CTDoseJob)


def test_a_segmentation_of_no_organ_is_refused():
    with pytest.raises(InputError, match="--organs"):
        checked(SegmentJob, ct="ct", out="m.seg.nrrd", organs=())
