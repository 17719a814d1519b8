"""A comparison from files to a result folder."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.jobs.compare_cohort_job import CompareCohortJob, run_compare_cohort
from organdose.jobs.compare_job import CompareJob, run_compare
from organdose.progress import Progress

SHAPE, SPACING_MM = (10, 16, 16), (10.0, 10.0, 10.0)


def _write(path, values, **header):
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(SPACING_MM)
    for key, value in header.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


def _dose(path, factor=1.0, noise=0.0, seed=0):
    z, y, x = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    dose = 20 * np.exp(-((y - 7.5) ** 2 + (x - 7.5) ** 2) / 60) * (1 + 0.02 * z) * factor
    dose = dose * (1 + noise * np.random.default_rng(seed).standard_normal(SHAPE))
    return _write(path, dose.astype(np.float32), units="mGy")


@pytest.fixture
def masks(tmp_path):
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 2:14, 2:14] = 1
    labels[2:6, 4:8, 4:8], labels[5:9, 8:12, 8:12] = 2, 3
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / "labels.json").write_text('{"1": "body", "2": "liver", "3": "spleen"}')
    return _write(folder / "masks.nrrd", labels)


@pytest.fixture
def job(tmp_path, masks):
    return CompareJob(test=_dose(tmp_path / "test.nrrd", 1.02), reference=_dose(tmp_path / "reference.nrrd"),
                      segmentation=masks, out=tmp_path / "out", scene=False, gamma_percent=2)


def _rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_comparison_leaves_every_file_and_says_the_same_in_them(job):
    result = run_compare(job)
    assert {path.name for path in job.out.iterdir()} == {
        "comparison.csv", "organ_comparison.csv", "organ_summary.csv", "joint_histogram.csv", "difference.nrrd",
        "gamma.nrrd", "gamma_local.nrrd", "region.nrrd", "pictures", "run.json"}
    figures = {row["quantity"]: row["value"] for row in _rows(job.out / "comparison.csv")}
    assert float(figures["RE"]) == pytest.approx(2.0, abs=1e-3)
    assert float(figures["gamma 2 %/1 mm local pass rate"]) == 100
    organs = {row["organ"]: row for row in _rows(job.out / "organ_comparison.csv")}
    assert float(organs["liver"]["relative_percent"]) == pytest.approx(2.0, abs=1e-3)
    assert {row["quantity"]: row["organs"] for row in _rows(job.out / "organ_summary.csv")}["MAE"] == "2"
    assert result.organ_errors.re_percent.mean == pytest.approx(2.0, abs=1e-3)


def test_maps_are_written_with_their_units_and_lie_on_the_references_grid(job):
    run_compare(job)
    reference = sitk.ReadImage(str(job.reference))
    difference, gamma = (sitk.ReadImage(str(job.out / name)) for name in ("difference.nrrd", "gamma.nrrd"))
    assert difference.GetMetaData("units") == "mGy" and gamma.GetMetaData("units") == "1"
    assert "2 %/1 mm global" in gamma.GetMetaData("quantity")
    assert difference.GetSize() == reference.GetSize() and difference.GetOrigin() == reference.GetOrigin()
    np.testing.assert_allclose(sitk.GetArrayFromImage(difference), 0.02 * sitk.GetArrayFromImage(reference), atol=1e-5)
    inside = np.isfinite(sitk.GetArrayFromImage(gamma))
    assert inside[:, 4:12, 4:12].all() and not inside[:, :2].any(), "gamma lives in the body"


def test_the_record_says_what_was_assumed_and_can_be_run_again(job):
    run_compare(job)
    record = json.loads((job.out / "run.json").read_text())
    assert record["task"] == "compare" and set(record["inputs"]) == {"test", "reference", "segmentation"}
    told = " ".join(record["facts"]["assumptions"])
    assert "inside the body mask" in told and "weighted with volume" in told and "No z-scores" in told
    assert CompareJob(**record["job"]) == job


def test_with_the_ct_organ_means_are_by_mass_and_the_body_is_drawn(tmp_path, job):
    hu = np.full(SHAPE, -1000, np.int16)
    hu[:, 2:14, 2:14] = 40
    hu[2:4, 4:8, 4:8] = 1000
    ct = _write(tmp_path / "ct.nrrd", hu)
    by_mass = run_compare(job.model_copy(update={"ct": ct, "out": tmp_path / "mass"}))
    by_volume = run_compare(job.model_copy(update={"out": tmp_path / "volume"}))
    liver = [next(row for row in result.organs if row.organ == "liver") for result in (by_mass, by_volume)]
    assert liver[0].reference_mgy < liver[1].reference_mgy, "its dense half has the lower dose"
    assert "weighted with mass" in " ".join(by_mass.assumptions)
    alone = run_compare(job.model_copy(update={"ct": ct, "segmentation": None, "out": tmp_path / "alone"}))
    assert "body" in {row.organ for row in alone.organs}


def test_without_masks_the_voxels_alone_are_compared(job, tmp_path):
    result = run_compare(job.model_copy(update={"segmentation": None, "out": tmp_path / "voxels"}))
    assert result.organs is None and not (tmp_path / "voxels" / "organ_comparison.csv").exists()
    assert "10 % of the maximum of the reference" in result.assumptions[0]


def test_masks_that_cannot_be_used_and_outputs_that_hold_an_input_are_refused(job, tmp_path):
    contours = tmp_path / "masks.dcm"
    contours.write_bytes(b"x")
    for changed, told in (({"segmentation": contours}, "no grid of their own.*--ct"),
                          ({"segmentation": tmp_path / "none.nrrd"}, "no such file"),
                          ({"segmentation": None, "organs": ("liver",)}, "there are no masks"),
                          ({"organs": ("pancreas",)}, "does not hold: pancreas")):
        with pytest.raises(InputError, match=told):
            run_compare(job.model_copy(update=changed))
        assert not job.out.exists()
    inner = tmp_path / "result" / "reference.nrrd"
    inner.parent.mkdir()
    _dose(inner)
    (inner.parent / "run.json").write_text('{"organdose": "0", "task": "compare", "job": {}}')
    with pytest.raises(InputError, match="holds an input"):
        run_compare(job.model_copy(update={"reference": inner, "out": inner.parent}))
    assert inner.exists()


def test_a_cancelled_comparison_leaves_nothing(job, tmp_path):
    progress = Progress(lambda report: progress.cancel() if report.stage.startswith("Gamma") else None)
    with pytest.raises(Cancelled):
        run_compare(job, progress)
    assert not job.out.exists() and not list(tmp_path.glob(".*"))


# --- many patients


def _manifest(tmp_path, masks, lines):
    path = tmp_path / "pairs.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("patient", "test", "reference", "segmentation", "group"), *lines])
    return CompareCohortJob(manifest=path, out=tmp_path / "cohort", gamma_percent=3)


def test_a_cohort_gives_statistics_of_organs_and_between_groups(tmp_path, masks):
    lines = []
    for number in range(8):
        factor = 1.01 + 0.001 * number if number < 4 else 1.05 + 0.001 * number
        for name, scale in ((f"t{number}.nrrd", factor), (f"r{number}.nrrd", 1.0)):
            _dose(tmp_path / name, scale * (1 + 0.01 * number))
        lines.append((f"p{number}", f"t{number}.nrrd", f"r{number}.nrrd", "masks/masks.nrrd", "AB"[number // 4]))
    found = run_compare_cohort(_manifest(tmp_path, masks, lines))
    out = tmp_path / "cohort"
    assert {path.name for path in out.iterdir()} == {"cohort.csv", "cohort_organs.csv", "organ_statistics.csv",
                                                     "group_tests.csv", "organ_errors.png", "notes.txt", "run.json"}
    statistics = {(row["organ"], row["group"], row["quantity"]): row for row in _rows(out / "organ_statistics.csv")}
    assert float(statistics["liver", "A", "RE"]["mean"]) == pytest.approx(1.15, abs=1e-3)
    assert float(statistics["liver", "B", "RE"]["maximum"]) == pytest.approx(5.7, abs=1e-3)
    liver = next(row for row in _rows(out / "group_tests.csv") if row["organ"] == "liver")
    # Every error of B lies above every one of A: p = 2 / C(8, 4), times 4 rows (body, remainder, liver, spleen).
    assert float(liver["mann_whitney_p"]) == pytest.approx(2 / 70, rel=1e-4)
    assert float(liver["adjusted_p"]) == pytest.approx(8 / 70, rel=1e-4)
    assert len([row for row in _rows(out / "cohort.csv") if row["quantity"] == "SSIM"]) == 8 == len(found.pairs)
    assert "Holm" in (out / "notes.txt").read_text()
    record = json.loads((out / "run.json").read_text())
    assert {"manifest", "p0 test", "p7 reference"} <= set(record["inputs"])


@pytest.mark.parametrize(("content", "told"), [
    ("test,masks\na,b\n", "lacks the column 'reference'"), ("test,reference,dose\na,b,c\n", "unknown column 'dose'"),
    ("test,reference\n", "holds no pair"), ("test,reference\na,\n", "line 2: no reference"),
    ("patient,test,reference\np,a,b\np,c,d\n", "'p' is listed twice"),
    ("test,reference\na.nrrd,b.nrrd\n", "line 2: .*a.nrrd: there is no such file")])
def test_a_list_that_cannot_be_used_is_refused_by_its_line(tmp_path, content, told):
    (tmp_path / "pairs.csv").write_text(content)
    with pytest.raises(InputError, match=told):
        run_compare_cohort(CompareCohortJob(manifest=tmp_path / "pairs.csv", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="cannot be read"):
        run_compare_cohort(CompareCohortJob(manifest=tmp_path / "none.csv", out=tmp_path / "out"))
