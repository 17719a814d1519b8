"""A CT carried on beyond its ends: the image stays, tissue and organs are added and marked, a dose job takes it."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.voxelise import voxelise
from organdose.anatomy.review import approve, estimated_names, mark_drawn
from organdose.errors import InputError
from organdose.segmentation.atlas_extension import extended_ct
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

VOXEL_MM = 6.0
LOW_MM, HIGH_MM = 210.0, 510.0


@pytest.fixture(scope="module")
def phantom():
    return voxelise(load_phantom("adult-male"), (VOXEL_MM,) * 3, (LOW_MM - 120, HIGH_MM + 60), pose=ARMS_UP)


@pytest.fixture(scope="module")
def study(phantom):
    image = sitk.GetImageFromArray(np.rint(phantom.hu).astype(np.int16))
    image.CopyInformation(phantom.reference)
    return CTStudy(image[:, :, 20:-10], CTAcquisition(), patient_sex="M")


@pytest.fixture(scope="module")
def found(study):
    return extended_ct(study, (120.0, 60.0))


def test_the_image_itself_stays_as_it_was(found, study):
    assert (found.below, found.above) == (20, 10)
    inner = found.image[:, :, 20:-10]
    assert np.array_equal(sitk.GetArrayFromImage(inner), sitk.GetArrayFromImage(study.image))
    assert inner.GetOrigin() == pytest.approx(study.image.GetOrigin())
    assert found.ends_mm == pytest.approx((LOW_MM - 3, HIGH_MM + 3), abs=3)


def test_beyond_the_image_lies_the_body_that_was_cut_off(found, phantom):
    truth = phantom.part > 0
    outside = np.r_[0:20, -10:0]
    body = found.masks.mask("body")
    common = np.count_nonzero(body[outside] & truth[outside])
    assert 2 * common / (np.count_nonzero(body[outside]) + np.count_nonzero(truth[outside])) > 0.9
    hu = sitk.GetArrayFromImage(found.image)[outside]
    assert hu[body[outside]].mean() == pytest.approx(phantom.hu[outside][truth[outside]].mean(), abs=60)


def test_organs_beyond_the_image_and_what_they_add_are_marked(found, phantom):
    bladder = found.masks.mask("urinary_bladder") if "urinary_bladder" in found.masks.segments else None
    truth = phantom.masks()
    assert {"body", "bones"} <= estimated_names(found.masks)
    assert "beyond the image are estimated" in found.masks.notes["body"]
    assert "estimated, not seen" in found.lines[0] and "120 mm at the feet" in found.lines[0]
    if bladder is not None:
        away = [np.argwhere(mask).mean(axis=0) for mask in (bladder, truth.mask("urinary_bladder"))]
        assert np.linalg.norm(away[0] - away[1]) * VOXEL_MM < 30


def test_given_masks_keep_their_voxels_and_cut_ones_go_on(study, phantom, found):
    truth = phantom.masks()
    given = OrganMasks(study.image, origin="a person")
    for name in ("liver", "kidney_left", "body"):
        given.add(name, truth.mask(name)[20:-10])
    mark_drawn(given)
    approve(given, "kidney_left", "A. Smith")
    masks = extended_ct(study, (120.0, 60.0), given=given).masks
    for name in given.names:
        assert np.array_equal(masks.mask(name)[20:-10], given.mask(name)), name
    assert "body" in estimated_names(masks) and "kidney_left" not in estimated_names(masks)
    assert not masks.reviews["kidney_left"].approved_by and "approved before" in masks.notes["kidney_left"]
    assert not (masks.mask("spleen") & masks.union(["liver", "kidney_left"])).any()


@pytest.mark.parametrize("beyond_mm", [(0.0, 0.0), (-5.0, 10.0), (9e9, 0.0), (float("nan"), 5.0)])
def test_lengths_that_are_none_are_refused(study, beyond_mm):
    with pytest.raises(InputError, match="cannot be carried on"):
        extended_ct(study, beyond_mm)


def test_the_command_writes_what_a_dose_job_reads(study, tmp_path):
    from organdose.ct.exposure import exposure_of
    from organdose.ct.scanner import load_scanner
    from organdose.jobs.extend_job import ExtendJob, run_extend
    from organdose.segmentation.masks_for_study import masks_for_study
    from organdose.study import read_ct

    sitk.WriteImage(study.image, str(tmp_path / "ct.nrrd"))
    slices = study.image.GetDepth()
    facts = {"tube_voltage_kv": 120, "ctdivol_mgy": [5.0 + k for k in range(slices)], "ctdi_phantom_cm": 32,
             "total_collimation_mm": 40, "scan_kind": "helical", "pitch": 1.0, "patient_sex": "M"}
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    out = tmp_path / "long"
    run_extend(ExtendJob(ct=tmp_path / "ct.nrrd", protocol=tmp_path / "facts.json", out=out, below_mm=60, above_mm=30))
    long = read_ct(out / "ct.nrrd", protocol=out / "protocol.json")
    assert long.image.GetDepth() == slices + 15 and long.patient_sex == "M"
    assert any("estimated, not seen" in line for line in long.acquisition.warnings)
    exposure = exposure_of(long, load_scanner("generic"))
    assert np.isnan(exposure.ctdivol_mgy[:10]).all() and np.isnan(exposure.ctdivol_mgy[-5:]).all()
    assert exposure.ctdivol_mgy[10:-5] == pytest.approx(facts["ctdivol_mgy"])
    whole = exposure_of(read_ct(tmp_path / "ct.nrrd", protocol=tmp_path / "facts.json"), load_scanner("generic"))
    assert exposure.dlp_mgy_mm == pytest.approx(whole.dlp_mgy_mm, rel=1e-6), "no more was scanned"
    assert "liver" in estimated_names(masks_for_study(long, out / "masks.seg.nrrd"))
    assert "image_ends_mm" in json.loads((out / "run.json").read_text())["facts"]
