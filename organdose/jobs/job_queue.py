"""Jobs of a window: one at a time, the others wait in order; all of it driven by `poll`."""

from __future__ import annotations

import atexit
import getpass
import logging
import os
import platform
import re
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from organdose.errors import InputError
from organdose.jobs.interpreter import Interpreter
from organdose.jobs.job_outcome import CANCELLED, JobOutcome, JobState, outcome_of
from organdose.jobs.job_process import LOG_NAME, JobProcess, clear_folder
from organdose.jobs.process_tree import is_alive
from organdose.progress import ProgressReport

# How long one poll prepares: with the window's own work it stays below a frame that the eye misses.
_PREPARE_S = 0.025

Job = Mapping[str, object]
Preparation = Generator[tuple[str, float], None, Job]


class QueuedJob:
    """One job of a queue: where it stands, its private folder, and at the end its outcome."""

    def __init__(self, task: str, make_job: Callable[[Path], Job | Preparation], folder: Path,
                 on_progress: Callable[[ProgressReport], None], on_end: Callable[[JobOutcome, Path], None]):
        self.task = task
        self.folder = folder
        self.state = JobState.WAITING
        self.outcome: JobOutcome | None = None
        self._make_job = make_job
        self._on_progress = on_progress
        self._on_end = on_end
        self._steps: Preparation | None = None
        self._process: JobProcess | None = None
        self._cancelled = False
        self._kept = False

    def keep_folder(self) -> None:
        """Called in `on_end`: the folder stays until the queue is closed."""
        self._kept = True


