"""The acquisition facts as a table with their origin: what is missing is to be filled in, contradictions are marked."""

from __future__ import annotations

from collections.abc import Callable

from organdose.errors import InputError

_HEADINGS = ("Fact", "Value", "From")
_VALUE = 1
_ROW_HEIGHT = 24
# (background, text) that can be read in Slicer's light and dark style.
_COLOURS = {"missing": ("#ffd9d6", "#7a0010"), "contradictory": ("#fff0c2", "#5c4200")}


class FactsTable:
    """Shows a `FactSheet` in a QTableWidget of the module's .ui and writes what the user types into it.

    `on_changed` is called after each accepted value, `on_refused(message)` for one that cannot be ('' once mended).
    """

    def __init__(self, table, on_changed: Callable[[], None], on_refused: Callable[[str], None]):
        import qt

        self.table, self._on_changed, self._on_refused = table, on_changed, on_refused
        self._sheet, self._names, self._everything = None, [], False
        table.setColumnCount(len(_HEADINGS))
        table.setHorizontalHeaderLabels(list(_HEADINGS))
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header = table.horizontalHeader()
        for column, mode in enumerate((qt.QHeaderView.ResizeToContents, qt.QHeaderView.Stretch,
                                       qt.QHeaderView.ResizeToContents)):
            header.setSectionResizeMode(column, mode)
        table.cellChanged.connect(self._cell_changed)

    def show(self, sheet, *, everything: bool = False) -> None:
        """Show the rows that say something or are asked for; `everything` also those nobody knows or needs."""
        self._sheet, self._everything = sheet, everything
        rows = [row for row in sheet.rows() if everything or row.state.value != "unknown"]
        rows.sort(key=lambda row: row.state.value != "missing")  # what to fill in stands first
        self._names = [row.name for row in rows]
        was_blocked = self.table.blockSignals(True)
        try:
            self.table.setRowCount(len(rows))
            for index, row in enumerate(rows):
                self._show_row(index, row)
        finally:
            self.table.blockSignals(was_blocked)
        self._fit_height(len(rows))

    def _show_row(self, index: int, row) -> None:
        import qt

        explanation = f"{row.title}: {row.explanation}" + (f"\n{row.note}" if row.note else "")
        missing = row.state.value == "missing"
        title = f"{row.title} ({row.unit})" if row.unit else row.title
        for column, text in enumerate((title, row.text, "missing" if missing else row.origin)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(explanation)
            flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
            item.setFlags(flags | qt.Qt.ItemIsEditable if column == _VALUE else flags)
            if row.state.value in _COLOURS:
                background, ink = _COLOURS[row.state.value]
                item.setBackground(qt.QBrush(qt.QColor(background)))
                item.setForeground(qt.QBrush(qt.QColor(ink)))
            self.table.setItem(index, column, item)

    def _cell_changed(self, index: int, column: int) -> None:
        if column != _VALUE or self._sheet is None:
            return
        try:
            self._sheet.write(self._names[index], self.table.item(index, column).text())
        except InputError as error:
            self._on_refused(str(error))
        else:
            self._on_refused("")
            self._on_changed()
        self.show(self._sheet, everything=self._everything)  # the value as it was understood, or the one before it

    def _fit_height(self, rows: int) -> None:
        """As high as its rows: a table that scrolls inside a panel that scrolls is hard to read."""
        height = self.table.horizontalHeader().height + 2 * self.table.frameWidth
        height += sum(self.table.rowHeight(index) for index in range(rows))
        self.table.setFixedHeight(max(height, 60))
