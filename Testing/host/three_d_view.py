"""Stands for Slicer's 3D view: models and segment surfaces, drawn off screen by Slicer's displayable managers."""

import vtk
from PySide6.QtWidgets import QToolButton

from host.native_widgets import native_widget
from host.views import RenderedView, ViewHeader, ViewWidget, view_colour

_MANAGERS = ("vtkMRMLCameraDisplayableManager", "vtkMRMLViewDisplayableManager", "vtkMRMLModelDisplayableManager",
             "vtkMRMLSegmentationsDisplayableManager3D", "vtkMRMLCrosshairDisplayableManager3D",
             "vtkMRMLOrientationMarkerDisplayableManager", "vtkMRMLRulerDisplayableManager")


@native_widget
class qMRMLThreeDView(RenderedView):
    """The picture of a 3D view node."""

    def __init__(self, node, parent=None):
        super().__init__(parent)
        self._node = node
        self.renderer.SetUseDepthPeeling(True)
        self.renderer.SetUseFXAA(True)
        self.renderer.GradientBackgroundOn()
        self.show_node(node, _MANAGERS)
        self._observations.observe(node, "ModifiedEvent", self.scheduleRender)

    def mrmlViewNode(self):
        return self._node

    def prepare(self) -> None:
        self.renderer.SetBackground(self._node.GetBackgroundColor())
        self.renderer.SetBackground2(self._node.GetBackgroundColor2())
        self.renderer.ResetCameraClippingRange()

    def resetFocalPoint(self) -> None:
        """Look at the middle of what is visible, from the same direction and distance."""
        bounds = self._visible_bounds()
        if bounds is not None:
            camera = self.renderer.GetActiveCamera()
            middle = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2])]
            shift = [to - where for to, where in zip(middle, camera.GetFocalPoint())]
            camera.SetPosition([where + step for where, step in zip(camera.GetPosition(), shift)])
            camera.SetFocalPoint(middle)
            self.scheduleRender()

    def resetCamera(self) -> None:
        """Move the camera until everything visible fills the view."""
        bounds = self._visible_bounds()
        if bounds is not None:
            self.renderer.ResetCamera(bounds)
            self.scheduleRender()

    def _visible_bounds(self):
        """Bounds (mm) of what is visible but the box around it; None of an empty view."""
        box, labels = self._node.GetBoxVisible(), self._node.GetAxisLabelsVisible()
        self._node.SetBoxVisible(False)
        self._node.SetAxisLabelsVisible(False)
        bounds = self.renderer.ComputeVisiblePropBounds()
        self._node.SetBoxVisible(box)
        self._node.SetAxisLabelsVisible(labels)
        return bounds if vtk.vtkMath.AreBoundsInitialized(bounds) else None


@native_widget
class qMRMLThreeDWidget(ViewWidget):
    """The 3D view of a view node, under its bar."""

    def __init__(self, node, parent=None):
        self._view = qMRMLThreeDView(node)
        header = ViewHeader(node.GetLayoutLabel(), view_colour(node))
        centre = QToolButton(text="⊡", autoRaise=True, toolTip="Center the 3D view on the scene")
        centre.clicked.connect(self._view.resetFocalPoint)
        header.layout().addWidget(centre)
        header.layout().addStretch()
        super().__init__(header, self._view, parent)

    def mrmlViewNode(self):
        return self._view.mrmlViewNode()

    def threeDView(self) -> qMRMLThreeDView:
        return self._view
