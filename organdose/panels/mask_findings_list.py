"""What the quality control found in the masks that are shown: a list whose rows lead to the place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

_HEADINGS = ("Organ", "Severity", "What was found")
_ORGAN_WIDTH, _SEVERITY_WIDTH = 92, 62  # pixels
_LEAST_HEIGHT, _MOST_HEIGHT = 60, 300  # of the list; more scrolls
# (background, text) that can be read in Slicer's light and dark style.
_COLOURS = {"bad": ("#ffd9d6", "#7a0010"), "check": ("#fff0c2", "#5c4200"), "note": ("#e3ecf7", "#1d3557")}
_STALE_INK = "#9a9a9a"


class MaskFindingsList:
    """Shows findings in a table of its own (`widget`); `on_chosen(finding)` when a row is clicked or reached by keys.
    """

    def __init__(self, on_chosen: Callable[[object], None]):
        import qt

        self._on_chosen, self._findings, self._content = on_chosen, (), None
        self.widget = table = qt.QTableWidget()
        table.objectName = "findingsTable"
        table.setColumnCount(len(_HEADINGS))
        table.setHorizontalHeaderLabels(list(_HEADINGS))
        table.verticalHeader().setVisible(False)
        table.setColumnWidth(0, _ORGAN_WIDTH)
        table.setColumnWidth(1, _SEVERITY_WIDTH)
        table.horizontalHeader().setStretchLastSection(True)
        table.wordWrap = True
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        table.setVerticalScrollMode(qt.QAbstractItemView.ScrollPerPixel)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.cellClicked.connect(lambda row, *_: self._choose(row))
        table.currentCellChanged.connect(lambda row, *_: self._choose(row))

    def show(self, findings: Sequence, stale: Collection[str]) -> None:
        """Show these findings, the bad ones first; those of the organs `stale` are marked as no longer certain."""
        content = (tuple(findings), frozenset(stale))
        if content == self._content:
            return
        self._content = content
        order = list(_COLOURS)
        self._findings = sorted(findings, key=lambda found: order.index(found.severity.value))
        was_blocked = self.widget.blockSignals(True)
        self.widget.clearSelection()
        self.widget.setCurrentCell(-1, -1)
        self.widget.setRowCount(len(self._findings))
        for row, found in enumerate(self._findings):
            self._write(row, found, found.organ in stale)
        self.widget.blockSignals(was_blocked)
        self.widget.visible = bool(self._findings)
        self.fit_height()

    def fit_height(self) -> None:
        """As high as its rows, which depends on the width they have."""
        self.widget.resizeRowsToContents()
        height = self.widget.horizontalHeader().height + 2 * self.widget.frameWidth
        height += sum(self.widget.rowHeight(row) for row in range(len(self._findings)))
        self.widget.setFixedHeight(min(max(height, _LEAST_HEIGHT), _MOST_HEIGHT))

    def _write(self, row: int, found, is_stale: bool) -> None:
        import qt

        from organdose.anatomy.organs import describe

        word, reason = found.severity.value, f"{found.kind.value}: {found.reason}"
        texts = (describe(found.organ).title, word, reason if not is_stale else f"Edited since. Was: {reason}")
        background, ink = _COLOURS[word]
        for column, text in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setToolTip("The mask was edited since it was checked: check again." if is_stale
                            else "Click to go to the place.")
            if is_stale:
                item.setData(qt.Qt.ForegroundRole, qt.QBrush(qt.QColor(_STALE_INK)))
            elif column == 1:
                item.setData(qt.Qt.BackgroundRole, qt.QBrush(qt.QColor(background)))
                item.setData(qt.Qt.ForegroundRole, qt.QBrush(qt.QColor(ink)))
            self.widget.setItem(row, column, item)

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._findings):
            self._on_chosen(self._findings[row])


def headline(check, edited: Collection[str], *, has_masks: bool) -> tuple[str, str]:
    """(line, kind of banner) above the list: how many of which severity, when, and whether it still holds."""
    if not has_masks:
        return "", ""
    if check is None:
        return "These masks were not checked yet. Press Check again.", "stale"
    numbers = {word: sum(found.severity.value == word for found in check.findings) for word in _COLOURS}
    words = [f"{numbers['bad']} bad" if numbers["bad"] else "", f"{numbers['check']} to check" if numbers["check"]
             else "", f"{numbers['note']} to note" if numbers["note"] else ""]
    found = ", ".join(filter(None, words)) or "nothing found, which does not mean that the masks are right"
    day = check.checked_at
    when = f"{day[:4]}-{day[4:6]}-{day[6:8]} {day[9:11]}:{day[11:13]} UTC" if len(day) >= 13 else "some time ago"
    line = f"Checked {when}: {found}."
    if edited:
        many = "1 organ was" if len(edited) == 1 else f"{len(edited)} organs were"
        return f"{line} {many} edited since: check again.", "stale"
    return line, "bad" if numbers["bad"] else ""
