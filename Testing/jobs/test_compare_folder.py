"""The folder of a comparison read back as a window does."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.compare_folder import read_comparison_folder
from organdose.jobs.compare_job import CompareJob, run_compare


@pytest.fixture
def folder(tmp_path):
    """A test 2 % above its reference, in 10 mm voxels."""
    y = np.arange(12, dtype=np.float32)[:, None]
    for name, factor in (("test", 1.02), ("reference", 1.0)):
        image = sitk.GetImageFromArray(np.broadcast_to(factor * (5 + y), (10, 12, 12)).astype(np.float32))
        image.SetSpacing((10.0, 10.0, 10.0))
        image.SetMetaData("units", "mGy")
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    run_compare(CompareJob(test=tmp_path / "test.nrrd", reference=tmp_path / "reference.nrrd", out=tmp_path / "out",
                           scene=False, gamma_percent=3, gamma_mm=2))
    return tmp_path / "out"


def test_maps_figures_and_record_come_back(folder):
    found = read_comparison_folder(folder)
    assert found.criteria == "3 %/2 mm global" and found.organs == []
    values = {row["quantity"]: row["value"] for row in found.figures}
    assert values["RE"] == pytest.approx(2.0, abs=1e-3) and values["gamma 3 %/2 mm global pass rate"] == 100
    assert sitk.GetArrayFromImage(found.region).sum() == values["voxels compared"] == 1440
    np.testing.assert_allclose(sitk.GetArrayFromImage(found.difference)[0, :, 0], 0.02 * (5 + np.arange(12)), rtol=1e-4)
    assert found.record["task"] == "compare"
    assert all(isinstance(row["value"], float) and isinstance(row["unit"], str) for row in found.figures)


def test_an_empty_cell_is_a_number_without_meaning(folder):
    text = (folder / "comparison.csv").read_text().replace("SSIM,", "SSIM,,x,y\nother,", 1)
    (folder / "comparison.csv").write_text(text)
    values = {row["quantity"]: row["value"] for row in read_comparison_folder(folder).figures}
    assert math.isnan(values["SSIM"])


@pytest.mark.parametrize("name", ["difference.nrrd", "region.nrrd", "comparison.csv", "run.json"])
def test_a_folder_that_is_not_whole_is_refused_in_one_line(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=r"not whole.*Compare again"):
        read_comparison_folder(folder)
