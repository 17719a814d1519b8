"""`organdose segment --region`: an organ drawn again in a box."""

import numpy as np
import pytest
import SimpleITK as sitk


def voxels(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0


def test_a_box_is_drawn_into_masks_there_were(organdose, tiny_ct, tmp_path):
    ct, whole, again = tiny_ct(), tmp_path / "whole.seg.nrrd", tmp_path / "again.seg.nrrd"
    assert organdose("segment", ct, "-o", whole, "--organs", "body").status == 0
    image = sitk.ReadImage(str(whole))
    low = image.TransformIndexToPhysicalPoint((0, 0, 0))
    high = image.TransformIndexToPhysicalPoint((image.GetWidth() - 1, image.GetHeight() - 1, 1))
    region = ",".join(f"{number:g}" for number in (*low, *high))
    outcome = organdose("segment", ct, "-o", again, "--organs", "body", "--region", region)
    assert outcome.status == 0, outcome.err
    assert voxels(again)[:2].any() and not voxels(again)[2:].any()
    outcome = organdose("segment", ct, "-o", tmp_path / "both.seg.nrrd", "--organs", "body", "--region", region,
                        "--masks", whole)
    assert outcome.status == 0 and "body: drawn again in a region" in outcome.err
    assert np.array_equal(voxels(tmp_path / "both.seg.nrrd"), voxels(whole))


@pytest.mark.parametrize("region", ["1,2,3", "a,b,c,d,e,f", "", "1,2,3,4,5,6,7"])
def test_what_is_no_box_is_refused(refused, tiny_ct, tmp_path, region):
    refused("segment", tiny_ct(), "-o", tmp_path / "m.seg.nrrd", "--region", region,
            words=("is no box", "six numbers in mm"))
