"""Stands for Slicer's segment editor: Paint, Erase and Threshold.

Every change goes through Slicer's own `vtkSlicerSegmentEditorLogic`: masks, overwriting, shared label layers, undo and
events are its work. Effects keep their parameters in the segment editor node, as Slicer's do. The brush is a sphere.
"""

import numpy as np
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import isValid

from host.native_widgets import native_widget
from host.observations import Observations
from host.segment_editor_panel import SegmentEditorPanel
from host.views import SLICE_VIEWS

_COMMON_DEFAULTS = {"BrushAbsoluteDiameter": "5.0", "BrushSphere": "1", "BrushDiameterIsRelative": "0"}


@native_widget
class qSlicerSegmentEditorAbstractEffect(QObject):
    """One effect: a name, and parameters in the segment editor node (`Effect.Name`; common ones without the effect)."""

    def __init__(self, name: str, editor: "qMRMLSegmentEditorWidget"):
        super().__init__(editor)
        self._name, self._editor = name, editor
        self.setObjectName(name)

    def _read_name(self) -> str:
        return self._name

    name = Property(str, _read_name)

    def parameterSetNode(self):
        return self._editor.mrmlSegmentEditorNode()

    def setParameter(self, name: str, value) -> None:
        self.parameterSetNode().SetAttribute(f"{self._name}.{name}", str(value))

    def setCommonParameter(self, name: str, value) -> None:
        self.parameterSetNode().SetAttribute(name, str(value))

    def parameter(self, name: str) -> str:
        node = self.parameterSetNode()
        return node.GetAttribute(f"{self._name}.{name}") or node.GetAttribute(name) or ""

    def doubleParameter(self, name: str) -> float:
        return float(self.parameter(name) or 0)

    def integerParameter(self, name: str) -> int:
        return int(self.parameter(name) or 0)


class _ThresholdEffect(qSlicerSegmentEditorAbstractEffect):
    """Threshold is a scripted effect: `self()` is its Python half."""

    def self(self):
        return self

    def onApply(self) -> None:
        """Voxels between the limits become the current segment; the effect ends."""
        low, high = (self.doubleParameter(f"{end}Threshold") for end in ("Minimum", "Maximum"))
        self._editor.threshold_apply(low, high)

    def onUseForPaint(self) -> None:
        """Paint only between the limits."""
        node = self.parameterSetNode()
        node.SetSourceVolumeIntensityMaskRange(self.doubleParameter("MinimumThreshold"),
                                               self.doubleParameter("MaximumThreshold"))
        node.SourceVolumeIntensityMaskOn()
        self._editor.setActiveEffectByName("Paint")


