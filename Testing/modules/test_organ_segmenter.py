"""OrganSegmenter: engine and organs chosen, masks drawn into one segmentation, shown and handed to the editor."""

import json

import numpy as np
import pytest
import slicer
import vtk
from host.pythonqt import unwrap

from organdose.anatomy.organs import describe
from organdose.segmentation.analytic import ENGINE

PATIENCE_S = 120


@pytest.fixture
def segmenter(open_module):
    return open_module("OrganSegmenter")


@pytest.fixture
def run(host, segmenter):
    def press_and_wait():
        host.click(segmenter.job.run_button)
        host.wait_until(lambda: not segmenter.job.is_busy, PATIENCE_S, "the masks")
        return segmenter.job.status.text

    return press_and_wait


def segmentations(host):
    return host.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")


def names_of(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(each).GetName() for each in segmentation.GetSegmentIDs()]


def test_nothing_can_be_pressed_without_a_ct(host, segmenter, cylinder):
    ui = segmenter.ui
    assert segmenter.job.run_button.toolTip == "Choose a CT."
    for button in (segmenter.job.run_button, ui.importButton, ui.importFolderButton, ui.exportButton):
        assert not button.enabled and button.toolTip
    assert ui.editNote.visible
    host.choose(ui.ctSelector, cylinder.ct)
    assert segmenter.job.run_button.enabled and ui.importButton.enabled and not ui.exportButton.enabled
    host.choose(ui.segmentationSelector, cylinder.masks)
    assert ui.exportButton.enabled and not ui.editNote.visible


def test_the_engine_says_what_it_is_and_what_it_draws(segmenter):
    assert segmenter.form.chooser.currentText == ENGINE.title
    note = segmenter.choice.note.text
    assert "Licence: Apache-2.0" in note and "cpu" in note and "1.7 GiB of memory" in note
    assert not segmenter.choice.obstacle.visible
    assert segmenter.organs.ticked() == list(ENGINE.organs)


def test_all_organs_are_drawn_into_one_segmentation_that_the_editor_shows(host, segmenter, cylinder, run, job_files):
    files, before = job_files(), segmentations(host)
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    absent = ", ".join(describe(name).title for name in ENGINE.organs if name != "body")
    assert run() == f"Done: 1 organ. Look at each before you use it. Not in this CT: {absent}."
    assert segmentations(host) == before + 1
    node = segmenter.ui.segmentationSelector.currentNode()
    assert node is not cylinder.masks and names_of(node) == [describe("body").title]
    drawn, known = (slicer.util.arrayFromSegmentBinaryLabelmap(each, "body", cylinder.ct)
                    for each in (node, cylinder.masks))
    assert 2 * (drawn & known).sum() / (drawn.sum() + known.sum()) > 0.95
    editor = unwrap(segmenter.editor.widget)
    assert editor.segmentationNode() is node and editor.sourceVolumeNode() is cylinder.ct
    assert job_files() == files, "the CT as it was written for the job"


def test_segments_carry_a_code_and_the_colour_of_the_vocabulary(host, segmenter, cylinder, run):
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    run()
    segment = segmenter.ui.segmentationSelector.currentNode().GetSegmentation().GetSegment("body")
    entry = slicer.vtkSegment.GetTerminologyEntryTagName()
    text = vtk.reference("")
    assert segment.GetTag(entry, text)
    assert "SCT" in str(text) and describe("body").snomed_code in str(text)
    assert segment.GetColor() == pytest.approx([component / 255 for component in describe("body").colour_rgb])


def test_the_masks_lie_in_the_study_of_their_ct(host, segmenter, cylinder, run):
    from organdose.scene import subject_hierarchy

    study = subject_hierarchy.study_item("A study")
    subject_hierarchy.put_under(study, [cylinder.ct])
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    run()
    assert subject_hierarchy.study_of(segmenter.ui.segmentationSelector.currentNode()) == study


def test_organs_are_ticked_and_kept(host, segmenter, cylinder, run, tick):
    ui = segmenter.ui
    host.choose(ui.ctSelector, cylinder.ct)
    host.click(segmenter.organs.none_button)
    assert segmenter.job.run_button.toolTip == "Tick at least one organ."
    tick(segmenter.organs.tree, describe("body").title)
    assert segmenter.job.run_button.enabled
    host.select("Data")
    host.select("OrganSegmenter")
    assert segmenter.organs.ticked() == ["body"]
    assert run().startswith("Done: 1 organ")
    host.click(segmenter.organs.all_button)
    assert segmenter.organs.ticked() == list(ENGINE.organs)


