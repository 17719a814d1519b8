"""How lists, tuples, dicts and unions are kept in a vtkMRMLScriptedModuleNode, and which type is kept how.

Members are parameters of their own, named `name.0`, `name.1`, with the length of lists in `name.len`.
"""

import types
import typing
from collections.abc import MutableMapping, MutableSequence

import slicer

from host.parameter_annotations import Validator, splitAnnotations
from host.parameter_scalars import NONE, Serializer, simple_serializer


class TupleSerializer(Serializer):
    """A fixed number of members."""

    def __init__(self, members: list[Serializer], validators=()):
        super().__init__(validators=validators)
        self._members, self.cached = members, all(member.cached for member in members)

    def default(self):
        return tuple(member.default() for member in self._members)

    def is_in(self, node, name) -> bool:
        return self._members[0].is_in(node, f"{name}.0")

    def write(self, node, name, value) -> None:
        value = tuple(value)
        self.validate(value)
        if len(value) != len(self._members):
            raise ValueError(f"{name}: {len(self._members)} members wanted, not {len(value)}")
        with slicer.util.NodeModify(node):
            for index, (member, item) in enumerate(zip(self._members, value)):
                member.write(node, f"{name}.{index}", item)

    def read(self, node, name):
        return tuple(member.read(node, f"{name}.{index}") for index, member in enumerate(self._members))

    def remove(self, node, name) -> None:
        with slicer.util.NodeModify(node):
            for index, member in enumerate(self._members):
                member.remove(node, f"{name}.{index}")


class ListSerializer(Serializer):
    """Any number of members; what is read writes its own changes back."""

    def __init__(self, member: Serializer, validators=()):
        super().__init__(validators=validators)
        self._member, self.cached = member, member.cached

    def default(self):
        return []

    def is_in(self, node, name) -> bool:
        return node.HasParameter(f"{name}.len")

    def write(self, node, name, value) -> None:
        value = list(value)
        self.validate(value)
        before = self.plain(node, name)
        with slicer.util.NodeModify(node):
            try:
                self._write_members(node, name, value, len(before))
            except Exception:
                self._write_members(node, name, before, len(value))
                raise

    def _write_members(self, node, name, value, old_length) -> None:
        for index, item in enumerate(value):
            self._member.write(node, f"{name}.{index}", item)
        for index in range(len(value), old_length):
            self._member.remove(node, f"{name}.{index}")
        node.SetParameter(f"{name}.len", str(len(value)))

    def plain(self, node, name) -> list:
        length = int(node.GetParameter(f"{name}.len") or 0)
        return [self._member.read(node, f"{name}.{index}") for index in range(length)]

    def read(self, node, name):
        return ObservedList(node, name, self)

    def remove(self, node, name) -> None:
        with slicer.util.NodeModify(node):
            self._write_members(node, name, [], len(self.plain(node, name)))
            node.UnsetParameter(f"{name}.len")


class ObservedList(MutableSequence):
    """A list in a parameter node."""

    def __init__(self, node, name: str, serializer: ListSerializer):
        self._node, self._name, self._serializer = node, name, serializer

    def _items(self) -> list:
        return self._serializer.plain(self._node, self._name)

    def _change(self, method: str, *arguments) -> None:
        items = self._items()
        getattr(items, method)(*arguments)
        self._serializer.write(self._node, self._name, items)

    def __len__(self):
        return len(self._items())

    def __getitem__(self, index):
        return self._items()[index]

    def __setitem__(self, index, item):
        self._change("__setitem__", index, item)

    def __delitem__(self, index):
        self._change("__delitem__", index)

    def insert(self, index, item):
        self._change("insert", index, item)

    def extend(self, items):
        self._change("extend", items)

    def sort(self):
        self._change("sort")

    def __eq__(self, other):
        return self._items() == (other._items() if isinstance(other, ObservedList) else other)

    def __repr__(self):
        return f"ObservedList({self._items()})"


class DictSerializer(ListSerializer):
    """A dict, kept as a list of pairs."""

    def default(self):
        return {}

    def write(self, node, name, value) -> None:
        super().write(node, name, dict(value).items())

    def read(self, node, name):
        return ObservedDict(node, name, self)


class ObservedDict(MutableMapping):
    """A dict in a parameter node."""

    def __init__(self, node, name: str, serializer: DictSerializer):
        self._node, self._name, self._serializer = node, name, serializer

    def _items(self) -> dict:
        return dict(self._serializer.plain(self._node, self._name))

    def __getitem__(self, key):
        return self._items()[key]

    def __setitem__(self, key, value):
        self._serializer.write(self._node, self._name, self._items() | {key: value})

    def __delitem__(self, key):
        items = self._items()
        del items[key]
        self._serializer.write(self._node, self._name, items)

    def __iter__(self):
        return iter(self._items())

    def __len__(self):
        return len(self._items())

    def __repr__(self):
        return f"ObservedDict({self._items()})"


class UnionSerializer(Serializer):
    """One of several types; `name.0`, `name.1` tells which."""

    def __init__(self, members: list[Serializer | None], validators=()):
        super().__init__(validators=validators)
        self._members = [NONE if member is None else member for member in members]
        self.cached = all(member.cached for member in self._members)

    def default(self):
        optional = len(self._members) == 2 and self._members[1] is NONE
        return None if optional else self._members[0].default()

    def is_in(self, node, name) -> bool:
        return any(member.is_in(node, f"{name}.{index}") for index, member in enumerate(self._members))

    def write(self, node, name, value) -> None:
        self.validate(value)
        index = self._index_for(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            self._members[index].write(node, f"{name}.{index}", value)

    def _index_for(self, value) -> int:
        if value is None and NONE in self._members:
            return self._members.index(NONE)
        reason = TypeError(f"no type of the union accepts {value!r}")
        for index, member in enumerate(self._members):
            try:
                member.validate(value)
                if not (isinstance(value, bool) and member.keeps_whole_numbers):  # a bool is no number here
                    return index
            except (TypeError, ValueError) as error:
                reason = error
        raise reason

    def read(self, node, name):
        for index, member in enumerate(self._members):
            if member.is_in(node, f"{name}.{index}"):
                return member.read(node, f"{name}.{index}")
        raise KeyError(name)

    def remove(self, node, name) -> None:
        for index, member in enumerate(self._members):
            member.remove(node, f"{name}.{index}")


def createSerializer(datatype) -> tuple[Serializer, list]:
    """The serializer for a (possibly annotated) type, and the annotations that are no validators.

    Raises TypeError for a type that parameters cannot have.
    """
    bare, annotations = splitAnnotations(datatype)
    validators = [annotation for annotation in annotations if isinstance(annotation, Validator)]
    others = [annotation for annotation in annotations if not isinstance(annotation, Validator)]
    return _serializer(bare, validators), others


def _serializer(kind, validators: list) -> Serializer:
    container = typing.get_origin(kind)
    if container is None and isinstance(kind, type):
        return simple_serializer(kind, validators)
    members = [None if member is type(None) else createSerializer(member)[0] for member in typing.get_args(kind)]
    if container is list:
        return ListSerializer(members[0], validators)
    if container is tuple:
        return TupleSerializer(members, validators)
    if container is dict:
        return DictSerializer(TupleSerializer(members), validators)
    if container in (typing.Union, types.UnionType):
        return UnionSerializer(members, validators)
    raise TypeError(f"Unable to create serializer for type: {kind}")
