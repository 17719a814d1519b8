"""An organ drawn again in a box, by a job, back into its segment."""

import numpy as np
import pytest
import slicer

PATIENCE_S = 120


@pytest.fixture
def undo(host, cylinder):
    """Slicer's own undo of the masks: `save` and `undo`."""
    from host.pythonqt import unwrap

    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(slicer.mrmlScene)
    editor.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    editor.setSegmentationNode(cylinder.masks)
    editor.setSourceVolumeNode(cylinder.ct)
    yield unwrap(editor)
    editor.setMRMLSegmentEditorNode(None)
    editor.setMRMLScene(None)


@pytest.fixture
def engine():
    """What the window has chosen: [name, parameters]."""
    return ["analytic", {}]


@pytest.fixture
def rerun(host, show, cylinder, engine, undo):
    from organdose.panels.region_rerun import RegionRerun

    made = RegionRerun(lambda: tuple(engine), undo.saveStateForUndo)
    show(made.widget)
    made.show(cylinder.masks, "body", cylinder.ct)
    yield made
    made.stop()


@pytest.fixture
def press_and_wait(host, rerun):
    def press():
        host.click(rerun.job.run_button)
        host.wait_until(lambda: not rerun.job.is_busy, PATIENCE_S, "the organ")
        return rerun.job.status.text

    return press


def body(cylinder):
    return slicer.util.arrayFromSegmentBinaryLabelmap(cylinder.masks, "body", cylinder.ct) > 0


def spoil(cylinder):
    """The body as a bad engine might leave it: a bite out of the middle slices, and another at the feet."""
    mask = body(cylinder)
    middle = mask.shape[0] // 2
    mask[middle - 1:middle + 2, :mask.shape[1] // 2] = False
    mask[0] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), cylinder.masks, "body", cylinder.ct)
    return mask, middle


def test_without_an_organ_or_a_box_it_says_what_to_do(host, rerun, cylinder, engine):
    rerun.show(None, "", None)
    assert not rerun.box_button.enabled and "Choose an organ" in rerun.box_button.toolTip
    rerun.show(cylinder.masks, "gone", cylinder.ct)
    assert "Choose an organ" in rerun.job.run_button.toolTip
    rerun.show(cylinder.masks, "body", None)
    assert "CT" in rerun.box_button.toolTip
    rerun.show(cylinder.masks, "body", cylinder.ct)
    assert rerun.box_button.enabled and "Put the box" in rerun.job.run_button.toolTip
    host.click(rerun.box_button)
    assert rerun.job.run_button.enabled
    rerun.show(cylinder.masks, "spinal_cord", cylinder.ct)
    assert rerun.job.run_button.toolTip == "The engine analytic does not draw Spinal cord: choose another engine."
    engine[:] = ["analytic", {"bone_low_hu": 9000}]
    rerun.show(cylinder.masks, "body", cylinder.ct)
    assert "Parameters of analytic" in rerun.job.run_button.toolTip


def test_the_box_goes_around_the_organ_and_there_is_one(host, rerun, cylinder):
    from organdose.scene.region_box import AROUND_MM, region_box, region_of

    host.click(rerun.box_button)
    low, high = region_of(region_box())
    bounds = [0.0] * 6
    cylinder.ct.GetRASBounds(bounds)
    inside = np.argwhere(body(cylinder))
    extent_mm = (inside.max(axis=0) - inside.min(axis=0) + 1)[::-1] * cylinder.ct.GetSpacing()
    assert np.subtract(high, low) == pytest.approx(extent_mm + 2 * AROUND_MM)
    centre_ras = (np.add(high, low) / 2) * (-1, -1, 1)
    assert centre_ras == pytest.approx([(bounds[0] + bounds[1]) / 2, (bounds[2] + bounds[3]) / 2,
                                        (bounds[4] + bounds[5]) / 2], abs=1e-6)
    first = region_box()
    host.click(rerun.box_button)
    assert region_box() is first
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 1
    host.click(rerun.remove_button)
    assert region_box() is None and not rerun.remove_button.enabled and not rerun.job.run_button.enabled


