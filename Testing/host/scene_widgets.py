"""Slicer's base widgets that only know the scene, and CTK's number widgets under their MRML names."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from host.ctk_numbers import ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget
from host.native_widgets import native_widget
from host.plain_properties import plain_property


class _KnowsScene:
    """What widgets with a scene share; a `.ui` file connects `mrmlSceneChanged` to the children's `setMRMLScene`."""

    _scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@native_widget
class qMRMLWidget(_KnowsScene, QWidget):
    """A widget with a scene: the outermost one of a module's `.ui` file."""

    mrmlSceneChanged = Signal(object)


@native_widget
class qSlicerWidget(_KnowsScene, QWidget):
    """The same of the application's own library."""

    mrmlSceneChanged = Signal(object)


@native_widget
class qSlicerModuleWidget(qSlicerWidget):
    """The outermost widget of a C++ module's panel."""


@native_widget
class qMRMLSliderWidget(_KnowsScene, ctkSliderWidget):
    """A slider whose unit may come from the scene's unit nodes."""

    mrmlSceneChanged = Signal(object)
    quantity = plain_property(str, "")


@native_widget
class qMRMLSpinBox(_KnowsScene, ctkDoubleSpinBox):
    """A spin box whose unit may come from the scene's unit nodes."""

    mrmlSceneChanged = Signal(object)
    quantity = plain_property(str, "")


@native_widget
class qMRMLRangeWidget(_KnowsScene, ctkRangeWidget):
    """A range whose unit may come from the scene's unit nodes."""

    mrmlSceneChanged = Signal(object)
    quantity = plain_property(str, "")
