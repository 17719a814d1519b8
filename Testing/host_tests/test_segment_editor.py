"""Strokes of the stand-in segment editor change what Slicer's would, through Slicer's own logic."""

import numpy as np
import pytest
import slicer
from host import phantom
from host.segment_editor import qMRMLSegmentEditorWidget
from host.segment_selector import qMRMLSegmentSelectorWidget
from host.table_view import qMRMLSegmentsTableView
from host.views import qMRMLSliceWidget
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton


@pytest.fixture
def scene(host):
    return host.scene


class Desk:
    """An editor over a CT with two segments that share a label layer, liver and spleen; bone belongs to neither."""

    def __init__(self, scene):
        self.ct = phantom.add_ct()
        liver, spleen = (np.zeros((64, 64, 64), bool) for _ in range(2))
        liver[20:30, 20:30, 20:30] = spleen[20:30, 20:30, 34:44] = True
        self.segmentation = phantom.add_segmentation(self.ct, liver=liver, spleen=spleen)
        self.segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
        self.node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.editor = qMRMLSegmentEditorWidget()
        self.editor.setMRMLSegmentEditorNode(self.node)
        self.editor.setMRMLScene(scene)
        self.editor.setMaximumNumberOfUndoStates(10)
        self.editor.setSegmentationNode(self.segmentation)

    def mask(self, segment_id):
        return slicer.util.arrayFromSegmentBinaryLabelmap(self.segmentation, segment_id, self.ct) > 0

    def ras(self, i, j, k):
        return 126 - 4 * i, 126 - 4 * j, -126 + 4 * k


@pytest.fixture
def desk(scene):
    return Desk(scene)


def test_choosing_a_segmentation_brings_its_first_segment_and_its_volume(desk, scene):
    assert desk.editor.currentSegmentID() == "liver"
    assert desk.editor.sourceVolumeNode() is desk.ct and desk.editor.segmentationNode() is desk.segmentation
    assert desk.editor.activeEffect() is None


def test_a_stroke_changes_only_the_selected_segment(desk):
    spleen = desk.mask("spleen")
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.paint_at(desk.ras(25, 25, 45), 24)
    k, j, i = np.mgrid[:64, :64, :64]
    sphere = (i - 25) ** 2 + (j - 25) ** 2 + (k - 45) ** 2 <= 3**2
    assert (desk.mask("liver")[sphere]).all() and desk.mask("liver").sum() == 1000 + sphere.sum()
    assert (desk.mask("spleen") == spleen).all()


def test_erase_takes_away_and_undo_and_redo_go_back_and_forth(desk):
    desk.editor.setActiveEffectByName("Erase")
    desk.editor.paint_at(desk.ras(25, 25, 25), 16)
    erased = desk.mask("liver").sum()
    assert erased < 1000
    desk.editor.undo()
    assert desk.mask("liver").sum() == 1000
    desk.editor.redo()
    assert desk.mask("liver").sum() == erased


def test_painting_honours_the_editable_intensity_range(desk):
    desk.node.SetSourceVolumeIntensityMaskRange(300, 3000)
    desk.node.SourceVolumeIntensityMaskOn()
    before = desk.mask("liver")
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.paint_at(desk.ras(31, 40, 50), 40)  # over bone and the tissue around it
    added = desk.mask("liver") & ~before
    assert added.any() and phantom.bone()[added].all()


def test_whether_other_segments_are_overwritten_is_up_to_the_overwrite_mode(desk):
    desk.editor.setActiveEffectByName("Paint")
    desk.node.SetOverwriteMode(desk.node.OverwriteNone)
    desk.editor.paint_at(desk.ras(38, 25, 25), 16)
    assert desk.mask("spleen").sum() == 1000 and (desk.mask("spleen") & desk.mask("liver")).any()
    desk.editor.undo()
    desk.node.SetOverwriteMode(desk.node.OverwriteAllSegments)
    desk.editor.paint_at(desk.ras(38, 25, 25), 16)
    assert desk.mask("spleen").sum() < 1000 and not (desk.mask("spleen") & desk.mask("liver")).any()


def test_a_stroke_sends_the_events_that_observers_in_slicer_get(desk):
    segmentation, events = desk.segmentation.GetSegmentation(), []
    for name in ("SourceRepresentationModified", "RepresentationModified"):
        segmentation.AddObserver(getattr(segmentation, name), lambda *_, name=name: events.append(name))
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.paint_at(desk.ras(25, 25, 45), 24)
    assert {"SourceRepresentationModified", "RepresentationModified"} <= set(events)


