"""The organs an engine can draw, each with a check mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MOST_ROWS = 8  # shown at once; more scroll


class OrganList:
    """Shows organ names of the vocabulary in a QListWidget of the module's .ui; `on_changed` after each tick."""

    def __init__(self, widget, on_changed: Callable[[], None]):
        self.widget, self._on_changed, self._names = widget, on_changed, []
        widget.itemChanged.connect(lambda *_: self._on_changed())

    def show(self, names: Sequence[str], ticked: Sequence[str] | None) -> None:
        """Offer `names`, with those in `ticked` ticked (None: all)."""
        import qt

        from organdose.anatomy.organs import describe

        was_blocked = self.widget.blockSignals(True)
        self.widget.clear()
        self._names = list(names)
        for name in names:
            organ = describe(name)
            item = qt.QListWidgetItem(organ.title)
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if ticked is None or name in ticked else qt.Qt.Unchecked)
            picture = qt.QPixmap(12, 12)
            picture.fill(qt.QColor(*organ.colour_rgb))
            item.setIcon(qt.QIcon(picture))
            self.widget.addItem(item)
        self.widget.blockSignals(was_blocked)
        rows = min(max(len(names), 1), _MOST_ROWS)
        height = self.widget.sizeHintForRow(0) if names else 20
        self.widget.setFixedHeight(rows * height + 2 * self.widget.frameWidth + 4)

    def ticked(self) -> list[str]:
        import qt

        return [name for index, name in enumerate(self._names)
                if self.widget.item(index).checkState() == qt.Qt.Checked]

    def tick_all(self, on: bool) -> None:
        import qt

        was_blocked = self.widget.blockSignals(True)
        for index in range(len(self._names)):
            self.widget.item(index).setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)
        self.widget.blockSignals(was_blocked)
        self._on_changed()
