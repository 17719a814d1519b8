"""The widget classes that Slicer and CTK add to Qt, by name, as native PySide6 classes.

`.ui` files name them as custom widgets, and the namespaces `ctk` and `slicer` show them to Python code.
"""

from PySide6.QtWidgets import QWidget

NATIVE: dict[str, type[QWidget]] = {}


def native_widget(widget_class: type[QWidget]) -> type[QWidget]:
    """Class decorator: makes a PySide6 widget known under its own name (`ctkSliderWidget`, `qMRMLNodeComboBox`)."""
    NATIVE[widget_class.__name__] = widget_class
    return widget_class