def test_a_ct_without_any_of_the_organs_wanted_is_told_in_one_line(host, segmenter, cylinder, run, tick):
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.click(segmenter.organs.none_button)
    tick(segmenter.organs.tree, describe("lung_left").title)
    before = segmentations(host)
    line = run()
    assert "lung_left" in line and "\n" not in line
    assert segmentations(host) == before


def test_parameters_that_contradict_each_other_are_refused(host, segmenter, cylinder):
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.type_text(segmenter.form.editor("bone_low_hu"), "400")
    assert "bone_high_hu must be above bone_low_hu" in segmenter.job.run_button.toolTip
    host.type_text(segmenter.form.editor("bone_high_hu"), "500")
    assert segmenter.job.run_button.enabled


@pytest.mark.parametrize("what", ["empty", "transform", "pet"])
def test_a_wrong_volume_is_told_in_one_line(host, segmenter, cylinder, run, what):
    before = segmentations(host)
    if what == "empty":
        host.choose(segmenter.ui.ctSelector, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing"))
        assert "'Nothing' is empty" in segmenter.job.run_button.toolTip
        assert not segmenter.ui.importButton.enabled
        return
    words = {"transform": "under a transform", "pet": "they are not HU"}[what]
    if what == "transform":
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Shift")
        cylinder.ct.SetAndObserveTransformNodeID(transform.GetID())
    else:
        voxels = slicer.util.arrayFromVolume(cylinder.ct)
        voxels[:] = np.where(voxels > -500, 30000, 0)  # as in becquerels
        slicer.util.arrayFromVolumeModified(cylinder.ct)
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    line = run()
    assert words in line and "\n" not in line
    assert segmentations(host) == before
    assert segmenter.job.run_button.enabled


def test_a_cancelled_segmentation_leaves_nothing(host, segmenter, cylinder, nodes, job_files, monkeypatch):
    from organdose.panels import steps

    monkeypatch.setattr(steps, "_TURN_S", 5e-4)
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    before, files = nodes(), job_files()
    for stage in ("", "Bringing"):
        host.click(segmenter.job.run_button)
        while not segmenter.job.bar.text.startswith(stage):
            assert segmenter.job.is_busy, segmenter.job.status.text
            host.process()
        host.click(segmenter.job.cancel_button)
        host.wait_until(lambda: not segmenter.job.is_busy, PATIENCE_S, "the end")
        assert segmenter.job.status.text == "Cancelled. Nothing was changed."
        assert nodes() == before and job_files() == files
    host.click(segmenter.job.run_button)
    host.wait_until(lambda: not segmenter.job.is_busy, PATIENCE_S, "the masks")
    assert segmenter.job.status.text.startswith("Done")


def test_masks_come_into_the_choice_though_another_module_is_shown(host, segmenter, cylinder):
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.click(segmenter.job.run_button)
    host.select("Data")
    host.wait_until(lambda: not segmenter.job.is_busy, PATIENCE_S, "the masks")
    host.select("OrganSegmenter")
    node = segmenter.ui.segmentationSelector.currentNode()
    assert node is not None and node is not cylinder.masks
    assert unwrap(segmenter.editor.widget).segmentationNode() is node


@pytest.mark.parametrize("what", ["ct", "masks"])
def test_deleted_nodes_leave_the_window_and_the_editor(host, segmenter, cylinder, what):
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.choose(segmenter.ui.segmentationSelector, cylinder.masks)
    editor = unwrap(segmenter.editor.widget)
    editor.setActiveEffectByName("Paint")
    host.scene.RemoveNode(getattr(cylinder, what))
    host.process()
    if what == "ct":
        assert segmenter.job.run_button.toolTip == "Choose a CT."
        assert editor.sourceVolumeNode() is None
    else:
        assert editor.segmentationNode() is None and segmenter.ui.editNote.visible
    assert not segmenter.ui.exportButton.enabled


def test_a_ct_deleted_during_the_job_is_told_in_one_line(host, segmenter, cylinder, nodes, job_files):
    files = job_files()
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.click(segmenter.job.run_button)
    host.process(0.3)
    host.scene.RemoveNode(cylinder.ct)
    before = nodes()
    host.wait_until(lambda: not segmenter.job.is_busy, PATIENCE_S, "the end")
    assert "the CT was deleted" in segmenter.job.status.text and "\n" not in segmenter.job.status.text
    assert nodes() == before and job_files() == files


def test_the_window_is_the_same_after_saving_and_loading(host, segmenter, cylinder, run, tick, tmp_path):
    ui = segmenter.ui
    host.choose(ui.ctSelector, cylinder.ct)
    host.type_text(segmenter.form.editor("bone_low_hu"), "200")
    tick(segmenter.organs.tree, describe("bones").title)
    run()
    ticked = segmenter.organs.ticked()
    names = [selector.currentNode().GetName() for selector in (ui.ctSelector, ui.segmentationSelector)]
    host.save_scene(tmp_path / "masks.mrb")
    host.close_scene()
    assert unwrap(segmenter.editor.widget).segmentationNode() is None
    host.load_scene(tmp_path / "masks.mrb")
    assert [selector.currentNode().GetName() for selector in (ui.ctSelector, ui.segmentationSelector)] == names
    assert segmenter.form.values() == {"bone_low_hu": 200.0}
    assert segmenter.organs.ticked() == ticked and "bones" not in ticked
    assert unwrap(segmenter.editor.widget).segmentationNode() is ui.segmentationSelector.currentNode()


def test_several_engines_draw_by_a_table_made_in_the_window(host, segmenter, cylinder, run):
    import qt

    from organdose.segmentation.engines import engine

    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.choose(segmenter.form.chooser, engine("combined").title)
    assert "Tick engines" in segmenter.job.run_button.toolTip
    table = segmenter.form.editor("table")
    engines = next(child for child in table.findChildren("QListWidget"))
    row = next(row for row in range(engines.count) if engines.item(row).text() == ENGINE.title)
    engines.item(row).setCheckState(qt.Qt.Checked)
    host.process()
    assert segmenter.organs.ticked() == list(ENGINE.organs)
    assert run().startswith("Done: 1 organ.")
    assert names_of(segmenter.ui.segmentationSelector.currentNode()) == [describe("body").title]


def test_the_table_of_engines_is_saved_with_the_scene(host, segmenter, cylinder, tmp_path):
    table = {"engines": {"totalsegmentator": {"fast": True}, "res-u2net": {}}, "organs": {"liver": ["res-u2net"]},
             "fallback": True}
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    parameters = segmenter.logic.getParameterNode()
    parameters.engineParameters, parameters.engine = json.dumps({"table": table}), "combined"
    assert segmenter.form.values() == {"table": table}
    host.save_scene(tmp_path / "table.mrb")
    host.close_scene()
    assert segmenter.form.values() == {}
    host.load_scene(tmp_path / "table.mrb")
    assert segmenter.form.engine == "combined" and segmenter.form.values() == {"table": table}


def test_an_engine_that_lacks_something_says_so_and_cannot_be_started(host, segmenter, cylinder, monkeypatch):
    from organdose.panels import job_packages
    from organdose.segmentation.engines import engine

    monkeypatch.setattr(job_packages, "find_spec", lambda module: None)
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    host.choose(segmenter.form.chooser, engine("res-u2net").title)
    assert "needs torch and monai" in segmenter.choice.obstacle.text and segmenter.choice.obstacle.visible
    assert "needs torch and monai" in segmenter.job.run_button.toolTip and not segmenter.job.run_button.enabled


def test_a_case_for_training_is_of_the_ct_and_masks_that_are_shown(host, segmenter, cylinder):
    button = segmenter.training.button
    assert not button.enabled and button.toolTip == "Choose a CT."
    host.choose(segmenter.ui.ctSelector, cylinder.ct)
    assert button.toolTip == "Choose the masks first."
    host.choose(segmenter.ui.segmentationSelector, cylinder.masks)
    assert "this CT has no DICOM ID" in button.toolTip
    segmenter.training.patient.text = "somebody"
    assert button.enabled
    host.scene.Clear(0)
    assert not button.enabled
