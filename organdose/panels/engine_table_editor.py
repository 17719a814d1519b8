"""Which engines draw together, in which order and with which parameters: a table for people, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from organdose.errors import InputError

_FILES = "Table of engines (*.json)"


class EngineTableEditor:
    """An editor of `EngineForm` for an `EngineTable` (see `segmentation.combined`): None or a dict as JSON has it.

    Above the engines in their order, ticked where they are used, with the parameters of the one that is selected;
    below the organs that two or more of them draw.
    """

    def __init__(self, field):
        from organdose.panels.organ_sources import OrganSources
        from organdose.segmentation.engines import engine, engine_names

        self._engines = {name: engine(name) for name in engine_names() if name != "combined"}
        self._order, self._used = list(self._engines), set()
        self._forms: dict[str, object] = {}
        self._callback = lambda: None
        self.organs = OrganSources(lambda: self._callback())
        self._build()
        self.show(None)

    def value(self) -> dict | None:
        if not self._used:
            return None
        used = [name for name in self._order if name in self._used]
        # Choices for engines that are not used now are kept for when they come back.
        rows = {organ: [name for name in chosen if name in used] for organ, chosen in self.organs.chosen.items()}
        return {"engines": {name: self.form(name).values() for name in used},
                "organs": {organ: chosen for organ, chosen in rows.items() if chosen},
                "fallback": self.fallback.checked}

    def show(self, value) -> None:
        """A table, as a dict or as an `EngineTable`; None: no engine ticked. Raises `ValueError` for what is none."""
        from organdose.segmentation.combined import EngineTable

        table = EngineTable(**value) if isinstance(value, Mapping) else value
        if table is not None and _plain(table) == self.value():
            return
        engines = {} if table is None else table.engines
        self._order = [*engines, *(name for name in self._engines if name not in engines)]
        self._used = set(engines)
        self.organs.chosen = {} if table is None else dict(table.organs)
        was_blocked = self.fallback.blockSignals(True)
        self.fallback.checked = table is None or table.fallback
        self.fallback.blockSignals(was_blocked)
        for name, parameters in engines.items():
            self.form(name).show(name, parameters)
        self._show_engines(0)

    def on_changed(self, callback) -> None:
        self._callback = callback

    def form(self, name: str):
        """The `EngineForm` of an engine's own parameters, made when it is needed."""
        from organdose.panels.engine_form import EngineForm
        from organdose.panels.segmentation_editors import segmentation_editors

        if name not in self._forms:
            form = EngineForm({name: self._engines[name]}, self._parameters_edited, label="",
                              editors=segmentation_editors())
            self.place.layout().addWidget(form.widget)
            form.widget.visible = False
            self._forms[name] = form
        return self._forms[name]

    def load(self, path: Path) -> None:
        """Show the table of a file. Raises `InputError` for what is none."""
        from organdose.segmentation.combined import read_engine_table

        self.show(read_engine_table(path))
        self._callback()

    def save(self, path: Path) -> None:
        """Write the table as JSON, whole or not at all. Raises `InputError` where it is empty or cannot be written."""
        from organdose.export.whole_file import whole_file

        if self.value() is None:
            raise InputError("no engine is ticked", mend="Tick the engines to take organs from.")
        with whole_file(path) as temporary:
            Path(temporary).write_text(json.dumps(self.value(), indent=1) + "\n", encoding="utf-8")

    def _build(self) -> None:
        import qt

        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        label = qt.QLabel("Tick the engines to use, the best first: where organs overlap, it keeps the voxels.")
        label.wordWrap = True
        column.addWidget(label)
        self.list = qt.QListWidget()
        self.list.objectName = "tableEngines"
        column.addWidget(self.list)
        self.up, self.down = qt.QPushButton("Up"), qt.QPushButton("Down")
        self.load_button, self.save_button = qt.QPushButton("Load..."), qt.QPushButton("Save...")
        row = qt.QHBoxLayout()
        for button in (self.up, self.down, self.load_button, self.save_button):
            row.addWidget(button)
        column.addLayout(row)
        self.place = qt.QWidget()
        qt.QVBoxLayout(self.place).setContentsMargins(12, 0, 0, 0)
        column.addWidget(self.place)
        self.fallback = qt.QCheckBox("Body, lungs, bones and air from HU if none draws them")
        column.addWidget(self.fallback)
        column.addWidget(self.organs.widget)
        self.list.itemChanged.connect(lambda *_: self._ticked())
        self.list.currentRowChanged.connect(lambda *_: self._show_parameters())
        self.up.clicked.connect(lambda *_: self._move(-1))
        self.down.clicked.connect(lambda *_: self._move(1))
        self.load_button.clicked.connect(lambda *_: self._ask_load())
        self.save_button.clicked.connect(lambda *_: self._ask_save())
        self.fallback.toggled.connect(lambda *_: self._callback())

    def _parameters_edited(self) -> None:
        self._show_organs()
        self._callback()

    def _show_engines(self, row: int) -> None:
        import qt

        was_blocked = self.list.blockSignals(True)
        self.list.clear()
        for name in self._order:
            item = qt.QListWidgetItem(self._engines[name].title)
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if name in self._used else qt.Qt.Unchecked)
            self.list.addItem(item)
        self.list.setFixedHeight(len(self._order) * self.list.sizeHintForRow(0) + 2 * self.list.frameWidth + 4)
        self.list.setCurrentRow(row)
        self.list.blockSignals(was_blocked)
        self._show_parameters()
        self._show_organs()

    def _ticked(self) -> None:
        import qt

        self._used = {name for row, name in enumerate(self._order)
                      if self.list.item(row).checkState() == qt.Qt.Checked}
        self._show_parameters()
        self._show_organs()
        self._callback()

    def _move(self, by: int) -> None:
        row = self.list.currentRow
        if row >= 0 and 0 <= row + by < len(self._order):
            self._order.insert(row + by, self._order.pop(row))
            self._show_engines(row + by)
            self._callback()

    def _show_parameters(self) -> None:
        """Those of the engine that is selected, where it is used."""
        row = self.list.currentRow
        shown = self._order[row] if row >= 0 and self._order[row] in self._used else ""
        if shown:
            self.form(shown)
        for name, form in self._forms.items():
            form.widget.visible = name == shown
        self.place.visible = bool(shown)

    def _show_organs(self) -> None:
        from organdose.segmentation.engine_needs import drawn_organs

        sources: dict[str, list[str]] = {}
        for name in self._order:
            if name in self._used and not self.form(name).complaint():
                chosen = self._engines[name]
                for organ in drawn_organs(chosen, chosen.parameters(**self.form(name).values())):
                    sources.setdefault(organ, []).append(name)
        self.organs.show(sources)

    def _ask_load(self) -> None:
        import qt
        import slicer

        self._try(self.load, qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), "Table of engines", "", _FILES))

    def _ask_save(self) -> None:
        import qt
        import slicer

        self._try(self.save, qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), "Table of engines",
                                                            "engines.json", _FILES))

    def _try(self, work, path: str) -> None:
        import slicer

        try:
            if path:
                work(Path(path))
        except (InputError, OSError) as error:
            slicer.util.errorDisplay(str(error))


def _plain(table) -> dict:
    """A table as `value` gives it."""
    found = table.model_dump(mode="json")
    return {**found, "organs": {organ: list(chosen) for organ, chosen in found["organs"].items()}}
