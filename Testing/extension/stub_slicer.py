"""Modules by the names of Slicer's own that answer to every attribute: enough to import what a module's file holds.

Meant for a fresh Python process whose `sys.path` a test has chosen. Nothing here behaves like Slicer.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from unittest.mock import MagicMock

TOPS = ("slicer", "qt", "ctk", "vtk", "vtkmodules")

# What modules derive from or decorate with has to be real, or their classes would not be classes.
REAL = {
    "slicer.ScriptedLoadableModule": {
        name: type(name, (), {"__init__": lambda self, *args, **keywords: None})
        for name in ("ScriptedLoadableModule", "ScriptedLoadableModuleWidget", "ScriptedLoadableModuleLogic",
                     "ScriptedLoadableModuleTest")},
    "slicer.util": {"VTKObservationMixin": type("VTKObservationMixin", (), {})},
    "slicer.i18n": {"tr": lambda text: text, "translate": lambda context, text: text},
    "slicer.parameterNodeWrapper": {"parameterNodeWrapper": lambda wrapped: wrapped,
                                    "parameterPack": lambda wrapped: wrapped},
}


class _Stub(types.ModuleType):
    def __getattr__(self, name: str) -> MagicMock:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=f"{self.__name__}.{name}")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in TOPS:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Stub(spec.name)

    def exec_module(self, module):
        vars(module).update(REAL.get(module.__name__, {}))


def install() -> None:
    """From now on `import slicer`, `import qt` ... give stubs."""
    sys.meta_path.insert(0, _Finder())
