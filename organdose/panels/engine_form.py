"""A form for an engine and its parameters, built from what the engine declares about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from organdose.panels.parameter_editors import Check, Editor, editor_for, hints, narrow


class EngineForm:
    """Engine chooser and one row for each parameter (`pydantic` fields) of the engine chosen.

    `engines` maps names to engines (anything with `title` and `parameters`). Only values that differ from the
    engine's defaults are kept, so that a scene follows when a default improves. `editors` maps parameter names to
    functions that make an editor (see `parameter_editors.Editor`) for what a plain field cannot offer. `label` stands
    before the chooser; without one there is none, for a single engine.

    A field may say of its place in the form, in `json_schema_extra`: `group`, the title of the folded section that it
    goes into instead of standing at the top; `counts_when`, the values of other fields, by their names, without which
    it has no effect and cannot be edited; `words`, texts for the values of a choice; `in_form`, False for what is only
    for the command line; `wide`, True where the editor takes the whole width and has no label; `without`, what an
    empty path stands for.
    """

    def __init__(self, engines: Mapping[str, object], on_changed: Callable[[], None], *,
                 editors: Mapping[str, Callable] | None = None, label: str = "Engine:"):
        import qt

        self._engines, self._on_changed, self._special = dict(engines), on_changed, dict(editors or {})
        self._editors: dict[str, Editor] = {}
        self._initial: dict[str, object] = {}  # what each editor says while it shows the default
        self._labels: dict[str, object] = {}  # what stands before the editors
        self._sections: dict[str, object] = {}
        self._loading = False
        self._unknown = ""  # what a scene asks for and is not here
        self.widget = qt.QWidget()
        self._layout = qt.QFormLayout(self.widget)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.chooser = qt.QComboBox()
        self.chooser.objectName = "engineChooser"
        narrow(self.chooser)
        for name, engine in self._engines.items():
            self.chooser.addItem(engine.title, name)
        if label:
            self._layout.addRow(label, self.chooser)
        else:
            self.chooser.setParent(self.widget)
            self.chooser.visible = False
        self._fixed_rows = self._layout.rowCount()
        self.chooser.currentIndexChanged.connect(self._engine_changed)
        # The one that is shown may be chosen in place of one that is not here.
        self.chooser.activated.connect(lambda *_: self._unknown and self._changed())
        self._build()

    @property
    def engine(self) -> str:
        return self.chooser.currentData or ""

    @property
    def chosen(self):
        """The engine itself; None where there is none."""
        return self._engines.get(self.engine)

    def values(self) -> dict[str, object]:
        """The parameters that differ from their defaults, and those without one."""
        fields = self._fields()
        return {name: value for name, editor in self._editors.items()
                if (value := editor.value()) != self._initial[name] or fields[name].is_required()}

    def complaint(self) -> str:
        """Why the values do not fit the engine, in one line; '' when they do."""
        from pydantic import ValidationError

        if not self.engine:
            return "There is no engine for this yet."
        if self._unknown:
            return f"The engine {self._unknown!r} of this scene is not installed: choose another."
        try:
            self._engines[self.engine].parameters(**self.values())
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            return f"{self._title(name) if name else 'Parameters'}: {first['msg']}"
        return ""

    def show(self, engine: str, values: Mapping[str, object]) -> None:
        """Choose an engine and set its parameters; what `values` leaves out, or has no editor for, gets its default."""
        index = self.chooser.findData(engine)
        self._unknown = engine if index < 0 else ""
        if index < 0 or (engine == self.engine and dict(values) == self.values()):
            return
        self._loading = True
        try:
            if index != self.chooser.currentIndex:
                self.chooser.currentIndex = index
            for name, editor in self._editors.items():
                editor.show(self._initial[name])
                if name in values:
                    with suppress(ValueError, TypeError):  # saved by a version that had other words for it
                        editor.show(values[name])
        finally:
            self._loading = False
        self._show_what_counts()

    def editor(self, name: str):
        """The widget of one parameter, for tests and tooltips."""
        return self._editors[name].widget

    def section(self, group: str):
        """The folded section of one group of parameters."""
        return self._sections[group]

    def _fields(self) -> dict:
        fields = self._engines[self.engine].parameters.model_fields if self.engine else {}
        return {name: field for name, field in fields.items() if hints(field).get("in_form", True)}

    def _title(self, name: str) -> str:
        field = self._fields().get(name)
        return (field.title if field is not None else None) or name.replace("_", " ").capitalize()

    def _engine_changed(self) -> None:
        self._build()
        self._changed()

    def _build(self) -> None:
        while self._layout.rowCount() > self._fixed_rows:
            self._layout.removeRow(self._fixed_rows)
        self._editors, self._initial, self._labels, self._sections = {}, {}, {}, {}
        fields = self._fields()
        groups = dict.fromkeys(hints(field).get("group", "") for field in fields.values())
        for group in sorted(groups, key=bool):  # those without a group first, groups in the order they come
            rows = self._new_section(group) if group else self._layout
            for name, field in fields.items():
                if hints(field).get("group", "") == group:
                    self._add_row(rows, name, field)
        for section in self._sections.values():
            section.collapsed = True
        self._show_what_counts()

    def _new_section(self, group: str):
        """The layout of a new section that can be folded away."""
        import ctk
        import qt

        section = ctk.ctkCollapsibleButton()
        section.text = group
        section.objectName = f"group_{group}"
        self._sections[group] = section
        self._layout.addRow(section)
        return qt.QFormLayout(section)

    def _add_row(self, rows, name: str, field) -> None:
        make = self._special.get(name) or editor_for(field.annotation)
        editor = make(field)
        editor.widget.objectName = f"parameter_{name}"
        editor.widget.toolTip = field.description or ""
        if not field.is_required():
            editor.show(field.get_default(call_default_factory=True))
        editor.on_changed(self._changed)
        self._editors[name], self._initial[name] = editor, editor.value()
        if isinstance(editor, Check):
            editor.widget.text = self._title(name)
        if isinstance(editor, Check) or hints(field).get("wide"):
            rows.addRow(editor.widget)
            return
        rows.addRow(f"{self._title(name)}:", editor.widget)
        self._labels[name] = rows.labelForField(editor.widget)
        self._labels[name].toolTip = editor.widget.toolTip

    def _show_what_counts(self) -> None:
        """Enable what has an effect, and tell at each section how much in it differs from the defaults."""
        changed = {group: [] for group in self._sections}
        for name, field in self._fields().items():
            counts = all(self._editors[other].value() == value
                         for other, value in hints(field).get("counts_when", {}).items())
            for widget in (self._editors[name].widget, self._labels.get(name)):
                if widget is not None:
                    widget.enabled = counts
            group = hints(field).get("group")
            if group and counts and self._editors[name].value() != self._initial[name]:
                changed[group].append(self._title(name))
        for group, section in self._sections.items():
            section.text = f"{group} ({len(changed[group])} changed)" if changed[group] else group
            section.toolTip = f"Differs from the defaults: {', '.join(changed[group])}." if changed[group] else ""

    def _changed(self) -> None:
        if not self._loading:
            self._unknown = ""
            self._show_what_counts()
            self._on_changed()
