"""Studies as one meets them: tilted, masks from elsewhere, scenes of other versions. One clear line, nothing breaks."""

import numpy as np
import pytest
import slicer
import vtk
from host.pythonqt import unwrap

from organdose.panels.window_jobs import INTERPRETER_SETTING
from organdose.scene.ct_dose_scene import find_results
from organdose.scene.organ_table_node import rows_from_table_node

PATIENCE_S = 120


@pytest.fixture
def run(host, ready):
    def press_and_wait():
        host.click(ready.window.job.run_button)
        host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the end of the job")
        line = ready.window.job.status.text
        assert line and "\n" not in line
        assert ready.window.job.run_button.enabled
        return line

    return press_and_wait


def tilt(node, degrees):
    matrix, turn = vtk.vtkMatrix4x4(), vtk.vtkTransform()
    node.GetIJKToRASMatrix(matrix)
    turn.RotateX(degrees)
    vtk.vtkMatrix4x4.Multiply4x4(turn.GetMatrix(), matrix, matrix)
    node.SetIJKToRASMatrix(matrix)


def under_a_transform(node):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Shift")
    node.SetAndObserveTransformNodeID(transform.GetID())


def without_voxels(segmentation_node):
    segmentation = segmentation_node.GetSegmentation()
    for segment_id in list(segmentation.GetSegmentIDs()):
        segmentation.RemoveSegment(segment_id)
    segmentation.AddEmptySegment("liver", "Liver")


@pytest.mark.parametrize("change, words", [
    (lambda study: tilt(study.ct, 15), "not aligned with the patient axes"),
    (lambda study: under_a_transform(study.masks), "under a transform"),
    (lambda study: without_voxels(study.masks), "all its masks are empty")],
    ids=["tilted CT", "masks under a transform", "empty masks"])
def test_what_cannot_be_computed_is_told_in_one_line(ready, run, nodes, job_files, change, words):
    change(ready)
    before, files = nodes(), job_files()
    assert words in run()
    assert nodes() == before and job_files() == files and find_results() == []


def test_a_ct_written_from_head_to_feet_gives_the_same_numbers(host, ready, run):
    voxels = slicer.util.arrayFromVolume(ready.ct)
    voxels[10:] = np.where(voxels[10:] > -500, 60, -1000)  # the upper half is denser
    slicer.util.arrayFromVolumeModified(ready.ct)
    assert run().startswith("Done")
    wanted = {row.organ: row.mean_mgy for row in rows_from_table_node(find_results()[0].organ_table)}
    host.click(ready.ui.removeButton)
    # The slices the other way round, in the same place.
    matrix, flip = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    ready.ct.GetIJKToRASMatrix(matrix)
    flip.SetElement(2, 2, -1)
    flip.SetElement(2, 3, voxels.shape[0] - 1)
    vtk.vtkMatrix4x4.Multiply4x4(matrix, flip, matrix)
    voxels[:] = voxels[::-1].copy()
    ready.ct.SetIJKToRASMatrix(matrix)
    slicer.util.arrayFromVolumeModified(ready.ct)
    assert run().startswith("Done")
    found = {row.organ: row.mean_mgy for row in rows_from_table_node(find_results()[0].organ_table)}
    assert found == {organ: pytest.approx(mean_mgy, rel=0.03) for organ, mean_mgy in wanted.items()}


def test_a_python_for_jobs_that_is_gone_is_told_in_one_line(ready, run):
    slicer.app.settings().setValue(INTERPRETER_SETTING, "/nowhere/python")
    assert "/nowhere/python" in run()


@pytest.fixture
def scene_of_another_version(host, ready, tmp_path):
    """Opens the scene again with another text in the parameter node of DoseEstimator."""
    def open_with(name, text):
        slicer.mrmlScene.GetSingletonNode("DoseEstimator", "vtkMRMLScriptedModuleNode").SetParameter(name, text)
        host.save_scene(tmp_path / "scene.mrb")
        host.load_scene(tmp_path / "scene.mrb")

    return open_with


def test_an_engine_that_this_version_lacks_can_be_replaced(host, ready, run, scene_of_another_version):
    scene_of_another_version("engine", "magic")
    assert "'magic' of this scene is not installed" in ready.window.job.run_button.toolTip
    host.choose(ready.window.form.chooser, "Monte Carlo")
    assert run().startswith("Done")


def test_what_the_window_shows_is_what_is_run(ready, run, scene_of_another_version):
    scene_of_another_version("engineParameters", '{"histories": 50000, "of_another_version": 1}')
    assert ready.window.form.values() == {"histories": 50000}
    assert run().startswith("Done")
    assert not ready.ui.staleLabel.visible


def test_the_table_follows_where_only_organ_segmenter_was_ever_opened(host, opened, saved_result, open_module, settled):
    host.reset()
    segmenter = open_module("OrganSegmenter")
    host.load_scene(saved_result)
    result, = find_results()
    host.choose(segmenter.ui.ctSelector, result.ct)
    host.choose(segmenter.ui.segmentationSelector, result.segmentation)
    settled()
    before = {row.organ: row.mass_g for row in rows_from_table_node(result.organ_table)}
    editor = unwrap(segmenter.editor.widget)
    editor.setCurrentSegmentID("spinal_cord")
    editor.setActiveEffectByName("Paint")
    editor.paint_at((80.0, 0.0, 100.0), 60)
    settled()
    after = {row.organ: row.mass_g for row in rows_from_table_node(result.organ_table)}
    assert after["spinal_cord"] > before["spinal_cord"]
