"""A widget for each kind of value that an engine's parameter can have."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from decimal import Decimal
from enum import Enum

_NARROWEST = 70  # pixels of a spin box, whose largest number would ask for more
_INTEGER_LIMIT = 2**53  # beyond it a spin box of doubles would skip numbers
_MOST_DECIMALS = 9


def narrow(combo_box) -> None:
    """Let a combo box be narrower than its longest text: module panels are 400 pixels wide."""
    import qt

    combo_box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
    combo_box.minimumContentsLength = 8


class Editor(typing.Protocol):
    """A widget for one value."""

    widget: object

    def value(self) -> object: ...

    def show(self, value: object) -> None: ...

    def on_changed(self, callback: Callable[[], None]) -> None: ...


def hints(field) -> dict:
    """What a field says of its place in a form (`json_schema_extra`, see `EngineForm`)."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def editor_for(annotation: object) -> Callable[[object], Editor]:
    """What makes the editor of a pydantic field that is annotated so."""
    inner = _without_none(annotation)
    if _words(inner):
        return Choice
    if inner is not annotation and inner in (int, float):
        return OptionalNumber
    if typing.get_origin(inner) is tuple:
        return Words
    return {bool: Check, int: Number, float: Number}.get(annotation, Text)


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


class Number:
    """An integer or a real number within the field's limits."""

    def __init__(self, field):
        import qt

        self._is_integer = field.annotation is int
        self.widget = qt.QDoubleSpinBox()
        self.widget.decimals = 0 if self._is_integer else 2
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


class OptionalNumber:
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


class Choice:
    """One of the words of a Literal or an Enum, or none where the field allows it."""

    def __init__(self, field):
        import qt

        inner = _without_none(field.annotation)
        self._words = _words(inner) if inner is field.annotation else (None, *_words(inner))
        self.widget = qt.QComboBox()
        narrow(self.widget)
        shown = hints(field).get("words", {})
        for word in self._words:
            self.widget.addItem("none" if word is None else shown.get(word, str(word)))

    def value(self) -> object:
        return self._words[self.widget.currentIndex]

    def show(self, value) -> None:
        self.widget.currentIndex = self._words.index(value.value if isinstance(value, Enum) else value)

    def on_changed(self, callback) -> None:
        self.widget.currentIndexChanged.connect(lambda *_: callback())


class Check:
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


class Text:
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


class Words(Text):
    """Several words with commas between them; empty is None."""

    def value(self) -> list[str] | None:
        return [word.strip() for word in self.widget.text.split(",") if word.strip()] or None

    def show(self, value) -> None:
        super().show(", ".join(map(str, value)) if value else None)


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
