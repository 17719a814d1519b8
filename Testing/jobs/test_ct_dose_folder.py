"""Reading a CT dose result folder back."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.ct_dose_folder import read_ct_dose_folder
from organdose.jobs.ct_dose_job import run_ct_dose


@pytest.fixture
def computed(job_of, cheap_calibration, no_pictures):
    job = job_of()
    return job.out, run_ct_dose(job)


def test_a_result_folder_gives_back_what_was_computed(computed):
    folder, result = computed
    dose, rows, histograms, record = read_ct_dose_folder(folder)
    assert np.array_equal(*map(sitk.GetArrayFromImage, (dose.dose_mgy, result.dose.dose_mgy)))
    assert np.array_equal(dose.density_g_cm3, result.dose.density_g_cm3)
    assert dose.engine == result.dose.engine
    assert [row.organ for row in rows] == [row.organ for row in result.rows]
    assert [row.mean_mgy for row in rows] == pytest.approx([row.mean_mgy for row in result.rows], rel=1e-4)
    assert dose.organ_relative_uncertainty == pytest.approx(
        {name: result.dose.organ_relative_uncertainty[name] for name in dose.organ_relative_uncertainty}, rel=1e-4)
    assert [histogram.organ for histogram in histograms] == [histogram.organ for histogram in result.histograms]
    assert record["task"] == "ct-dose"


@pytest.mark.parametrize("name", ["dose.nrrd", "density.nrrd", "run.json"])
def test_a_result_folder_that_is_not_whole_is_refused(computed, name):
    folder, _ = computed
    (folder / name).unlink()
    with pytest.raises(InputError, match="not whole"):
        read_ct_dose_folder(folder)


def test_a_body_that_was_added_to_the_masks_is_in_the_folder(job_of, cheap_calibration, no_pictures, tmp_path):
    from organdose.anatomy.organ_masks import OrganMasks
    from organdose.export.seg_nrrd import write_seg_nrrd
    from organdose.jobs.ct_dose_folder import BODY_NAME
    from organdose.segmentation.reading import read_masks
    from organdose.study import read_ct

    study = read_ct(job_of().ct)
    masks = OrganMasks(study.image)
    masks.add("spinal_cord", np.ones((8, 4, 4), dtype=bool), corner=(0, 14, 14))
    write_seg_nrrd(masks, tmp_path / "masks.seg.nrrd")
    result = run_ct_dose(job_of(segmentation=tmp_path / "masks.seg.nrrd"))
    added = read_masks(job_of().out / BODY_NAME, study)
    assert added.names == ("body",)
    assert np.array_equal(added.mask("body"), result.masks.mask("body"))
