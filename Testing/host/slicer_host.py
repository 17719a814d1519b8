"""The stand-in Slicer as tests use it: start it, load modules, and do with them what a person would do.

    host = SlicerHost.start()
    host.load_module(repository / "DoseEstimator")
    host.select("DoseEstimator")
    host.click(host.widget("DoseEstimator").ui.applyButton)
    host.wait_until(lambda: ..., timeout_s=60, what="the dose map")
    assert not host.slot_errors
"""

import os
import time
from pathlib import Path

import slicer
from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QPoint, Qt
from PySide6.QtGui import QAction, QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QComboBox, QRadioButton, QWidget

from host import (
    dialogs,
    packaging_stub,
    parameter_nodes,
    qt_namespace,
    sample_data,
    scripted_modules,
    segment_editor,  # noqa: F401 - registers its widgets
    segment_selector,  # noqa: F401
    settings,
    signals,
    slot_errors,
)
from host.application import qSlicerApplication
from host.immortal_constants import make_constants_immortal
from host.loadable_modules import qSlicerModuleManager, qSlicerModuleSelectorToolBar
from host.main_window import MainWindow
from host.native_widgets import NATIVE, native_widget
from host.pythonqt import proxy_class, unwrap, wrap
from organdose.scene.headless import clear_scene, start_slicer


