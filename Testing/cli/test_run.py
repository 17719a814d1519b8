"""A job written down by somebody else, run from the command line."""

import json

import pytest

from organdose.export.tables import read_organs_csv


@pytest.fixture
def description(tmp_path, tiny_volume):
    """A 'segment' job as a window writes it."""
    def write(**changed):
        job = {"ct": str(tiny_volume()), "out": str(tmp_path / "masks.seg.nrrd"), "organs": ["body"]} | changed
        path = tmp_path / "job.json"
        path.write_text(json.dumps({"task": "segment", "job": job}))
        return path

    return write


def test_a_job_that_was_written_down_is_run(organdose, description, tmp_path):
    outcome = organdose("run", description())
    assert outcome.status == 0
    assert (tmp_path / "masks.seg.nrrd").exists()


def test_the_record_of_a_result_gives_the_same_numbers_again(organdose, tiny_volume, protocol, tmp_path):
    assert organdose("ct-dose", tiny_volume(), "-o", tmp_path / "first", "--protocol", protocol(), "--voxel-mm", 20,
                     "--histories", 20_000).status == 0
    record = json.loads((tmp_path / "first" / "run.json").read_text())
    record["job"]["out"] = str(tmp_path / "second")
    (tmp_path / "again.json").write_text(json.dumps(record))
    assert organdose("run", tmp_path / "again.json").status == 0
    first, second = (read_organs_csv(tmp_path / name / "organs.csv") for name in ("first", "second"))
    assert [row.mean_mgy for row in first] == [row.mean_mgy for row in second]


@pytest.mark.parametrize(("text", "words"), [
    ("", "not a readable job"), ('{"task": "segment"}', "needs 'task' and 'job'"),
    ('{"task": "cook", "job": {}}', "unknown task 'cook'"), ('{"task": "segment", "job": {"ct": 5}}', "ct")])
def test_what_is_no_job_is_refused_in_one_line(organdose, tmp_path, text, words):
    path = tmp_path / "job.json"
    path.write_text(text)
    outcome = organdose("run", path)
    assert outcome.status == 2
    assert words in outcome.message


def test_a_value_that_does_not_fit_is_named(organdose, description):
    outcome = organdose("run", description(organs=[]))
    assert outcome.status == 2
    assert "organs" in outcome.message
