"""A job in a process of its own: `python -m organdose.jobs.child DESCRIPTION.json EVENTS.jsonl`.

What happens is told as lines of JSON: progress, and at the end one of done and failed. Output of libraries and the
traceback of a crash go to standard error, never to the user.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from organdose.jobs.job_outcome import JobOutcome, JobState, outcome_of
from organdose.jobs.process_tree import kill_own_tree
from organdose.jobs.tasks import TASKS, Task, read_description
from organdose.progress import Progress, ProgressReport

_SHORTEST_S = 0.1
_STATUS = {"": 0, "input": 2, "missing-facts": 2, "cancelled": 130}


class EventFile:
    """Appends events as lines of JSON: at most one progress in 0.1 s, but the first and last of every stage."""

    def __init__(self, path: Path):
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by `end`)
        self._told: ProgressReport | None = None
        self._told_s = 0.0
        self._held: ProgressReport | None = None

    def progress(self, report: ProgressReport) -> None:
        """Listener of a `Progress`."""
        new_stage = self._told is None or report.stage != self._told.stage
        if new_stage:
            self._tell_held()
        if new_stage or report.fraction >= 1 or time.monotonic() - self._told_s >= _SHORTEST_S:
            self._tell(report)
        else:
            self._held = report

    def end(self, outcome: JobOutcome) -> None:
        """Tell how the job ended; nothing can be told afterwards."""
        self._tell_held()
        if outcome.state is JobState.DONE:
            self._write({"event": "done"})
        else:
            facts = {"facts": outcome.missing_facts} if outcome.missing_facts else {}
            self._write({"event": "failed", "kind": outcome.kind, "message": outcome.message, **facts})
        self._file.close()

    def _tell_held(self) -> None:
        if self._held is not None:
            self._tell(self._held)

    def _tell(self, report: ProgressReport) -> None:
        self._told, self._told_s, self._held = report, time.monotonic(), None
        self._write({"event": "progress", "stage": report.stage, "fraction": report.fraction,
                     "remaining_s": report.remaining_s, "message": report.message})

    def _write(self, event: dict[str, object]) -> None:
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()


def run(description: Path, events: Path, *, tasks: Mapping[str, Task] = TASKS) -> int:
    """Run the described job and tell `events` about it, to be called in the main thread.

    Returns the exit status of the command line: 0 done, 2 bad input, 130 cancelled, 1 anything else.
    """
    told = EventFile(events)
    progress = Progress(told.progress)
    outcome = JobOutcome(JobState.DONE)
    with _signals_cancel(progress):
        try:
            task, job = read_description(description, tasks)
            task.run(job, progress)
        except (Exception, KeyboardInterrupt) as error:
            outcome = outcome_of(error)
            if outcome.is_surprise or isinstance(error, ImportError):
                traceback.print_exc()
        told.end(outcome)
    return _STATUS.get(outcome.kind, 1)


@contextmanager
def _signals_cancel(progress: Progress) -> Iterator[None]:
    """Ctrl-C and a termination signal stop the work at its next report."""
    earlier = {number: signal.signal(number, lambda *_: progress.cancel())
               for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """Watch standard input, if it is a pipe, in a daemon thread: it closes when the parent dies, however it dies."""
    try:
        if not stat.S_ISFIFO(os.fstat(0).st_mode):
            return
    except OSError:  # started without standard input
        return
    # The job and its processes get an empty input: on Windows they would wait for the read below to return.
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        with suppress(OSError):
            while os.read(pipe, 1024):
                pass
        kill_own_tree()

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def _be_first_to_go() -> None:
    """Linux: when memory runs out the system should end the job, not the window with the user's scene."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def main(arguments: list[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 2:
        sys.exit("usage: python -m organdose.jobs.child DESCRIPTION.json EVENTS.jsonl")
    _end_with_parent()
    _be_first_to_go()
    sys.exit(run(Path(arguments[0]), Path(arguments[1])))


if __name__ == "__main__":
    main()