class SlicerHost:
    """One Slicer a process."""

    _running: "SlicerHost | None" = None

    @classmethod
    def start(cls) -> "SlicerHost":
        """The running host, or a new one with an empty scene."""
        if cls._running is None:
            cls._running = cls()
        return cls._running

    def __init__(self):
        make_constants_immortal()
        _start_qt()
        signals.record_unseen_errors()
        qt_namespace.install()
        self.scene = start_slicer()
        for name, widget_class in NATIVE.items():
            setattr(slicer, name, proxy_class(widget_class))
        self._app = qSlicerApplication(slicer.app)
        slicer.app, slicer.dicomDatabase = wrap(self._app), None
        for part in (scripted_modules, parameter_nodes, packaging_stub, sample_data):
            part.install()
        self.installations = packaging_stub.installations
        self.dialogs, self.slot_errors = dialogs.dialogs, slot_errors
        self.main_window = qSlicerMainWindow(self._app.layoutManager(), self._app.moduleManager())

    @property
    def requests(self) -> list[str]:
        """`restart` and `exit 0` as the modules asked for them."""
        return self._app.requests

    def set_testing(self, testing: bool) -> None:
        """Slicer's option --testing: `slicer.util` then shows no messages and agrees to every question."""
        self._app.testing = testing

    def load_module(self, folder: Path):
        """Load `folder/<Name>.py`; its panel is built when it is first asked for. Returns `slicer.modules.<name>`."""
        file = Path(folder) / f"{Path(folder).name}.py"
        if self._app.moduleManager().isLoaded(file.stem):
            return getattr(slicer.modules, file.stem.lower())
        module = self._app.moduleManager().load_script(file)
        self._app.startupCompleted.emit()  # in Slicer, modules are loaded before the startup is complete
        self._forget_connections("startupCompleted()")
        return wrap(module)

    def unload_module(self, name: str) -> None:
        """End a module as Slicer does when it quits: `exit`, then `cleanup`."""
        self.main_window.moduleSelector().forget(name)
        self._app.moduleManager().unload_script(name)
        self.process()

    def widget(self, name: str):
        """The module's Python widget (`<Name>Widget`), built now if need be. Errors of `setup` are raised."""
        return unwrap(getattr(slicer.modules, name.lower())).widgetRepresentation().self()

    def select(self, name: str) -> None:
        """Choose a module: its panel is shown and its `enter` called."""
        self.main_window.show()
        slicer.util.selectModule(name)
        self.process()

    def process(self, seconds: float = 0.0) -> None:
        """Let the event loop run: at least once, and for this long."""
        end = time.monotonic() + seconds
        while True:
            QApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            if time.monotonic() >= end:
                return
            time.sleep(0.005)

    def wait_until(self, condition, timeout_s: float, what: str) -> None:
        """Let the event loop run until the condition holds. Raises TimeoutError naming `what`."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"after {timeout_s:g} s still waiting for {what}")
            self.process(0.02)

    def click(self, target) -> None:
        """Click a widget or trigger an action (proxy or native). It must be visible and enabled."""
        native = unwrap(target)
        if isinstance(native, QAction):
            assert native.isEnabled(), f"the action '{native.text()}' is disabled"
            native.trigger()
        else:
            _check_usable(native)
            QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, _place_to_click(native))
        self.process()

    def type_text(self, target, text: str) -> None:
        """Replace the text of a line, spin box, path line or slider by typing, and press Return."""
        native = _editor(unwrap(target))
        _check_usable(native)
        native.selectAll()
        QTest.keyClicks(native, text)
        QTest.keyClick(native, Qt.Key.Key_Return)
        self.process()

    def choose(self, target, choice) -> None:
        """Choose an item of a combo box by its text, or a node in a node combo box."""
        native = unwrap(target)
        _check_usable(native)
        if isinstance(native, QComboBox):
            index = native.findText(choice)
            texts = [native.itemText(i) for i in range(native.count())]
            assert index >= 0, f"'{native.objectName()}' has no item '{choice}', only {texts}"
            native.setCurrentIndex(index)
            native.activated.emit(index)
        else:
            native.setCurrentNode(choice)
            assert native.currentNode() is choice, f"'{native.objectName()}' does not list the node"
        self.process()

    def press_sample_button(self, sample_name: str):
        """Press a button of the module SampleData."""
        return sample_data.press_sample_button(sample_name)

    def close_scene(self) -> None:
        """File, Close scene."""
        clear_scene()
        self.process()

    def save_scene(self, path: Path) -> None:
        assert slicer.util.saveScene(str(path)), f"the scene cannot be written to {path}"

    def load_scene(self, path: Path) -> None:
        """Replace the scene by that of a file (.mrb)."""
        slicer.util.loadScene(str(path), {"clear": True})
        self.process()

    def reset(self) -> None:
        """As after a fresh start, for the next test: scripted modules unloaded, scene, settings and records empty."""
        for name in self._app.moduleManager().script_names():
            self.unload_module(name)
        for node in slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode"):
            self.scene.RemoveNode(node)  # singletons outlive the closing of a scene
        self.close_scene()
        settings.clear_settings()
        signals.record_unseen_errors()  # command lines run in other tests put their own hook there
        slicer.dicomDatabase = None
        self.set_testing(False)
        self._forget_connections("startupCompleted()", "aboutToQuit()")
        for record in (self.dialogs, self.slot_errors, self.installations, self.requests):
            record.clear()

    def _forget_connections(self, *signatures: str) -> None:
        for signature in signatures:
            signals.disconnect(self._app, signature)

    def quit(self) -> None:
        """End the application: `aboutToQuit`, then every module is unloaded."""
        slicer.app.exit(0)
        for name in self._app.moduleManager().script_names():
            self.unload_module(name)


def _start_qt() -> None:
    if "DISPLAY" not in os.environ and os.name == "posix":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(["Slicer"])
    application.setStyle("Fusion")
    application.setQuitOnLastWindowClosed(False)
    QLocale.setDefault(QLocale.c())
    palette = QPalette(QColor(239, 239, 239))
    palette.setColor(QPalette.ColorRole.Base, QColor("white"))
    palette.setColor(QPalette.ColorRole.Highlight, QColor(48, 140, 198))
    application.setPalette(palette)


@native_widget
class qSlicerMainWindow(MainWindow):
    """The window that `slicer.util.mainWindow()` finds."""

    def __init__(self, layout_manager, manager: qSlicerModuleManager):
        super().__init__(layout_manager)
        self.setObjectName("qSlicerMainWindow")
        self._selector = qSlicerModuleSelectorToolBar(manager, self.set_module_widget)
        self.moduleSelected.connect(self._selector.select_title)

    def moduleSelector(self):
        return self._selector


def _check_usable(native: QWidget) -> None:
    name = native.objectName() or type(native).__name__
    assert native.isVisible(), f"'{name}' is not visible: nobody could use it"
    assert native.isEnabled(), f"'{name}' is disabled: {native.toolTip() or 'and no tooltip says why'}"


def _place_to_click(native: QWidget) -> QPoint:
    """The middle; of wide check boxes their mark, of sections their bar."""
    if isinstance(native, QCheckBox | QRadioButton):
        return QPoint(8, native.height() // 2)
    if hasattr(native, "buttonSizeHint"):
        return QPoint(native.width() // 2, native.buttonSizeHint().height() // 2)
    return native.rect().center()


def _editor(native: QWidget) -> QWidget:
    """Where the typing goes."""
    for name in ("spinBox", "comboBox"):
        if hasattr(native, name):
            native = getattr(native, name)()
    if isinstance(native, QComboBox):
        native = native.lineEdit()
    assert hasattr(native, "selectAll") or isinstance(native, QAbstractSpinBox), f"{native} takes no text"
    return native
