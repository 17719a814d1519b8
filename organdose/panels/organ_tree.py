"""The organs an engine can draw: in groups, with check marks, colours and a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MOST_ROWS = 12  # shown at once; more scroll
_OPEN_UP_TO = 12  # organs in all: with more, the groups are closed until one searches or opens them


class OrganTree:
    """Organ names of the vocabulary by system; `on_changed` after each tick of the user, once.

    A tick of a group ticks what is shown of it; All and None do so with all that is shown. Items are looked up by
    their place each time: the tree owns them, and deletes them.
    """

    def __init__(self, on_changed: Callable[[], None]):
        self._on_changed, self._names = on_changed, []
        self._groups: dict[str, list[str]] = {}  # in the order of the rows
        self._build()

    def show(self, names: Sequence[str], ticked: Sequence[str] | None) -> None:
        """Offer `names`, with those in `ticked` ticked (None: all). The rows stay while the names are the same."""
        was_blocked = self.tree.blockSignals(True)
        if list(names) != self._names:
            self._fill(list(names))
        wanted = set(self._names if ticked is None else ticked)
        self._tick(lambda name: name in wanted)
        self.tree.blockSignals(was_blocked)

    def ticked(self) -> list[str]:
        """In the order they were offered."""
        import qt

        marks = {name: item.checkState(0) == qt.Qt.Checked for name, item in self._items()}
        return [name for name in self._names if marks[name]]

    def tick_all(self, on: bool) -> None:
        """All organs that the search shows."""
        was_blocked = self.tree.blockSignals(True)
        found = set(self._found())
        self._tick(lambda name: on, found)
        self.tree.blockSignals(was_blocked)
        self._on_changed()

    def _build(self) -> None:
        import qt

        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        row = qt.QHBoxLayout()
        self.search = qt.QLineEdit()
        self.search.objectName = "organSearch"
        self.search.placeholderText = "Search organs"
        self.search.clearButtonEnabled = True
        self.search.toolTip = "Beginnings of names, synonyms (also German, French, Spanish, Italian) or groups."
        self.all_button, self.none_button = qt.QPushButton("All"), qt.QPushButton("None")
        self.all_button.objectName, self.none_button.objectName = "allOrgansButton", "noOrgansButton"
        self.all_button.toolTip, self.none_button.toolTip = "Tick all that is shown.", "Untick all that is shown."
        row.addWidget(self.search, 1)
        row.addWidget(self.all_button)
        row.addWidget(self.none_button)
        column.addLayout(row)
        self.tree = qt.QTreeWidget()
        self.tree.objectName = "organsTree"
        self.tree.toolTip = "The organs that are wanted of those the engine can draw."
        self.tree.headerHidden = True
        self.tree.uniformRowHeights = True
        column.addWidget(self.tree)
        self.tree.itemChanged.connect(self._item_changed)
        self.search.textChanged.connect(lambda *_: self._filter())
        self.all_button.clicked.connect(lambda *_: self.tick_all(True))
        self.none_button.clicked.connect(lambda *_: self.tick_all(False))

    def _fill(self, names: list[str]) -> None:
        from organdose.anatomy.organs import describe, organs

        self.tree.clear()
        self._names, known = names, {name: describe(name) for name in names}
        systems = dict.fromkeys(organ.system for organ in (*organs().values(), *known.values()))
        members = {system: [name for name in names if known[name].system == system] for system in systems}
        self._groups = {system: found for system, found in members.items() if found}
        for system, group in self._groups.items():
            parent = _new_item(system)
            for name in group:
                parent.addChild(_new_item(known[name].title, name, known[name].colour_rgb))
            self.tree.addTopLevelItem(parent)
        self._filter()
        rows = min(max(len(names) + len(self._groups), 3), _MOST_ROWS)
        height = self.tree.sizeHintForRow(0) if names else 20
        self.tree.setFixedHeight(rows * height + 2 * self.tree.frameWidth + 4)

    def _items(self):
        """(name, item) of all organs."""
        for row, group in enumerate(self._groups.values()):
            parent = self.tree.topLevelItem(row)
            for index, name in enumerate(group):
                yield name, parent.child(index)

    def _found(self) -> list[str]:
        """What the search shows."""
        from organdose.segmentation.organ_names import matching

        return matching(self.search.text, self._names)

    def _filter(self) -> None:
        was_blocked = self.tree.blockSignals(True)
        found = set(self._found())
        for name, item in self._items():
            item.setHidden(name not in found)
        searching = bool(self.search.text.strip())
        for row, group in enumerate(self._groups.values()):
            self.tree.topLevelItem(row).setHidden(not found.intersection(group))
            self.tree.topLevelItem(row).setExpanded(searching or len(self._names) <= _OPEN_UP_TO)
        self._show_groups(found)
        self.tree.blockSignals(was_blocked)

    def _tick(self, wanted: Callable[[str], bool], among: set[str] | None = None) -> None:
        import qt

        for name, item in self._items():
            if among is None or name in among:
                item.setCheckState(0, qt.Qt.Checked if wanted(name) else qt.Qt.Unchecked)
        self._show_groups(set(self._found()))

    def _show_groups(self, found: set[str]) -> None:
        """The mark of each group says what is ticked of that which the search shows, its text counts all."""
        import qt

        ticked = set(self.ticked())
        for row, (system, group) in enumerate(self._groups.items()):
            item, shown = self.tree.topLevelItem(row), found.intersection(group)
            count = len(ticked.intersection(shown))
            item.setCheckState(0, qt.Qt.Unchecked if not count else
                               qt.Qt.Checked if count == len(shown) else qt.Qt.PartiallyChecked)
            item.setText(0, f"{system} ({len(ticked.intersection(group))} of {len(group)})")

    def _item_changed(self, item, _column=0) -> None:
        """A click on a mark: that of a group goes for what is shown of it."""
        import qt

        was_blocked = self.tree.blockSignals(True)
        found, on = set(self._found()), item.checkState(0) == qt.Qt.Checked
        name = item.data(0, qt.Qt.UserRole)
        if name:
            self._show_groups(found)
        else:
            row = self.tree.indexOfTopLevelItem(item)
            group = list(self._groups.values())[row]
            self._tick(lambda _name: on, found.intersection(group))
        self.tree.blockSignals(was_blocked)
        self._on_changed()


def _new_item(text: str, name: str = "", colour_rgb: tuple[int, int, int] | None = None):
    import qt

    item = qt.QTreeWidgetItem()
    item.setText(0, text)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(0, qt.Qt.Unchecked)
    item.setData(0, qt.Qt.UserRole, name)
    if colour_rgb is not None:
        picture = qt.QPixmap(12, 12)
        picture.fill(qt.QColor(*colour_rgb))
        item.setIcon(0, qt.QIcon(picture))
    return item
