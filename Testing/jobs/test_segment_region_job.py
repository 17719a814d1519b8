"""An organ drawn again in a box of the CT, on disk."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import approve
from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.segment_job import SegmentJob, run_segment
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct

BOX_MM = ((0.0, 0.0, 20.0), (310.0, 310.0, 40.0))  # slices 2, 3 and 4 of 8


@pytest.fixture
def run(job_of, tmp_path):
    ct = job_of().ct

    def segment(**values):
        job = SegmentJob(**({"ct": ct, "out": tmp_path / "m.seg.nrrd", "region_mm": BOX_MM} | values))
        return run_segment(job), read_masks(job.out, read_ct(ct))
    return segment


@pytest.fixture
def square(job_of, tmp_path):
    """A file of masks in which the body is a square column that A. Smith approved, and a tumour lies in it."""
    study = read_ct(job_of().ct)
    masks, columns, ball = OrganMasks(study.image), np.zeros((8, 32, 32), bool), np.zeros((8, 32, 32), bool)
    columns[:, 4:28, 4:28], ball[3:5, 10:12, 10:12] = True, True
    masks.add("body", columns)
    masks.add("tumour", ball)
    approve(masks, "body", "A. Smith")
    write_seg_nrrd(masks, path := tmp_path / "old.seg.nrrd")
    return path


def test_only_the_box_is_drawn(run, tmp_path):
    _drawn, masks = run()
    slices = masks.mask("body").sum(axis=(1, 2))
    whole, _ = run(region_mm=None, out=tmp_path / "whole.seg.nrrd")
    assert slices[[0, 1, 5, 6, 7]].sum() == 0
    assert np.array_equal(masks.mask("body")[2:5], whole.mask("body")[2:5])
    assert not (tmp_path / "m.findings.csv").read_text(encoding="utf-8").splitlines()[1:]


def test_what_is_drawn_takes_the_place_of_the_organ_in_the_box(run, square, job_of):
    before = read_masks(square, read_ct(job_of().ct))
    _drawn, masks = run(masks=square, organs=("body",))
    whole = run(region_mm=None)[0].mask("body")
    body = masks.mask("body")
    assert np.array_equal(body[2:5], whole[2:5]) and not np.array_equal(body[2:5], before.mask("body")[2:5])
    for outside in (slice(0, 2), slice(5, 8)):
        assert np.array_equal(body[outside], before.mask("body")[outside])
    assert np.array_equal(masks.mask("tumour"), before.mask("tumour"))
    assert masks.reviews["body"].line == "edited, not approved" and "tumour" not in masks.reviews


@pytest.mark.parametrize(("values", "told"), [
    ({"region_mm": ((900, 900, 900), (999, 999, 999))}, "the region holds no voxel of the CT"),
    ({"organs": ("lung_left",)}, "not found in this region: lung_left"),
    ({"region_mm": None, "masks": "old.seg.nrrd"}, "no region to correct them in"),
    ({"masks": "nowhere.seg.nrrd"}, "no such file or folder")])
def test_what_cannot_be_done_is_refused_and_nothing_is_written(run, tmp_path, values, told):
    with pytest.raises(InputError, match=told):
        run(**values)
    assert not (tmp_path / "m.seg.nrrd").exists()


def test_slices_turned_against_the_patient_are_met_at_the_same_place(run, tmp_path, job_of):
    ct = sitk.ReadImage(str(job_of().ct))
    values = sitk.GetArrayFromImage(ct)
    values[:, :16] = -1000  # only the back half of the cylinder is left
    turned = sitk.Flip(sitk.GetImageFromArray(values), [True, True, False])
    turned.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    turned.SetSpacing(ct.GetSpacing())
    turned.SetOrigin((310.0, 310.0, 0.0))
    sitk.WriteImage(turned, str(tmp_path / "turned.nrrd"))
    job = SegmentJob(ct=tmp_path / "turned.nrrd", out=tmp_path / "t.seg.nrrd",
                     region_mm=((0.0, 160.0, 20.0), (310.0, 310.0, 40.0)))
    assert run_segment(job).mask("body")[2:5, 16:].any()
