"""Observers of VTK objects for Qt widgets: they end with the widget, as Slicer's own (`qvtkConnect`) do."""

import weakref

import shiboken6
from PySide6.QtCore import QObject


class Observations:
    """VTK observers that call methods of a Qt object, and end with it."""

    def __init__(self, owner: QObject):
        self._owner = weakref.ref(owner)
        self._tags = []
        # Python's garbage collector takes apart observers whose widget has gone while VTK still calls them.
        weakref.finalize(owner, _remove_observers, self._tags)

    def observe(self, subject, event, method) -> None:
        """Call `method()` at each `event` (name or number) of a VTK object."""
        owner, method = self._owner, weakref.WeakMethod(method)

        def lives():
            return owner() is not None and shiboken6.isValid(owner())

        def call(_caller, _event):
            if not lives():
                return
            try:
                method()()
            except Exception:
                if lives():  # the garbage collector may delete a forgotten window in the middle of its own method
                    raise

        self._tags.append((subject, subject.AddObserver(event, call)))

    def clear(self) -> None:
        _remove_observers(self._tags)


def _remove_observers(tags: list) -> None:
    for subject, tag in tags:
        subject.RemoveObserver(tag)
    tags.clear()
