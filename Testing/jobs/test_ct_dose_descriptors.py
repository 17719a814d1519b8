"""What a CT dose job says beside its dose map, and what its parameters change."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.ct_dose_job import run_ct_dose


@pytest.fixture(autouse=True)
def cheap(cheap_calibration, no_pictures):
    pass


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record_of(job):
    return json.loads((job.out / "run.json").read_text())


def test_the_descriptors_stand_in_tables_record_and_report(job_of):
    job = job_of(facts={"scan_region": "chest", "age_group": "adult"})
    run_ct_dose(job)
    found = {line["name"]: line for line in table(job.out / "dose_descriptors.csv")}
    assert float(found["water_equivalent_mean_cm"]["value"]) == pytest.approx(20.0, abs=0.3)  # of 1 cm pixels
    # AAPM 204, 32 cm phantom: 1.78 at 20 cm, CTDIvol 10 mGy.
    assert float(found["ssde_mean_mgy"]["value"]) == pytest.approx(17.8, abs=0.2)
    dlp = float(found["dlp_mgy_cm"]["value"])
    assert float(found["effective_dose_dlp_msv"]["value"]) == pytest.approx(0.014 * dlp, rel=1e-3)
    assert "incomplete" in found["effective_dose_organs_msv"]["remark"]
    in_record = {row["name"]: row["value"] for row in record_of(job)["facts"]["descriptors"]}
    assert in_record["ssde_mean_mgy"] == pytest.approx(float(found["ssde_mean_mgy"]["value"]))
    report = (job.out / "report.html").read_text(encoding="utf-8")
    assert "Dose descriptors" in report and "Water-equivalent diameter" in report


def test_every_slice_has_a_line(job_of):
    job = job_of()
    run_ct_dose(job)
    lines = table(job.out / "slices.csv")
    assert [float(line["z_mm"]) for line in lines] == [10.0 * k for k in range(8)]
    assert {line["ctdivol_mgy"] for line in lines} == {"10"}


def test_without_a_region_the_report_says_why_there_is_no_effective_dose(job_of):
    job = job_of()
    run_ct_dose(job)
    found = {line["name"]: line for line in table(job.out / "dose_descriptors.csv")}
    assert found["effective_dose_dlp_msv"]["value"] == ""
    assert "scan_region" in (job.out / "report.html").read_text(encoding="utf-8")


def test_a_body_that_goes_on_beyond_the_image_is_flagged_and_wholly_in_the_beam(job_of):
    job = job_of()
    result = run_ct_dose(job)
    (body,) = table(job.out / "scan_range.csv")
    assert (body["organ"], body["is_cut"], float(body["in_beam_percent"])) == ("body", "1", pytest.approx(100.0))
    assert "reaches the first slice, the last slice" in result.rows[0].note


def test_the_extension_raises_the_dose_of_a_short_scan_and_is_told(job_of, tmp_path):
    repeated = run_ct_dose(job_of(histories=100_000))
    bare = run_ct_dose(job_of(histories=100_000, extend="none", out=tmp_path / "bare"))
    assert repeated.rows[0].mean_mgy > 1.05 * bare.rows[0].mean_mgy
    assert any("end slices of the dose grid are repeated" in line for line in repeated.dose.facts["assumptions"])
    told = bare.dose.facts["assumptions"]
    assert any("left out, as asked for, although beam and scatter reach" in line for line in told)


def test_a_clinics_curve_changes_the_mass_and_is_in_the_record(job_of, tmp_path):
    path = tmp_path / "curve.json"
    path.write_text(json.dumps({"nodes": [[-1000, 0.0012], [0, 1.2], [1000, 1.8]], "source": "our phantom"}))
    job = job_of(hu_curve=str(path))
    body = run_ct_dose(job).rows[0]
    assert body.mass_g / body.volume_ml == pytest.approx(1.2, rel=0.02)
    record = record_of(job)
    assert record["inputs"]["hu_curve"]["sha256"] and record["facts"]["hu_to_tissue"].startswith("our phantom")
    assert str(path) not in (job.out / "report.html").read_text(encoding="utf-8")


def test_a_curve_that_is_wrong_is_told_before_the_ct_is_read(job_of, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_job.read_ct", None)
    (tmp_path / "curve.json").write_text('{"nodes": [[0, 1.0]]}')
    with pytest.raises(InputError, match="at least 2"):
        run_ct_dose(job_of(hu_curve=str(tmp_path / "curve.json")))


def test_contrast_medium_makes_iodine_of_a_bright_vessel(job_of, tmp_path):
    job = job_of(voxel_mm=10, contrast="yes")
    ct = sitk.ReadImage(str(job.ct))
    hu = sitk.GetArrayFromImage(ct)
    hu[:, 14:18, 14:18] = 300
    bright = sitk.GetImageFromArray(hu)
    bright.CopyInformation(ct)
    sitk.WriteImage(bright, str(job.ct))
    with_iodine = run_ct_dose(job)
    assert with_iodine.dose.facts["contrast_medium_ml"] == pytest.approx(8 * 16, rel=0.01)
    assert with_iodine.dose.density_g_cm3[4, 15, 15] == pytest.approx(1.07, abs=0.01)
    as_bone = run_ct_dose(job.model_copy(update={
        "out": tmp_path / "bone", "engine_parameters": {**job.engine_parameters, "contrast": "no"}}))
    assert as_bone.dose.density_g_cm3[4, 15, 15] > 1.19
    assert np.count_nonzero(as_bone.dose.density_g_cm3 != with_iodine.dose.density_g_cm3) >= 8 * 16


def test_a_scan_that_ends_inside_the_liver_is_flagged_with_the_part_inside(job_of, tmp_path):
    job = job_of()
    ct = sitk.ReadImage(str(job.ct))
    labels = np.zeros((8, 32, 32), np.uint8)
    labels[4:, 12:20, 12:20] = 1  # to the last slice: 256 ml
    labels[2:4, 8:11, 12:20] = 2
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(ct)
    (tmp_path / "masks").mkdir()
    sitk.WriteImage(image, str(tmp_path / "masks" / "masks.nrrd"))
    (tmp_path / "masks" / "labels.json").write_text('{"1": "liver", "2": "spleen"}')
    job = job_of(segmentation=tmp_path / "masks" / "masks.nrrd")
    result = run_ct_dose(job)
    rows = {row.organ: row for row in result.rows}
    assert "reaches the last slice" in rows["liver"].note and "reaches" not in rows["spleen"].note
    # ICRP 89: 1800 g and 1400 g, the mean where the sex is not known; Schneider's water weighs 1.02 g/ml.
    assert rows["liver"].in_image_percent == pytest.approx(100 * 256 * 1.018 / 1600, rel=0.01)
    lines = {line["organ"]: line for line in table(job.out / "scan_range.csv")}
    assert (lines["liver"]["is_cut"], lines["spleen"]["is_cut"]) == ("1", "0")
    liver = next(line for line in table(job.out / "effective_dose.csv") if line["tissue"] == "liver")
    assert float(liver["known_part"]) == pytest.approx(rows["liver"].in_image_percent / 100, rel=1e-3)
    assert float(liver["effective_msv"]) == pytest.approx(
        0.04 * float(liver["known_part"]) * rows["liver"].mean_mgy, rel=1e-3)
