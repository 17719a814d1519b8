"""The headless Slicer gives slicer.util what it needs."""

import numpy as np
import slicer

from organdose.scene.headless import clear_scene, is_headless, start_slicer


def test_the_scene_is_made_once(scene):
    assert start_slicer() is scene is slicer.mrmlScene
    assert is_headless()


def test_a_running_application_is_left_alone(monkeypatch):
    application_scene = object()
    monkeypatch.setattr(slicer, "mrmlScene", application_scene)
    modules = slicer.modules
    assert start_slicer() is application_scene
    assert slicer.modules is modules


def test_segments_can_be_written_and_read_as_arrays(scene):
    volume = slicer.util.addVolumeFromArray(np.zeros((5, 6, 7), np.int16))
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment_id = segmentation.GetSegmentation().AddEmptySegment("box")
    box = np.zeros((5, 6, 7), np.uint8)
    box[1:4, 2:5, 3:6] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(box, segmentation, segment_id, volume)
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, volume), box)
    assert segmentation.CreateClosedSurfaceRepresentation()


def test_tables_come_from_arrays(scene):
    table = slicer.util.updateTableFromArray(None, [np.arange(3.0), np.arange(3)], ["dose", "count"])
    assert table.GetNumberOfColumns() == 2
    assert np.array_equal(slicer.util.arrayFromTableColumn(table, "dose"), [0, 1, 2])


def test_scenes_are_saved_and_loaded_by_slicer_util(scene, tmp_path):
    slicer.util.addVolumeFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4), name="kept")
    assert slicer.util.saveScene(str(tmp_path / "s.mrb"))
    clear_scene()
    assert not slicer.util.getNodes("kept")
    slicer.util.loadScene(str(tmp_path / "s.mrb"))
    assert slicer.util.arrayFromVolume(slicer.util.getNode("kept")).sum() == 276


def test_the_views_of_the_four_up_layout_are_there(scene):
    assert [scene.GetFirstNodeByName(name) is not None for name in ("Red", "Green", "Yellow", "View1")] == [True] * 4
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    assert logic.GetSliceNode().GetOrientation() == "Axial"


def test_nothing_is_printed_at_the_start(capfd):
    import subprocess
    import sys

    code = "from organdose.scene.headless import start_slicer; start_slicer()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
