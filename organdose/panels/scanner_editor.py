"""Choosing a scanner: those OrganDose knows, or a definition in a JSON file."""

from __future__ import annotations

_OTHER = "From a file..."


class ScannerEditor:
    """An editor of `EngineForm` for the parameter `scanner`."""

    def __init__(self, field):
        import qt

        from organdose.ct.scanner import AUTO, load_scanner, scanner_names
        from organdose.panels.parameter_editors import narrow

        self._callback, self._value = None, field.default
        self.widget = qt.QComboBox()
        narrow(self.widget)
        self.widget.addItem("After the header", AUTO)
        for name in scanner_names():
            self.widget.addItem(load_scanner(name).title, name)
        self.widget.addItem(_OTHER, "")
        self.widget.activated.connect(self._activated)

    def value(self) -> str:
        return self._value

    def show(self, value: str) -> None:
        if self.widget.findData(value) < 0:
            self.widget.insertItem(self.widget.count - 1, value, value)
        self.widget.currentIndex = self.widget.findData(value)
        self._value = value

    def on_changed(self, callback) -> None:
        self._callback = callback

    def _activated(self, index: int) -> None:
        chosen = self.widget.itemData(index) or self._ask()
        self.show(chosen or self._value)
        if chosen and self._callback is not None:
            self._callback()

    def _ask(self) -> str:
        """A file the user chooses, checked; '' when it is none."""
        import qt
        import slicer

        from organdose.ct.scanner import load_scanner
        from organdose.errors import InputError

        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), "Scanner definition", "",
                                              "Scanner definition (*.json)")
        try:
            return load_scanner(path).name and path if path else ""
        except InputError as error:
            slicer.util.errorDisplay(str(error))
            return ""
