"""Which Python runs the jobs, what it has and lacks, and a button that gets what is missing after asking."""

from __future__ import annotations

from collections.abc import Callable

_POLL_MS = 100
_panels: list[SettingsPanel] = []  # one a module; what is chosen in one is shown in all


class SettingsPanel:
    """Interpreter, self-check and installation. The choice is a setting of Slicer, the same for the three modules.

    `on_changed` is called when another Python was chosen, or packages came into it.
    """

    def __init__(self, on_changed: Callable[[], None] = lambda: None):
        import qt

        self._on_changed, self._check, self._missing = on_changed, None, []
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._build()
        self._show_choice()
        _panels.append(self)

    def stop(self) -> None:
        self._end_check()
        if self in _panels:
            _panels.remove(self)

    def _end_check(self) -> None:
        self._timer.stop()
        if self._check is not None:
            self._check.close()
            self._check = None

    def _build(self) -> None:
        import qt

        self.widget = qt.QWidget()
        form = qt.QFormLayout(self.widget)
        form.setContentsMargins(0, 0, 0, 0)
        self.path = qt.QLineEdit()
        self.path.objectName = "interpreterPath"
        self.path.placeholderText = "Slicer's own Python"
        self.path.toolTip = ("Python that runs the jobs: empty for Slicer's own, or the folder of an environment that "
                             "has what the engines need, torch for example.")
        self.browse = qt.QPushButton("Choose...")
        row = qt.QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(self.browse)
        form.addRow("Jobs run in:", row)
        self.check_button, self.install_button = qt.QPushButton("Self-check"), qt.QPushButton("Install what is missing")
        self.check_button.objectName, self.install_button.objectName = "selfCheckButton", "installMissingButton"
        self.check_button.toolTip = "Look what this Python has: packages, graphics card, memory."
        self.install_button.toolTip = "Run the self-check first."
        self.install_button.enabled = False
        buttons = qt.QHBoxLayout()
        buttons.addWidget(self.check_button)
        buttons.addWidget(self.install_button)
        form.addRow(buttons)
        self.report = qt.QLabel()
        self.report.objectName = "selfCheckReport"
        self.report.wordWrap = True
        self.report.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)  # else a long line widens the panel
        self.report.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        form.addRow(self.report)
        self.path.editingFinished.connect(self._chosen)
        self.browse.clicked.connect(lambda *_: self._browse())
        self.check_button.clicked.connect(lambda *_: self._start_check())
        self.install_button.clicked.connect(lambda *_: self._install())

    def _show_choice(self) -> None:
        import slicer

        from organdose.panels.window_jobs import INTERPRETER_SETTING

        self.path.text = slicer.util.settingsValue(INTERPRETER_SETTING, "") or ""

    def _browse(self) -> None:
        import qt
        import slicer

        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), "Folder of a Python environment", "")
        if folder:
            self.path.text = folder
            self._chosen()

    def _chosen(self) -> None:
        """Keep the choice if it is a Python; say what is wrong with it and go back otherwise."""
        import slicer

        from organdose.errors import InputError
        from organdose.jobs.interpreter import Interpreter
        from organdose.panels.window_jobs import INTERPRETER_SETTING

        wanted = self.path.text.strip()
        if wanted == (slicer.util.settingsValue(INTERPRETER_SETTING, "") or ""):
            return
        try:
            if wanted:
                Interpreter.existing(wanted, slicer.util.startupEnvironment())
        except InputError as error:
            self._say(str(error), "bad")
            self._show_choice()
            return
        slicer.app.settings().setValue(INTERPRETER_SETTING, wanted)
        for panel in _panels:
            panel._take_choice()

    def _take_choice(self) -> None:
        """Another Python was chosen: what was found out about the one before says nothing about it."""
        self._end_check()
        self._show_choice()
        self.check_button.enabled, self.install_button.enabled = True, False
        self._say("Chosen. The self-check says whether it has what the jobs need.")
        self._changed()

    def _start_check(self) -> None:
        from organdose.errors import InputError
        from organdose.jobs.self_check import start_self_check
        from organdose.panels.window_jobs import job_interpreter

        try:
            self._check = start_self_check(job_interpreter())
        except InputError as error:
            self._say(str(error), "bad")
            return
        self._say("Looking ...")
        self.check_button.enabled = False
        self._timer.start()

    def _poll(self) -> None:
        found = self._check.poll() if self._check is not None else None
        if found is None:
            return
        self._timer.stop()
        self._check = None
        self.check_button.enabled = True
        problems = [f"• {problem.what}. {problem.mend}" for problem in found.problems]
        kind = "bad" if not found.is_ready else "stale" if problems else "good"
        engines = ["For segmentation: " + "; ".join(found.segmentation_lines) + "."] if found.segmentation_lines else []
        self._say("\n".join([_summary(found), *problems, *engines]), kind)
        self._missing = found.missing_requirements()
        self.install_button.enabled = bool(self._missing) and not self.path.text
        self.install_button.toolTip = self._why_install()

    def _why_install(self) -> str:
        if not self._missing:
            return "Nothing that every job needs is missing."
        if self.path.text:
            return "OrganDose installs into Slicer's own Python only; install in the other one by hand."
        return f"Get {', '.join(self._missing)} from the Python Package Index, after asking."

    def _install(self) -> None:
        import slicer

        from organdose.errors import InputError
        from organdose.jobs.install import install_missing

        try:
            install_missing(self._missing, slicer)
        except InputError as error:
            self._say(str(error), "bad")
            return
        self._changed()
        self._start_check()

    def _changed(self) -> None:
        from organdose.panels.job_packages import look_again

        look_again()
        self._on_changed()

    def _say(self, text: str, kind: str = "") -> None:
        from organdose.panels.job_panel import banner_style

        self.report.text = text
        self.report.styleSheet = banner_style(kind)


def _summary(found) -> str:
    """What was looked at, in one line."""
    free, total = (found.memory.get(name) for name in ("free_bytes", "total_bytes"))
    memory = f", {free / 2**30:.1f} of {total / 2**30:.1f} GiB memory free" if free and total else ""
    cards = f", {', '.join(found.graphics_cards)}" if found.graphics_cards else ", no NVIDIA graphics card"
    ready = "Jobs can run." if found.is_ready else "Jobs cannot run yet."
    return f"{ready} Python {found.python}{memory}{cards}." if found.python else ready
