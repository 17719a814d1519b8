"""Which engine computes, which others stand beside it, and the parameters of each: built from the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class EngineChoice:
    """An `EngineForm` for the chosen engine, and a check box with a form of its own for each of the others.

    `engines` as of `EngineForm`. `on_changed` is called after each change by the user.
    """

    def __init__(self, engines: Mapping[str, object], on_changed: Callable[[], None]):
        import qt

        from organdose.panels.engine_form import EngineForm

        self._on_changed, self._loading = on_changed, False
        self._engine, self._parameters = "", {}
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.form = EngineForm(engines, self._main_changed)
        column.addWidget(self.form.widget)
        self.beside_label = qt.QLabel("Compare with:")
        column.addWidget(self.beside_label)
        self.ticks, self.forms = {}, {}
        for name, engine in engines.items():
            self._add_tick(column, name, engine, EngineForm)
        self._engine = self.form.engine
        self._show_ticks()

    def _add_tick(self, column, name: str, engine, make_form) -> None:
        import qt

        tick = qt.QCheckBox(engine.title)
        tick.objectName = f"compare_{name}"
        tick.toolTip = f"Compute the dose with this engine too. It needs {getattr(engine, 'needs', 'the same input')}."
        form = make_form({name: engine}, self._changed, label="")
        form.widget.objectName = f"parameters_{name}"
        place = qt.QWidget()
        inset = qt.QVBoxLayout(place)
        inset.setContentsMargins(20, 0, 0, 4)
        inset.addWidget(form.widget)
        for widget in (tick, place):
            column.addWidget(widget)
        tick.toggled.connect(lambda *_: self._changed())
        self.ticks[name], self.forms[name] = tick, (form, place)

    @property
    def engine(self) -> str:
        return self.form.engine

    @property
    def chosen(self):
        """The chosen engine itself; None where there is none."""
        return self.form.chosen

    def beside(self) -> list[str]:
        """The engines that are ticked beside the chosen one."""
        return [name for name, tick in self.ticks.items() if tick.checked and name != self.engine]

    def parameters(self) -> dict[str, dict[str, object]]:
        """What differs from the defaults, by engine: of those not used now as well, to come back to."""
        known = {name: form.values() for name, (form, _place) in self.forms.items()}
        if self.engine:
            known[self.engine] = self.form.values()
        return {name: values for name, values in known.items() if values}

    def complaint(self) -> str:
        """Why the values do not fit an engine, in one line; '' when they do."""
        if complaint := self.form.complaint():
            return complaint
        found = ((self.forms[name][0].complaint(), self.ticks[name].text) for name in self.beside())
        return next((f"{title}: {said}" for said, title in found if said), "")

    def show(self, engine: str, beside: list[str], parameters: Mapping[str, Mapping[str, object]]) -> None:
        """Choose an engine ('': the one shown), tick others, and set the parameters of all."""
        self._loading = True
        try:
            self._engine = engine or self.form.engine
            self.form.show(self._engine, parameters.get(self._engine, {}))
            for name, tick in self.ticks.items():
                tick.checked = name in beside
                if name != self._engine:
                    self.forms[name][0].show(name, parameters.get(name, {}))
        finally:
            self._loading = False
        self._show_ticks()

    def _main_changed(self) -> None:
        if self._loading:
            return
        if self.engine != self._engine:  # with the parameters that the new one had beside the old one
            self._loading = True
            try:
                self.form.show(self.engine, self.forms[self.engine][0].values())
            finally:
                self._loading = False
            self._engine = self.engine
        elif self.engine:
            self.forms[self.engine][0].show(self.engine, self.form.values())
        self._changed()

    def _changed(self) -> None:
        if not self._loading:
            self._show_ticks()
            self._on_changed()

    def _show_ticks(self) -> None:
        """No tick for the chosen engine, no parameters for those that are not ticked."""
        for name, tick in self.ticks.items():
            tick.visible = name != self.engine
            _form, place = self.forms[name]
            place.visible = name != self.engine and tick.checked
        self.beside_label.visible = len(self.ticks) > 1
