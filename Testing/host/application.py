"""`slicer.app`: what of the application the modules and `slicer.util` ask for."""

import importlib.metadata
import tempfile

import slicer
from PySide6.QtCore import QObject, QProcessEnvironment, QSettings, Signal
from PySide6.QtWidgets import QApplication

from host.conversions import call_native
from host.loadable_modules import qSlicerModuleManager
from host.native_widgets import NATIVE, native_widget
from host.plain_properties import plain_property
from host.pythonqt import unwrap
from host.settings import settings_proxy

_MAJOR, _MINOR, _REVISION = importlib.metadata.version("slicer-core").split(".")[:3]
_DOCUMENTATION = f"https://slicer.readthedocs.io/en/v{_MAJOR}.{_MINOR}/"


@native_widget
class qSlicerCommandOptions(QObject):
    """The options Slicer was started with."""

    noMainWindow = plain_property(bool, False)
    noSplash = plain_property(bool, True)
    runPythonAndExit = plain_property(bool, False)


@native_widget
class qSlicerApplication(QObject):
    """The application. What it asks of Qt goes to the QApplication of this process."""

    startupCompleted = Signal()
    aboutToQuit = Signal()

    applicationName = plain_property(str, "Slicer")
    mainApplicationName = plain_property(str, "Slicer")
    applicationVersion = plain_property(str, f"{_MAJOR}.{_MINOR}.0")
    majorVersion = plain_property(int, int(_MAJOR))
    minorVersion = plain_property(int, int(_MINOR))
    revision = plain_property(str, _REVISION)
    documentationBaseUrl = plain_property(str, _DOCUMENTATION)
    temporaryPath = plain_property(str, tempfile.gettempdir())
    defaultScenePath = plain_property(str, tempfile.gettempdir())
    slicerHome = plain_property(str, tempfile.gettempdir())

    def __init__(self, headless):
        """headless: the `slicer.app` of slicer-core without a host, whose scene and file reading are kept."""
        super().__init__()
        self._headless, self._layout_manager = headless, None
        self._modules, self._options = qSlicerModuleManager(), qSlicerCommandOptions()
        self.requests: list[str] = []  # restart and exit, which a test must survive
        self.testing = False
        self.render_pauses = 0
        self.temporaryPath = headless.applicationLogic().GetTemporaryPath()

    def applicationLogic(self):
        return self._headless.applicationLogic()

    def coreIOManager(self):
        return self._headless.coreIOManager()

    def mrmlScene(self):
        return slicer.mrmlScene

    def moduleManager(self) -> qSlicerModuleManager:
        return self._modules

    def layoutManager(self) -> QObject | None:
        """The views; None while nobody has built them."""
        layout_class = NATIVE.get("qSlicerLayoutManager", NATIVE.get("qMRMLLayoutManager"))
        if self._layout_manager is None and layout_class is not None:
            self._layout_manager = layout_class()
        return self._layout_manager

    def commandOptions(self) -> QObject:
        return self._options

    def testingEnabled(self) -> bool:
        return self.testing

    def settings(self) -> QSettings:
        return unwrap(settings_proxy())

    userSettings = settings

    def revisionUserSettings(self) -> QSettings:
        return unwrap(settings_proxy("Slicer-revision"))

    def startupEnvironment(self) -> QProcessEnvironment:
        """The environment without what Slicer's launcher adds: here nothing was added."""
        return QProcessEnvironment.systemEnvironment()

    def translate(self, _context: str, text: str) -> str:
        return text

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"{_DOCUMENTATION}user_guide/modules/{name.lower()}.html"

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def setRenderPaused(self, paused: bool) -> None:
        self.render_pauses += 1 if paused else -1
        if self._layout_manager is not None and hasattr(self._layout_manager, "setRenderPaused"):
            self._layout_manager.setRenderPaused(paused)

    def restart(self) -> None:
        self.requests.append("restart")

    def exit(self, status: int = 0) -> None:
        self.requests.append(f"exit {status}")
        self.aboutToQuit.emit()

    quit = exit


def _of_qt(name: str):
    def method(self, *arguments):
        return call_native(getattr(QApplication.instance(), name), arguments, signed=getattr(QApplication, name))

    method.__name__ = name
    return method


for _name in ("processEvents", "topLevelWidgets", "clipboard", "keyboardModifiers", "setOverrideCursor",
              "restoreOverrideCursor", "overrideCursor", "activeWindow", "focusWidget", "palette", "font", "style",
              "primaryScreen", "closeAllWindows"):
    setattr(qSlicerApplication, _name, _of_qt(_name))
