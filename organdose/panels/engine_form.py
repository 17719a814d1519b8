"""A form for an engine and its parameters, built from what the engine declares about itself."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from enum import Enum

_NARROWEST = 70  # pixels of a spin box, whose largest number would ask for more
_INTEGER_LIMIT = 2**53  # beyond it a spin box of doubles would skip numbers
_MOST_DECIMALS = 9


class EngineForm:
    """Engine chooser and one row for each parameter (`pydantic` fields) of the engine chosen.

    `engines` maps names to engines (anything with `title` and `parameters`). Only values that differ from the
    engine's defaults are kept, so that a scene follows when a default improves. `editors` maps parameter names to
    functions that make an editor (see `_Editor`) for what a plain field cannot offer.
    """

    def __init__(self, engines: Mapping[str, object], on_changed: Callable[[], None], *,
                 editors: Mapping[str, Callable] | None = None):
        import qt

        self._engines, self._on_changed, self._special = dict(engines), on_changed, dict(editors or {})
        self._editors: dict[str, _Editor] = {}
        self._initial: dict[str, object] = {}  # what each editor says while it shows the default
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
        self._layout.addRow("Engine:", self.chooser)
        self._place = qt.QWidget()
        self._layout.addRow(self._place)
        self._rows = qt.QFormLayout(self._place)
        self._rows.setContentsMargins(0, 0, 0, 0)
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

    def editor(self, name: str):
        """The widget of one parameter, for tests and tooltips."""
        return self._editors[name].widget

    def _fields(self) -> dict:
        return self._engines[self.engine].parameters.model_fields if self.engine else {}

    def _title(self, name: str) -> str:
        field = self._fields().get(name)
        return (field.title if field is not None else None) or name.replace("_", " ").capitalize()

    def _engine_changed(self) -> None:
        self._build()
        self._changed()

    def _build(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self._editors, self._initial = {}, {}
        for name, field in self._fields().items():
            make = self._special.get(name) or _editor_for(field.annotation)
            editor = make(field)
            editor.widget.objectName = f"parameter_{name}"
            editor.widget.toolTip = field.description or ""
            if not field.is_required():
                editor.show(field.get_default(call_default_factory=True))
            editor.on_changed(self._changed)
            self._editors[name], self._initial[name] = editor, editor.value()
            if isinstance(editor, _Check):
                editor.widget.text = self._title(name)
                self._rows.addRow(editor.widget)
            else:
                self._rows.addRow(f"{self._title(name)}:", editor.widget)

    def _changed(self) -> None:
        if not self._loading:
            self._unknown = ""
            self._on_changed()


def narrow(combo_box) -> None:
    """Let a combo box be narrower than its longest text: module panels are 400 pixels wide."""
    import qt

    combo_box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
    combo_box.minimumContentsLength = 8


class _Editor(typing.Protocol):
    """A widget for one value."""

    widget: object

    def value(self) -> object: ...

    def show(self, value: object) -> None: ...

    def on_changed(self, callback: Callable[[], None]) -> None: ...


def _editor_for(annotation: object) -> Callable:
    inner = _without_none(annotation)
    if _words(inner):
        return _Choice
    if inner is not annotation and inner in (int, float):
        return _OptionalNumber
    return {bool: _Check, int: _Number, float: _Number}.get(annotation, _Text)


def _without_none(annotation: object) -> object:
    """X of 'X | None'; anything else as it is."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        inner = [each for each in typing.get_args(annotation) if each is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return annotation


def _words(annotation: object) -> tuple:
    """The values of a Literal or an Enum; () for anything else."""
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    return ()


