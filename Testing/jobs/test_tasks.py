"""One description of a job, whoever starts it."""

import json
from pathlib import Path

import pytest

from organdose.errors import InputError
from organdose.jobs.compare_masks_job import CompareMasksJob
from organdose.jobs.parameters import ct_dose_job
from organdose.jobs.phantom_job import PhantomJob
from organdose.jobs.tasks import TASKS, describe, read_description, task


def _saved(path, description):
    path.write_text(json.dumps(description))
    return path


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_model_and_something_to_run(name):
    assert task(name).name == name
    assert {"out"} <= set(task(name).model.model_fields)
    assert callable(task(name).run)


def test_a_described_job_is_read_as_the_same_job(tmp_path):
    job = ct_dose_job(ct="ct", out="out", seed=3, organs=("liver", "spleen"), protocol="p.json")
    chosen, read = read_description(_saved(tmp_path / "d.json", describe("ct-dose", job)))
    assert chosen is TASKS["ct-dose"] and read == job


def test_a_window_without_the_models_describes_by_values():
    assert describe("segment", {"ct": Path("a") / "ct", "out": "m.seg.nrrd", "organs": ("body",)}) == {
        "task": "segment", "job": {"ct": str(Path("a/ct")), "out": "m.seg.nrrd", "organs": ["body"]}}
    with pytest.raises(TypeError):
        describe("segment", {"ct": object()})


def test_the_record_of_a_result_describes_its_job(tmp_path):
    values = {"ct": "c", "out": "m.seg.nrrd"}
    record = {"organdose": "0", "task": "segment", "job": values, "facts": {}}
    chosen, job = read_description(_saved(tmp_path / "run.json", record))
    assert chosen.name == "segment" and job.ct == Path("c")


def test_values_are_checked_when_the_description_is_read(tmp_path):
    path = _saved(tmp_path / "d.json", describe("ct-dose", {"ct": "c", "out": "o", "voxel_mm": 0.1}))
    with pytest.raises(InputError, match=r"--voxel-mm: .*given: 0\.1"):
        read_description(path)


@pytest.mark.parametrize(("content", "told"), [
    ("{", "not a readable"), (b"\xff\xfe", "not a readable"), ("[1]", "needs 'task' and 'job'"),
    ('{"task": "segment"}', "needs 'task'"), ('{"task": ["segment"], "job": {}}', "needs 'task'"),
    ('{"task": "segment", "job": []}', "needs 'task'"),
    ('{"task": "sing", "job": {}}', r"unknown task .sing.\. Tasks: ct-dose, internal-dose, segment, ")])
def test_what_is_no_description_is_refused_in_one_line(tmp_path, content, told):
    path = tmp_path / "d.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=told) as caught:
        read_description(path)
    assert "\n" not in str(caught.value)


def test_a_description_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: not a readable job description"):
        read_description(tmp_path / "none.json")


def test_a_described_phantom_is_written_and_compared_with_itself(tmp_path):
    phantom = PhantomJob(out=tmp_path / "study", slice_mm=40, pixels=48, z_range_mm=(300, 380))
    masks = task("phantom").run(phantom).seg_nrrd
    task("compare-masks").run(CompareMasksJob(test=masks, reference=masks, out=tmp_path / "same.csv"))
    header, *rows = (tmp_path / "same.csv").read_text().splitlines()
    dice = header.split(",").index("dice")
    assert {float(row.split(",")[dice]) for row in rows if row.split(",")[dice]} == {1.0}
