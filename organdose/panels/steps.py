"""Long work of the window itself, done in short steps between the events of the application.

Python threads do not run while Slicer's event loop waits, and scene objects belong to the main thread: so the work is
a generator, and a timer asks it for the next step.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator

_TURN_S = 0.02  # how long one turn may take steps before the window is served again


class Steps:
    """Runs one generator at a time; a new one replaces the one that is running.

    `on_done(value)` gets what the generator returns, `on_error(error)` the exception that ended it (logged without).
    """

    def __init__(self):
        import qt

        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)
        self._work: Generator | None = None
        self._on_step: Callable | None = None
        self._on_done: Callable | None = None
        self._on_error: Callable | None = None

    @property
    def is_busy(self) -> bool:
        return self._work is not None

    def run(self, work: Generator, *, on_step: Callable | None = None, on_done: Callable | None = None,
            on_error: Callable | None = None) -> None:
        """Start; `on_step` gets what the generator yields last in each turn."""
        self.stop()
        self._work, self._on_step, self._on_done, self._on_error = work, on_step, on_done, on_error
        self._timer.start()

    def stop(self) -> None:
        """End the work where it stands; nobody is told."""
        self._timer.stop()
        work, self._work = self._work, None
        if work is not None and not work.gi_running:  # one that let the window in is closed after its step
            work.close()

    def discard(self) -> None:
        """Stop for good: Qt lets go of what this holds, which can be hundreds of MB."""
        self.stop()
        self._timer.timeout.disconnect(self._turn)
        self._on_step = self._on_done = self._on_error = None

    def _turn(self) -> None:
        work, until_s = self._work, time.monotonic() + _TURN_S
        step = None
        try:
            while self._work is work and time.monotonic() < until_s:
                step = next(work)
        except StopIteration as end:
            self._ended(work, self._on_done, end.value)
        except Exception as error:  # whatever it is, the window lives on
            if self._on_error is None:
                logging.exception("a step of the window's own work failed")
            self._ended(work, self._on_error, error)
        else:
            if self._work is not work:
                work.close()
            elif self._on_step is not None:
                self._on_step(step)

    def _ended(self, work: Generator, callback: Callable | None, value: object) -> None:
        if self._work is not work:
            return  # stopped or replaced by what its last step showed
        self._timer.stop()
        self._work = None
        if callback is not None:
            callback(value)
