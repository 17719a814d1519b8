"""A command of another package in a process of its own: its output read as it comes, ended with all it started."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError
from organdose.progress import Progress

_CHILD = Path(__file__).resolve().parent / "entry_point_child.py"
# They belong to the Python they were set for and break any other.
_OF_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "__PYVENV_LAUNCHER__")
_LOOK_EVERY_S = 0.1
_LINES_KEPT = 60
_PATIENCE_S = 3.0
_OUT_OF_MEMORY = re.compile(r"out of memory|outofmemory|MemoryError|can't allocate memory|bad_alloc|Unable to allocate",
                            re.IGNORECASE)

# From a line of output to (stage, fraction done), or None where it says nothing of that.
LineReader = Callable[[str], tuple[str, float] | None]


@dataclass(frozen=True)
class OutsideEnd:
    """How a command ended: its exit status (negative: a signal) and the last lines it wrote."""

    status: int
    lines: tuple[str, ...]

    @property
    def ran_out_of_memory(self) -> bool:
        """By its own words, or ended by the system with SIGKILL, as Linux does when memory runs out."""
        return self.status != 0 and (self.status in (-9, 137) or any(_OUT_OF_MEMORY.search(s) for s in self.lines))

    @property
    def last_line(self) -> str:
        """Its last words, at most 200 characters; '' where it said nothing."""
        return next((" ".join(line.split())[:200].rstrip(".") for line in reversed(self.lines) if line.strip()), "")


def is_installed(module: str, python: Path | None = None) -> bool:
    """Whether a Python (this one without a path) has a package. Raises `InputError` when the Python cannot be run."""
    question = f"import importlib.util, sys; sys.exit(0 if importlib.util.find_spec({module!r}) else 3)"
    try:
        return subprocess.run([_executable(python), "-c", question], env=_environment(python, {}), timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"this Python cannot be run ({error})", where=python,
                         mend="Give the python of the environment that has the package.") from error


def run_entry_point(entry_point: str, arguments: list[str], *, folder: Path, progress: Progress, read_line: LineReader,
                    python: Path | None = None, variables: dict[str, str] | None = None) -> OutsideEnd:
    """Run 'module:function', a package's command, with these arguments, in `folder`.

    Returns how it ended. Raises `Cancelled` after the whole process tree was ended; `InputError` when it cannot start.
    """
    command = [_executable(python), str(_CHILD), entry_point, *arguments]
    try:
        process = subprocess.Popen(command, cwd=folder, env=_environment(python, variables or {}),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_group())
    except OSError as error:
        raise InputError(f"the process of {entry_point.split('.')[0]} cannot be started ({error})",
                         mend="Check the Python it is to run in, and the memory that is free.") from error
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout.fileno(), lines), daemon=True)
    reader.start()
    try:
        return _followed(process, reader, lines, progress, read_line)
    finally:
        _kill_group(process)
        process.stdin.close()
        process.wait()
        reader.join(_PATIENCE_S)
        if not reader.is_alive():  # else closed with the thread that still reads it
            process.stdout.close()


def _followed(process, reader, lines: queue.Queue, progress: Progress, read_line: LineReader) -> OutsideEnd:
    last: deque[str] = deque(maxlen=_LINES_KEPT)
    stage, fraction = "starting", 0.0
    give_up_s = None
    while True:
        ended = process.poll() is not None
        if ended and give_up_s is None:  # what it left running may hold its output open
            give_up_s = time.monotonic() + _PATIENCE_S
            _kill_group(process)
        with suppress(queue.Empty):
            while True:
                line = lines.get_nowait()
                last.append(line)
                stage, fraction = read_line(line) or (stage, fraction)
        progress.report(stage, min(max(fraction, 0.0), 1.0))
        if ended and lines.empty() and (not reader.is_alive() or time.monotonic() > give_up_s):
            return OutsideEnd(process.returncode, tuple(last))
        if not ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_EVERY_S)
        else:
            reader.join(_LOOK_EVERY_S)


def _read(descriptor: int, lines: queue.Queue) -> None:
    """Lines of a pipe; progress bars end theirs with a carriage return."""
    half = b""
    with suppress(OSError):
        while chunk := os.read(descriptor, 65536):
            *whole, half = re.split(rb"[\r\n]+", half + chunk)
            for line in whole:
                lines.put(line.decode(errors="replace"))
    if half:
        lines.put(half.decode(errors="replace"))


def _executable(python: Path | None) -> str:
    return str(Path(python).expanduser().absolute()) if python is not None else sys.executable


def _environment(python: Path | None, more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if python is None or name not in _OF_ANOTHER_PYTHON}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **more}


def _group() -> dict[str, object]:
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _kill_group(process: subprocess.Popen) -> None:
    if os.name == "nt":
        if process.poll() is None:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False,
                           creationflags=subprocess.CREATE_NO_WINDOW)
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
