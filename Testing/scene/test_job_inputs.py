"""CT and masks of the scene as files for a job."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.scene import job_inputs
from organdose.scene.volume_nodes import ct_volume_node
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct


def test_a_ct_node_arrives_at_a_job_as_it_is(scene, ct_image, tmp_path):
    node = ct_volume_node(ct_image)
    fractions = list(job_inputs.ct_file_steps(node, tmp_path / "ct.nrrd"))
    assert fractions[-1] == 1
    study = read_ct(tmp_path / "ct.nrrd")
    assert np.array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(ct_image))
    assert study.image.GetOrigin() == pytest.approx(ct_image.GetOrigin())
    assert study.image.GetSpacing() == pytest.approx(ct_image.GetSpacing())


def test_flipped_and_permuted_axes_keep_the_patient_in_place(scene, ct_image, tmp_path):
    turned = sitk.DICOMOrient(ct_image, "SAR")
    list(job_inputs.ct_file_steps(ct_volume_node(turned), tmp_path / "ct.nrrd"))
    study = read_ct(tmp_path / "ct.nrrd")
    assert np.array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(ct_image))


def test_a_large_ct_is_written_in_short_steps(scene, ct_image, tmp_path, monkeypatch):
    monkeypatch.setattr(job_inputs, "_STEP_BYTES", 20_000)
    assert len(list(job_inputs.ct_file_steps(ct_volume_node(ct_image), tmp_path / "ct.nrrd"))) > 5
    assert np.array_equal(sitk.GetArrayFromImage(read_ct(tmp_path / "ct.nrrd").image), sitk.GetArrayFromImage(ct_image))


def test_a_node_deleted_while_it_is_written_does_no_harm(scene, ct_image, tmp_path, monkeypatch):
    monkeypatch.setattr(job_inputs, "_STEP_BYTES", 20_000)
    node = ct_volume_node(ct_image)
    steps = job_inputs.ct_file_steps(node, tmp_path / "ct.nrrd")
    next(steps)
    scene.RemoveNode(node)
    del node
    list(steps)
    assert np.array_equal(sitk.GetArrayFromImage(read_ct(tmp_path / "ct.nrrd").image), sitk.GetArrayFromImage(ct_image))


def test_masks_arrive_with_names_overlaps_and_origin(ct_image, masks, tmp_path):
    list(job_inputs.masks_file_steps(masks, tmp_path / "masks.seg.nrrd"))
    sitk.WriteImage(ct_image, str(tmp_path / "ct.nrrd"))
    read = read_masks(tmp_path / "masks.seg.nrrd", read_ct(tmp_path / "ct.nrrd"))
    assert set(read.names) == set(masks.names)
    assert all(np.array_equal(read.mask(name), masks.mask(name)) for name in masks.names)
    assert read.origin == masks.origin


def test_an_empty_node_and_one_under_a_transform_are_refused(scene, ct_image, tmp_path):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(InputError, match="empty"):
        list(job_inputs.ct_file_steps(empty, tmp_path / "ct.nrrd"))
    node = ct_volume_node(ct_image)
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="transform"):
        list(job_inputs.ct_file_steps(node, tmp_path / "ct.nrrd"))


def test_a_folder_that_is_gone_is_one_clear_line(scene, ct_image, tmp_path):
    with pytest.raises(InputError, match="could not be written"):
        list(job_inputs.ct_file_steps(ct_volume_node(ct_image), tmp_path / "nowhere" / "ct.nrrd"))
