"""Slicer's segment editor inside a module of ours."""

import pytest


@pytest.fixture
def editor(host, qt, show):
    from organdose.panels.segment_editor import EmbeddedSegmentEditor

    place = qt.QWidget()
    qt.QVBoxLayout(place)
    made = EmbeddedSegmentEditor(place)
    show(place)
    yield made
    made.stop()


def editor_nodes():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSegmentEditorNode")


def test_it_edits_the_masks_that_the_module_shows(editor, cylinder):
    editor.show(cylinder.masks, cylinder.ct)
    assert editor.widget.segmentationNode() is cylinder.masks and editor.widget.sourceVolumeNode() is cylinder.ct


def test_it_stands_in_the_place_it_was_given(editor, host):
    assert editor.widget.parent() is not None and editor.widget.visible


def test_masks_may_overlap(editor, cylinder):
    editor.show(cylinder.masks, cylinder.ct)
    [node] = editor_nodes()
    assert node.GetOverwriteMode() == node.OverwriteNone


def test_slicers_own_editor_keeps_its_node(editor, cylinder):
    import slicer

    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    editor.show(cylinder.masks, cylinder.ct)
    editor.show(cylinder.masks, cylinder.ct)
    assert len(editor_nodes()) == 2 and editor.widget.mrmlSegmentEditorNode() is not own


def test_with_nothing_to_edit_no_effect_stays_active(editor, cylinder):
    editor.show(cylinder.masks, cylinder.ct)
    editor.widget.setActiveEffectByName("Paint")
    editor.show(None, None)
    assert editor.widget.segmentationNode() is None and editor.widget.activeEffect() is None
    editor.show(None, None)


def test_a_module_that_is_left_takes_its_effect_along(editor, cylinder):
    editor.show(cylinder.masks, cylinder.ct)
    editor.enter()
    editor.widget.setActiveEffectByName("Paint")
    editor.exit()
    assert editor.widget.activeEffect() is None and editor.widget.segmentationNode() is cylinder.masks


def test_after_the_scene_was_closed_it_edits_the_next(editor, cylinder, host):
    from organdose.panels.self_test import water_cylinder

    editor.show(cylinder.masks, cylinder.ct)
    host.close_scene()
    editor.show(None, None)
    ct, masks, _sheet = water_cylinder()
    editor.show(masks, ct)
    assert editor.widget.segmentationNode() is masks
    [node] = editor_nodes()
    assert node.GetOverwriteMode() == node.OverwriteNone, "closing a scene resets the editor"


def test_whoever_wants_masks_not_to_overlap_is_not_overruled(editor, cylinder):
    editor.show(cylinder.masks, cylinder.ct)
    [node] = editor_nodes()
    node.SetOverwriteMode(node.OverwriteAllSegments)
    editor.show(None, None)
    editor.show(cylinder.masks, cylinder.ct)
    assert node.GetOverwriteMode() == node.OverwriteAllSegments


def test_the_effects_that_help_with_organs_are_offered_in_their_order(editor):
    from host.pythonqt import unwrap

    assert unwrap(editor.widget).effectNameOrder()[:4] == ["Paint", "Erase", "Scissors", "Smoothing"]
    assert not editor.widget.unorderedEffectsVisible, "Slicer's own module has the others"


def test_who_is_edited_is_told_and_chosen(editor, cylinder):
    told = []
    editor.on_selected(lambda: told.append(editor.segment_id))
    assert editor.segment_id == ""
    editor.show(cylinder.masks, cylinder.ct)
    editor.select("spinal_cord")
    assert editor.segment_id == "spinal_cord" and told[-1] == "spinal_cord"
    editor.select("nobody")
    assert editor.segment_id == "spinal_cord"
    editor.show(None, None)
    assert editor.segment_id == ""


def test_a_state_saved_for_undo_comes_back(editor, cylinder):
    editor.save_for_undo()  # with nothing to edit: nothing
    editor.show(cylinder.masks, cylinder.ct)
    editor.save_for_undo()
    cylinder.masks.GetSegmentation().RemoveSegment("spinal_cord")
    editor.widget.undo()
    assert cylinder.masks.GetSegmentation().GetSegment("spinal_cord") is not None