class _Number:
    """An integer or a real number within the field's limits."""

    def __init__(self, field):
        import qt

        self._is_integer = field.annotation is int
        self.widget = qt.QDoubleSpinBox()
        self.widget.decimals = 0 if self._is_integer else 3
        self.widget.setRange(*_limits(field))
        self.widget.showGroupSeparator = self._is_integer
        self.widget.stepType = qt.QAbstractSpinBox.AdaptiveDecimalStepType
        self.widget.minimumWidth = _NARROWEST
        self.widget.keyboardTracking = False

    def value(self) -> float | int:
        return round(self.widget.value) if self._is_integer else self.widget.value

    def show(self, value) -> None:
        _set_number(self.widget, value)

    def on_changed(self, callback) -> None:
        self.widget.valueChanged.connect(lambda *_: callback())


class _OptionalNumber:
    """A number that may be left out: a check box before it."""

    def __init__(self, field):
        import qt

        self.widget = qt.QWidget()
        row = qt.QHBoxLayout(self.widget)
        row.setContentsMargins(0, 0, 0, 0)
        self.check, self.number = qt.QCheckBox(), qt.QDoubleSpinBox()
        self._is_integer = _without_none(field.annotation) is int
        self.number.decimals = 0 if self._is_integer else 2
        self.number.setRange(*_limits(field))
        self.number.singleStep = 1 if self._is_integer else 0.5
        self.number.value = 1.0
        self.number.minimumWidth = _NARROWEST
        self.number.keyboardTracking = False
        row.addWidget(self.check)
        row.addWidget(self.number, 1)
        self.check.toggled.connect(self.number.setEnabled)

    def value(self) -> float | int | None:
        if not self.check.checked:
            return None
        return round(self.number.value) if self._is_integer else self.number.value

    def show(self, value) -> None:
        self.check.checked = value is not None
        self.number.enabled = value is not None
        if value is not None:
            _set_number(self.number, value)

    def on_changed(self, callback) -> None:
        self.check.toggled.connect(lambda *_: callback())
        self.number.valueChanged.connect(lambda *_: callback())


class _Choice:
    """One of the words of a Literal or an Enum, or none where the field allows it."""

    def __init__(self, field):
        import qt

        inner = _without_none(field.annotation)
        self._words = _words(inner) if inner is field.annotation else (None, *_words(inner))
        self.widget = qt.QComboBox()
        narrow(self.widget)
        for word in self._words:
            self.widget.addItem("none" if word is None else str(word))

    def value(self) -> object:
        return self._words[self.widget.currentIndex]

    def show(self, value) -> None:
        self.widget.currentIndex = self._words.index(value.value if isinstance(value, Enum) else value)

    def on_changed(self, callback) -> None:
        self.widget.currentIndexChanged.connect(lambda *_: callback())


class _Check:
    """Yes or no."""

    def __init__(self, field):
        import qt

        self.widget = qt.QCheckBox()

    def value(self) -> bool:
        return self.widget.checked

    def show(self, value) -> None:
        self.widget.checked = bool(value)

    def on_changed(self, callback) -> None:
        self.widget.toggled.connect(lambda *_: callback())


class _Text:
    """Anything else, as text; empty is None where the field allows it."""

    def __init__(self, field):
        import qt

        self._empty = None if type(None) in typing.get_args(field.annotation) else ""
        self.widget = qt.QLineEdit()

    def value(self) -> str | None:
        return self.widget.text.strip() or self._empty

    def show(self, value) -> None:
        self.widget.text = "" if value is None else str(value)

    def on_changed(self, callback) -> None:
        self.widget.editingFinished.connect(lambda *_: callback())


def _set_number(spin_box, value: float) -> None:
    """Show a number with as many decimals as it has: a spin box rounds what it shows and gives back."""
    decimals = -Decimal(str(float(value))).as_tuple().exponent
    if spin_box.decimals and decimals > spin_box.decimals:
        spin_box.decimals = min(decimals, _MOST_DECIMALS)
    spin_box.value = float(value)


def _limits(field) -> tuple[float, float]:
    low, high = -float(_INTEGER_LIMIT), float(_INTEGER_LIMIT)
    for rule in field.metadata:
        for name in ("ge", "gt"):
            low = max(low, float(getattr(rule, name, low)))
        for name in ("le", "lt"):
            high = min(high, float(getattr(rule, name, high)))
    return low, high
