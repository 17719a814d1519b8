"""What the window itself needs in Slicer's Python, and a button that gets it after asking."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

# Import names of the packages that the window uses itself; jobs need more (`jobs.self_check`).
_WINDOW_NEEDS = ("numpy", "scipy", "SimpleITK", "pydicom", "pydantic", "numba")


def missing_packages() -> list[str]:
    """Import names of what the window needs and this Python lacks."""
    return [name for name in _WINDOW_NEEDS if importlib.util.find_spec(name) is None]


class NeededPackages:
    """A banner with an Install button, shown while packages are missing. `on_complete` is called once none is."""

    def __init__(self, on_complete: Callable[[], None]):
        import qt

        from organdose.panels.job_panel import banner_style

        self._on_complete = on_complete
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.text = qt.QLabel()
        self.text.objectName = "neededPackages"
        self.text.wordWrap = True
        self.text.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)  # else a long line widens the panel
        self.text.styleSheet = banner_style("stale")
        self.button = qt.QPushButton("Install")
        self.button.objectName = "installPackages"
        column.addWidget(self.text)
        column.addWidget(self.button)
        self.button.clicked.connect(lambda *_: self._install())
        self.show()

    def show(self) -> None:
        missing = missing_packages()
        self.text.text = (f"OrganDose needs packages that this Slicer does not have yet: {', '.join(missing)}. "
                          "Install gets these and what its jobs need from the Python Package Index, after asking.")
        if not missing or self.widget.parent() is not None:  # one without a parent would be a window of its own
            self.widget.visible = bool(missing)

    def _install(self) -> None:
        import slicer

        from organdose.errors import InputError
        from organdose.jobs.install import install_missing
        from organdose.jobs.self_check_facts import EVERYTHING, PACKAGES

        try:
            install_missing([each.requirement for each in PACKAGES if each.needed_for == EVERYTHING], slicer)
        except InputError as error:
            slicer.util.errorDisplay(str(error))
        self.show()
        if not missing_packages():
            self._on_complete()
