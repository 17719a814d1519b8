"""Choosing a file of one kind as the value of a parameter, or doing without."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

_OTHER = "From a file..."


class FileEditor:
    """An editor of `EngineForm` for a parameter that is None or the path of a file. Subclasses say which."""

    default: ClassVar[str] = "none"  # what stands for None
    title: ClassVar[str] = "File"
    kinds: ClassVar[str] = ""  # of the file dialog

    def __init__(self, field):
        import qt

        from organdose.panels.parameter_editors import narrow

        self._callback, self._value = None, field.default
        self.widget = qt.QComboBox()
        narrow(self.widget)
        self.widget.addItem(self.default, "")
        self.widget.addItem(_OTHER, _OTHER)
        self.widget.activated.connect(self._activated)

    def check(self, path: Path) -> None:
        """Raises `InputError` for a file that cannot be used."""

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

        from organdose.errors import InputError

        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), self.title, "", self.kinds)
        try:
            if path:
                self.check(Path(path))
        except InputError as error:
            slicer.util.errorDisplay(str(error))
            return ""
        return str(path or "")
