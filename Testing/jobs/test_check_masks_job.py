"""Masks checked again."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.mask_finding import FindingKind
from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.mask_findings_table import read_findings_csv
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.check_masks_job import CheckMasksJob, run_check_masks


@pytest.fixture
def files(tmp_path):
    """A CT, and a liver in two parts with an empty spleen beside."""
    hu = np.full((30, 40, 40), 60, np.int16)
    hu[:, :2] = -1000
    ct = sitk.GetImageFromArray(hu)
    ct.SetSpacing((5.0, 5.0, 5.0))
    masks = OrganMasks(ct)
    liver = np.zeros(hu.shape, bool)
    liver[5:20, 5:20, 5:20] = liver[24:28, 30:35, 30:35] = True
    masks.add("liver", liver)
    sitk.WriteImage(ct, str(tmp_path / "ct.nrrd"))
    write_seg_nrrd(masks, tmp_path / "m.seg.nrrd")
    return tmp_path


def test_what_is_wrong_is_written(files):
    job = CheckMasksJob(ct=files / "ct.nrrd", masks=files / "m.seg.nrrd", out=files / "f.csv")
    found = run_check_masks(job)
    assert FindingKind.SEVERAL_PARTS in {each.kind for each in found}
    assert [each.reason for each in read_findings_csv(files / "f.csv")] == [each.reason for each in found]


def test_empty_masks_are_found_though_the_file_lacks_them(files):
    job = CheckMasksJob(ct=files / "ct.nrrd", masks=files / "m.seg.nrrd", out=files / "f.csv",
                        organs=("liver", "spleen"))
    assert ("spleen", FindingKind.EMPTY) in {(each.organ, each.kind) for each in run_check_masks(job)}


def test_masks_of_another_grid_are_refused(files):
    sitk.WriteImage(sitk.Image(10, 10, 10, sitk.sitkInt16), str(files / "other.nrrd"))
    with pytest.raises(InputError):
        run_check_masks(CheckMasksJob(ct=files / "other.nrrd", masks=files / "m.seg.nrrd", out=files / "f.csv"))
    assert not (files / "f.csv").exists()