def test_in_the_box_the_organ_is_drawn_again_and_undo_brings_the_old_one_back(host, rerun, cylinder, press_and_wait,
                                                                             undo):
    from organdose.anatomy.review import approve
    from organdose.scene.region_box import region_box
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node, put_review

    whole = body(cylinder)
    spoiled, middle = spoil(cylinder)
    reviewed = masks_from_segmentation_node(cylinder.masks, cylinder.ct)
    put_review(cylinder.masks.GetSegmentation().GetSegment("body"), approve(reviewed, "body", "A. Smith"))
    cord = slicer.util.arrayFromSegmentBinaryLabelmap(cylinder.masks, "spinal_cord", cylinder.ct)
    host.click(rerun.box_button)
    box, spacing_mm = region_box(), cylinder.ct.GetSpacing()
    centre = box.GetCenterWorld()
    box.SetCenterWorld(centre[0], centre[1], cylinder.ct.GetOrigin()[2] + middle * spacing_mm[2])
    box.SetSizeWorld(box.GetSize()[0], box.GetSize()[1], 4 * spacing_mm[2])
    line = press_and_wait()
    assert line.startswith("Done: Body (without couch) drawn again in the box") and "Undo" in line
    now = body(cylinder)
    in_box = now[middle - 2:middle + 3]
    overlap = 2 * (in_box & whole[middle - 2:middle + 3]).sum() / (in_box.sum() + whole[middle - 2:middle + 3].sum())
    assert overlap > 0.95
    outside = np.r_[0:middle - 2, middle + 3:len(now)]
    assert np.array_equal(now[outside], spoiled[outside])
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(cylinder.masks, "spinal_cord", cylinder.ct), cord)
    assert list(cylinder.masks.GetSegmentation().GetSegmentIDs()) == ["body", "spinal_cord"]
    masks = masks_from_segmentation_node(cylinder.masks, cylinder.ct)
    assert masks.reviews["body"].line == "edited, not approved"
    undo.undo()
    assert np.array_equal(body(cylinder), spoiled)


def test_a_box_beside_the_ct_changes_nothing_and_says_so(host, rerun, cylinder, press_and_wait):
    from organdose.scene.region_box import region_box

    host.click(rerun.box_button)
    region_box().SetCenterWorld(5000, 0, 0)
    before = body(cylinder)
    line = press_and_wait()
    assert "holds no voxel of the CT" in line and np.array_equal(body(cylinder), before)


def test_cancelled_or_deleted_meanwhile_nothing_is_changed(host, rerun, cylinder, nodes_and_files):
    host.click(rerun.box_button)
    host.process(0.3)  # the views make nodes for a box they show
    mask, before = body(cylinder), nodes_and_files()
    host.click(rerun.job.run_button)
    host.process(0.1)
    host.click(rerun.job.cancel_button)
    host.wait_until(lambda: not rerun.job.is_busy, PATIENCE_S, "the end")
    assert rerun.job.status.text == "Cancelled. Nothing was changed."
    assert nodes_and_files() == before
    assert np.array_equal(body(cylinder), mask)
    host.click(rerun.job.run_button)
    host.process(0.1)
    cylinder.masks.GetSegmentation().RemoveSegment("body")
    host.wait_until(lambda: not rerun.job.is_busy, PATIENCE_S, "the end")
    assert "segment was deleted meanwhile" in rerun.job.status.text
    assert nodes_and_files()[1] == before[1]


def test_the_dose_table_follows(host, rerun, cylinder, new_result, press_and_wait):
    from organdose.panels.result_following import result_following
    from organdose.scene.organ_table_node import rows_from_table_node

    def body_mass_g():
        host.process(0.05)
        host.wait_until(lambda: not result_following().is_busy, PATIENCE_S, "the table")
        return {row.organ: row.mass_g for row in rows_from_table_node(result.organ_table)}["body"]

    result_following()
    result = new_result()
    whole_g = body_mass_g()
    half = body(cylinder).astype(np.uint8)
    half[:len(half) // 2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(half, cylinder.masks, "body", cylinder.ct)
    assert body_mass_g() == pytest.approx(whole_g / 2)
    box = rerun_everywhere(rerun, cylinder)
    assert press_and_wait().startswith("Done")
    assert box.GetDisplayVisibility() and body_mass_g() == pytest.approx(whole_g, rel=0.05)


def rerun_everywhere(rerun, cylinder):
    """Puts the box and makes it as large as the CT."""
    from organdose.scene.region_box import region_box

    rerun.place_box()
    bounds = [0.0] * 6
    cylinder.ct.GetRASBounds(bounds)
    box = region_box()
    box.SetCenterWorld(*((bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)))
    box.SetSizeWorld(*(bounds[2 * axis + 1] - bounds[2 * axis] for axis in range(3)))
    return box
