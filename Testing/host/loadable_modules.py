"""Modules as the application holds them: the scripted module, its panel, the module manager and the selector."""

import importlib.util
import sys
from pathlib import Path

import slicer
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel, QToolBar, QVBoxLayout, QWidget

from host.native_widgets import native_widget
from host.plain_properties import plain_property
from host.pythonqt import wrap
from host.scene_widgets import qSlicerWidget
from host.signals import record_error

CORE_MODULES = ("Colors", "Data", "DICOM", "Markups", "Models", "Plots", "SegmentEditor", "Segmentations", "Tables",
                "Terminologies", "Texts", "Units", "Volumes")


@native_widget
class qSlicerScriptedLoadableModule(QObject):
    """A module written in Python. Its class gets this object as `parent` and fills in the properties."""

    title = plain_property(str, "")
    categories = plain_property("QStringList", [])
    contributors = plain_property("QStringList", [])
    dependencies = plain_property("QStringList", [])
    associatedNodeTypes = plain_property("QStringList", [])
    helpText = plain_property(str, "")
    acknowledgementText = plain_property(str, "")
    hidden = plain_property(bool, False)
    widgetRepresentationCreationEnabled = plain_property(bool, True)
    icon = plain_property(QIcon, QIcon())

    def __init__(self, file: Path):
        super().__init__()
        self._file, self._representation = file, None
        if str(file.parent) not in sys.path:
            sys.path.insert(0, str(file.parent))
        spec = importlib.util.spec_from_file_location(file.stem, file)
        script = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        self._instance = getattr(script, file.stem)(wrap(self))

    path = Property(str, lambda self: str(self._file))
    name = Property(str, lambda self: self._file.stem)

    def logic(self):
        """The C++ logic; a scripted module keeps its own in its widget (`slicer.util.getModuleLogic`)."""
        return None

    def widgetRepresentation(self) -> QWidget | None:
        """The module's panel, built at the first call. Raises what `setup` raises."""
        if self._representation is None:
            self._representation = self.createNewWidgetRepresentation()
        return self._representation

    def createNewWidgetRepresentation(self) -> QWidget | None:
        if not hasattr(sys.modules[self.name], f"{self.name}Widget"):
            return None
        panel = qSlicerScriptedLoadableModuleWidget(self.name)
        panel.setMRMLScene(slicer.mrmlScene)
        panel.reload()
        return panel


@native_widget
class qSlicerScriptedLoadableModuleWidget(qSlicerWidget):
    """A scripted module's panel: the `parent` of its `...Widget` object."""

    def __init__(self, module_name: str):
        super().__init__()
        self._module_name, self._python, self._entered = module_name, None, False
        QVBoxLayout(self)

    moduleName = Property(str, lambda self: self._module_name)
    isEntered = Property(bool, lambda self: self._entered)

    def self(self):
        return self._python

    def reload(self) -> None:
        """Make the Python widget anew from the class that is loaded now, and set it up."""
        name = f"{self._module_name}Widget"
        self._python = getattr(sys.modules[self._module_name], name)(wrap(self))
        setattr(slicer.modules, name, self._python)
        try:
            self._python.setup()
        except Exception:  # a widget that is not set up has nothing to clean up
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)",
                                                  self._python._onModuleAboutToBeUnloaded)
            raise

    def enter(self) -> None:
        self._entered = True
        self._tell("enter")

    def exit(self) -> None:
        self._entered = False
        self._tell("exit")

    def _tell(self, name: str) -> None:
        try:
            getattr(self._python, name, lambda: None)()
        except Exception:
            record_error()


@native_widget
class qSlicerLoadableModule(QObject):
    """A module that comes with Slicer: it can be chosen, and shows a page with its name."""

    def __init__(self, name: str):
        super().__init__()
        self._name, self._representation = name, None

    name = Property(str, lambda self: self._name)
    title = Property(str, lambda self: self._name)

    def logic(self):
        module = getattr(slicer.modules, self._name.lower(), None)
        return None if module is None else module.logic()

    def widgetRepresentation(self) -> QWidget:
        if self._representation is None:
            self._representation = QLabel(f"(Slicer's own module {self._name})")
        return self._representation


@native_widget
class qSlicerModuleManager(QObject):
    """All modules; it is its own factory manager."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)

    def __init__(self):
        super().__init__()
        self._modules = {name: qSlicerLoadableModule(name) for name in CORE_MODULES}

    def factoryManager(self) -> QObject:
        return self

    def module(self, name: str) -> QObject | None:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    loadedModuleNames = modulesNames

    def isLoaded(self, name: str) -> bool:
        return name in self._modules

    def load_script(self, file: Path) -> qSlicerScriptedLoadableModule:
        module = self._modules[file.stem] = qSlicerScriptedLoadableModule(file)
        setattr(slicer.modules, file.stem.lower(), wrap(module))
        setattr(slicer.modules, f"{file.stem}Instance", module._instance)
        self.moduleLoaded.emit(file.stem)
        return module

    def unload_script(self, name: str) -> None:
        """What Slicer does with a module when it ends, and no trace left for the next test."""
        self.moduleAboutToBeUnloaded.emit(name)
        module = self._modules.pop(name)
        if module._representation is not None:
            module._representation.deleteLater()
        for attribute in (name.lower(), f"{name}Instance", f"{name}Widget"):
            vars(slicer.modules).pop(attribute, None)
        slicer.selfTests.pop(name, None)
        sys.modules.pop(name, None)
        if module._file and str(module._file.parent) in sys.path:
            sys.path.remove(str(module._file.parent))
        self.moduleUnloaded.emit(name)

    def script_names(self) -> list[str]:
        return [name for name, module in self._modules.items() if isinstance(module, qSlicerScriptedLoadableModule)]


@native_widget
class qSlicerModuleSelectorToolBar(QToolBar):
    """Chooses the module whose panel is shown: the former one's `exit` and the new one's `enter` are called."""

    moduleSelected = Signal(str)

    def __init__(self, manager: qSlicerModuleManager, show_panel):
        super().__init__()
        self._manager, self._show_panel = manager, show_panel
        self._selected = ""

    selectedModule = Property(str, lambda self: self._selected)

    def selectModule(self, name: str) -> None:
        module = self._manager.module(name)
        if module is None:
            print(f"qSlicerModuleSelectorToolBar::selectModule: no module {name}")
            return
        panel = module.widgetRepresentation()
        if panel is None or name == self._selected:
            return
        self._leave()
        self._selected = name
        self._show_panel(panel, module.title)
        if isinstance(panel, qSlicerScriptedLoadableModuleWidget):
            panel.enter()
        self.moduleSelected.emit(name)

    def select_title(self, title: str) -> None:
        """As the user does, from the list of titles."""
        for name in self._manager.modulesNames():
            if self._manager.module(name).title == title:
                self.selectModule(name)

    def forget(self, name: str) -> None:
        """Leave a module that is about to go."""
        if self._selected == name:
            self._leave()
            self._selected = ""

    def _leave(self) -> None:
        module = self._manager.module(self._selected)
        if isinstance(module, qSlicerScriptedLoadableModule):
            module.widgetRepresentation().exit()
