"""How single values are kept in a vtkMRMLScriptedModuleNode: as texts, as Slicer writes them.

Numbers as `str(value)`, truth as True or False, enums by member name, nodes as a reference of the parameter's name.
"""

import enum
import pathlib

import slicer

from host.parameter_annotations import IsInstance, NotNone, Validator

PATHS = pathlib.Path, type(pathlib.Path()), pathlib.PurePath, type(pathlib.PurePath())


class Serializer:
    """One value in one parameter; the base class keeps texts."""

    cached = True

    def __init__(self, text=str, value=str, default="", validators=()):
        self._text, self._value, self._default, self._validators = text, value, default, list(validators)
        self.keeps_whole_numbers = value is int

    def default(self):
        return self._default

    def validate(self, value) -> None:
        for validator in self._validators:
            validator.validate(value)

    def is_in(self, node, name: str) -> bool:
        return node.HasParameter(name)

    def write(self, node, name: str, value) -> None:
        self.validate(value)
        node.SetParameter(name, self._text(value))

    def read(self, node, name: str):
        return self._value(node.GetParameter(name))

    def remove(self, node, name: str) -> None:
        node.UnsetParameter(name)


class NodeSerializer(Serializer):
    """A node, or None: the parameter stays empty, the reference of the same name holds the node."""

    def __init__(self, node_class: type, validators=()):
        super().__init__(default=None, validators=[IsInstance(node_class), *validators])

    def write(self, node, name, value) -> None:
        self.validate(value)
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, None if value is None else value.GetID())

    def read(self, node, name):
        return node.GetNodeReference(name)

    def remove(self, node, name) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class _IsNone(Validator):
    def validate(self, value) -> None:
        if value is not None:
            raise ValueError("Value must be None")


NONE = Serializer(lambda value: "True", lambda text: None, None, [_IsNone()])


def simple_serializer(kind: type, validators: list) -> Serializer:
    checks = [NotNone(), IsInstance(kind), *validators]
    if kind is bool:
        return Serializer(str, lambda text: text == "True", False, checks)
    if kind is float:
        return Serializer(str, float, 0, [NotNone(), IsInstance((int, float)), *validators])
    if kind is int:
        return Serializer(str, int, 0, checks)
    if kind is str:
        return Serializer(str, str, "", checks)
    if kind in PATHS:
        return Serializer(str, kind, kind(), checks)
    if issubclass(kind, enum.Enum):
        return Serializer(lambda member: member.name, lambda text: kind[text], next(iter(kind)), checks)
    if issubclass(kind, slicer.vtkMRMLNode):
        return NodeSerializer(kind, validators)
    raise TypeError(f"Unable to create serializer for type: {kind}")
