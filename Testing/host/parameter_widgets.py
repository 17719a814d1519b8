"""Which widget shows which parameter: exactly these classes, as in Slicer; anything else raises RuntimeError."""

import enum
import types
import typing
from dataclasses import dataclass

import slicer

from host.parameter_annotations import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    findFirstAnnotation,
    splitAnnotations,
    unannotatedType,
)
from host.parameter_scalars import PATHS

_SLIDERS = "QSlider", "ctkSliderWidget", "qMRMLSliderWidget"
_INT_LIMITS = -2**31, 2**31 - 1
_FLOAT_LIMITS = float("-inf"), float("inf")
_registered: list[type] = []


class GuiConnector:
    """Base class of connectors, for modules that bring their own."""

    def __init__(self):
        self._callback = None

    def onChanged(self, callback) -> None:
        self._callback = callback
        (self._disconnect if callback is None else self._connect)()

    def changed(self) -> None:
        if self._callback:
            self._callback()


def parameterNodeGuiConnector(classtype=None):
    """Class decorator: makes a connector known."""
    def register(connector):
        if not issubclass(connector, GuiConnector):
            raise TypeError("Must be a GuiConnector subclass")
        _registered.append(connector)
        return connector

    return register if classtype is None else register(classtype)


def createGuiConnector(widget, datatype) -> GuiConnector:
    """The connector between a widget and a (possibly annotated) type. Raises RuntimeError where there is none."""
    for connector in _registered:
        if connector.canRepresent(widget, datatype):
            return connector.create(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type "
                       f"'{widget.className()}'")


@dataclass(frozen=True)
class _Kind:
    """How widgets of these classes show values of some types."""

    widgets: tuple[str, ...]
    accepts: typing.Callable[[object], bool]
    signal: str
    prepare: typing.Callable  # (widget, datatype) -> (read, write)


@parameterNodeGuiConnector
class _BuiltInConnector(GuiConnector):
    """Every pair that Slicer knows by itself."""

    def __init__(self, widget, datatype, kind: _Kind):
        super().__init__()
        self._widget, self._signal = widget, getattr(widget, kind.signal)
        self.read, self.write = kind.prepare(widget, datatype)

    @staticmethod
    def canRepresent(widget, datatype) -> bool:
        return _kind(widget, datatype) is not None

    @staticmethod
    def create(widget, datatype):
        return _BuiltInConnector(widget, datatype, _kind(widget, datatype))

    def widget(self):
        return self._widget

    def _connect(self):
        self._signal.connect(self.changed)

    def _disconnect(self):
        self._signal.disconnect(self.changed)


def _kind(widget, datatype) -> _Kind | None:
    bare = unannotatedType(datatype)
    return next((kind for kind in _KINDS if widget.className() in kind.widgets and kind.accepts(bare)), None)


def _property(name: str, read=lambda value: value, write=lambda value: value):
    def prepare(widget, _datatype):
        return (lambda: read(getattr(widget, name))), (lambda value: setattr(widget, name, write(value)))

    return prepare


def _checkable(widget, datatype):
    widget.checkable = True
    return _property("checked")(widget, datatype)


def _number(limits):
    def prepare(widget, datatype):
        annotations = splitAnnotations(datatype)[1]
        for annotation, name in ((Decimals, "decimals"), (SingleStep, "singleStep")):
            found = findFirstAnnotation(annotations, annotation)
            if found is not None:
                setattr(widget, name, found.value)
        both = findFirstAnnotation(annotations, WithinRange)
        low, high = both or findFirstAnnotation(annotations, Minimum), both or findFirstAnnotation(annotations, Maximum)
        if widget.className() in _SLIDERS and not (low and high):
            raise RuntimeError(f"Cannot connect the unbounded type {datatype} to a {widget.className()}")
        widget.minimum = low.minimum if low else limits[0]
        widget.maximum = high.maximum if high else limits[1]
        return _property("value")(widget, datatype)

    return prepare


def _choice(widget, datatype):
    choice = findFirstAnnotation(splitAnnotations(datatype)[1], Choice)
    if choice is None:
        raise RuntimeError(f"a combo box for {datatype} needs the annotation Choice")
    return _items(widget, [(str(value), value) for value in choice.choices])


def _enum(widget, datatype):
    members = unannotatedType(datatype)
    label = getattr(members, "label", lambda member: member.name)
    return _items(widget, [(label(member), member) for member in members])


def _items(widget, labelled: list[tuple[str, object]]):
    values = [value for _, value in labelled]
    widget.clear()
    for label, _ in labelled:
        widget.addItem(label)

    def write(value):
        if value not in values:
            raise ValueError(f"Unable to find value {value} in choices {values}")
        widget.currentIndex = values.index(value)

    return (lambda: values[widget.currentIndex]), write


def _path(name: str):
    def prepare(widget, datatype):
        return _property(name, read=unannotatedType(datatype), write=str)(widget, datatype)

    return prepare


def _node(widget, datatype):
    widget.nodeTypes = getNodeTypes(datatype)
    return (lambda: widget.currentNode()), (lambda node: widget.setCurrentNode(node))


def _is_node(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _members(datatype) -> list:
    bare = unannotatedType(datatype)
    union = typing.get_origin(bare) in (typing.Union, types.UnionType)
    return [unannotatedType(member) for member in typing.get_args(bare)] if union else [bare]


def isNodeOrUnionOfNodes(datatype) -> bool:
    members = [member for member in _members(datatype) if member is not type(None)]
    return bool(members) and all(map(_is_node, members))


def getNodeTypes(datatype) -> tuple[str, ...]:
    return tuple(member.__name__ for member in _members(datatype) if _is_node(member))


def _is(*kinds):
    return lambda kind: kind in kinds


def _is_enum(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


_KINDS = (
    _Kind(("QCheckBox", "ctkCheckBox"), _is(bool), "stateChanged", _property("checked")),
    _Kind(("QPushButton",), _is(bool), "toggled", _checkable),
    _Kind(("QSlider", "QSpinBox"), _is(int), "valueChanged", _number(_INT_LIMITS)),
    _Kind(("QDoubleSpinBox", "ctkDoubleSpinBox", "qMRMLSpinBox", "ctkSliderWidget", "qMRMLSliderWidget"), _is(float),
          "valueChanged", _number(_FLOAT_LIMITS)),
    _Kind(("QComboBox", "ctkComboBox"), _is(int, float, str, bool), "currentIndexChanged", _choice),
    _Kind(("QComboBox", "ctkComboBox"), _is_enum, "currentIndexChanged", _enum),
    _Kind(("QLineEdit",), _is(str), "textChanged", _property("text")),
    _Kind(("QTextEdit",), _is(str), "textChanged", _property("plainText")),
    _Kind(("ctkPathLineEdit",), _is(*PATHS), "currentPathChanged", _path("currentPath")),
    _Kind(("ctkDirectoryButton",), _is(*PATHS), "directoryChanged", _path("directory")),
    _Kind(("qMRMLNodeComboBox",), isNodeOrUnionOfNodes, "currentNodeChanged", _node),
)
