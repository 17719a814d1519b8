"""Run and Cancel, where the job stands and how long it will take, and how it ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

_BANNERS = {"": "", "good": "background: #dff3e3; color: #12401f;", "bad": "background: #ffd9d6; color: #7a0010;",
            "stale": "background: #fff0c2; color: #5c4200;"}


def banner_style(kind: str) -> str:
    """The style sheet of a label that says something good, bad or stale; '' is plain."""
    return f"QLabel {{ {_BANNERS[kind]} padding: 4px; border-radius: 3px; }}" if kind else ""


class JobPanel:
    """Progress bar and status line for the jobs of one part of a module, with Run and Cancel.

    `on_ended(outcome)` is called when a job and the bringing in of its result are over, however it went. Without
    `run_text` there is no Run button, and the window starts jobs by itself.
    """

    def __init__(self, run_text: str = "", on_run: Callable[[], None] = lambda: None,
                 on_ended: Callable[[object], None] = lambda outcome: None):
        from organdose.panels.steps import Steps

        self._on_run, self._on_ended = on_run, on_ended
        self._job, self._take, self._steps, self._reason = None, None, Steps(), ""
        self._folder: Path | None = None  # of the job whose result is being brought in
        self._stopped = False
        self._build(run_text)
        self.refuse("")

    @property
    def is_busy(self) -> bool:
        """Whether a job is waiting, running, or its result is being brought in."""
        return self._job is not None or self._steps.is_busy

    def refuse(self, reason: str) -> None:
        """Why Run cannot be pressed now, shown as its tooltip; '' when it can."""
        self._reason = reason
        self._show_buttons()

    def say(self, text: str, kind: str = "") -> None:
        """The status line: what came out ('good'), what went wrong ('bad'), or plain text."""
        self.status.text = text
        self.status.styleSheet = banner_style(kind)
        self.status.visible = bool(text)
        self._show_buttons()

    def run(self, task: str, make_job: Callable[[Path], object], take: Callable[[Path], Generator]) -> None:
        """Put a job in the queue.

        `make_job(folder)` is that of `JobQueue.submit`. `take(folder)` is a generator function that brings the
        finished job's result into the scene in short steps; it returns the line that says what came out.
        """
        from organdose.errors import InputError
        from organdose.panels.window_jobs import job_queue, submit

        if self.is_busy:
            return
        self._take = take
        try:
            self._job = submit(task, make_job, self._show_progress, self._ended)
        except (InputError, OSError) as error:
            self.say(str(error), "bad")
            return
        self.say("")
        self.bar.setRange(0, 1000)
        self.bar.value = 0
        self.bar.format = "Waiting for the jobs before this one" if len(job_queue().jobs) > 1 else "Starting"
        self._show_buttons()

    def cancel(self) -> None:
        """Stop the job, or stop bringing its result in."""
        from organdose.jobs.job_outcome import CANCELLED
        from organdose.panels.window_jobs import cancel

        if self._job is not None:
            cancel(self._job)
        elif self._steps.is_busy:
            self._steps.stop()
            self._remove_folder()
            self._finish("Cancelled. Nothing was changed.", "", CANCELLED)

    def stop(self) -> None:
        """End everything quietly: the window goes away."""
        self._stopped = True
        self.cancel()
        self._steps.discard()

    def _build(self, run_text: str) -> None:
        import qt

        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        row = qt.QHBoxLayout()
        self.run_button, self.cancel_button = qt.QPushButton(run_text), qt.QPushButton("Cancel")
        self.run_button.objectName, self.cancel_button.objectName = "runButton", "cancelButton"
        row.addWidget(self.run_button, 3)
        row.addWidget(self.cancel_button, 1)
        column.addLayout(row)
        self.bar = qt.QProgressBar()
        self.bar.objectName = "jobProgress"
        column.addWidget(self.bar)
        self.status = qt.QLabel()
        self.status.objectName = "jobStatus"
        self.status.wordWrap = True
        self.status.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)  # else a long line widens the panel
        self.status.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        column.addWidget(self.status)
        self.run_button.clicked.connect(lambda *_: self._on_run())
        self.run_button.visible = self._has_run_button = bool(run_text)
        self.cancel_button.clicked.connect(lambda *_: self.cancel())
        self.status.visible = False

    def _show_buttons(self) -> None:
        busy = self.is_busy
        self.run_button.enabled = not busy and not self._reason
        self.run_button.toolTip = "A job is running." if busy else self._reason or "Start."
        self.cancel_button.enabled = busy
        wanted = busy or self._has_run_button or bool(self.status.text)
        if not wanted or self.widget.parent() is not None:  # one without a parent would show up as a window of its own
            self.widget.visible = wanted
        self.cancel_button.toolTip = "Stop the job; nothing of it is kept." if busy else "No job is running."
        self.bar.visible = busy

    def _show_progress(self, report) -> None:
        self.bar.value = round(1000 * report.fraction)
        self.bar.format = f"{report.stage}: %p %{_remaining(report.remaining_s)}"
        self.bar.toolTip = report.message

    def _ended(self, outcome, folder) -> None:
        job, self._job = self._job, None
        if outcome.state.name == "DONE":
            job.keep_folder()
            self._folder = Path(folder)
            self.bar.format = "Bringing in the result"
            self._steps.run(self._take(Path(folder)), on_done=lambda line: self._taken(outcome, line),
                            on_error=lambda error: self._not_taken(outcome, error))
            self._show_buttons()
        elif outcome.state.name == "CANCELLED":
            self._finish("Cancelled. Nothing was changed.", "", outcome)
        else:
            self._finish(_without_folder(outcome, Path(folder)), "bad", outcome)

    def _taken(self, outcome, line: str) -> None:
        self._finish(line, "good", outcome)

    def _not_taken(self, outcome, error: Exception) -> None:
        import logging

        from organdose.errors import InputError

        line = str(error)
        if not isinstance(error, InputError):
            logging.error("the result could not be brought in", exc_info=error)
            line = f"The result could not be brought in ({type(error).__name__}): {line}"
        self._remove_folder()
        self._finish(line, "bad", outcome)

    def _remove_folder(self) -> None:
        """Nobody took what lies there: it may be as large as the CT."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self, line: str, kind: str, outcome) -> None:
        if not self._stopped:  # the widgets may be gone by now
            self.say(line, kind)
            self._on_ended(outcome)


def _without_folder(outcome, folder: Path) -> str:
    """The message of a failed job. Its private folder says nothing to the user, who gave no file; a log stays there."""
    return outcome.message if outcome.log else outcome.message.replace(f"{folder}{os.sep}", "")


def _remaining(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f", {seconds:.0f} s left"
    return f", {seconds / 60:.0f} min left"
