"""Stands for Slicer's layout manager: the views, arranged as the layout node says.

Arrangements are read from Slicer's own descriptions (XML) of its layouts: rows and columns of the slice views Red,
Yellow and Green, the 3D view, the plot and the table view. Layouts with anything else (tabs, grids, further views) are
shown as four-up. A view is built when a layout first shows it, and used again.
"""

import xml.etree.ElementTree as ElementTree

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from host.native_widgets import native_widget
from host.observations import Observations
from host.plot_view import qMRMLPlotWidget
from host.table_view import qMRMLTableWidget
from host.three_d_view import qMRMLThreeDWidget
from host.views import RenderedView, qMRMLSliceWidget

_DIRECTIONS = {"horizontal": QBoxLayout.Direction.LeftToRight, "vertical": QBoxLayout.Direction.TopToBottom}
_GAP = 2


def _slice_widget(node) -> QWidget:
    import slicer

    return qMRMLSliceWidget(slicer.app.applicationLogic().GetSliceLogicByLayoutName(node.GetLayoutName()))


_VIEWS = {"vtkMRMLSliceNode": _slice_widget, "vtkMRMLViewNode": qMRMLThreeDWidget,
          "vtkMRMLPlotViewNode": qMRMLPlotWidget, "vtkMRMLTableViewNode": qMRMLTableWidget}
_TAGS = {"Red", "Yellow", "Green", "1", "PlotView1", "TableView1"}


@native_widget
class qSlicerLayoutManager(QObject):
    """The views and their arrangement; `viewport()` is the widget that holds them."""

    layoutChanged = Signal(int)

    def __init__(self, parent=None):
        import slicer

        super().__init__(parent)
        self._scene, self._viewport = slicer.mrmlScene, QWidget()
        self._views: dict[tuple[str, str], QWidget] = {}  # by class and singleton tag of the view node
        self._shown, self._shown_layout, self._pauses = None, None, 0
        QVBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        self._viewport.setMinimumWidth(200)
        self._node = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        self._observations = Observations(self)
        self._observations.observe(self._node, "ModifiedEvent", self._follow)
        self._follow()

    def viewport(self) -> QWidget:
        return self._viewport

    def mrmlScene(self):
        return self._scene

    def mrmlSliceLogics(self):
        """The slice logics of all slice views (vtkCollection)."""
        import slicer

        return slicer.app.applicationLogic().GetSliceLogics()

    def _current_layout(self) -> int:
        return self._node.GetViewArrangement()

    def setLayout(self, layout: int) -> None:
        self._node.SetViewArrangement(layout)

    layout = Property(int, _current_layout, setLayout, notify=layoutChanged)

    def sliceViewNames(self) -> list[str]:
        return [tag for class_name, tag in self._views if class_name == "vtkMRMLSliceNode"]

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return self._views.get(("vtkMRMLSliceNode", name))

    def threeDWidget(self, index: int) -> qMRMLThreeDWidget | None:
        return self._of_class("vtkMRMLViewNode", index)

    def plotWidget(self, index: int) -> qMRMLPlotWidget | None:
        return self._of_class("vtkMRMLPlotViewNode", index)

    def tableWidget(self, index: int) -> qMRMLTableWidget | None:
        return self._of_class("vtkMRMLTableViewNode", index)

    threeDViewCount = Property(int, lambda self: self._count("vtkMRMLViewNode"))
    plotViewCount = Property(int, lambda self: self._count("vtkMRMLPlotViewNode"))
    tableViewCount = Property(int, lambda self: self._count("vtkMRMLTableViewNode"))

    def resetSliceViews(self) -> None:
        for name in self.sliceViewNames():
            self.sliceWidget(name).fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for index in range(self.threeDViewCount):
            self.threeDWidget(index).threeDView().resetFocalPoint()

    def setRenderPaused(self, paused: bool) -> None:
        self._pauses = max(0, self._pauses + (1 if paused else -1))
        for view in self._rendered_views():
            view.setRenderPaused(paused)

    def draw_again(self) -> None:
        """Let every view be drawn anew when it is next looked at."""
        for view in self._rendered_views():
            view.scheduleRender()

    def _rendered_views(self) -> list[RenderedView]:
        return [view for widget in self._views.values() for view in widget.findChildren(RenderedView)]

    def _of_class(self, class_name: str, index: int) -> QWidget | None:
        found = [widget for (name, _), widget in self._views.items() if name == class_name]
        return found[index] if 0 <= index < len(found) else None

    def _count(self, class_name: str) -> int:
        return sum(name == class_name for name, _ in self._views)

    def _follow(self) -> None:
        """Arrange the views anew if the layout node asks for another layout."""
        layout = self._node.GetViewArrangement()
        if layout == self._shown_layout or self._scene.IsClosing():
            return
        self._shown_layout = layout
        for widget in self._views.values():  # out of the old arrangement, which dies
            widget.setParent(self._viewport)
            widget.hide()
        if self._shown is not None:
            self._viewport.layout().removeWidget(self._shown)
            self._shown.hide()
            self._shown.deleteLater()
        self._shown = self._arranged(self._description(layout))
        self._viewport.layout().addWidget(self._shown)
        for widget in self._views.values():
            widget.setVisible(self._shown.isAncestorOf(widget) or widget is self._shown)
        self.layoutChanged.emit(layout)

    def _description(self, layout: int) -> ElementTree.Element:
        text = self._node.GetLayoutDescription(layout) if self._node.IsLayoutDescription(layout) else ""
        description = ElementTree.fromstring(text) if text else None
        if description is None or not _is_known(description):
            description = ElementTree.fromstring(
                self._node.GetLayoutDescription(self._node.SlicerLayoutFourUpView))
        return description

    def _arranged(self, element: ElementTree.Element) -> QWidget:
        """The widget of a <view>, or one that holds the items of a <layout>."""
        if element.tag == "view":
            return self._view(element.get("class"), element.get("singletontag"))
        widget = QWidget()
        box = QBoxLayout(_DIRECTIONS[element.get("type")], widget)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(_GAP)
        for item in element.findall("item"):
            box.addWidget(self._arranged(item[0]), stretch=int(item.get("splitSize", 1)))
        return widget

    def _view(self, class_name: str, tag: str) -> QWidget:
        if (class_name, tag) not in self._views:
            widget = self._views[class_name, tag] = _VIEWS[class_name](self._scene.GetSingletonNode(tag, class_name))
            for view in widget.findChildren(RenderedView):
                for _ in range(self._pauses):
                    view.setRenderPaused(True)
        return self._views[class_name, tag]


def _is_known(description: ElementTree.Element) -> bool:
    return (all(layout.get("type") in _DIRECTIONS for layout in description.iter("layout"))
            and all(view.get("class") in _VIEWS and view.get("singletontag") in _TAGS
                    for view in description.iter("view"))
            and not any(item.get("multiple") for item in description.iter("item")))
