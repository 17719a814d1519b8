"""QSettings as a freshly started Slicer reads them: files of this host only, and every value a text."""

import tempfile
from pathlib import Path

from PySide6.QtCore import QSettings

from host.pythonqt import CONSTRUCTORS, method, proxy_class, unwrap, wrap

_folder = tempfile.TemporaryDirectory(prefix="slicer-host-settings-")


def settings_proxy(name: str = "Slicer"):
    """The settings file of this name as module code sees it: `slicer.app.settings()`, `revisionUserSettings()`."""
    return wrap(QSettings(str(Path(_folder.name) / f"{name}.ini"), QSettings.Format.IniFormat))


def clear_settings() -> None:
    for file in Path(_folder.name).glob("*.ini"):
        QSettings(str(file), QSettings.Format.IniFormat).clear()


def _own_settings(*arguments):
    """`qt.QSettings()`; a file of the caller's own may be named, with its format."""
    if arguments:
        return QSettings(str(arguments[0]), QSettings.Format(int(arguments[1])))
    return unwrap(settings_proxy())


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return tuple(map(_text, value))
    return value if value is None or isinstance(value, str) else str(value)


CONSTRUCTORS["QSettings"] = _own_settings
proxy_class(QSettings)


@method("QSettings", "value")
def _value(proxy, key, default=None):
    """A text, or a tuple of texts; the default as it is given."""
    settings = unwrap(proxy)
    return _text(settings.value(key)) if settings.contains(key) else default
