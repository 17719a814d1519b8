"""Progress on a terminal: one bar a stage with the remaining time, or a line a stage where nobody watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from organdose.progress import Progress, ProgressReport


def progress_on_terminal() -> tuple[Progress, object]:
    """A `Progress` and a context manager that yields it while the display is on."""
    shown = _Bars() if sys.stderr.isatty() else _Lines()
    progress = Progress(shown.show)

    @contextmanager
    def display():
        with shown:
            yield progress

    return progress, display()


class _Bars:
    def __init__(self):
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._rich = RichProgress(
            TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(), TextColumn("{task.fields[remaining]}"), TextColumn("{task.fields[message]}"),
            console=Console(stderr=True), transient=False)
        self._tasks: dict[str, object] = {}

    def __enter__(self):
        self._rich.__enter__()
        return self

    def __exit__(self, *error):
        return self._rich.__exit__(*error)

    def show(self, report: ProgressReport) -> None:
        if report.stage not in self._tasks:
            for task in self._tasks.values():
                self._rich.update(task, completed=1.0, remaining="")
            self._tasks[report.stage] = self._rich.add_task(report.stage, total=1.0, remaining="", message="")
        left = "" if report.remaining_s is None or report.fraction >= 1 else f"{_clock(report.remaining_s)} left"
        self._rich.update(self._tasks[report.stage], completed=report.fraction, remaining=left, message=report.message)


class _Lines:
    """For logs: a line at the start of each stage and at every further tenth of it."""

    def __init__(self):
        self._last = ("", -1)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def show(self, report: ProgressReport) -> None:
        step = (report.stage, int(10 * report.fraction))
        if step == self._last:
            return
        self._last = step
        left = "" if report.remaining_s is None else f", {_clock(report.remaining_s)} left"
        print(f"{report.stage}: {100 * report.fraction:.0f} %{left} {report.message}".rstrip(), file=sys.stderr,
              flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
