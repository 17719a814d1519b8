"""Qt properties that only keep a value, for widgets written in Python."""

import itertools

from PySide6.QtCore import Property

_numbers = itertools.count()


def plain_property(kind, default) -> Property:
    """A property of this Qt type that nothing else in the widget depends on."""
    key = f"_plain_property_{next(_numbers)}"
    return Property(kind, lambda self: self.__dict__.get(key, default),
                    lambda self, value: self.__dict__.__setitem__(key, value))
