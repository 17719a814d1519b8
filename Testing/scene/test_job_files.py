"""CT and masks of the scene as files for a job."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import approve
from organdose.errors import InputError
from organdose.scene import job_files
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct


def test_a_ct_node_arrives_at_a_job_as_it_is(scene, ct_image, tmp_path):
    node = ct_volume_node(ct_image)
    fractions = list(job_files.ct_file_steps(node, tmp_path / "ct.nrrd"))
    assert fractions[-1] == 1
    study = read_ct(tmp_path / "ct.nrrd")
    assert np.array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(ct_image))
    assert study.image.GetOrigin() == pytest.approx(ct_image.GetOrigin())
    assert study.image.GetSpacing() == pytest.approx(ct_image.GetSpacing())


def test_flipped_and_permuted_axes_keep_the_patient_in_place(scene, ct_image, tmp_path):
    turned = sitk.DICOMOrient(ct_image, "SAR")
    list(job_files.ct_file_steps(ct_volume_node(turned), tmp_path / "ct.nrrd"))
    study = read_ct(tmp_path / "ct.nrrd")
    assert np.array_equal(sitk.GetArrayFromImage(study.image), sitk.GetArrayFromImage(ct_image))


def test_a_large_ct_is_written_in_short_steps(scene, ct_image, tmp_path, monkeypatch):
    monkeypatch.setattr(job_files, "_STEP_BYTES", 20_000)
    assert len(list(job_files.ct_file_steps(ct_volume_node(ct_image), tmp_path / "ct.nrrd"))) > 5
    assert np.array_equal(sitk.GetArrayFromImage(read_ct(tmp_path / "ct.nrrd").image), sitk.GetArrayFromImage(ct_image))


def test_a_node_deleted_while_it_is_written_does_no_harm(scene, ct_image, tmp_path, monkeypatch):
    monkeypatch.setattr(job_files, "_STEP_BYTES", 20_000)
    node = ct_volume_node(ct_image)
    steps = job_files.ct_file_steps(node, tmp_path / "ct.nrrd")
    next(steps)
    scene.RemoveNode(node)
    del node
    list(steps)
    assert np.array_equal(sitk.GetArrayFromImage(read_ct(tmp_path / "ct.nrrd").image), sitk.GetArrayFromImage(ct_image))


def test_masks_arrive_with_names_overlaps_and_origin(ct_image, masks, tmp_path):
    list(job_files.masks_file_steps(masks, tmp_path / "masks.seg.nrrd"))
    sitk.WriteImage(ct_image, str(tmp_path / "ct.nrrd"))
    read = read_masks(tmp_path / "masks.seg.nrrd", read_ct(tmp_path / "ct.nrrd"))
    assert set(read.names) == set(masks.names)
    assert all(np.array_equal(read.mask(name), masks.mask(name)) for name in masks.names)
    assert read.origin == masks.origin


def test_masks_of_a_node_are_copied_as_they_are(scene, ct_image, masks):
    node = ct_volume_node(ct_image)
    segmentation = segmentation_node_from_masks(masks, node)
    copied = _returned(job_files.masks_of_node_steps(segmentation, node))
    assert set(copied.names) == set(masks.names) and copied.origin == masks.origin
    assert all(np.array_equal(copied.mask(name), masks.mask(name)) for name in masks.names)


def test_masks_edited_while_they_are_copied_are_copied_again(scene, ct_image, masks):
    import slicer

    node = ct_volume_node(ct_image)
    segmentation = segmentation_node_from_masks(masks, node)
    steps = job_files.masks_of_node_steps(segmentation, node)
    next(steps)
    erased = np.zeros(masks.shape, np.uint8)
    erased[3:5, 20:25, 20:30] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(erased, segmentation, "liver", node)
    assert np.array_equal(_returned(steps).mask("liver"), erased > 0)


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SAR", "IPL"])
def test_masks_of_a_job_come_back_on_the_axes_of_the_ct_node(scene, ct_image, masks, tmp_path, orientation):
    node = ct_volume_node(sitk.DICOMOrient(ct_image, orientation))
    list(job_files.masks_file_steps(masks, tmp_path / "masks.seg.nrrd"))
    steps = job_files.masks_from_file_steps(tmp_path / "masks.seg.nrrd", node)
    read = _returned(steps)
    assert set(read.names) == set(masks.names) and read.origin == masks.origin
    liver = sitk.GetImageFromArray(read.mask("liver").astype(np.uint8))
    liver.CopyInformation(read.reference)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.DICOMOrient(liver, "LPS")).astype(bool), masks.mask("liver"))


def test_masks_that_end_early_or_belong_to_another_ct_are_refused(scene, ct_image, masks, tmp_path):
    path, node = tmp_path / "masks.seg.nrrd", ct_volume_node(ct_image)
    list(job_files.masks_file_steps(masks, path))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match="too early"):
        list(job_files.masks_from_file_steps(path, node))
    path.write_bytes(whole)
    with pytest.raises(InputError, match="another grid"):
        list(job_files.masks_from_file_steps(path, ct_volume_node(ct_image[2:, :, :])))


def _returned(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_an_empty_node_and_one_under_a_transform_are_refused(scene, ct_image, tmp_path):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(InputError, match="empty"):
        list(job_files.ct_file_steps(empty, tmp_path / "ct.nrrd"))
    node = ct_volume_node(ct_image)
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="transform"):
        list(job_files.ct_file_steps(node, tmp_path / "ct.nrrd"))


def test_a_folder_that_is_gone_is_one_clear_line(scene, ct_image, tmp_path):
    with pytest.raises(InputError, match="could not be written"):
        list(job_files.ct_file_steps(ct_volume_node(ct_image), tmp_path / "nowhere" / "ct.nrrd"))


def test_an_approval_goes_to_a_job_and_comes_back(scene, ct_image, organ_masks, tmp_path):
    approve(organ_masks, "liver", "A. Smith")
    node = ct_volume_node(sitk.DICOMOrient(ct_image, "SAR"))
    turned = sitk.DICOMOrient(ct_image, "SAR")
    masks = OrganMasks(turned)
    liver = sitk.GetImageFromArray(organ_masks.mask("liver").astype(np.uint8))
    liver.CopyInformation(ct_image)
    masks.add("liver", sitk.GetArrayFromImage(sitk.DICOMOrient(liver, "SAR")) > 0)
    masks.reviews["liver"] = organ_masks.reviews["liver"]
    segmentation = segmentation_node_from_masks(masks, node)
    copied = _returned(job_files.masks_of_node_steps(segmentation, node))
    list(job_files.masks_file_steps(copied, tmp_path / "masks.seg.nrrd"))
    list(job_files.ct_file_steps(node, tmp_path / "ct.nrrd"))
    read = read_masks(tmp_path / "masks.seg.nrrd", read_ct(tmp_path / "ct.nrrd"))
    assert read.reviews["liver"] == organ_masks.reviews["liver"]
    back = _returned(job_files.masks_from_file_steps(tmp_path / "masks.seg.nrrd", node))
    assert back.reviews["liver"] == organ_masks.reviews["liver"]
