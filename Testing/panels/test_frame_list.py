"""The volumes of the scene to choose PET or SPECT frames from."""

import numpy as np
import pytest


@pytest.fixture
def changes():
    return []


@pytest.fixture
def frames(qt, show, changes):
    from organdose.panels.frame_list import FrameList

    return FrameList(show(qt.QListWidget()), lambda: changes.append(1))


def volume(name, node_class="vtkMRMLScalarVolumeNode"):
    import slicer

    return slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), np.int16), name=name, nodeClassName=node_class)


def names(frames):
    return [frames.widget.item(row).text() for row in range(frames.widget.count)]


def test_the_volumes_of_the_scene_are_offered_and_the_chosen_are_ticked(frames):
    first, second = volume("PET 1 h"), volume("PET 24 h")
    frames.show([second])
    assert names(frames) == ["PET 1 h", "PET 24 h"] and frames.ticked() == [second]
    frames.show([first, None, second])
    assert frames.ticked() == [first, second]


def test_two_volumes_of_one_name_are_told_apart(frames):
    first, second = volume("PET"), volume("PET")
    first.SetName(second.GetName())
    frames.show([second])
    assert frames.ticked() == [second]


def test_label_maps_doses_and_hidden_volumes_are_no_frames(frames):
    from organdose.scene.dose_display import QUANTITY_ATTRIBUTE

    volume("CT")
    volume("labels", "vtkMRMLLabelMapVolumeNode")
    volume("dose").SetAttribute(QUANTITY_ATTRIBUTE, "absorbed dose")
    volume("hidden").SetHideFromEditors(True)
    frames.show([])
    assert names(frames) == ["CT"]


def test_a_tick_is_told_and_showing_is_not(frames, qt, changes):
    node = volume("PET")
    frames.show([])
    assert changes == [] and frames.ticked() == []
    frames.widget.item(0).setCheckState(qt.Qt.Checked)
    assert changes and frames.ticked() == [node]


def test_a_volume_deleted_meanwhile_is_not_ticked(frames):
    import slicer

    first, second = volume("PET 1 h"), volume("PET 24 h")
    frames.show([first, second])
    slicer.mrmlScene.RemoveNode(first)
    assert frames.ticked() == [second]
    frames.show(frames.ticked())
    assert names(frames) == ["PET 24 h"]


def test_a_scene_without_volumes_shows_an_empty_list(frames, host):
    volume("PET")
    frames.show([])
    host.close_scene()
    frames.show([])
    assert names(frames) == [] and frames.ticked() == []
