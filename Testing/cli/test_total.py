"""organdose total as a person meets it."""

import csv
import json
import shutil

import pytest
import SimpleITK as sitk


@pytest.fixture
def parts(good_run, tmp_path):
    """A CT dose, and half of the same dose as that of a radionuclide."""
    ct, internal = tmp_path / "ct_dose", tmp_path / "internal"
    for folder in (ct, internal):
        shutil.copytree(good_run.folder, folder)
    record = json.loads((internal / "run.json").read_text(encoding="utf-8"))
    record["task"] = "internal-dose"
    record["facts"] |= {"radionuclide": "F-18", "administered_mbq": 100.0}
    (internal / "run.json").write_text(json.dumps(record), encoding="utf-8")
    dose = sitk.ReadImage(str(internal / "dose.nrrd"))
    half = dose * 0.5
    half.CopyInformation(dose)
    for key in dose.GetMetaDataKeys():
        half.SetMetaData(key, dose.GetMetaData(key))
    sitk.WriteImage(half, str(internal / "dose.nrrd"))
    return ct, internal


def test_the_parts_of_an_examination_are_added_up(organdose, parts, tmp_path):
    outcome = organdose("total", *parts, "-o", tmp_path / "out", "--names", "CT,FDG")
    assert outcome.status == 0, outcome.err
    assert str(tmp_path / "out" / "total.csv") in outcome.out
    with open(tmp_path / "out" / "total.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines and all(float(line["ct_percent"]) + float(line["fdg_percent"]) == pytest.approx(100)
                         for line in lines)
    assert {"dose.nrrd", "organs.csv", "report.html", "run.json"} <= {
        file.name for file in (tmp_path / "out").iterdir()}


def test_a_sum_can_be_run_again_from_its_record(organdose, parts, tmp_path):
    assert organdose("total", *parts, "-o", tmp_path / "out").status == 0
    first = (tmp_path / "out" / "total.csv").read_bytes()
    outcome = organdose("run", tmp_path / "out" / "run.json")
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "out" / "total.csv").read_bytes() == first


def test_one_part_and_folders_that_are_no_parts_are_refused(refused, parts, tmp_path):
    (tmp_path / "empty").mkdir()
    for folders, told in (((parts[0],), "nothing to add"), ((parts[0], tmp_path / "empty"), "not whole"),
                          ((parts[0], parts[0]), "given twice"), ((*parts, "--sex", "x"), "--sex")):
        refused("total", *folders, "-o", tmp_path / "out", words=told)
