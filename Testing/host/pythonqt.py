"""Qt objects as Slicer's Python code sees them: proxies with PythonQt's habits around PySide6 objects.

Properties are values, everything else is a method; unknown names cannot be set; classes know no inheritance (ask
`widget.inherits("QWidget")`); enums are numbers, lists come back as tuples; a deleted object raises ValueError.
"""

import enum
import functools
import inspect
import weakref

import shiboken6
from PySide6.QtCore import QObject

from host.conversions import EnumValue, call_native, enum_members, property_value
from host.native_widgets import NATIVE
from host.signals import BoundSignal, connect, disconnect, matching_signature, signatures_of

METHODS: dict[tuple[str, str], object] = {}  # (Qt class, name): what this package does instead of Qt's method
STATIC_METHODS: dict[tuple[str, str], object] = {}  # the same for static methods
CONSTRUCTORS: dict[str, object] = {}  # Qt class: what makes its native object instead

_proxies: weakref.WeakValueDictionary[int, "Proxy"] = weakref.WeakValueDictionary()


def method(class_name: str, name: str):
    """Decorator: `function(proxy, *arguments)` is the method of this Qt class and the classes derived from it."""
    return lambda function: METHODS.setdefault((class_name, name), function)


def static_method(class_name: str, name: str):
    """Decorator: `function(*arguments)` is the static method of this Qt class."""
    return lambda function: STATIC_METHODS.setdefault((class_name, name), function)


def wrap(value):
    """A native value as module code sees it; the same object gives the same proxy as long as one is held."""
    if isinstance(value, enum.Enum) and type(value).__module__.startswith("PySide6"):
        return EnumValue(value.value)
    if isinstance(value, list | tuple):
        return tuple(map(wrap, value))
    if isinstance(value, dict):
        return {key: wrap(item) for key, item in value.items()}
    if not isinstance(value, shiboken6.Object):
        return value
    proxy = _proxies.get(id(value))
    return proxy if proxy is not None else _adopt(object.__new__(proxy_class(type(value))), value)


def unwrap(value):
    """What module code hands over, as PySide6 takes it. Raises ValueError for a deleted object."""
    if isinstance(value, Proxy):
        return _living(value)
    if isinstance(value, list | tuple):
        return [unwrap(item) for item in value]
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return int(value) if isinstance(value, EnumValue) else value


@functools.cache
def proxy_class(native_class: type) -> type["Proxy"]:
    """The class that stands for a Qt class; private helpers of this package show as the Qt class they derive from."""
    if native_class.__module__.startswith("PySide6") or NATIVE.get(native_class.__name__) is native_class:
        return ProxyType(native_class.__name__, (Proxy,), {"_native_class": native_class})
    return proxy_class(native_class.__mro__[1])


class ProxyType(type):
    """The class of proxy classes: shows enum members and static methods, and guards what Python may derive."""

    def __new__(cls, name, bases, namespace):
        native_class = next((base._native_class for base in bases if hasattr(base, "_native_class")), None)
        if native_class is not None:
            _check_subclass(name, native_class, namespace)
        return super().__new__(cls, name, bases, namespace)

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(name)
        for base in cls._native_class.__mro__:
            if (base.__name__, name) in STATIC_METHODS:
                return STATIC_METHODS[base.__name__, name]
        members = enum_members(cls._native_class)
        if name in members:
            return members[name]
        attribute = getattr(cls._native_class, name, None)
        if not _is_visible(name, attribute, cls._native_class):
            raise AttributeError(f"{cls.__name__} has no attribute named '{name}'")
        if isinstance(attribute, type):
            return proxy_class(attribute)
        return lambda *arguments: wrap(call_native(attribute, unwrap(arguments)))


class Proxy(metaclass=ProxyType):
    """One Qt object or value."""

    __slots__ = ("__weakref__", "_native")

    def __init__(self, *arguments, **keywords):
        native_class = self._native_class
        if keywords:
            raise TypeError(f"{native_class.__name__}: PythonQt takes no keyword arguments ({', '.join(keywords)})")
        make = CONSTRUCTORS.get(native_class.__name__, native_class)
        native = make(*unwrap(arguments)) if _is_python(make) else call_native(make, unwrap(arguments))
        _adopt(self, native)
        if type(self) is not proxy_class(native_class):
            native._python_instance = self  # as long as the widget lives, its Python half lives

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        native = _living(self, name)
        override = _override(type(native), name)
        if override is not None:
            return functools.partial(override, self)
        if isinstance(native, QObject):
            found, value = _qobject_member(native, _property_name(native, name))
            if found:
                return value
        attribute_name = name.removesuffix("_") if name in ("exec_", "print_") else name
        attribute = getattr(type(native), attribute_name, None)
        if isinstance(attribute, type) and not isinstance(attribute, enum.EnumMeta):
            return proxy_class(attribute)
        if _is_visible(attribute_name, attribute, type(native)):
            return NativeMethod(native, attribute_name)
        members = enum_members(type(native))
        if name in members:
            return members[name]
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")

    def __setattr__(self, name, value):
        native = _living(self, name)
        if isinstance(native, QObject):
            name = _property_name(native, name)
            index = native.metaObject().indexOfProperty(name)
            if index >= 0:
                return _set_property(native, native.metaObject().property(index), value)
            if name.encode() in [known.data() for known in native.dynamicPropertyNames()]:
                native.setProperty(name, unwrap(value))
                return None
        raise AttributeError(f"'{name}' does not exist on {type(self).__name__} and creating new attributes on C++ "
                             "objects is not allowed")

    def __bool__(self):
        return shiboken6.isValid(self._native)

    def __eq__(self, other):
        if other is None:
            return not shiboken6.isValid(self._native)
        if not isinstance(other, Proxy):
            return NotImplemented
        if isinstance(self._native, QObject):
            return self._native is other._native
        return self._native == other._native

    def __hash__(self):
        return id(self._native)

    def __repr__(self):
        state = hex(shiboken6.getCppPointer(self._native)[0]) if self else "destroyed"
        return f"{type(self).__name__} ({type(self).__name__} at: {state})"


