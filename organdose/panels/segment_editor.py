"""Slicer's segment editor inside a module of ours, with an editor node of its own."""

from __future__ import annotations

from collections.abc import Callable

_TAG = "OrganDoseSegmentEditor"
_PREPARED = "OrganDose.Prepared"  # attribute of the editor node; closing a scene resets its singletons
_UNDO_STATES = 10
# Those that help with organs, in this order; Slicer's own module has them all.
_EFFECTS = ("Paint", "Erase", "Scissors", "Smoothing", "Islands", "Margin", "Grow from seeds", "Fill between slices",
            "Logical operators")


class EmbeddedSegmentEditor:
    """A qMRMLSegmentEditorWidget in the widget `place`; the module's selectors say what it edits."""

    def __init__(self, place):
        import slicer

        self.widget = slicer.qMRMLSegmentEditorWidget()
        self.widget.setMaximumNumberOfUndoStates(_UNDO_STATES)
        self._use_own_node()  # first: setting the scene makes the widget choose nodes, which belong into this one
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.widget.setSegmentationNodeSelectorVisible(False)
        self.widget.setSourceVolumeNodeSelectorVisible(False)
        self.widget.setEffectNameOrder(_EFFECTS)
        self.widget.unorderedEffectsVisible = False
        place.layout().addWidget(self.widget)

    def show(self, segmentation_node, ct_node) -> None:
        """Edit a segmentation over a CT; None for nothing to edit, and no editor."""
        self.widget.visible = segmentation_node is not None
        if segmentation_node is None:
            if self.widget.segmentationNode() is not None:
                self.widget.setActiveEffectByName("")
                self.widget.setSegmentationNode(None)
                self.widget.setSourceVolumeNode(None)
            return
        self._use_own_node()
        if not _same(self.widget.segmentationNode(), segmentation_node):
            self.widget.setSegmentationNode(segmentation_node)
        if not _same(self.widget.sourceVolumeNode(), ct_node):
            self.widget.setSourceVolumeNode(ct_node)

    @property
    def segment_id(self) -> str:
        """The segment that is edited; '' without one."""
        return self.widget.currentSegmentID() or "" if self.widget.segmentationNode() is not None else ""

    def select(self, segment_id: str) -> None:
        """Edit this segment, if it is there."""
        node = self.widget.segmentationNode()
        if node is not None and node.GetSegmentation().GetSegment(segment_id) is not None:
            self.widget.setCurrentSegmentID(segment_id)

    def on_selected(self, callback: Callable[[], None]) -> None:
        """`callback()` whenever another segment is edited."""
        self.widget.connect("currentSegmentIDChanged(QString)", lambda *_: callback())

    def save_for_undo(self) -> None:
        """Undo comes back to the masks, and what is said of them, as they are now."""
        if self.widget.segmentationNode() is not None:
            self.widget.saveStateForUndo()

    def enter(self) -> None:
        self.widget.setupViewObservations()
        self.widget.installKeyboardShortcuts()
        self.widget.updateWidgetFromMRML()

    def exit(self) -> None:
        self.widget.setActiveEffectByName("")
        self.widget.uninstallKeyboardShortcuts()
        self.widget.removeViewObservations()

    def stop(self) -> None:
        self.widget.setMRMLSegmentEditorNode(None)
        self.widget.setMRMLScene(None)

    def _use_own_node(self) -> None:
        """One editor node of ours a scene: Slicer's own module keeps its effect and brush."""
        import slicer

        node = slicer.mrmlScene.GetSingletonNode(_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(_TAG)
            node = slicer.mrmlScene.AddNode(node)
        if node.GetAttribute(_PREPARED) is None:
            # Masks may overlap: a correction of one organ takes nothing from another.
            node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
            node.SetAttribute(_PREPARED, "1")
        if not _same(self.widget.mrmlSegmentEditorNode(), node):
            self.widget.setMRMLSegmentEditorNode(node)


def _same(one, other) -> bool:
    return (None if one is None else one.GetID()) == (None if other is None else other.GetID())
