"""Editors of `EngineForm` for what the parameters of segmentation engines have in common: devices and paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_DEVICES = {"auto": "automatic", "cpu": "processor (cpu)", "cuda": "graphics card (cuda)"}


def segmentation_editors(own_table: Callable | None = None) -> Mapping[str, Callable]:
    """The editors by the names of the parameters; `own_table` makes that of a table of engines."""
    from organdose.panels.parameter_editors import hints

    editors = {"device": DeviceEditor,
               "model": lambda field: PathEditor(field, folder=True, file=hints(field).get("may_be_file", False)),
               "labels": lambda field: PathEditor(field, file=True),
               "python": lambda field: PathEditor(field, file=True)}
    return editors | ({"table": own_table} if own_table is not None else {})


class DeviceEditor:
    """Where an engine computes."""

    def __init__(self, field):
        import qt

        from organdose.panels.parameter_editors import narrow

        self.widget = qt.QComboBox()
        narrow(self.widget)
        for name, text in _DEVICES.items():
            self.widget.addItem(text, name)

    def value(self) -> str:
        return self.widget.currentData

    def show(self, value: str) -> None:
        if self.widget.findData(value) < 0:  # the second graphics card, say
            self.widget.addItem(value, value)
        self.widget.currentIndex = self.widget.findData(value)

    def on_changed(self, callback) -> None:
        self.widget.currentIndexChanged.connect(lambda *_: callback())


class PathEditor:
    """The path of a file or a folder, typed or chosen; empty is None."""

    def __init__(self, field, *, folder: bool = False, file: bool = False):
        import qt

        self._callback, self._title = None, field.title or ""
        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        self.text = qt.QLineEdit()
        self.text.placeholderText = (field.json_schema_extra or {}).get("without", "none")
        row.addWidget(self.text, 1)
        self.buttons = []
        for wanted, words, ask in ((folder, "Folder...", self._ask_folder), (file, "File...", self._ask_file)):
            if wanted:
                button = qt.QToolButton()
                button.text = words
                button.clicked.connect(lambda *_, ask=ask: self._take(ask()))
                row.addWidget(button)
                self.buttons.append(button)
        self.text.editingFinished.connect(lambda *_: self._tell())

    def value(self) -> str | None:
        return self.text.text.strip() or None

    def show(self, value) -> None:
        self.text.text = "" if value is None else str(value)

    def on_changed(self, callback) -> None:
        self._callback = callback

    def _take(self, path: str) -> None:
        if path:
            self.show(path)
            self._tell()

    def _tell(self) -> None:
        if self._callback is not None:
            self._callback()

    def _ask_folder(self) -> str:
        import qt
        import slicer

        return qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), self._title, self.value() or "")

    def _ask_file(self) -> str:
        import qt
        import slicer

        return qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), self._title, self.value() or "", "")
