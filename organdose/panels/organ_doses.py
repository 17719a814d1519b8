"""The organ table of a result: sortable, copyable, as CSV, with what is being computed again marked."""

from __future__ import annotations

import math

# Columns of `OrganDose` worth a narrow panel; the CSV has all.
CT_COLUMNS = ("organ", "mean_mgy", "uncertainty_percent", "d98_mgy", "d2_mgy", "max_mgy", "mass_g", "in_image_percent",
              "mask")
_SHORT = {"organ": "Organ", "mean_mgy": "Mean\nmGy", "uncertainty_percent": "±\n%", "d98_mgy": "D98\nmGy",
          "d2_mgy": "D2\nmGy", "max_mgy": "Max\nmGy", "mass_g": "Mass\ng", "in_image_percent": "In image\n%",
          "mean_mgy_per_mbq": "Mean\nmGy/MBq", "tia_mbq_h": "TIA\nMBq h", "tiac_h": "TIAC\nh",
          "mask": "Mask"}
_WIDTHS = {"organ": 120, "mask": 110, "uncertainty_percent": 44, "mean_mgy_per_mbq": 74, "tiac_h": 74}  # pixels
_NUMBER_WIDTH = 62
_TEXTS = ("organ", "mask")
_DIGITS = {"uncertainty_percent": 2, "mean_mgy_per_mbq": 3, "tiac_h": 3, "tia_mbq_h": 3}  # others have 4
_STALE_INK = "#9a9a9a"
_ROW_HEIGHT = 22
_MOST_ROWS = 14  # shown at once; more scroll


class OrganDoses:
    """Shows the organ table node of a result in a QTableWidget of the module's .ui; `columns` of those it has."""

    def __init__(self, table, columns: tuple[str, ...] | None = None):
        import qt

        self.table, self._columns = table, columns or CT_COLUMNS
        table.setColumnCount(len(self._columns))
        table.setHorizontalHeaderLabels([_SHORT[name] for name in self._columns])
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        table.wordWrap = False
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        for column, name in enumerate(self._columns):
            table.setColumnWidth(column, _WIDTHS.get(name, _NUMBER_WIDTH))
        table.sortingEnabled = True
        self._rows: list[dict[str, object]] = []

    def show(self, table_node) -> None:
        """Show the rows of a table node made by `scene.organ_table_node`; None empties the table.

        Only what differs from what is shown is written: while an organ is edited this comes many times a second.
        """
        rows = [] if table_node is None else _rows_of(table_node, self._columns)
        before, self._rows = {row["organ"]: row for row in self._rows}, rows
        self.table.sortingEnabled = False  # a table that sorts itself while it is filled loses cells
        if list(before) != [row["organ"] for row in rows]:
            before = {}
            self.table.setRowCount(len(rows))
            for index in range(len(rows)):
                for column in range(len(self._columns)):
                    self.table.setItem(index, column, _new_item(self._columns[column]))
            places = {row["organ"]: index for index, row in enumerate(rows)}
            self._fit_height(len(rows))
        else:
            places = self._places()
        for row in rows:
            if before.get(row["organ"]) != row:
                self._write(places[row["organ"]], row)
        self.table.sortingEnabled = True

    def selected(self) -> list[str]:
        """The organs of the selected rows, from the top."""
        import qt

        return [self.table.item(row, 0).data(qt.Qt.UserRole) for row in self._selected_rows()]

    def copy(self) -> None:
        """The selected rows (all without a selection) to the clipboard, tab-separated, as spreadsheets take them."""
        import qt

        chosen = self._selected_rows()
        lines = ["\t".join(_SHORT[name].replace("\n", " ") for name in self._columns)]
        for row in chosen or range(self.table.rowCount):
            lines.append("\t".join(self.table.item(row, column).text() for column in range(len(self._columns))))
        qt.QApplication.clipboard().setText("\n".join(lines))

    def _selected_rows(self) -> list[int]:
        return sorted({index.row() for index in self.table.selectionModel().selectedRows()})

    def _places(self) -> dict[str, int]:
        """Where the organs stand now, as the user has sorted them."""
        import qt

        return {self.table.item(index, 0).data(qt.Qt.UserRole): index for index in range(self.table.rowCount)}

    def _write(self, index: int, row: dict[str, object]) -> None:
        import qt

        hint = "The mask changed: this row is being computed again." if row["state"] else row["note"] or row["title"]
        ink = qt.QBrush(qt.QColor(_STALE_INK)) if row["state"] else None
        for column, name in enumerate(self._columns):
            item, value = self.table.item(index, column), row[name]
            if name == "organ":
                item.setText(row["title"])
                item.setData(qt.Qt.UserRole, row["organ"])
            elif name in _TEXTS:
                item.setText(value or "")
            elif value is None:
                item.setText("")
            else:
                shown = f"{value:.{_DIGITS.get(name, 4)}g}"
                item.setData(qt.Qt.DisplayRole, float(shown))  # a number: sorting is by size
            item.setToolTip(value if name == "mask" and value else hint)
            item.setData(qt.Qt.ForegroundRole, ink)

    def _fit_height(self, rows: int) -> None:
        shown = min(rows, _MOST_ROWS)
        height = self.table.horizontalHeader().height + 2 * self.table.frameWidth
        height += sum(self.table.rowHeight(index) for index in range(shown))
        self.table.setFixedHeight(height + (16 if rows else 0))  # room for the horizontal scroll bar


def _new_item(column: str):
    import qt

    item = qt.QTableWidgetItem()
    if column not in _TEXTS:
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return item


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


def _rows_of(table_node, columns: tuple[str, ...]) -> list[dict[str, object]]:
    from organdose.anatomy.organs import describe

    table = table_node.GetTable()
    rows = []
    for index in range(table.GetNumberOfRows()):
        values = {}
        for name in (*columns, "note", "state"):
            column = table.GetColumnByName(name)
            values[name] = None if column is None else _known(column.GetValue(index))
        rows.append({**values, "title": describe(values["organ"]).title})
    return rows


def _known(value: object) -> object:
    """A cell; None for a number nobody states (NaN differs from itself, and its row would always seem changed)."""
    return None if isinstance(value, float) and math.isnan(value) else value
