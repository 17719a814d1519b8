"""The result folder of an internal dose: what is in it, in the columns and units of the contract."""

import csv
import json
import re

import pytest
import SimpleITK as sitk

from organdose.jobs.internal_dose_job import run_internal_dose
from organdose.jobs.parameters import internal_dose_job

COLUMNS = ("organ,snomed,volume_ml,mass_g,mean_mgy,uncertainty_percent,sd_mgy,min_mgy,max_mgy,d98_mgy,d50_mgy,d2_mgy,"
           "in_image_percent,note,mean_mgy_per_mbq,tia_mbq_h,tiac_h,mask")


@pytest.fixture(scope="module")
def computed(uniform_study_in, tmp_path_factory):
    """The result of two engines over three time points, without a scene, and its folder."""
    root = tmp_path_factory.mktemp("internal")
    hours = {"day0.nrrd": 2, "day1.nrrd": 26, "day2.nrrd": 50}
    study = uniform_study_in(root, {name: 1000 * 2 ** (-hour / 45) for name, hour in hours.items()},
                             of_images={name: {"scan_start_s": 3600 * hour} for name, hour in hours.items()},
                             decay_correction="START", scan_start_s=None, residual_bq=1e6)
    job = internal_dose_job(**study, out=root / "Sorrow_Margarethe", engine="mc", histories=20_000,
                            compare_with=("local",), scene=False)
    return run_internal_dose(job), job.out


def lines(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_of_a_whole_result(computed):
    result, folder = computed
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    maps = {"dose.nrrd", "density.nrrd"}
    assert found >= maps | {"uncertainty.nrrd", "organs.csv", "dvh.csv", "run.json", "report.html", "engines.csv",
                            "effective_dose.csv", "dose_descriptors.csv", "time_points.csv", "time_activity.csv",
                            "time_integrated_activity.csv", "time_integrated_activity.nrrd"}
    assert found >= {f"engines/local/{name}" for name in (*maps, "organs.csv")}
    assert found >= {f"pictures/{name}.png" for name in ("dose", "activity", "organs", "organ_doses", "dvh",
                                                         "time_activity", "engines")}
    assert not (folder / "scene.mrb").exists()  # not asked for

    header = (folder / "organs.csv").read_text().splitlines()[0]
    assert header == COLUMNS
    image = sitk.ReadImage(str(folder / "dose.nrrd"))
    assert [image.GetMetaData(key) for key in ("units", "quantity")] == ["mGy", "absorbed dose"]
    assert image.GetMetaData("engine").startswith("mc ")
    tia = sitk.ReadImage(str(folder / "time_integrated_activity.nrrd"))
    assert tia.GetMetaData("units") == "MBq h/ml"
    per_voxel = sitk.GetArrayFromImage(tia).sum() * 1.0  # ml
    assert per_voxel == pytest.approx(result.source.total_decays / 3.6e9, rel=1e-4)

    points = lines(folder / "time_points.csv")
    assert [float(line["start_h"]) for line in points] == [2, 26, 50]
    body_ml = next(row.volume_ml for row in result.rows if row.organ == "body")
    first = float(points[0]["at_scan_mbq"])
    assert first == pytest.approx(1e-3 * body_ml * 2 ** (-2 / 45), rel=0.002)
    assert float(points[0]["of_administered_percent"]) == pytest.approx(first * 2 ** (2 / 64.05) / 9 * 100, rel=0.002)
    said = {line["name"]: line for line in lines(folder / "dose_descriptors.csv")}
    assert float(said["administered_mbq"]["value"]) == 9 and said["administered_mbq"]["unit"] == "MBq"
    assert float(said["effective_dose_msv_per_mbq"]["value"]) == pytest.approx(
        float(said["effective_dose_organs_msv"]["value"]) / 9, rel=1e-4)
    tissues = {line["tissue"]: line for line in lines(folder / "effective_dose.csv")}
    assert float(tissues["liver"]["tissue_weight"]) == 0.04 and tissues["red_bone_marrow"]["note"] == "no mask"


def test_the_report_says_what_a_stranger_needs_and_names_nobody(computed):
    _, folder = computed
    html = (folder / "report.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script).*?</\1>", " ", html)).split())
    for expected in ("Internal organ dose", "Research software", "Decays followed 20,000", "Administered 9 MBq",
                     "Y-90, net", "Monte Carlo (mc ", "Local deposition", "Time points", "Engines", "TIAC", "mGy/MBq",
                     "Activity given 10 MBq protocol", "s (2.671 d) derived", "not stated", "one exponential",
                     "ICRP publication 107", "Partial volume is not corrected", "Effective dose ≥ "):
        assert expected in text, expected
    for wrong in ("Photon histories", "CTDIvol", "slices.csv"):
        assert wrong not in text
    assert html.count("data:image/png;base64,") == 7
    assert "Sorrow" not in html and str(folder.parent) not in html


def test_the_record_tells_what_was_decided(computed):
    _, folder = computed
    record = json.loads((folder / "run.json").read_text())
    assert record["task"] == "internal-dose" and record["facts"]["radionuclide"] == "Y-90"
    assert record["facts"]["time_model"] == "mono" and record["facts"]["administered_mbq"] == 9
    assert record["facts"]["histories"] == 20_000 and set(record["facts"]["compared"]) == {"local"}
    assert set(record["inputs"]) == {"ct", "pet 1", "pet 2", "pet 3", "protocol", "segmentation"}


def test_a_single_engine_has_no_table_of_engines(uniform_study, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
    run_internal_dose(internal_dose_job(**uniform_study(), out=tmp_path / "r", engine="local", scene=False))
    assert not (tmp_path / "r" / "engines.csv").exists() and not (tmp_path / "r" / "engines").exists()
    assert not (tmp_path / "r" / "uncertainty.nrrd").exists()
    # One time point and no statistics: nothing tells an uncertainty, and none is invented.
    assert {line["uncertainty_percent"] for line in lines(tmp_path / "r" / "organs.csv")} == {""}
