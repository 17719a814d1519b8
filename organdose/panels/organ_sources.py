"""A table of organs and the engine each is taken from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_ROWS_SHOWN = 8
_FIRST = "the first that draws it"


class OrganSources:
    """The organs that several engines draw, and a choice for those that are selected: one for many, at once.

    `chosen` maps organs to the engines to take them from, best first; what is not in it comes from the first engine
    that draws it. `on_changed` is called after each choice of the user.
    """

    def __init__(self, on_changed: Callable[[], None]):
        self._on_changed = on_changed
        self.chosen: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, list[str]] = {}
        self._build()

    def show(self, sources: Mapping[str, Sequence[str]]) -> None:
        """`sources`: organ -> the engines that draw it, in their order."""
        self._rows = {organ: list(names) for organ, names in sources.items() if len(names) > 1}
        self._fill()
        single = len(sources) - len(self._rows)
        self.summary.text = "" if not sources else (
            f"{len(self._rows)} organs are drawn by several of them, {single} by one." if self._rows else
            f"{single} organs, each drawn by one of them.")
        for widget in (self.table, self.search, self.source, self.source_label):
            widget.visible = bool(self._rows)
        height = self.table.verticalHeader().defaultSectionSize
        self.table.setFixedHeight((min(len(self._rows), _ROWS_SHOWN) + 1) * height + 2 * self.table.frameWidth + 4)
        self._filter()
        self._show_choice()

    def _build(self) -> None:
        import qt

        from organdose.panels.parameter_editors import narrow

        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.summary = qt.QLabel()
        self.summary.wordWrap = True
        self.search = qt.QLineEdit()
        self.search.placeholderText = "Search organs"
        self.search.clearButtonEnabled = True
        self.table = qt.QTableWidget(0, 2)
        self.table.objectName = "tableOrgans"
        self.table.setHorizontalHeaderLabels(["Organ", "Taken from"])
        self.table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        self.table.verticalHeader().visible = False
        self.table.wordWrap = False
        self.table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self.table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        self.table.toolTip = "Select one or several organs, then choose below what to take them from."
        for widget in (self.summary, self.search, self.table):
            column.addWidget(widget)
        self.source, self.source_label = qt.QComboBox(), qt.QLabel("Take the selected from:")
        self.source.objectName = "tableSource"
        narrow(self.source)
        row = qt.QHBoxLayout()
        row.addWidget(self.source_label)
        row.addWidget(self.source, 1)
        column.addLayout(row)
        self.search.textChanged.connect(lambda *_: self._filter())
        self.table.itemSelectionChanged.connect(lambda *_: self._show_choice())
        self.source.activated.connect(lambda *_: self._take_choice())

    def _fill(self) -> None:
        import qt

        from organdose.anatomy.organs import describe

        self.table.setRowCount(len(self._rows))
        for row, organ in enumerate(self._rows):
            for column, text in enumerate((describe(organ).title, self._source(organ))):
                self.table.setItem(row, column, qt.QTableWidgetItem(text))

    def _source(self, organ: str) -> str:
        """What the table says an organ comes from."""
        names = self._rows[organ]
        kept = [name for name in self.chosen.get(organ, ()) if name in names]
        return ", then ".join(kept) or f"{names[0]} (first)"

    def _filter(self) -> None:
        from organdose.segmentation.organ_names import matching

        found = set(matching(self.search.text, list(self._rows)))
        for row, organ in enumerate(self._rows):
            self.table.setRowHidden(row, organ not in found)

    def _selected(self) -> dict[int, str]:
        """Row -> organ of those selected that the search shows."""
        organs = list(self._rows)
        rows = sorted({item.row() for item in self.table.selectedItems()})
        return {row: organs[row] for row in rows if not self.table.isRowHidden(row)}

    def _show_choice(self) -> None:
        """Offer the engines that draw all organs that are selected."""
        selected = list(self._selected().values())
        names = [name for name in self._rows[selected[0]] if all(name in self._rows[each] for each in selected)] if (
            selected) else []
        self.source.clear()
        self.source.addItem(_FIRST, "")
        for name in names:
            self.source.addItem(name, name)
        chosen = {self.chosen.get(organ, ("",))[0] for organ in selected}
        self.source.currentIndex = max(0, self.source.findData(chosen.pop())) if len(chosen) == 1 else -1
        self.source.enabled = bool(selected)
        self.source.toolTip = "" if selected else "Select organs in the table first."

    def _take_choice(self) -> None:
        name, selected = self.source.currentData, self._selected()
        for row, organ in selected.items():
            if name:
                self.chosen[organ] = (name,)
            else:
                self.chosen.pop(organ, None)
            self.table.item(row, 1).setText(self._source(organ))
        self._on_changed()