class NativeMethod:
    """A method bound to one Qt object."""

    __slots__ = ("_name", "_native")

    def __init__(self, native, name: str):
        self._native, self._name = native, name

    def __call__(self, *arguments, **keywords):
        if keywords:
            raise TypeError(f"{self._name}: PythonQt takes no keyword arguments ({', '.join(keywords)})")
        if not shiboken6.isValid(self._native):
            raise ValueError(f"Trying to call '{self._name}' on a destroyed {type(self._native).__name__} object")
        function = getattr(self._native, self._name)
        return wrap(call_native(function, unwrap(arguments), signed=getattr(type(self._native), self._name)))

    def __eq__(self, other):
        return isinstance(other, NativeMethod) and (self._native, self._name) == (other._native, other._name)

    def __hash__(self):
        return hash((id(self._native), self._name))


def _adopt(proxy: Proxy, native) -> Proxy:
    object.__setattr__(proxy, "_native", native)
    _proxies[id(native)] = proxy
    return proxy


def _living(proxy: Proxy, name: str = ""):
    native = object.__getattribute__(proxy, "_native")
    if not shiboken6.isValid(native):
        raise ValueError(f"Trying to use '{name}' of a destroyed {type(proxy).__name__} object")
    return native


def _override(native_class: type, name: str):
    return next((METHODS[base.__name__, name] for base in native_class.__mro__ if (base.__name__, name) in METHODS),
                None)


def _property_name(native: QObject, name: str) -> str:
    """`widget.name` is its objectName, but of an object that has a name of its own."""
    return "objectName" if name == "name" and native.metaObject().indexOfProperty(name) < 0 else name


def _qobject_member(native: QObject, name: str) -> tuple[bool, object]:
    """(True, value) for a property, a signal or a dynamic property of this name."""
    if native.metaObject().indexOfProperty(name) >= 0:
        return True, wrap(native.property(name))
    if signatures_of(native, name):
        return True, BoundSignal(native, name, wrap)
    dynamic = native.property(name)
    return dynamic is not None, wrap(dynamic)


def _set_property(native: QObject, meta_property, value) -> None:
    if not meta_property.isWritable():
        raise AttributeError(f"Property '{meta_property.name()}' of {type(native).__name__} object is not writable")
    converted = property_value(unwrap(value), meta_property.typeName())
    if not native.setProperty(meta_property.name(), converted):
        raise AttributeError(f"Property '{meta_property.name()}' of type '{meta_property.typeName()}' does not accept "
                             f"an object of type {type(value).__name__} ({value!r})")


def _is_python(function) -> bool:
    return inspect.isfunction(function) or not getattr(function, "__module__", "PySide6").startswith("PySide6")


def _is_visible(name: str, attribute, native_class: type) -> bool:
    """Methods of Qt are visible; of widgets written in Python those in Slicer's style (no underscore in the name)."""
    if not callable(attribute) or isinstance(attribute, enum.EnumMeta) or name.startswith("_"):
        return False
    owner = next(base for base in native_class.__mro__ if name in vars(base))
    return owner.__module__.startswith("PySide6") or "_" not in name


def _check_subclass(name: str, native_class: type, namespace: dict) -> None:
    if native_class.__name__ == "QThread":
        raise TypeError(f"{name}: a QThread subclass in Python crashes Slicer; use a child process or QTimer")
    for attribute in namespace:
        if not attribute.startswith("__") and hasattr(native_class, attribute):
            raise TypeError(f"{name}.{attribute}: this host does not hand Qt's virtual methods to Python")


@method("QObject", "className")
def _class_name(proxy):
    return proxy_class(type(proxy._native)).__name__


@method("QObject", "inherits")
def _inherits(proxy, class_name):
    return any(base.__name__ == class_name for base in type(proxy._native).__mro__)


@method("QObject", "findChildren")
def _find_children(proxy, kind=None, name=""):
    class_name = getattr(kind, "__name__", kind) or "QObject"
    return tuple(child for child in map(wrap, proxy._native.findChildren(QObject))
                 if _inherits(child, class_name) and name in ("", child.objectName))


@method("QObject", "findChild")
def _find_child(proxy, kind=None, name=""):
    return next(iter(_find_children(proxy, kind, name)), None)


@method("QObject", "property")
def _property(proxy, name):
    return wrap(proxy._native.property(name))


@method("QObject", "setProperty")
def _set_any_property(proxy, name, value):
    return proxy._native.setProperty(name, unwrap(value))


@method("QObject", "delete")
def _delete(proxy):
    shiboken6.delete(proxy._native)


@method("QObject", "connect")
def _connect(proxy, signal, receiver, slot=None):
    """`connect("clicked(bool)", function)` or `connect(signal, receiver, "slot()")`; False for an unknown signal."""
    signature = matching_signature(proxy._native, signal)
    if signature is None:
        print(f"QObject::connect: no such signal {type(proxy).__name__}::{signal}")
        return False
    function = receiver if slot is None else getattr(receiver, slot.partition("(")[0])
    return connect(proxy._native, signature, function, wrap)


@method("QObject", "disconnect")
def _disconnect(proxy, signal, function=None):
    signature = matching_signature(proxy._native, signal)
    return signature is not None and disconnect(proxy._native, signature, function)
