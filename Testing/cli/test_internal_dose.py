"""Internal dose through the command line."""

import csv
import json

import pytest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
    monkeypatch.setattr("organdose.jobs.internal_dose_files._write_scene", lambda *_, **__: None)


def options(study, **changed):
    """The study as options; None leaves one out."""
    values = {"--ct": study["ct"], "--segmentation": study["segmentation"], "--protocol": study["protocol"],
              "--engine": "local"} | changed
    pets = [text for path in study["pet"] for text in ("--pet", path)]
    return [*pets, *(text for pair in values.items() if pair[1] is not None for text in pair)]


def test_a_study_becomes_a_result_folder(organdose, uniform_study, tmp_path):
    outcome = organdose("internal-dose", *options(uniform_study(), **{"--tia": "physical"}), "-o", tmp_path / "result")
    assert outcome.status == 0, outcome.err
    assert f"Report: {tmp_path / 'result' / 'report.html'}" in outcome.out
    with open(tmp_path / "result" / "organs.csv", newline="") as file:
        assert [row["organ"] for row in csv.DictReader(file)] == ["body", "remainder", "liver"]
    assert json.loads((tmp_path / "result" / "run.json").read_text())["facts"]["time_model"] == "physical"


def test_the_record_of_a_result_can_be_run(organdose, uniform_study, tmp_path):
    outcome = organdose("internal-dose", *options(uniform_study()), "--set", "local.photons=all", "--organs", "liver",
                        "-o", tmp_path / "result")
    assert outcome.status == 0, outcome.err
    record = tmp_path / "result" / "run.json"
    description = json.loads(record.read_text())
    before = (tmp_path / "result" / "organs.csv").read_bytes()
    description["job"]["out"] = str(tmp_path / "again")
    (tmp_path / "job.json").write_text(json.dumps(description))
    assert organdose("run", tmp_path / "job.json").status == 0
    assert (tmp_path / "again" / "organs.csv").read_bytes() == before


def test_what_nobody_states_is_asked_for_by_the_protocols_key(refused, uniform_study, tmp_path):
    study = uniform_study(injected_activity_bq=None, duration_s=None)
    refused("internal-dose", *options(study), "-o", tmp_path / "result",
            words=("injected_activity_bq (activity in the syringe", "duration_s", "--protocol", "pet.nrrd"))


def test_nuclide_and_activity_can_be_said_on_the_command_line(organdose, uniform_study, tmp_path):
    study = uniform_study(radionuclide=None, injected_activity_bq=None)
    outcome = organdose("internal-dose", *options(study), "--nuclide", "Lu-177", "--administered-mbq", 5,
                        "-o", tmp_path / "result")
    assert outcome.status == 0, outcome.err
    facts = json.loads((tmp_path / "result" / "run.json").read_text())["facts"]
    assert (facts["radionuclide"], facts["administered_mbq"]) == ("Lu-177", 5)


def test_two_images_of_the_same_time_are_refused(refused, uniform_study, tmp_path):
    refused("internal-dose", *options(uniform_study({"a.nrrd": 1000, "b.nrrd": 500})), "-o", tmp_path / "result",
            words="of the same time")


@pytest.mark.parametrize(("changed", "words"), [
    ({"--ct": "no-ct"}, ("no-ct", "no such file", "Check the path")),
    ({"--segmentation": "no-masks.nrrd"}, ("no-masks.nrrd", "no such file")),
    ({"--protocol": "no.json"}, "no.json"), ({"--nuclide": "Xy-999"}, "Xy-999"),
    ({"--engine": "magic"}, ("unknown internal dose engine 'magic'", "Engines: mc")),
    ({"--compare-with": "magic"}, "unknown internal dose engine 'magic'"), ({"--compare-with": ","}, "names no engine"),
    ({"--tia": "cubic"}, ("--tia", "cubic")), ({"--tia": "bi", "--set": "tia.uptak=true"}, "--uptak"),
    ({"--set": "photons"}, ("--set 'photons'", "tia.uptake=true")), ({"--histories": 5000}, ("--histories", "'mc'")),
    ({"--administered-mbq": -1}, "--administered-mbq"), ({"--voxel-mm": 0}, "--voxel-mm"),
    ({"--organs": "livr"}, "livr"), ({"--outside-body": "somewhere"}, "--outside-body")])
def test_bad_input_is_one_line(refused, uniform_study, tmp_path, changed, words):
    refused("internal-dose", *options(uniform_study(), **changed), "-o", tmp_path / "result", words=words)


def test_without_pet_or_ct_nothing_is_guessed(refused, uniform_study, tmp_path):
    study = uniform_study()
    refused("internal-dose", "--ct", study["ct"], "-o", tmp_path / "result", words="--pet")
    refused("internal-dose", "--pet", study["pet"][0], "-o", tmp_path / "result", words="--ct")


def test_an_output_folder_with_the_input_in_it_is_refused(refused, uniform_study, tmp_path):
    study = uniform_study()
    refused("internal-dose", *options(study), "-o", study["segmentation"].parent, words="not a result")
