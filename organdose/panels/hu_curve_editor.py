"""Choosing an HU curve: Schneider's, or the clinic's own in a JSON file."""

from __future__ import annotations

from pathlib import Path

_DEFAULT, _OTHER = "Schneider 2000", "From a file..."


class HUCurveEditor:
    """An editor of `EngineForm` for the parameter `hu_curve`: None or the path of a curve file."""

    def __init__(self, field):
        import qt

        from organdose.panels.parameter_editors import narrow

        self._callback, self._value = None, field.default
        self.widget = qt.QComboBox()
        narrow(self.widget)
        self.widget.addItem(_DEFAULT, "")
        self.widget.addItem(_OTHER, _OTHER)
        self.widget.activated.connect(self._activated)

    def value(self) -> str | None:
        return self._value

    def show(self, value: str | None) -> None:
        if value is not None and self.widget.findData(value) < 0:
            self.widget.insertItem(self.widget.count - 1, Path(value).name, value)
        self.widget.currentIndex = self.widget.findData(value or "")
        self._value = value

    def on_changed(self, callback) -> None:
        self._callback = callback

    def _activated(self, index: int) -> None:
        before, chosen = self._value, self.widget.itemData(index)
        self.show((self._ask() or before) if chosen == _OTHER else chosen or None)
        if self._value != before and self._callback is not None:
            self._callback()

    def _ask(self) -> str:
        """A file the user chooses, checked; '' when it is none."""
        import qt
        import slicer

        from organdose.anatomy.hu_curve import read_hu_curve
        from organdose.errors import InputError

        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), "HU curve", "", "HU curve (*.json)")
        try:
            return str(path) if path and read_hu_curve(Path(path)) else ""
        except InputError as error:
            slicer.util.errorDisplay(str(error))
            return ""
