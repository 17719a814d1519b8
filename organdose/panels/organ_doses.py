"""The organ table of a result: sortable, copyable, as CSV, with what is being computed again marked."""

from __future__ import annotations

import math

# Columns of `OrganDose` worth a narrow panel; the CSV has all.
_SHOWN = ("organ", "mean_mgy", "uncertainty_percent", "d98_mgy", "d2_mgy", "max_mgy", "mass_g", "in_image_percent")
_SHORT = {"organ": "Organ", "mean_mgy": "Mean\nmGy", "uncertainty_percent": "±\n%", "d98_mgy": "D98\nmGy",
          "d2_mgy": "D2\nmGy", "max_mgy": "Max\nmGy", "mass_g": "Mass\ng", "in_image_percent": "In image\n%"}
_STALE_INK = "#9a9a9a"
_ROW_HEIGHT = 22
_MOST_ROWS = 14  # shown at once; more scroll


class OrganDoses:
    """Shows the organ table node of a result in a QTableWidget of the module's .ui."""

    def __init__(self, table):
        import qt

        self.table = table
        table.setColumnCount(len(_SHOWN))
        table.setHorizontalHeaderLabels([_SHORT[name] for name in _SHOWN])
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        table.wordWrap = False
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        header = table.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, qt.QHeaderView.Interactive)
        table.setColumnWidth(0, 120)
        table.sortingEnabled = True

    def show(self, table_node) -> None:
        """Fill in the rows of a table node made by `scene.organ_table_node`; None empties the table."""
        rows = [] if table_node is None else _rows_of(table_node)
        self.table.sortingEnabled = False  # a table that sorts itself while it is filled loses cells
        self.table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            for column, name in enumerate(_SHOWN):
                self.table.setItem(index, column, self._item(name, row))
        self.table.sortingEnabled = True
        self._fit_height(len(rows))

    def selected(self) -> list[str]:
        """The organs of the selected rows, from the top."""
        import qt

        return [self.table.item(row, 0).data(qt.Qt.UserRole) for row in self._selected_rows()]

    def copy(self) -> None:
        """The selected rows (all without a selection) to the clipboard, tab-separated, as spreadsheets take them."""
        import qt

        chosen = self._selected_rows()
        lines = ["\t".join(_SHORT[name].replace("\n", " ") for name in _SHOWN)]
        for row in chosen or range(self.table.rowCount):
            lines.append("\t".join(self.table.item(row, column).text() for column in range(len(_SHOWN))))
        qt.QApplication.clipboard().setText("\n".join(lines))

    def _selected_rows(self) -> list[int]:
        return sorted({index.row() for index in self.table.selectionModel().selectedRows()})

    def _item(self, name: str, row: dict[str, object]):
        import qt

        item = qt.QTableWidgetItem()
        value = row[name]
        if name == "organ":
            item.setText(row["title"])
            item.setData(qt.Qt.UserRole, row["organ"])
        elif value is not None and not math.isnan(value):
            digits = 2 if name == "uncertainty_percent" else 4
            item.setData(qt.Qt.DisplayRole, float(f"{value:.{digits}g}"))  # a number, so that sorting is by size
            item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        item.setToolTip(row["note"] or row["title"])
        font = item.font()
        font.setItalic(bool(row["state"]))
        item.setFont(font)
        if row["state"]:
            item.setForeground(qt.QBrush(qt.QColor(_STALE_INK)))
            item.setToolTip("The mask changed: this row is being computed again.")
        return item

    def _fit_height(self, rows: int) -> None:
        shown = min(rows, _MOST_ROWS)
        height = self.table.horizontalHeader().height + 2 * self.table.frameWidth
        height += sum(self.table.rowHeight(index) for index in range(shown))
        self.table.setFixedHeight(height + (16 if rows else 0))  # room for the horizontal scroll bar


def save_csv(table_node, path: str) -> None:
    """The whole table as `organs.csv`. Raises `InputError` when it cannot be written."""
    from pathlib import Path

    from organdose.errors import InputError
    from organdose.export.tables import write_organs_csv
    from organdose.scene.organ_table_node import rows_from_table_node

    try:
        write_organs_csv(Path(path), rows_from_table_node(table_node))
    except OSError as error:
        raise InputError(f"the table could not be written ({error.strerror})", where=path,
                         mend="Choose another folder.") from error


def _rows_of(table_node) -> list[dict[str, object]]:
    from organdose.anatomy.organs import describe

    table = table_node.GetTable()
    rows = []
    for index in range(table.GetNumberOfRows()):
        values = {}
        for name in (*_SHOWN, "note", "state"):
            column = table.GetColumnByName(name)
            values[name] = "" if column is None else column.GetValue(index)
        rows.append({**values, "title": describe(values["organ"]).title})
    return rows
