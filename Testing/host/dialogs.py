"""Dialogs that would wait for a person: recorded, and answered from what the test has laid down before.

Message boxes really open and get their button pressed. Without an answer a question is declined and a file dialog is
left with Cancel, so that no test waits for ever and no code runs on a consent nobody gave.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox

from host.pythonqt import METHODS, STATIC_METHODS, method, static_method, unwrap, wrap
from host.signals import guarded

_DECLINING = "Cancel", "No", "NoToAll", "Close", "Abort", "Ignore", "Discard", "Ok"
_AGREEING = "Ok", "Yes", "YesToAll", "Retry", "Open", "Save", "Apply"


@dataclass(frozen=True)
class ShownDialog:
    """One dialog that was opened: kind is message, file, text, url or dialog; answer is what it returned."""

    kind: str
    title: str
    text: str
    details: str = ""
    answer: object = None


class Dialogs:
    """What was shown (`shown`) and what will be answered next."""

    def __init__(self):
        self.clear()

    def clear(self) -> None:
        self.shown: list[ShownDialog] = []
        self._buttons: deque[bool | str] = deque()
        self._files: deque[object] = deque()
        self._texts: deque[object] = deque()
        self._drivers: deque[Callable] = deque()

    def answer(self, button: bool | str) -> None:
        """The next message box: True agrees, False declines, a text presses the button that carries it."""
        self._buttons.append(button)

    def answer_file(self, path) -> None:
        """The next file dialog: a path, or several for a dialog of several files."""
        self._files.append(path)

    def answer_text(self, value) -> None:
        """The next input dialog: its text, number or item."""
        self._texts.append(value)

    def drive(self, function: Callable) -> None:
        """The next dialog of a module's own: `function(dialog proxy)` is called while it is open."""
        self._drivers.append(function)

    def unused_answers(self) -> int:
        return len(self._buttons) + len(self._files) + len(self._texts) + len(self._drivers)

    def run_message_box(self, box: QMessageBox) -> int:
        button = self._button(box)
        self.shown.append(ShownDialog("message", box.windowTitle().strip(), box.text() + box.informativeText(),
                                      box.detailedText(), _caption(button)))
        QTimer.singleShot(0, button.click)
        return _native_exec(box)

    def run_dialog(self, dialog: QDialog) -> int:
        driver = self._drivers.popleft() if self._drivers else None

        def drive():
            try:
                if driver is not None:
                    driver(wrap(dialog))
            finally:
                if dialog.isVisible():  # a driver that neither accepts nor closes must not hang the test
                    dialog.reject()

        title = dialog.windowTitle()
        QTimer.singleShot(0, guarded(drive))
        result = _native_exec(dialog)
        self.shown.append(ShownDialog("dialog", title, "", answer=result))
        return result

    def file(self, caption: str, nothing):
        answer = self._files.popleft() if self._files else nothing
        answer = tuple(map(str, answer)) if isinstance(answer, list | tuple) else str(answer)
        self.shown.append(ShownDialog("file", str(caption), "", answer=answer))
        return answer

    def text(self, title: str, label: str, nothing):
        answer = self._texts.popleft() if self._texts else nothing
        self.shown.append(ShownDialog("text", str(title), str(label), answer=answer))
        return answer

    def url(self, url) -> bool:
        self.shown.append(ShownDialog("url", "", unwrap(url).toString()))
        return True

    def _button(self, box: QMessageBox):
        buttons = box.buttons()
        if not buttons:
            return box.addButton(QMessageBox.StandardButton.Ok)  # Qt adds it by itself when a box without any is run
        wanted = self._buttons.popleft() if self._buttons else False
        if isinstance(wanted, str):
            for button in buttons:
                if _caption(button) == wanted:
                    return button
            raise AssertionError(f"the box '{box.text()}' has no button '{wanted}', only "
                                 f"{', '.join(map(_caption, buttons))}")
        for name in _AGREEING if wanted else _DECLINING:
            button = box.button(QMessageBox.StandardButton[name])
            if button is not None:
                return button
        return buttons[0] if wanted else buttons[-1]


dialogs = Dialogs()


def _caption(button) -> str:
    return button.text().replace("&", "")


def _native_exec(dialog: QDialog) -> int:
    """Run it; one that is to be deleted later lives until it is closed.

    In Slicer the event loop is already running when a module asks for the deletion, and Qt waits for that loop. Tests
    call modules outside any event loop: Qt would delete the dialog as soon as its own loop starts.
    """
    QCoreApplication.removePostedEvents(dialog, QEvent.Type.DeferredDelete)
    result = int(type(dialog).exec(dialog))
    if getattr(dialog, "_deletion_requested", False):
        dialog.deleteLater()
    return result


@method("QDialog", "deleteLater")
def _delete_later(proxy) -> None:
    dialog = unwrap(proxy)
    dialog._deletion_requested = True
    dialog.deleteLater()


for _name in ("exec", "exec_"):
    METHODS["QMessageBox", _name] = lambda proxy: dialogs.run_message_box(unwrap(proxy))
    METHODS["QDialog", _name] = lambda proxy: dialogs.run_dialog(unwrap(proxy))


def _ask(icon: QMessageBox.Icon, fallback: QMessageBox.StandardButton):
    def function(parent, title, text, buttons=0, default=0):
        box = QMessageBox(icon, title, text, QMessageBox.StandardButton(int(buttons)) or fallback, unwrap(parent))
        return dialogs.run_message_box(box)

    return function


_ok, _yes_no = QMessageBox.StandardButton.Ok, QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
STATIC_METHODS["QMessageBox", "question"] = _ask(QMessageBox.Icon.Question, _yes_no)
STATIC_METHODS["QMessageBox", "information"] = _ask(QMessageBox.Icon.Information, _ok)
STATIC_METHODS["QMessageBox", "warning"] = _ask(QMessageBox.Icon.Warning, _ok)
STATIC_METHODS["QMessageBox", "critical"] = _ask(QMessageBox.Icon.Critical, _ok)

for _name, _nothing in (("getOpenFileName", ""), ("getSaveFileName", ""), ("getExistingDirectory", ""),
                        ("getOpenFileNames", ())):
    STATIC_METHODS[QFileDialog.__name__, _name] = (
        lambda parent=None, caption="", *_, nothing=_nothing: dialogs.file(caption, nothing))

for _name, _nothing in (("getText", ""), ("getMultiLineText", ""), ("getItem", ""), ("getInt", 0), ("getDouble", 0.0)):
    STATIC_METHODS[QInputDialog.__name__, _name] = METHODS[QInputDialog.__name__, _name] = (
        lambda *arguments, nothing=_nothing: dialogs.text(*_title_and_label(arguments), nothing))


def _title_and_label(arguments) -> tuple[str, str]:
    return tuple([argument for argument in arguments if isinstance(argument, str)][:2])


@static_method("QDesktopServices", "openUrl")
def _open_url(url) -> bool:
    return dialogs.url(url)
