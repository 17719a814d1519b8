"""The stand-in Slicer for the pieces of window: somewhere to show them, and a queue of jobs of their own."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed (pip install 'organdose[slicer]')")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed (pip install 'organdose[dev]')")

_TESTING = Path(__file__).resolve().parent.parent
if str(_TESTING) not in sys.path:
    sys.path.insert(0, str(_TESTING))

from host.fixtures import host  # noqa: E402, F401 - the fixture of every test here


@pytest.fixture
def qt(host):  # noqa: F811
    """Slicer's `qt`."""
    import qt

    return qt


@pytest.fixture
def show(host, qt):  # noqa: F811
    """Shows a widget in a window as wide as a module panel, so that a person could use it; gives the widget back."""
    windows = []

    def shown(widget):
        window = qt.QWidget()
        windows.append(window)
        qt.QVBoxLayout(window).addWidget(widget)
        window.resize(400, 500)
        window.show()
        host.process()
        return widget

    yield shown
    for window in windows:
        window.close()
        window.deleteLater()
    host.process()


@pytest.fixture
def jobs(host, monkeypatch):  # noqa: F811
    """`organdose.panels.window_jobs` with a queue of its own, whose jobs know the task 'sample'."""
    import slicer

    from organdose.panels import window_jobs

    monkeypatch.setenv("PYTHONPATH", str(_TESTING / "jobs" / "sample_job"))
    monkeypatch.setattr(window_jobs, "_shared", shared := {})
    yield window_jobs
    if "queue" in shared:
        shared["timer"].stop()
        slicer.mrmlScene.RemoveObserver(shared["tag"])
        shared["queue"].close()
