"""The modules `qt` and `ctk` as Slicer's Python console has them: flat, and without what PythonQt lacks."""

import sys
import types

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from host import ctk_numbers, ctk_widgets, dialogs, settings, ui_loader  # noqa: F401 - they put their behaviour into the proxies
from host.native_widgets import NATIVE
from host.pythonqt import proxy_class, static_method
from host.signals import guarded

_NOT_IN_PYTHONQT = {"Signal", "Slot", "Property", "SignalInstance", "ClassInfo", "QEnum", "QFlag", "SIGNAL", "SLOT"}


class QtNamespace(types.ModuleType):
    """`import qt`."""

    def __getattr__(self, name):
        for library in (QtCore, QtGui, QtWidgets, QtUiTools):
            found = getattr(library, name, None)
            if isinstance(found, type) and name not in _NOT_IN_PYTHONQT:
                return proxy_class(found)
        raise AttributeError(f"module 'qt' has no attribute '{name}'")


class CtkNamespace(types.ModuleType):
    """`import ctk`."""

    def __getattr__(self, name):
        if name.startswith("ctk") and name in NATIVE:
            return proxy_class(NATIVE[name])
        raise AttributeError(f"module 'ctk' has no attribute '{name}' in this host")


def install() -> None:
    sys.modules["qt"] = QtNamespace("qt")
    sys.modules["ctk"] = CtkNamespace("ctk")


@static_method("QTimer", "singleShot")
def _single_shot(msec, function) -> None:
    QtCore.QTimer.singleShot(int(msec), guarded(function))
