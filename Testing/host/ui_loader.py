"""`.ui` files with Slicer's widgets: what Qt's loader cannot do with classes written in Python is done here.

Stricter than Qt, which only warns: an unknown widget class, property or slot of a Slicer widget raises RuntimeError.
"""

import enum
import xml.etree.ElementTree as ElementTree

from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtUiTools import QUiLoader
from PySide6.QtWidgets import QWidget

from host.native_widgets import NATIVE
from host.pythonqt import CONSTRUCTORS, connect, matching_signature, method, unwrap, wrap


class UiLoader(QUiLoader):
    """Qt's loader with the widgets of Slicer and CTK."""

    def createWidget(self, class_name, parent=None, name=""):
        if class_name not in NATIVE:
            return super().createWidget(class_name, parent, name)
        widget = NATIVE[class_name](parent)
        widget.setObjectName(name)
        return widget

    def load_text(self, text: bytes, parent: QWidget | None = None) -> QWidget:
        """The widget that a `.ui` file describes."""
        root = ElementTree.fromstring(text)
        self._check_classes(root)
        numbers = _take_enum_properties(root)
        connections = _take_node_connections(root)
        buffer = QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        widget = self.load(buffer, parent)
        if widget is None:
            raise RuntimeError(f"Qt cannot load the .ui file: {self.errorString()}")
        _check_properties(widget, root)
        for name, property_name, number in numbers:
            _named(widget, name).setProperty(property_name, number)
        for connection in connections:
            _connect(widget, connection)
        return widget

    def _check_classes(self, root) -> None:
        known = set(self.availableWidgets()) | set(NATIVE)
        for element in root.iter("widget"):
            if element.get("class") not in known:
                raise RuntimeError(f".ui file: this host has no widget class {element.get('class')}")


def _check_properties(widget: QWidget, root) -> None:
    """A property that a class of Slicer's lacks has become a dynamic one without a word."""
    for element in root.iter("widget"):
        if element.get("class") not in NATIVE:
            continue
        meta = _named(widget, element.get("name")).metaObject()
        for child in element.findall("property"):
            if child.get("stdset") != "0" and meta.indexOfProperty(child.get("name")) < 0:
                raise RuntimeError(f".ui file: {element.get('class')} '{element.get('name')}' has no property "
                                   f"'{child.get('name')}' in this host")


def _take_enum_properties(root) -> list[tuple[str, str, int]]:
    """Properties with enums of Slicer's widgets, taken out of the file: (widget, property, number)."""
    taken = []
    for element in root.iter("widget"):
        for child in element.findall("property"):
            value = child.find("enum") if child.find("enum") is not None else child.find("set")
            if value is not None and (value.text or "").partition("::")[0] in NATIVE:
                taken.append((element.get("name"), child.get("name"), _enum_number(value.text)))
                element.remove(child)
    return taken


def _enum_number(text: str) -> int:
    number = 0
    for member in text.split("|"):
        class_name, *_, name = member.split("::")
        enums = [nested for base in NATIVE[class_name].__mro__ for nested in vars(base).values()
                 if isinstance(nested, enum.EnumMeta) and name in nested.__members__]
        if not enums:
            raise RuntimeError(f".ui file: this host has no {member}")
        number |= int(enums[0][name].value)
    return number


def _take_node_connections(root) -> list[ElementTree.Element]:
    """Connections that hand over scene or nodes, taken out of the file: Qt does not know their types."""
    taken = []
    for parent in root.iter("connections"):
        for connection in list(parent):
            if "*" in connection.findtext("signal", ""):
                parent.remove(connection)
                taken.append(connection)
    return taken


def _connect(widget: QWidget, connection) -> None:
    sender, receiver = (_named(widget, connection.findtext(end)) for end in ("sender", "receiver"))
    signature = matching_signature(sender, connection.findtext("signal"))
    slot = getattr(receiver, connection.findtext("slot").partition("(")[0], None)
    if signature is None or slot is None:
        raise RuntimeError(".ui file: cannot connect " + " ".join(connection.itertext()).strip())
    connect(sender, signature, slot, lambda value: value)


def _named(widget: QWidget, name: str) -> QObject:
    found = widget if widget.objectName() == name else widget.findChild(QObject, name)
    if found is None:
        raise RuntimeError(f".ui file: no object named {name}")
    return found


CONSTRUCTORS["QUiLoader"] = UiLoader


@method("QUiLoader", "load")
def _load(proxy, file, parent=None):
    return wrap(unwrap(proxy).load_text(unwrap(file).readAll().data(), unwrap(parent)))
