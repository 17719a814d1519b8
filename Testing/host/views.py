"""Stands for Slicer's slice views, and holds what stands for any view that VTK draws.

What is seen is drawn by Slicer's own displayable managers, off screen, into a picture that the widget paints. A view
is drawn again when it is looked at (painted, grabbed) after something in it has changed, never in a loop. Where OpenGL
does not work, views stay plain grey.
"""

import weakref

import vtk
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from host.native_widgets import native_widget
from host.observations import Observations
from organdose.scene import screenshot
from organdose.scene.headless import vtk_messages_kept

_GREY = QColor(110, 110, 110)
_REPAINT_AFTER_MS = 40
_SLICE_MANAGERS = ("vtkMRMLVolumeGlyphSliceDisplayableManager", "vtkMRMLModelSliceDisplayableManager",
                   "vtkMRMLCrosshairDisplayableManager", *screenshot._SLICE_MANAGERS)
SLICE_VIEWS: "weakref.WeakSet[qMRMLSliceView]" = weakref.WeakSet()


class RenderedView(QWidget):
    """A widget that shows what VTK draws into an off-screen window (stands for `ctkVTKAbstractView`)."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._window = screenshot._off_screen_window(16, 16) if screenshot._window_class() is not None else None
        self.renderer = vtk.vtkRenderer()
        if self._window is not None:
            self._window.AddRenderer(self.renderer)
        self._draws = None  # not known before the first picture
        self._image = QImage()
        self._stale, self._pauses = True, 0
        self._observations = Observations(self)
        self._repaint = QTimer(self, singleShot=True, interval=_REPAINT_AFTER_MS)
        self._repaint.timeout.connect(self.update)
        self.setMinimumSize(60, 60)

    def renderWindow(self):
        return self._window

    def scheduleRender(self) -> None:
        self._stale = True
        if self.isVisible() and not self._pauses and not self._repaint.isActive():
            self._repaint.start()

    def forceRender(self) -> None:
        self._stale = True
        self._draw()
        self.update()

    def setRenderPaused(self, paused: bool) -> None:
        """Pauses add up: every pause needs its end."""
        self._pauses = max(0, self._pauses + (1 if paused else -1))
        if not self._pauses:
            self.update()

    def renderPaused(self) -> bool:
        return self._pauses > 0

    def paintEvent(self, _event) -> None:
        if (self._stale or self._image.size() != self.size()) and not self._pauses:
            self._draw()
        painter = QPainter(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), _GREY)
        else:
            painter.drawImage(0, 0, self._image)
        self.annotate(painter)
        painter.end()

    def prepare(self) -> None:
        """Bring the renderer up to date before a picture is drawn."""

    def annotate(self, painter: QPainter) -> None:
        """Write over the picture."""

    def show_node(self, node, managers) -> None:
        """Let displayable managers (class names) draw what a view node shows."""
        import slicer

        if self._window is None:
            return
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self.renderer)
        for name in managers:
            manager = getattr(slicer, name)()
            manager.SetMRMLApplicationLogic(slicer.app.applicationLogic())
            self._group.AddDisplayableManager(manager)
        self._group.SetMRMLDisplayableNode(node)
        self._observations.observe(self._group, "UpdateEvent", self.scheduleRender)
        weakref.finalize(self, _release, self._window, self._group)

    def _draw(self) -> None:
        if self._draws is None:
            with vtk_messages_kept():
                self._draws = self._window is not None and bool(self._window.SupportsOpenGL())
        if not self._draws:
            return
        self._window.SetSize(self.width(), self.height())
        self.prepare()
        pixels = screenshot._pixels(self._window)
        height, width, _ = pixels.shape
        self._image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._stale = False  # managers ask for another picture while this one is drawn


def _release(window, group) -> None:
    """VTK crashes where managers outlive the window they draw into."""
    group.SetMRMLDisplayableNode(None)
    window.Finalize()


class ViewHeader(QWidget):
    """The coloured bar over a view, with its letter."""

    def __init__(self, letter: str, colour: QColor, parent=None):
        super().__init__(parent)
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, colour)
        self.setPalette(palette)
        self.setFixedHeight(24)
        self.setLayout(QHBoxLayout())
        self.layout().setContentsMargins(8, 1, 2, 1)
        label = QLabel(f"<b>{letter}</b>")
        label.setStyleSheet("color: black")
        self.layout().addWidget(label)


def view_colour(node) -> QColor:
    return QColor.fromRgbF(*node.GetLayoutColor())


class ViewWidget(QWidget):
    """A header over a view (stands for `qMRMLSliceWidget` and its like)."""

    def __init__(self, header: QWidget, view: QWidget, parent=None):
        super().__init__(parent)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(header)
        box.addWidget(view, stretch=1)


@native_widget
class qMRMLSliceView(RenderedView):
    """The picture of a slice: volumes blended by the slice logic, and over them what the managers draw."""

    pressed = Signal(object)  # RAS (mm)

    def __init__(self, logic, parent=None):
        super().__init__(parent)
        self._logic, self._drag_y = logic, None
        self._blend = screenshot._slice_image(logic)
        self.renderer.AddViewProp(self._blend)
        self.show_node(logic.GetSliceNode(), _SLICE_MANAGERS)
        self._observations.observe(logic, "ModifiedEvent", self.scheduleRender)
        SLICE_VIEWS.add(self)

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def prepare(self) -> None:
        if tuple(self.mrmlSliceNode().GetDimensions()[:2]) != (self.width(), self.height()):
            self._logic.ResizeSliceNode(self.width(), self.height())
        image = self._logic.GetImageDataConnection()
        self._blend.SetVisibility(image is not None)
        self._blend.GetMapper().SetInputConnection(image)

    def annotate(self, painter: QPainter) -> None:
        lines = []
        composite = self._logic.GetSliceCompositeNode()
        for letter, layer in (("F", 1), ("B", 0)):
            volume = self._logic.GetNthLayerVolumeNode(layer)
            if volume is not None:
                share = f" ({100 * composite.GetForegroundOpacity():.0f}%)" if letter == "F" else ""
                lines.append(f"{letter}: {volume.GetName()}{share}")
        for shift, colour in ((1, Qt.GlobalColor.black), (0, Qt.GlobalColor.white)):
            painter.setPen(colour)
            painter.drawText(self.rect().adjusted(6 + shift, shift, 0, shift - 6),
                             Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, "\n".join(lines))

    def resizeEvent(self, event) -> None:
        self._logic.ResizeSliceNode(self.width(), self.height())
        super().resizeEvent(event)

    def ras_at(self, position) -> tuple[float, float, float]:
        """The point (RAS, mm) under a pixel of the widget."""
        xy = (position.x(), self.height() - 1 - position.y(), 0, 1)
        return self.mrmlSliceNode().GetXYToRAS().MultiplyPoint(xy)[:3]

    def mousePressEvent(self, event) -> None:
        self._drag_y = event.position().y()
        self.pressed.emit(self.ras_at(event.position()))

    def mouseMoveEvent(self, event) -> None:
        steps = int(self._drag_y - event.position().y()) // 4
        if steps:
            self._drag_y = event.position().y()
            self._move(steps)

    def wheelEvent(self, event) -> None:
        self._move(1 if event.angleDelta().y() > 0 else -1)

    def _move(self, steps: int) -> None:
        self._logic.SetSliceOffset(self._logic.GetSliceOffset() + steps * self._logic.GetLowestVolumeSliceSpacing()[2])


@native_widget
class qMRMLSliceControllerWidget(ViewHeader):
    """The bar of a slice view: letter, slider and position."""

    _STEPS_PER_MM = 100  # QSlider counts in whole numbers

    def __init__(self, logic, parent=None):
        node = logic.GetSliceNode()
        super().__init__(node.GetLayoutLabel(), view_colour(node), parent)
        self._logic = logic
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._position = QDoubleSpinBox(decimals=1, keyboardTracking=False, suffix=" mm")
        self._position.setFixedWidth(118)
        fit = QToolButton(text="⊡", autoRaise=True, toolTip="Fit to the window")
        for widget in (self._slider, fit, self._position):
            self.layout().addWidget(widget)
        self._slider.valueChanged.connect(self._on_slider)
        self._position.valueChanged.connect(self.setSliceOffsetValue)
        fit.clicked.connect(self.fitSliceToBackground)
        self._observations = Observations(self)
        self._observations.observe(logic, "ModifiedEvent", self._update)
        self._observations.observe(node, "ModifiedEvent", self._update)
        self._update()

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def setSliceOffsetValue(self, offset_mm: float) -> None:
        self._logic.SetSliceOffset(offset_mm)

    def setSliceVisible(self, visible: bool) -> None:
        """Show the slice in 3D."""
        self.mrmlSliceNode().SetSliceVisible(visible)

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()
        self._logic.SnapSliceOffsetToIJK()

    def _on_slider(self, steps: int) -> None:
        self.setSliceOffsetValue(steps / self._STEPS_PER_MM)

    def _update(self) -> None:
        bounds, step = [0.0, 0.0], vtk.reference(1.0)
        self._logic.GetSliceOffsetRangeResolution(bounds, step)
        axis = {"Axial": "S", "Coronal": "A", "Sagittal": "R"}.get(self.mrmlSliceNode().GetOrientation(), "")
        offset_mm = self._logic.GetSliceOffset()
        with QSignalBlocker(self._slider), QSignalBlocker(self._position):
            self._slider.setRange(*(round(bound * self._STEPS_PER_MM) for bound in bounds))
            self._slider.setValue(round(offset_mm * self._STEPS_PER_MM))
            self._position.setRange(*bounds)
            self._position.setSingleStep(float(step) or 1.0)
            self._position.setPrefix(f"{axis}: ")
            self._position.setValue(offset_mm)


@native_widget
class qMRMLSliceWidget(ViewWidget):
    """The slice view of a slice logic."""

    def __init__(self, logic, parent=None):
        self._logic = logic
        self._controller, self._view = qMRMLSliceControllerWidget(logic), qMRMLSliceView(logic)
        super().__init__(self._controller, self._view, parent)

    def sliceLogic(self):
        return self._logic

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def fitSliceToBackground(self) -> None:
        self._controller.fitSliceToBackground()
