"""Arguments on their way from Python to Qt, as PythonQt converts them: numbers for enums, texts for what is no text."""

import enum
import functools
import inspect
import typing

from shibokensupport.signature import get_signature


class EnumValue(int):
    """A member of a Qt enum as PythonQt shows it: a number without `name` and `value`; `A | B` is a plain int."""

    __slots__ = ()


@functools.cache
def enum_members(native_class: type) -> dict[str, EnumValue]:
    """The members of all enums of a Qt class and its bases, by name: `QMessageBox.Ok`."""
    members = {}
    for base in reversed(native_class.__mro__):
        for nested in vars(base).values():
            if isinstance(nested, enum.EnumMeta):
                members.update({name: EnumValue(member.value) for name, member in nested.__members__.items()})
    return members


def call_native(function, arguments: tuple, signed=None):
    """The result of a Qt function for arguments as module code writes them.

    signed: the object that knows the signatures, where `function` itself is a bound method.
    Raises ValueError where no overload accepts the arguments, as PythonQt does.
    """
    if inspect.isfunction(function) or inspect.ismethod(function):
        return _call_python(function, arguments)
    signatures = _signatures(function if signed is None else signed)
    reason = "wrong number of arguments"
    for relaxed in (False, True):
        for signature in signatures:
            try:
                return function(*_converted(arguments, signature, relaxed))
            except _Mismatch:
                continue
            except TypeError as error:
                reason = str(error).splitlines()[0]
    shown = ", ".join(map(repr, arguments))
    raise ValueError(f"{getattr(function, '__name__', function)}({shown}): no overload accepts this ({reason})")


def property_value(value, type_name: str):
    """The value to write into a Qt property of this type. Raises AttributeError where PythonQt would refuse it."""
    convert = _PROPERTY_TYPES.get(type_name)
    if convert is None:
        return value
    try:
        return convert(value)
    except (_Mismatch, TypeError, ValueError) as error:
        raise AttributeError(f"a property of type '{type_name}' does not accept {value!r}") from error


class _Mismatch(Exception):
    """The arguments do not fit this overload."""


def _call_python(function, arguments):
    """Widgets of this package are written in Python: a wrong number of arguments is refused before the call."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise ValueError(f"{function.__name__}: {error}") from error
    return function(*arguments)


@functools.cache
def _signatures(function) -> tuple[tuple[list, int], ...]:
    """Of each overload: the annotations of its positional parameters and how many of them are needed."""
    found = get_signature(function)
    if found is None:
        return ()
    positional = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    overloads = []
    for signature in found if isinstance(found, list) else [found]:
        parameters = [p for p in signature.parameters.values() if p.kind in positional and p.name != "self"]
        needed = sum(p.default is inspect.Parameter.empty for p in parameters)
        overloads.append(([p.annotation for p in parameters], needed))
    return tuple(overloads)


def _converted(arguments, signature, relaxed: bool) -> list:
    annotations, needed = signature
    if not needed <= len(arguments) <= len(annotations):
        raise _Mismatch
    return [_argument(value, annotation, relaxed) for value, annotation in zip(arguments, annotations)]


def _argument(value, annotation, relaxed: bool):
    if isinstance(value, int) and not isinstance(value, bool):
        enum_class = _enum_of(annotation)
        if enum_class is not None:
            try:
                return enum_class(int(value))
            except ValueError as error:
                raise _Mismatch from error
    if annotation is str and not isinstance(value, str):
        if not relaxed:
            raise _Mismatch
        return _text(value)
    return value


def _enum_of(annotation) -> type | None:
    for candidate in typing.get_args(annotation) or (annotation,):
        if isinstance(candidate, enum.EnumMeta):
            return candidate
    return None


def _text(value) -> str:
    """What PythonQt makes of a value where Qt wants a text. A Path is refused: write str(path)."""
    if value is None or isinstance(value, str | int | float):
        return str(value)
    raise _Mismatch


def _whole_number(value) -> int:
    if not isinstance(value, int | float):
        raise _Mismatch
    return int(value // 1)


def _number(value) -> float:
    if not isinstance(value, int | float):
        raise _Mismatch
    return float(value)


def _truth(value) -> bool:
    return _number(value) != 0


def _texts(value) -> list[str]:
    if not isinstance(value, list | tuple):
        raise _Mismatch
    return [_text(item) for item in value]


_PROPERTY_TYPES = {"QString": _text, "int": _whole_number, "uint": _whole_number, "double": _number, "float": _number,
                   "bool": _truth, "QStringList": _texts}
