"""The masks a job works with always have a body, and the body holds its organs."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.segmentation.masks_for_study import masks_for_study
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


@pytest.fixture
def study():
    place = 5.0 * (np.arange(48) - 23.5)
    plane = np.where(np.hypot(place[:, None], place[None, :]) < 100, 0, -1000).astype(np.int16)
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (10, 48, 48)).copy())
    image.SetSpacing((5.0, 5.0, 5.0))
    return CTStudy(image, CTAcquisition())


@pytest.fixture
def label_map(study, tmp_path):
    def write(legend: dict[str, str]):
        values = np.zeros((10, 48, 48), np.uint8)
        for value, place in ((1, slice(10, 38)), (2, slice(20, 28))):
            values[:, place, place] = value
        values[:, 44:46, 10:38] = 3
        image = sitk.GetImageFromArray(values)
        image.CopyInformation(study.image)
        sitk.WriteImage(image, str(tmp_path / "masks.nrrd"))
        (tmp_path / "labels.json").write_text(json.dumps(legend))
        return tmp_path / "masks.nrrd"
    return write


def test_without_a_file_the_analytic_engine_draws_the_body(study):
    body = masks_for_study(study, None).mask("body")
    water = sitk.GetArrayFromImage(study.image) > -500
    assert 2 * (body & water).sum() / (body.sum() + water.sum()) > 0.97


def test_a_label_maps_body_holds_its_organs_but_not_the_couch(study, label_map):
    masks = masks_for_study(study, label_map({"1": "body", "2": "liver", "3": "couch"}))
    assert masks.mask("body").sum() == 10 * 28 * 28
    assert (masks.mask("body") & masks.mask("liver")).sum() == 10 * 8 * 8
    assert not (masks.mask("body") & masks.mask("couch")).any()


def test_a_file_without_a_body_gets_one_and_says_so(study, label_map):
    masks = masks_for_study(study, label_map({"1": "liver", "2": "spleen", "3": "couch"}))
    assert masks.mask("body").sum() > masks.mask("liver").sum()
    assert "analytic" in masks.notes["body"]
