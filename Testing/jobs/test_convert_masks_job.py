"""Masks of one format written in another."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.convert_masks_job import ConvertMasksJob, run_convert_masks
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct


@pytest.fixture
def drawn(dicom_ct, ct_image, organ_masks, tmp_path):
    """A DICOM CT on disk and masks drawn on it."""
    with_air = sitk.GetImageFromArray(np.where(sitk.GetArrayFromImage(ct_image) < 20, -1000, 40).astype(np.int16))
    with_air.CopyInformation(ct_image)
    study = dicom_ct(with_air)
    write_seg_nrrd(organ_masks, tmp_path / "drawn.seg.nrrd")
    return study.files[0].parent, tmp_path / "drawn.seg.nrrd", organ_masks


@pytest.mark.parametrize(("form", "name"),
                         [("dicom-seg", "out.dcm"), ("rtstruct", "out.dcm"), ("seg.nrrd", "out.seg.nrrd"),
                          ("nifti-folder", "organs")])
def test_masks_are_the_same_in_every_format(drawn, tmp_path, form, name):
    ct, masks, truth = drawn
    run_convert_masks(ConvertMasksJob(ct=ct, masks=masks, out=tmp_path / name, format=form))
    read = read_masks(tmp_path / name, read_ct(ct))
    assert {"liver", "tumour_1", "kidney_left", "body"} <= set(read.names)
    assert all(np.array_equal(read.mask(each), truth.mask(each)) for each in ("liver", "tumour_1", "kidney_left"))


def test_dicom_masks_need_a_dicom_ct(drawn, tmp_path):
    sitk.WriteImage(read_ct(drawn[0]).image, str(tmp_path / "ct.nrrd"))
    job = ConvertMasksJob(ct=tmp_path / "ct.nrrd", masks=drawn[1], out=tmp_path / "out.dcm", format="rtstruct")
    with pytest.raises(InputError, match="refer to a DICOM series"):
        run_convert_masks(job)
    assert not job.out.exists()


def test_a_label_map_gives_shared_voxels_to_the_smaller_organ(drawn, tmp_path):
    ct, masks, truth = drawn
    run_convert_masks(ConvertMasksJob(ct=ct, masks=masks, out=tmp_path / "out.nii.gz", format="nifti"))
    read = read_masks(tmp_path / "out.nii.gz", read_ct(ct))
    assert np.array_equal(read.mask("tumour_1"), truth.mask("tumour_1"))
    assert np.array_equal(read.mask("liver"), truth.mask("liver") & ~truth.mask("tumour_1"))


def test_masks_that_come_in_are_checked_when_asked(drawn, tmp_path):
    from organdose.export.mask_findings_table import read_findings_csv

    ct, masks, _truth = drawn
    run_convert_masks(ConvertMasksJob(ct=ct, masks=masks, out=tmp_path / "in.seg.nrrd"))
    assert not (tmp_path / "in.findings.csv").exists()
    run_convert_masks(ConvertMasksJob(ct=ct, masks=masks, out=tmp_path / "in.seg.nrrd", check=True))
    assert {found.organ for found in read_findings_csv(tmp_path / "in.findings.csv")}