class JobQueue:
    """Runs jobs in child processes of `interpreter`, which may be changed for those that have not begun.

    A timer of the window calls `poll` every 50 ms. Folders of the jobs lie in one private folder below `below` (the
    system's temporary folder without); those of processes that died are removed. `close` ends everything, at the
    latest when Python ends; jobs submitted afterwards start anew.
    """

    def __init__(self, interpreter: Interpreter, below: Path | None = None):
        self.interpreter = interpreter
        self._below = Path(below or tempfile.gettempdir()).absolute()
        self._root: Path | None = None
        self._jobs: list[QueuedJob] = []

    @property
    def jobs(self) -> tuple[QueuedJob, ...]:
        """Those that have not ended, in their order."""
        return tuple(self._jobs)

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs)

    def submit(self, task: str, make_job: Callable[[Path], Job | Preparation],
               on_progress: Callable[[ProgressReport], None], on_end: Callable[[JobOutcome, Path], None]) -> QueuedJob:
        """Add a job at the end of the queue.

        `make_job(folder)` returns the values of the job, or is a generator that writes its input to the folder,
        yields (stage, fraction) between steps shorter than 30 ms and returns the values. `on_end(outcome, folder)` is
        called by a `poll`, while the folder still exists. Raises `InputError` when no folder can be made.
        """
        job = QueuedJob(task, make_job, self._make_folder(), on_progress, on_end)
        self._jobs.append(job)
        return job

    def poll(self) -> None:
        """Go on by one small step: prepare for 25 ms at most, or pass on what the running job told."""
        for job in self.jobs:
            if job._cancelled and job._process is None and not _is_executing(job._steps):
                self._end(job, CANCELLED)
        if not self._jobs:
            return
        job = self._jobs[0]
        if job.state is JobState.RUNNING:
            self._follow(job)
        else:
            self._prepare(job)

    def cancel(self, job: QueuedJob) -> None:
        """Stop a job wherever it stands; a following `poll` gives its outcome. Ended jobs stay as they are."""
        job._cancelled = True
        if job._process is not None:
            job._process.cancel()

    def cancel_all(self) -> None:
        for job in self.jobs:
            self.cancel(job)

    def close(self) -> None:
        """End everything and remove all folders, without calling anybody back: scene and window may be gone."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.state, job.outcome = JobState.CANCELLED, CANCELLED
            if job._process is not None:
                job._process.close()
            _close_steps(job)
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None
            atexit.unregister(self.close)

    def _make_folder(self) -> Path:
        try:
            # Systems tidy their temporary folder while a window is open for days.
            if self._root is None or not self._root.is_dir():
                self._root = _make_root(self._below)
                atexit.register(self.close)
            return Path(tempfile.mkdtemp(prefix="job-", dir=self._root))
        except OSError as error:
            raise InputError(f"no folder for a job can be made ({error.strerror or error})", where=self._below,
                             mend="Make room on the disk of the temporary folder.") from error

    def _prepare(self, job: QueuedJob) -> None:
        if _is_executing(job._steps):
            return  # a step showed the window something, and the window's timer called us again
        job.state = JobState.PREPARING
        try:
            job._steps = job._steps or _steps(job)
            finished, values, report = _advance(job._steps)
            if finished:
                return self._run(job, values)
        except Exception as error:
            return self._end(job, _failed_preparation(job, error))
        if job in self._jobs:
            _call(job._on_progress, report)

    def _run(self, job: QueuedJob, values: Job) -> None:
        if job._cancelled or job not in self._jobs:
            return
        job._process = JobProcess(job.task, values, job.folder, self.interpreter)
        job._process.start()
        job.state = JobState.RUNNING

    def _follow(self, job: QueuedJob) -> None:
        for report in job._process.poll():
            if job in self._jobs and not job._cancelled:
                _call(job._on_progress, report)
        # Not twice: a callback that shows something may have let the timer in, and its poll has ended the job.
        if job._process.outcome is not None:
            self._end(job, job._process.outcome)

    def _end(self, job: QueuedJob, outcome: JobOutcome) -> None:
        if job not in self._jobs:
            return  # closed meanwhile
        self._jobs.remove(job)
        _close_steps(job)
        job.state, job.outcome = outcome.state, outcome
        _call(job._on_end, outcome, job.folder)
        # The message of a crash names its log: that stays as long as the queue.
        if not job._kept and outcome.log is None:
            shutil.rmtree(job.folder, ignore_errors=True)


def _steps(job: QueuedJob) -> Preparation:
    """The preparation of a job; one that is made at once takes a single step."""
    made = job._make_job(job.folder)
    return (yield from made) if isinstance(made, Generator) else made


def _advance(steps: Preparation) -> tuple[bool, Job | None, ProgressReport | None]:
    """Some steps of a preparation: whether it is finished, then what it made, otherwise where it stands."""
    until_s = time.perf_counter() + _PREPARE_S
    try:
        while True:
            stage, fraction = next(steps)
            if time.perf_counter() >= until_s:
                return False, None, ProgressReport(stage, fraction, None)
    except StopIteration as end:
        return True, end.value, None


def _failed_preparation(job: QueuedJob, error: Exception) -> JobOutcome:
    outcome = outcome_of(error)
    clear_folder(job.folder)
    if not outcome.is_surprise:
        return outcome
    log = job.folder / LOG_NAME
    logging.error("A job could not be prepared", exc_info=error)
    with suppress(OSError):
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return replace(outcome, message=f"{outcome.message} Log: {log}", log=log)


def _is_executing(steps: Preparation | None) -> bool:
    return steps is not None and steps.gi_running


def _close_steps(job: QueuedJob) -> None:
    if job._steps is not None:
        _call(job._steps.close)


def _call(function: Callable[..., object], *arguments: object) -> None:
    """Call somebody back; their mistake is logged and the queue goes on."""
    try:
        function(*arguments)
    except Exception:
        logging.exception("A job's callback failed")


def _make_root(below: Path) -> Path:
    """A private folder whose name tells whose it is; those that died processes left are removed."""
    parts = [re.sub(r"\W", "_", part) for part in (_user(), platform.node() or "here")]
    prefix = f"organdose-{'-'.join(parts)}-"
    for left in below.glob(f"{prefix}*-*"):
        number = left.name.removeprefix(prefix).partition("-")[0]
        if number.isdecimal() and left.is_dir() and not left.is_symlink() and not is_alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=below))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "user"
