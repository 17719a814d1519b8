"""A job in a child process, driven by a cheap `poll`: no threads, nothing that blocks the window."""

from __future__ import annotations

import json
import logging
import math
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from organdose.jobs.interpreter import Interpreter
from organdose.jobs.job_outcome import CANCELLED, DONE, JobOutcome, JobState
from organdose.jobs.process_tree import MARK, kill_tree, own_group, tree_is_alive
from organdose.jobs.tasks import describe
from organdose.progress import ProgressReport

LOG_NAME = "log.txt"
# How long an ended tree may take to disappear, and a job that told its end to exit.
_PATIENCE_S = 3.0
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")


class JobProcess:
    """One job in a child process, from `start` to an `outcome`.

    `folder` is private to this job: description, events, log and temporary files of the child lie in it, and the
    result when `job` names a path in it (relative paths are inside it). A job that is done leaves its result there; one
    that is cancelled or fails leaves nothing but, where the message does not explain all, its log.
    """

    def __init__(self, task: str, job: Mapping[str, object], folder: Path, interpreter: Interpreter):
        self.outcome: JobOutcome | None = None
        self.folder = Path(folder).absolute()
        self._description = describe(task, job)
        self._interpreter = interpreter
        self._process: subprocess.Popen | None = None
        self._events: BinaryIO | None = None
        self._half_line = b""
        self._told: JobOutcome | None = None
        self._cancelled = False
        self._exit_by_s = self._gone_by_s = math.inf

    def start(self) -> None:
        """Begin the child. Where that is impossible the job has failed at once, with an `outcome`."""
        try:
            self._start()
        except OSError as error:
            self._clear(())
            self.outcome = JobOutcome(JobState.FAILED, f"The job could not be started ({error}). Check the Python for "
                                                       "jobs in the settings and the space on the disk.", "input")

    def poll(self) -> list[ProgressReport]:
        """What is new; sets `outcome` at the end. Never waits: call it every 50 ms or so."""
        if self._process is None or self.outcome is not None:
            return []
        status = self._process.poll()  # before reading: an ended child has written all it will
        reports = self._read_events()
        if status is not None:
            self._finish(status)
        elif time.monotonic() > self._exit_by_s:
            self._exit_by_s = math.inf
            self._kill()  # its work is over, some thread of a library is not
        return reports

    def cancel(self) -> None:
        """End the whole process tree now; a following `poll` removes what it half wrote and gives the outcome."""
        if self._process is not None and self.outcome is None and not self._cancelled:
            self._cancelled = True
            # No gentle signal first: the folder is private to the job, nothing in it needs to be put in order.
            self._kill()

    def close(self) -> None:
        """Cancel a running job and wait until it is gone (milliseconds, a few seconds at most)."""
        self.cancel()
        give_up_s = time.monotonic() + 2 * _PATIENCE_S
        while self._process is not None and self.outcome is None and time.monotonic() < give_up_s:
            self.poll()
            time.sleep(0.005)

    def __del__(self) -> None:
        # Only the processes: at the end of the interpreter little else can be relied on.
        if getattr(self, "_process", None) is not None and self.outcome is None:
            with suppress(Exception):
                self._kill()
                self._process.wait(timeout=1)

    def _start(self) -> None:
        temporary = self.folder / "tmp"
        temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        description, events = self.folder / "description.json", self.folder / "events.jsonl"
        description.write_text(json.dumps(self._description), encoding="utf-8")
        events.touch()
        self._events = open(events, "rb")  # noqa: SIM115 (closed with the job)
        variables = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)) | {MARK: str(self.folder)}
        with open(self.folder / LOG_NAME, "wb") as log:
            # The child ends itself when its standard input closes, that is when this process is gone.
            self._process = subprocess.Popen(
                [str(self._interpreter.executable), "-m", "organdose.jobs.child", str(description), str(events)],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env=self._interpreter.job_environment(**variables), **own_group())

    def _read_events(self) -> list[ProgressReport]:
        if self._events.closed:
            return []
        *lines, self._half_line = (self._half_line + self._events.read()).split(b"\n")
        return [report for line in lines if (report := self._understood(line)) is not None]

    def _understood(self, line: bytes) -> ProgressReport | None:
        try:
            event = json.loads(line)
            if event["event"] == "progress":
                return ProgressReport(event["stage"], event["fraction"], event["remaining_s"], event["message"])
            self._told = _told_end(event)
            self._exit_by_s = time.monotonic() + _PATIENCE_S
        except (ValueError, KeyError, TypeError):
            logging.warning("Not an event of a job: %r", line[:200])
        return None

    def _finish(self, status: int) -> None:
        """The child has ended: end what it left running, clean up, say how it went."""
        self._gone_by_s = min(self._gone_by_s, time.monotonic() + _PATIENCE_S)
        late = time.monotonic() > self._gone_by_s
        if not late and tree_is_alive(self._process.pid, str(self.folder)):
            self._kill()
            return
        outcome = self._outcome(status)
        keep = {JobState.DONE: None, JobState.CANCELLED: ()}.get(outcome.state, (LOG_NAME,) if outcome.log else ())
        self._process.stdin.close()
        if not self._clear(keep) and not late:
            return
        self.outcome = outcome

    def _outcome(self, status: int) -> JobOutcome:
        if self._cancelled:
            return CANCELLED
        log = self.folder / LOG_NAME
        outcome = self._told or JobOutcome(JobState.FAILED, _how_it_died(status, log), "crash")
        if not outcome.is_surprise:
            return outcome
        return replace(outcome, message=f"{outcome.message} Log: {log}", log=log)

    def _clear(self, keep: tuple[str, ...] | None) -> bool:
        """Remove all of the folder but `keep` (None: remove no result). False where something is still there."""
        if self._events is not None:
            self._events.close()
        if keep is None:
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)
            return True
        return clear_folder(self.folder, keep)

    def _kill(self) -> None:
        kill_tree(self._process.pid, str(self.folder))


def clear_folder(folder: Path, keep: tuple[str, ...] = ()) -> bool:
    """Empty a folder but for the names to keep. False where something could not be removed."""
    with suppress(FileNotFoundError):
        for path in list(folder.iterdir()):
            if path.name in keep:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
        return all(path.name in keep for path in folder.iterdir())
    return True


def _told_end(event: dict) -> JobOutcome:
    """The outcome a child told. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    if event["event"] == "done":
        return DONE
    if event["event"] != "failed":
        raise ValueError(event["event"])
    if event["kind"] == "cancelled":
        return CANCELLED
    return JobOutcome(JobState.FAILED, event["message"], event["kind"], dict(event.get("facts", {})))


def _how_it_died(status: int, log: Path) -> str:
    """Words for a child that ended without telling why."""
    if status >= 0:
        return f"The job ended unexpectedly (exit status {status if status < 256 else hex(status)}){_last_line(log)}."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name in _CRASHES:
        return f"The job crashed ({name}){_last_line(log)}."
    guess = ": perhaps the machine ran out of memory" if name == "SIGKILL" else ""
    return f"The job was ended from outside (signal {-status}){guess}."


def _last_line(log: Path) -> str:
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    last = next((" ".join(line.split()) for line in reversed(lines) if line.strip()), "")
    return f": {last[:200].rstrip('.')}" if last else ""