def test_the_brush_follows_a_moved_segmentation(desk, scene):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = slicer.util.arrayFromTransformMatrix(transform)
    matrix[0, 3] = 40.0
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    for node in (desk.ct, desk.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    desk.editor.setActiveEffectByName("Paint")
    right, anterior, superior = desk.ras(25, 25, 45)
    desk.editor.paint_at((right + 40, anterior, superior), 4.1)
    desk.segmentation.SetAndObserveTransformNodeID(None)
    desk.ct.SetAndObserveTransformNodeID(None)
    assert desk.mask("liver")[45, 25, 25]


def test_threshold_replaces_the_segment_and_ends_the_effect(desk):
    desk.editor.setActiveEffectByName("Threshold")
    effect = desk.editor.activeEffect()
    effect.setParameter("MinimumThreshold", 300)
    effect.setParameter("MaximumThreshold", 3000)
    effect.self().onApply()
    assert (desk.mask("liver") == phantom.bone()).all()
    assert desk.editor.activeEffect() is None
    desk.editor.undo()
    assert desk.mask("liver").sum() == 1000


def test_use_for_masking_paints_only_between_the_limits(desk):
    desk.editor.setActiveEffectByName("Threshold")
    effect = desk.editor.activeEffect()
    effect.setParameter("MinimumThreshold", 300)
    effect.setParameter("MaximumThreshold", 3000)
    effect.self().onUseForPaint()
    assert desk.editor.activeEffect().name == "Paint"
    assert desk.node.GetSourceVolumeIntensityMask() and desk.node.GetSourceVolumeIntensityMaskRange() == (300, 3000)


def test_strokes_that_slicer_would_ignore_are_refused(desk):
    with pytest.raises(RuntimeError, match="neither Paint nor Erase"):
        desk.editor.paint_at((0, 0, 0), 10)
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.setReadOnly(True)
    with pytest.raises(RuntimeError, match="read only"):
        desk.editor.paint_at((0, 0, 0), 10)


def test_changes_in_the_node_are_signalled_once_each(desk):
    heard = []
    desk.editor.currentSegmentIDChanged.connect(heard.append)
    desk.editor.activeEffectChanged.connect(heard.append)
    desk.editor.setCurrentSegmentID("spleen")
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.setActiveEffectByName("No editing")
    assert heard == ["spleen", "Paint", ""]


def test_a_click_into_a_slice_view_paints_while_views_are_observed(desk):
    phantom.show_in_slices(desk.ct)
    widget = qMRMLSliceWidget(slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red"))
    widget.resize(300, 324)
    widget.grab()
    widget.fitSliceToBackground()
    view = widget.sliceView()
    desk.editor.setActiveEffectByName("Paint")
    desk.editor.setupViewObservations()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(150, 150))
    assert desk.mask("liver").sum() > 1000 and desk.mask("liver")[31:33, 31:33, 31:33].any()
    desk.editor.removeViewObservations()
    painted = desk.mask("liver").sum()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(80, 150))
    assert desk.mask("liver").sum() == painted


def test_segments_are_added_removed_and_renamed_in_the_table(desk):
    buttons = {button.text(): button for button in desk.editor.findChildren(QPushButton)}
    table = desk.editor.findChild(qMRMLSegmentsTableView)
    buttons["Add"].click()
    assert table.segmentCount == 3 and desk.editor.currentSegmentID() not in ("liver", "spleen")
    assert table.selectedSegmentIDs() == [desk.editor.currentSegmentID()]
    buttons["Remove"].click()
    assert table.displayedSegmentIDs() == ["liver", "spleen"] and desk.editor.currentSegmentID() == "spleen"
    table.tableWidget().item(1, 2).setText("Milz")
    assert desk.segmentation.GetSegmentation().GetSegment("spleen").GetName() == "Milz"


def test_the_eye_of_a_segment_hides_it_and_a_selection_is_signalled(desk):
    table, signals = qMRMLSegmentsTableView(), []
    table.setSegmentationNode(desk.segmentation)
    table.selectionChanged.connect(lambda *_: signals.append(list(table.selectedSegmentIDs())))
    table.setSelectedSegmentIDs(["spleen"])
    table.setSelectedSegmentIDs(["spleen"])
    assert signals == [["spleen"]]
    table.tableWidget().cellClicked.emit(1, 0)
    assert not desk.segmentation.GetDisplayNode().GetSegmentVisibility("spleen")
    desk.segmentation.GetSegmentation().RemoveSegment("spleen")
    assert signals[-1] == []


def test_the_segment_selector_follows_the_segmentation(desk, scene):
    selector, heard = qMRMLSegmentSelectorWidget(), []
    selector.currentSegmentChanged.connect(heard.append)
    selector.setMRMLScene(scene)
    selector.setCurrentNode(desk.segmentation)
    selector.setCurrentSegmentID("spleen")
    desk.segmentation.GetSegmentation().RemoveSegment("spleen")
    selector.setCurrentNode(None)
    assert heard == ["liver", "spleen", "liver", ""]


def test_the_editor_stands_empty_after_the_scene_was_closed(desk, scene):
    scene.Clear(False)
    assert desk.editor.segmentationNode() is None and desk.editor.currentSegmentID() in ("", "liver")
    desk.editor.setMRMLSegmentEditorNode(None)
    assert desk.editor.activeEffect() is None and not desk.editor.undo()
