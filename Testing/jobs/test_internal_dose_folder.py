"""Reading an internal dose result folder back."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.internal_dose_folder import read_internal_dose_folder
from organdose.jobs.internal_dose_job import run_internal_dose
from organdose.jobs.parameters import internal_dose_job


@pytest.fixture(scope="module")
def computed(uniform_study_in, tmp_path_factory):
    root = tmp_path_factory.mktemp("internal")
    job = internal_dose_job(**uniform_study_in(root), out=root / "result", engine="mc", histories=5_000,
                            compare_with=("local",), scene=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
        return job.out, run_internal_dose(job)


def test_a_result_folder_gives_back_what_was_computed(computed):
    folder, result = computed
    read = read_internal_dose_folder(folder)
    assert (read.engine, read.administered_mbq, read.record["task"]) == ("mc", 10, "internal-dose")
    assert np.array_equal(*map(sitk.GetArrayFromImage, (read.dose.dose_mgy, result.dose.dose_mgy)))
    assert np.array_equal(*map(sitk.GetArrayFromImage,
                               (read.others["local"].dose_mgy, result.others["local"].dose_mgy)))
    assert read.others["local"].relative_uncertainty is None
    assert [row.organ for row in read.rows] == [row.organ for row in result.rows]
    for field in ("mean_mgy", "mean_mgy_per_mbq", "tia_mbq_h", "tiac_h", "uncertainty_percent"):
        assert [getattr(row, field) for row in read.rows] == pytest.approx(
            [getattr(row, field) for row in result.rows], rel=1e-4), field
    assert [row.mean_mgy for row in read.other_rows["local"]] == pytest.approx(
        [row.mean_mgy for row in result.other_rows["local"]], rel=1e-4)
    assert [histogram.organ for histogram in read.histograms] == [row.organ for row in result.rows]
    total_mbq_h = sitk.GetArrayFromImage(read.tia).sum(dtype=float)  # voxels of 1 ml
    assert total_mbq_h == pytest.approx(result.source.total_decays / 3.6e9, rel=1e-4)


def test_curves_come_back_with_points_and_integrals(computed):
    folder, result = computed
    for curve, known in zip(read_internal_dose_folder(folder).curves, result.source.curves, strict=True):
        assert (curve.organ, curve.model, curve.flags) == (known.organ, known.model, known.flags)
        assert curve.integral_bq_s == pytest.approx(known.integral_bq_s, rel=1e-4)
        assert curve.times_s == pytest.approx(known.times_s, rel=1e-4)
        assert curve.activity_bq == pytest.approx(known.activity_bq, rel=1e-4)
        assert curve.curve_bq == pytest.approx(known.curve_bq, rel=1e-4)
        assert np.isnan(curve.integral_uncertainty_bq_s) and np.isnan(curve.recovery)


def test_engines_side_by_side_come_back(computed):
    folder, _ = computed
    read = read_internal_dose_folder(folder)
    assert (read.comparison.engines, read.comparison.reference) == (("mc", "local"), "mc")
    for row, mc, local in zip(read.comparison.rows, read.rows, read.other_rows["local"], strict=True):
        assert row.organ == mc.organ
        assert row.difference_percent["local"] == pytest.approx(100 * (local.mean_mgy / mc.mean_mgy - 1), abs=0.02)
        assert np.isnan(row.uncertainty_percent["local"])


@pytest.mark.parametrize("name", ["dose.nrrd", "density.nrrd", "run.json", "organs.csv", "time_activity.csv",
                                  "time_integrated_activity.nrrd", "engines.csv", "engines/local/dose.nrrd"])
def test_a_result_folder_that_is_not_whole_is_refused(computed, tmp_path, name):
    folder = shutil.copytree(computed[0], tmp_path / "copy")
    (folder / name).unlink()
    with pytest.raises(InputError, match=r"not whole|cannot be read"):
        read_internal_dose_folder(folder)


def test_reading_needs_nothing_that_slicer_lacks():
    told = subprocess.run([sys.executable, "-c", (
        "import sys, organdose.jobs.internal_dose_folder; "
        "print([m for m in ('numba', 'xraylib', 'matplotlib', 'jinja2', 'highdicom', 'icrp107_database', 'pydantic') "
        "if m in sys.modules])")], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
