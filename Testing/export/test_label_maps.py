"""Masks as NIfTI: read back by our reader and by nibabel's rules as SimpleITK knows them."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.label_maps import legend_path, write_label_map, write_organ_folder
from organdose.segmentation.reading import read_masks
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


@pytest.fixture
def masks(example):
    """Body, liver, kidneys, sacrum, and 'left_knob', which the vocabulary does not know; the body overlaps all, the
    liver the right kidney."""
    return example.masks


@pytest.fixture
def study(example):
    return CTStudy(example.ct, CTAcquisition())


def test_a_label_map_is_read_back_with_its_names(masks, study, tmp_path):
    note = write_label_map(masks, tmp_path / "case.nii.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.json", "case.nii.gz"]
    back = read_masks(tmp_path / "case.nii.gz", study)
    assert set(back.names) == set(masks.names)
    for name in set(masks.names) - {"body", "liver"}:
        assert np.array_equal(back.mask(name), masks.mask(name)), name
    assert np.array_equal(back.mask("liver"), masks.mask("liver") & ~masks.mask("kidney_right"))
    inner = masks.union(set(masks.names) - {"body"})
    assert np.array_equal(back.mask("body"), masks.mask("body") & ~inner)
    assert note == "Voxels of several organs went to the smaller one; not whole: body, liver."
    assert json.loads(legend_path(tmp_path / "case.nii.gz").read_text())["note"] == note


def test_masks_that_do_not_overlap_are_all_whole(masks, tmp_path):
    assert write_label_map(masks.kept(["liver", "kidney_left"]), tmp_path / "case.nii.gz") == ""
    legend = json.loads((tmp_path / "case.json").read_text())
    assert legend == {"labels": {"1": "liver", "2": "kidney_left"}}


def test_more_than_255_organs_have_labels_of_their_own(tmp_path):
    reference = sitk.Image(20, 20, 1, sitk.sitkUInt8)
    masks = OrganMasks(reference)
    for number in range(300):
        voxel = np.zeros((1, 20, 20), bool)
        voxel[0, number // 20, number % 20] = True
        masks.add(f"organ_{number}", voxel)
    write_label_map(masks, tmp_path / "many.nii.gz")
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "many.nii.gz")))
    assert sorted(values[values > 0]) == list(range(1, 301))


def test_a_folder_has_each_organ_whole(masks, study, tmp_path):
    write_organ_folder(masks, tmp_path / "organs")
    assert sorted(path.name for path in (tmp_path / "organs").iterdir()) == sorted(f"{n}.nii.gz" for n in masks.names)
    back = read_masks(tmp_path / "organs", study)
    for name in ("body", "liver", "kidney_left", "kidney_right", "sacrum"):
        assert np.array_equal(back.mask(name), masks.mask(name)), name


def test_a_folder_that_holds_something_is_left_alone(masks, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        write_organ_folder(masks, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("write", [write_label_map, write_organ_folder])
def test_nothing_to_write_is_refused(write, tmp_path):
    masks = OrganMasks(sitk.Image(4, 4, 4, sitk.sitkUInt8))
    masks.add("liver", np.zeros((4, 4, 4), bool))
    with pytest.raises(InputError, match="no mask to write"):
        write(masks, tmp_path / "out.nii.gz")
    assert list(tmp_path.iterdir()) == []
