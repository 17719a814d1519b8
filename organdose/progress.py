"""How long work tells whoever waits for it where it stands, and learns that it should stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from organdose.errors import Cancelled


@dataclass(frozen=True)
class ProgressReport:
    """One step of long work: the stage's name, its fraction done (0..1), seconds left (None: not known yet)."""

    stage: str
    fraction: float
    remaining_s: float | None
    message: str = ""


class Progress:
    """Passed to every long-running function, which calls `report` often (each batch, each slice).

    `listener` receives a `ProgressReport` per call. `cancel` may be called from any thread or signal handler; the
    next `report` in the working thread then raises `Cancelled`.
    """

    def __init__(self, listener: Callable[[ProgressReport], None] | None = None):
        self._listener = listener
        self._cancel = threading.Event()
        self._stage: str | None = None
        self._stage_start_s = 0.0

    def cancel(self) -> None:
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def report(self, stage: str, fraction: float, message: str = "") -> None:
        """Say that `stage` is `fraction` (0..1) done. Raises `Cancelled` when the user asked to stop."""
        if self.cancelled:
            raise Cancelled(f"cancelled during: {stage}")
        now_s = time.monotonic()
        if stage != self._stage:
            self._stage, self._stage_start_s = stage, now_s
        if self._listener is not None:
            elapsed_s = now_s - self._stage_start_s
            remaining_s = elapsed_s * (1 - fraction) / fraction if fraction > 0 and elapsed_s > 0 else None
            self._listener(ProgressReport(stage, fraction, remaining_s, message))
