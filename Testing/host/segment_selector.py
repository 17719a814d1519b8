"""Stands for Slicer's widget that chooses a segmentation and one of its segments."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from host.mrml_widgets import qMRMLNodeComboBox
from host.native_widgets import native_widget
from host.observations import Observations


@native_widget
class qMRMLSegmentSelectorWidget(QWidget):
    """Chooses a segmentation and one of its segments."""

    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._segment_id = ""
        self._nodes, self._segments = qMRMLNodeComboBox(), QComboBox()
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.noneEnabled = True
        self._nodes.addEnabled = self._nodes.removeEnabled = False
        self._nodes.currentNodeChanged.connect(self._on_node)
        self._observations = Observations(self)
        self._segments.currentIndexChanged.connect(self._on_segment)
        QHBoxLayout(self).addWidget(self._nodes)
        self.layout().addWidget(self._segments)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def setMRMLScene(self, scene) -> None:
        self._nodes.setMRMLScene(scene)

    def currentNode(self):
        return self._nodes.currentNode()

    def setCurrentNode(self, node) -> None:
        self._nodes.setCurrentNode(node)

    def currentSegmentID(self) -> str:
        return self._segment_id

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(segment_id))

    def _on_node(self, node) -> None:
        self._observations.clear()
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observations.observe(node, event, self._fill)
        self._fill()
        self.currentNodeChanged.emit(node)

    def _fill(self) -> None:
        node, chosen = self.currentNode(), self._segment_id
        self._segments.blockSignals(True)
        self._segments.clear()
        for segment_id in node.GetSegmentation().GetSegmentIDs() if node is not None else ():
            self._segments.addItem(node.GetSegmentation().GetSegment(segment_id).GetName(), segment_id)
        self._segments.setCurrentIndex(max(0, self._segments.findData(chosen)))
        self._segments.blockSignals(False)
        self._on_segment()

    def _on_segment(self) -> None:
        segment_id = self._segments.currentData() or ""
        if segment_id != self._segment_id:
            self._segment_id = segment_id
            self.currentSegmentChanged.emit(segment_id)
