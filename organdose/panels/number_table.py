"""A read-only table of texts and numbers, sortable, with units in its headings."""

from __future__ import annotations

import math
from collections.abc import Sequence

_ROW_HEIGHT = 22


class NumberTable:
    """Shows rows in a QTableWidget of the module's .ui: texts in the first column, numbers (NaN, None: empty) beside.

    `widths` in pixels, of the columns in their order; the last one holds for all after it. `most_rows` are shown at
    once; more scroll.
    """

    def __init__(self, table, widths: Sequence[int], *, most_rows: int = 8, sortable: bool = True, digits: int = 4):
        import qt

        self.table, self._widths, self._most, self._sortable = table, widths, most_rows, sortable
        self._digits = digits
        self._content: tuple | None = None
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        table.wordWrap = False
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)

    def show(self, headings: Sequence[str], rows: Sequence[Sequence[object]], keys: Sequence[str] = (),
             hints: Sequence[str] = ()) -> None:
        """Show these rows; `keys` are what `selected` gives of them, `hints` their tooltips."""
        content = (tuple(headings), tuple(map(tuple, rows)), tuple(keys), tuple(hints))
        if repr(content) == repr(self._content):  # NaN differs from itself
            return
        self._content = content
        was_blocked = self.table.blockSignals(True)
        chosen = set(self.selected())
        self.table.sortingEnabled = False
        self.table.setColumnCount(len(headings))
        self.table.setHorizontalHeaderLabels(list(headings))
        for column in range(len(headings)):
            self.table.setColumnWidth(column, self._widths[min(column, len(self._widths) - 1)])
        self.table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            for column, value in enumerate(row):
                item = _item(value, self._digits)
                item.setToolTip(hints[index] if hints else "")
                self.table.setItem(index, column, item)
            self._set_key(index, keys[index] if keys else str(row[0]))
        self.table.sortingEnabled = self._sortable
        self.table.clearSelection()
        for index in range(len(rows)):
            if self._key(index) in chosen:
                self.table.selectRow(index)
        self.table.blockSignals(was_blocked)
        self._fit_height(len(rows))

    def selected(self) -> list[str]:
        """The keys of the selected rows, from the top."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return [self._key(row) for row in rows]

    def _key(self, row: int) -> str:
        import qt

        return self.table.item(row, 0).data(qt.Qt.UserRole)

    def _set_key(self, row: int, key: str) -> None:
        import qt

        self.table.item(row, 0).setData(qt.Qt.UserRole, key)

    def _fit_height(self, rows: int) -> None:
        height = self.table.horizontalHeader().height + 2 * self.table.frameWidth
        height += _ROW_HEIGHT * min(rows, self._most)
        self.table.setFixedHeight(height + (16 if rows else 0))  # room for the horizontal scroll bar


def _item(value: object, digits: int):
    import qt

    item = qt.QTableWidgetItem()
    if isinstance(value, str):
        item.setText(value)
    elif value is not None and not math.isnan(value):
        item.setData(qt.Qt.DisplayRole, float(f"{value:.{digits}g}"))  # a number: sorting is by size
    if not isinstance(value, str):
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return item
