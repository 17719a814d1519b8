"""Stands for Slicer's tables: of a table node (as a widget and as a view of the layout), and of segments."""

from PySide6.QtCore import Property, QItemSelection, QPointF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QIcon,
    QPainter,
    QPen,
    QPixmap,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from host.native_widgets import native_widget
from host.observations import Observations
from host.views import ViewHeader, ViewWidget, view_colour

_ROW_HEIGHT = 22
_ID = Qt.ItemDataRole.UserRole


@native_widget
class qMRMLTableView(QTableView):
    """A spreadsheet of a table node; it only shows, whether the node is locked or not."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = self._node = None
        self._observations = Observations(self)
        self.setModel(QStandardItemModel(self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        self._scene = scene

    def mrmlTableNode(self):
        return self._node

    def setMRMLTableNode(self, node) -> None:
        self._observations.clear()
        self._node = node
        if node is not None:
            self._observations.observe(node, "ModifiedEvent", self._fill)
        self._fill()

    def copySelection(self) -> None:
        """The selected cells to the clipboard: tabs between columns, lines for rows."""
        rows = {}
        for index in sorted(self.selectedIndexes()):
            rows.setdefault(index.row(), []).append(index.data())
        QGuiApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))

    def _fill(self) -> None:
        model, node = self.model(), self._node
        model.clear()
        if node is None:
            return
        table, first = node.GetTable(), int(node.GetUseFirstColumnAsRowHeader())
        named = node.GetUseColumnTitleAsColumnHeader()  # otherwise the names fill the first row
        for column in range(first, table.GetNumberOfColumns()):
            cells = [QStandardItem(self._text(row, column)) for row in range(table.GetNumberOfRows())]
            model.appendColumn(cells if named else [QStandardItem(table.GetColumnName(column)), *cells])
        model.setHorizontalHeaderLabels(
            [node.GetColumnTitle(name) or name if named else chr(ord("A") + index) for index, name in
             enumerate(map(table.GetColumnName, range(first, table.GetNumberOfColumns())))])
        if first:
            model.setVerticalHeaderLabels([self._text(row, 0) for row in range(table.GetNumberOfRows())])
        self.resizeColumnsToContents()

    def _text(self, row: int, column: int) -> str:
        return self._node.GetTable().GetValue(row, column).ToString()


@native_widget
class qMRMLTableWidget(ViewWidget):
    """The table view of a view node, under its bar."""

    def __init__(self, node, parent=None):
        self._node, self._view = node, qMRMLTableView()
        super().__init__(ViewHeader(node.GetLayoutLabel(), view_colour(node)), self._view, parent)
        self._observations = Observations(self)
        self._observations.observe(node, "ModifiedEvent", self._follow_table)
        self._follow_table()

    def mrmlTableViewNode(self):
        return self._node

    def tableView(self) -> qMRMLTableView:
        return self._view

    def _follow_table(self) -> None:
        if self._node.GetTableNode() is not self._view.mrmlTableNode():
            self._view.setMRMLTableNode(self._node.GetTableNode())


@native_widget
class qMRMLSegmentsTableView(QWidget):
    """The segments of a segmentation: whether they are visible, colour and name."""

    selectionChanged = Signal(QItemSelection, QItemSelection)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node, self._read_only = None, False
        self._observations = Observations(self)
        self._table = QTableWidget(0, 3)
        self._table.setHorizontalHeaderLabels(["", "Color", "Name"])
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setIconSize(QSize(32, 14))
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self._table.itemSelectionChanged.connect(self._on_selection_changed)
        self._table.cellClicked.connect(self._on_clicked)
        self._table.itemChanged.connect(self._on_changed)
        QVBoxLayout(self).addWidget(self._table)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _read(self) -> bool:
        return self._read_only

    def setReadOnly(self, read_only: bool) -> None:
        self._read_only = read_only
        self._show_all()

    readOnly = Property(bool, _read, setReadOnly)

    def tableWidget(self) -> QTableWidget:
        return self._table

    def setMRMLScene(self, scene) -> None:
        if scene is None:
            self.setSegmentationNode(None)

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node) -> None:
        if node is self._node:
            return
        self._observations.clear()
        self._node = node
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentsOrderModified):
                self._observations.observe(node, event, self._fill)
            for event in (segmentation.SegmentModified, node.DisplayModifiedEvent):
                self._observations.observe(node, event, self._show_all)
        self._fill()

    def _count(self) -> int:
        return self._table.rowCount()

    segmentCount = Property(int, _count)

    def segmentIDForRow(self, row: int) -> str:
        return self._table.item(row, 2).data(_ID)

    def rowForSegmentID(self, segment_id: str) -> int:
        return next((row for row in range(self._count()) if self.segmentIDForRow(row) == segment_id), -1)

    def displayedSegmentIDs(self) -> list[str]:
        return [self.segmentIDForRow(row) for row in range(self._count())]

    def selectedSegmentIDs(self) -> list[str]:
        return [self.segmentIDForRow(index.row()) for index in sorted(self._table.selectionModel().selectedRows())]

    def setSelectedSegmentIDs(self, segment_ids) -> None:
        if set(segment_ids) == set(self.selectedSegmentIDs()):
            return
        with QSignalBlocker(self._table):
            self._select(segment_ids)
        self._on_selection_changed()

    def clearSelection(self) -> None:
        self.setSelectedSegmentIDs([])

    def setSelectionMode(self, mode) -> None:
        self._table.setSelectionMode(QAbstractItemView.SelectionMode(mode))

    def _select(self, segment_ids) -> None:
        selection, model = QItemSelection(), self._table.model()
        for row in map(self.rowForSegmentID, segment_ids):
            if row >= 0:
                selection.select(model.index(row, 0), model.index(row, 2))
        self._table.selectionModel().select(selection, self._table.selectionModel().SelectionFlag.ClearAndSelect)

    def _on_selection_changed(self) -> None:
        self.selectionChanged.emit(self._table.selectionModel().selection(), QItemSelection())

    def _fill(self) -> None:
        before = self.selectedSegmentIDs()
        segment_ids = list(self._node.GetSegmentation().GetSegmentIDs()) if self._node is not None else []
        with QSignalBlocker(self._table):
            if segment_ids != self.displayedSegmentIDs():
                self._table.setRowCount(0)
                for segment_id in segment_ids:
                    self._add_row(segment_id)
                self._select(before)
        self._show_all()
        if self.selectedSegmentIDs() != before:
            self._on_selection_changed()

    def _show_all(self) -> None:
        """Bring the rows up to date; a segment is modified before it is added, so not every segment has one."""
        with QSignalBlocker(self._table):
            for row, segment_id in enumerate(self.displayedSegmentIDs()):
                if self._node.GetSegmentation().GetSegment(segment_id) is not None:
                    self._show(row, segment_id)

    def _add_row(self, segment_id: str) -> None:
        row = self._count()
        self._table.insertRow(row)
        for column in range(3):
            item = QTableWidgetItem()
            item.setData(_ID, segment_id)
            self._table.setItem(row, column, item)

    def _show(self, row: int, segment_id: str) -> None:
        display, segment = self._node.GetDisplayNode(), self._node.GetSegmentation().GetSegment(segment_id)
        eye, colour, name = (self._table.item(row, column) for column in range(3))
        eye.setIcon(_eye(display is None or display.GetSegmentVisibility(segment_id)))
        rgb = display.GetSegmentColor(segment_id) if display is not None else segment.GetColor()
        swatch = QPixmap(32, 14)
        swatch.fill(QColor.fromRgbF(*rgb))
        colour.setIcon(QIcon(swatch))
        name.setText(segment.GetName())
        fixed = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        for item in (eye, colour, name):
            item.setFlags(fixed if item is not name or self._read_only else fixed | Qt.ItemFlag.ItemIsEditable)

    def _on_clicked(self, row: int, column: int) -> None:
        if column == 0 and self._node.GetDisplayNode() is not None:
            display, segment_id = self._node.GetDisplayNode(), self.segmentIDForRow(row)
            display.SetSegmentVisibility(segment_id, not display.GetSegmentVisibility(segment_id))

    def _on_changed(self, item) -> None:
        if item.column() == 2:
            self._node.GetSegmentation().GetSegment(item.data(_ID)).SetName(item.text())


def _eye(is_open: bool) -> QIcon:
    picture = QPixmap(18, 14)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(60, 60, 60), 1.4))
    if is_open:
        painter.drawEllipse(QPointF(9, 7), 8, 4.5)
        painter.setBrush(QColor(60, 60, 60))
        painter.drawEllipse(QPointF(9, 7), 2.5, 2.5)
    else:
        painter.drawArc(1, -2, 16, 12, 200 * 16, 140 * 16)
    painter.end()
    return QIcon(picture)
