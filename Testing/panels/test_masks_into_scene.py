"""Masks that a job made come into the scene whole or not at all."""

import numpy as np
import pytest

from organdose.errors import InputError


@pytest.fixture
def ct(host, ct_image):
    from organdose.scene.volume_nodes import ct_volume_node

    return ct_volume_node(ct_image, "CT of the thorax")


@pytest.fixture
def mask_file(tmp_path, organ_masks):
    """What a job writes: an uncompressed .seg.nrrd in a folder of its own."""
    from organdose.scene.job_files import masks_file_steps

    path = tmp_path / "job" / "result.seg.nrrd"
    path.parent.mkdir()
    for _ in masks_file_steps(organ_masks, path):
        pass
    return path


def taken(steps):
    """(what a generator returns, how many steps it took)."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1


def segmentations():
    import slicer

    return list(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))


def node_ids():
    import slicer

    nodes = slicer.mrmlScene.GetNodes()
    return {nodes.GetItemAsObject(index).GetID() for index in range(nodes.GetNumberOfItems())}


def start(mask_file, ct, name="analytic"):
    from organdose.panels.masks_into_scene import masks_into_scene

    return masks_into_scene(mask_file, ct, name)


def test_the_masks_become_a_segmentation_of_the_ct(mask_file, ct, organ_masks):
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node

    (node, line), steps = taken(start(mask_file, ct))
    assert segmentations() == [node] and node.GetName() == "Organs (analytic)" and steps > 1
    assert line == "Done: 5 organs. Look at each before you use it."
    masks = masks_from_segmentation_node(node, ct)
    assert set(masks.segments) == set(organ_masks.segments)
    for name in organ_masks.segments:
        assert np.array_equal(masks.mask(name), organ_masks.mask(name)), name


def test_they_are_shown_over_the_ct_and_older_masks_are_hidden(mask_file, ct):
    import slicer

    (old, _), _ = taken(start(mask_file, ct, "first"))
    (new, _), _ = taken(start(mask_file, ct, "second"))
    assert new.GetDisplayNode().GetVisibility() and not old.GetDisplayNode().GetVisibility()
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert {composite.GetBackgroundVolumeID() for composite in composites} == {ct.GetID()}


def test_they_lie_in_the_study_of_the_ct(mask_file, ct):
    from organdose.scene import subject_hierarchy

    study = subject_hierarchy.study_item("Thorax")
    subject_hierarchy.put_under(study, [ct])
    (node, _), _ = taken(start(mask_file, ct))
    assert subject_hierarchy.study_of(node) == study


def test_a_ct_without_a_study_is_no_obstacle(mask_file, ct):
    (node, _), _ = taken(start(mask_file, ct))
    assert node.GetScene() is not None


def test_wherever_it_is_stopped_the_scene_is_as_it_was(mask_file, ct):
    _, steps = taken(start(mask_file, ct))
    before = node_ids()
    for count in range(steps + 1):
        work = start(mask_file, ct)
        for _ in range(count):
            next(work)
        work.close()
        assert node_ids() == before, f"stopped after {count} of {steps} steps"


@pytest.mark.parametrize("after", [0, 1])
def test_a_ct_deleted_meanwhile_is_said(mask_file, ct, after):
    import slicer

    work = start(mask_file, ct)
    for _ in range(after):
        next(work)
    slicer.mrmlScene.RemoveNode(ct)
    with pytest.raises(InputError, match="the CT was deleted meanwhile"):
        taken(work)
    assert segmentations() == []


def test_masks_of_another_ct_are_refused(mask_file, host):
    import SimpleITK as sitk

    from organdose.scene.volume_nodes import ct_volume_node

    other = ct_volume_node(sitk.Image(7, 8, 9, sitk.sitkInt16), "another CT")
    with pytest.raises(InputError, match="another grid"):
        taken(start(mask_file, other))
    assert segmentations() == []


def test_a_file_cut_short_is_refused(mask_file, ct):
    content = mask_file.read_bytes()
    mask_file.write_bytes(content[:-5000])
    with pytest.raises(InputError, match="end too early"):
        taken(start(mask_file, ct))
    assert segmentations() == []