@native_widget
class qMRMLSegmentEditorWidget(QWidget):
    """Edits the segments of a segmentation. The module gives it a scene and a vtkMRMLSegmentEditorNode."""

    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    currentSegmentIDChanged = Signal(str)
    activeEffectChanged = Signal(str)

    def __init__(self, parent=None):
        import slicer

        super().__init__(parent)
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        self._read_only, self._shown = False, (None, None, "", "")
        self._observations, self._scene_observations, self._node_observations = (Observations(self) for _ in range(3))
        self._observations.observe(self._logic, self._logic.SegmentationHistoryChangedEvent, self.updateWidgetFromMRML)
        self._effects = {name: kind(name, self) for name, kind in (
            ("Paint", qSlicerSegmentEditorAbstractEffect), ("Erase", qSlicerSegmentEditorAbstractEffect),
            ("Threshold", _ThresholdEffect))}
        self._watched, self._shortcuts = [], []
        self._panel = SegmentEditorPanel(self)
        QVBoxLayout(self).addWidget(self._panel)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.updateWidgetFromMRML()

    def logic(self):
        return self._logic

    def mrmlScene(self):
        return self._logic.GetMRMLScene()

    def setMRMLScene(self, scene) -> None:
        self._scene_observations.clear()
        self._logic.SetMRMLScene(scene)
        if scene is not None:
            self._scene_observations.observe(scene, scene.EndCloseEvent, self.updateWidgetFromMRML)
        self._panel.set_scene(scene)
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self):
        return self._logic.GetSegmentEditorNode()

    def setMRMLSegmentEditorNode(self, node) -> None:
        self._node_observations.clear()
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            for name, value in _COMMON_DEFAULTS.items():
                if node.GetAttribute(name) is None:
                    node.SetAttribute(name, value)
            self._node_observations.observe(node, "ModifiedEvent", self.updateWidgetFromMRML)
        self.updateWidgetFromMRML()

    def segmentationNode(self):
        return self._logic.GetSegmentationNode()

    def setSegmentationNode(self, node) -> None:
        """Edit a segmentation: its first segment, over the volume its geometry comes from."""
        if self.mrmlSegmentEditorNode() is None or node is self.segmentationNode():
            return
        self._logic.SetSegmentationNode(node)
        if node is not None:
            reference = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
            if reference is not None:
                self.setSourceVolumeNode(reference)
            if not self._logic.IsSegmentIdValid(self.currentSegmentID()):
                self._logic.SelectFirstSegment(False)

    def setSegmentationNodeID(self, node_id: str) -> None:
        self.setSegmentationNode(self.mrmlScene().GetNodeByID(node_id))

    def segmentationNodeID(self) -> str:
        return self.segmentationNode().GetID() if self.segmentationNode() is not None else ""

    def sourceVolumeNode(self):
        return self._logic.GetSourceVolumeNode()

    def setSourceVolumeNode(self, node) -> None:
        if self.mrmlSegmentEditorNode() is not None:
            self._logic.SetSourceVolumeNode(node)

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        self.setSourceVolumeNode(self.mrmlScene().GetNodeByID(node_id))

    def sourceVolumeNodeID(self) -> str:
        return self.sourceVolumeNode().GetID() if self.sourceVolumeNode() is not None else ""

    def currentSegmentID(self) -> str:
        return self._logic.GetCurrentSegmentID()

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._logic.SetCurrentSegmentID(segment_id)

    def effectByName(self, name: str):
        return self._effects.get(name)

    def availableEffectNames(self) -> list[str]:
        return list(self._effects)

    def activeEffect(self):
        node = self.mrmlSegmentEditorNode()
        return self._effects.get(node.GetActiveEffectName() or "") if node is not None else None

    def setActiveEffect(self, effect) -> None:
        if self.mrmlSegmentEditorNode() is not None:
            self.mrmlSegmentEditorNode().SetActiveEffectName(effect.name if effect is not None else "")

    def setActiveEffectByName(self, name: str) -> None:
        """Any name that is none of the effects' ends the active one, as in Slicer."""
        self.setActiveEffect(self.effectByName(name))

    def saveStateForUndo(self) -> None:
        self._logic.SaveStateForUndo()

    def undo(self) -> None:
        self._logic.Undo()

    def redo(self) -> None:
        self._logic.Redo()

    def paint_at(self, position_ras, diameter_mm: float | None = None) -> None:
        """A click with the active effect (Paint or Erase) at a point (RAS, mm): for tests, and for the slice views.

        Raises RuntimeError where Slicer would ignore the click.
        """
        effect = self.activeEffect()
        if effect is None or effect.name not in ("Paint", "Erase"):
            raise RuntimeError("segment editor: neither Paint nor Erase is active")
        self._begin_change()
        self._draw_sphere(position_ras, (diameter_mm or effect.doubleParameter("BrushAbsoluteDiameter")) / 2)
        self._change(self._logic.ModificationModeAdd if effect.name == "Paint" else self._logic.ModificationModeRemove)

    def threshold_apply(self, low: float, high: float) -> None:
        """Apply the Threshold effect with these limits (values of the source volume), and end it."""
        import vtk

        self._begin_change()
        self._logic.UpdateAlignedSourceVolume()
        threshold = vtk.vtkImageThreshold()
        threshold.SetInputData(self._logic.GetAlignedSourceVolume())
        threshold.ThresholdBetween(low, high)
        threshold.SetInValue(1)
        threshold.SetOutValue(0)
        threshold.SetOutputScalarTypeToUnsignedChar()
        threshold.Update()
        modifier = self._logic.GetModifierLabelmap()
        modifier.GetPointData().SetScalars(threshold.GetOutput().GetPointData().GetScalars())
        self._change(self._logic.ModificationModeSet)
        self.setActiveEffect(None)

    def setupViewObservations(self) -> None:
        """Clicks into slice views paint from now on."""
        self.removeViewObservations()
        self._watched = list(SLICE_VIEWS)
        for view in self._watched:
            view.pressed.connect(self._on_pressed)

    def removeViewObservations(self) -> None:
        for view in self._watched:
            if isValid(view):
                view.pressed.disconnect(self._on_pressed)
        self._watched = []

    def installKeyboardShortcuts(self, parent=None) -> None:
        self.uninstallKeyboardShortcuts()
        self._shortcuts = [QShortcut(QKeySequence(keys), parent or self, activated=act)
                           for keys, act in (("Ctrl+Z", self.undo), ("Ctrl+Y", self.redo))]

    def uninstallKeyboardShortcuts(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.deleteLater()
        self._shortcuts = []

    def setReadOnly(self, read_only: bool) -> None:
        self._read_only = read_only
        self.updateWidgetFromMRML()

    def _is_read_only(self) -> bool:
        return self._read_only

    readOnly = Property(bool, _is_read_only, setReadOnly)

    def setMaximumNumberOfUndoStates(self, count: int) -> None:
        self._logic.SetMaximumNumberOfUndoStates(count)

    def _undo_states(self) -> int:
        return self._logic.GetMaximumNumberOfUndoStates()

    maximumNumberOfUndoStates = Property(int, _undo_states, setMaximumNumberOfUndoStates)

    def setSegmentationNodeSelectorVisible(self, visible: bool) -> None:
        self._panel.show_row(self._panel.segmentations, visible)

    def setSourceVolumeNodeSelectorVisible(self, visible: bool) -> None:
        self._panel.show_row(self._panel.volumes, visible)

    def setSwitchToSegmentationsButtonVisible(self, visible: bool) -> None:
        self._panel.to_segmentations.setVisible(visible)

    def setEffectNameOrder(self, names) -> None:
        self._panel.order_effects(names=list(names))

    def effectNameOrder(self) -> list[str]:
        return self._panel.effect_order()

    def setUnorderedEffectsVisible(self, visible: bool) -> None:
        self._panel.order_effects(others_shown=visible)

    def _unordered_effects_visible(self) -> bool:
        return self._panel.others_shown()

    unorderedEffectsVisible = Property(bool, _unordered_effects_visible, setUnorderedEffectsVisible)

    def updateWidgetFromMRML(self) -> None:
        """Show what the segment editor node says, and signal what has changed in it."""
        before, effect = self._shown, self.activeEffect()
        self._shown = (self.segmentationNode(), self.sourceVolumeNode(), self.currentSegmentID(),
                       effect.name if effect is not None else "")
        self._panel.update_from(self)
        signals = (self.segmentationNodeChanged, self.sourceVolumeNodeChanged, self.currentSegmentIDChanged,
                   self.activeEffectChanged)
        for signal, was, value in zip(signals, before, self._shown):
            if value != was:
                signal.emit(value)

    def _begin_change(self) -> None:
        segment_id = self.currentSegmentID()
        if self._read_only or not self._logic.IsSegmentIdValid(segment_id) or self.sourceVolumeNode() is None:
            raise RuntimeError("segment editor: read only, or no segment, or no source volume")
        self._logic.SaveStateForUndo()
        if not self._logic.ResetModifierLabelmapToDefault():
            raise RuntimeError("segment editor: the segmentation has no geometry")

    def _draw_sphere(self, position_ras, radius_mm: float) -> None:
        """Set the voxels of the modifier labelmap whose centres lie in a sphere (RAS, mm)."""
        import slicer
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        modifier, position, to_ras = self._logic.GetModifierLabelmap(), [0.0] * 3, vtk.vtkMatrix4x4()
        self.segmentationNode().TransformPointFromWorld(position_ras, position)
        modifier.GetImageToWorldMatrix(to_ras)
        centre = (np.linalg.inv(slicer.util.arrayFromVTKMatrix(to_ras)) @ [*position, 1.0])[:3]
        spacing_mm, extent = np.array(modifier.GetSpacing()), modifier.GetExtent()
        voxels = vtk_to_numpy(modifier.GetPointData().GetScalars()).reshape(modifier.GetDimensions()[::-1])
        k, j, i = np.ogrid[extent[4]:extent[5] + 1, extent[2]:extent[3] + 1, extent[0]:extent[1] + 1]
        squares = [((index - c) * step) ** 2 for index, c, step in zip((i, j, k), centre, spacing_mm)]
        voxels[sum(squares) <= radius_mm**2] = 1
        modifier.Modified()

    def _change(self, mode) -> None:
        self._logic.ModifySegmentByLabelmap(self.segmentationNode(), self.currentSegmentID(),
                                            self._logic.GetModifierLabelmap(), mode, True, False)

    def _on_pressed(self, position_ras) -> None:
        effect = self.activeEffect()
        if effect is not None and effect.name in ("Paint", "Erase") and not self._read_only:
            self.paint_at(position_ras)
