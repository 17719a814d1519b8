"""Signals as PythonQt connects them: surplus arguments are dropped, errors in slots are printed and never raised."""

import sys
import traceback
import types

import shiboken6
from PySide6.QtCore import SIGNAL, QMetaMethod, QMetaObject, QObject

from host import slot_errors

# Connections made by Python code, by the address of the sender; dropped when the sender dies.
_connections: dict[int, list[tuple[str, object, object]]] = {}
_signals: dict[tuple[type, str], dict[str, list[str]]] = {}  # of each class: signatures by name


def guarded(function, wrap=lambda value: value):
    """The function as a slot: called with as many arguments as it has parameters; what it raises is recorded."""
    wanted = _parameter_count(function)

    def slot(*arguments):
        try:
            function(*[wrap(argument) for argument in arguments[:wanted]])
        except Exception:
            record_error()

    return slot


def record_error() -> None:
    """Print the error being handled and keep it, as Slicer does with errors of slots (it keeps them in its log)."""
    text = traceback.format_exc()
    slot_errors.append(text)
    print(text, file=sys.stderr)


def record_unseen_errors() -> None:
    """Errors that VTK and Qt hand to the interpreter, because Python code was called from C++, are recorded too."""
    def hook(kind, error, trace):
        slot_errors.append("".join(traceback.format_exception(kind, error, trace)))
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = hook


def signatures_of(native: QObject, name: str) -> list[str]:
    """Signatures of the signals of this name, the one with most arguments first."""
    meta = native.metaObject()
    key = type(native), meta.className()
    if key not in _signals:
        known = _signals[key] = {}
        for method in map(meta.method, range(meta.methodCount())):
            if method.methodType() == QMetaMethod.MethodType.Signal:
                known.setdefault(_text(method.name()), []).append(_text(method.methodSignature()))
    return sorted(_signals[key].get(name, []), key=len, reverse=True)


def _text(array) -> str:
    return array.data().decode()


def matching_signature(native: QObject, wanted: str) -> str | None:
    """The object's own signature for one written as in C++: `currentNodeChanged(vtkMRMLNode*)`; None if it has none."""
    normal = _text(QMetaObject.normalizedSignature(wanted))
    name, types_wanted = _split(normal)
    for signature in signatures_of(native, name):
        _, own_types = _split(signature)
        if len(own_types) == len(types_wanted) and all(map(_same_type, own_types, types_wanted)):
            return signature
    return None


def connect(native: QObject, signature: str, function, wrap) -> bool:
    """Connect a Python function to a signal. Returns True, as PythonQt does."""
    address = shiboken6.getCppPointer(native)[0]
    if address not in _connections:
        _connections[address] = []
        native.destroyed.connect(lambda *_: _connections.pop(address, None))
    slot = guarded(function, wrap)
    QObject.connect(native, SIGNAL(signature), slot)
    _connections[address].append((signature, function, slot))
    return True


def disconnect(native: QObject, signature: str, function=None) -> bool:
    """Undo one connection of this function, or all of the signal; False if there was none."""
    kept = _connections.get(shiboken6.getCppPointer(native)[0], [])
    chosen = [entry for entry in kept if entry[0] == signature and function in (None, entry[1])]
    for entry in chosen if function is None else chosen[:1]:
        QObject.disconnect(native, SIGNAL(signature), entry[2])
        kept.remove(entry)
    return bool(chosen)


class BoundSignal:
    """`button.clicked`: the signal of one object."""

    __slots__ = ("_name", "_native", "_signature", "_wrap")

    def __init__(self, native: QObject, name: str, wrap):
        self._native, self._name, self._wrap = native, name, wrap
        self._signature = signatures_of(native, name)[0]

    def connect(self, function) -> bool:
        if not callable(function):
            raise ValueError(f"connect: {function!r} cannot be called")
        return connect(self._native, self._signature, function, self._wrap)

    def disconnect(self, function=None) -> bool:
        return disconnect(self._native, self._signature, function)

    def emit(self, *arguments) -> None:
        getattr(self._native, self._name).emit(*arguments)

    __call__ = emit


def _parameter_count(function) -> int | None:
    """How many arguments PythonQt hands to this callable; None: all."""
    plain = function.__func__ if isinstance(function, types.MethodType) else function
    if not isinstance(plain, types.FunctionType) or plain.__code__.co_flags & 0x04:  # 0x04: it takes *args
        return None
    return plain.__code__.co_argcount - (plain is not function)


def _split(signature: str) -> tuple[str, list[str]]:
    name, _, parameters = signature.rstrip(")").partition("(")
    return name, [parameter for parameter in parameters.split(",") if parameter]


def _same_type(own: str, wanted: str) -> bool:
    """Pointers to VTK objects travel through PySide6 as Python objects."""
    return own == wanted or (own in ("PyObject", "QVariant") and wanted.endswith("*"))
