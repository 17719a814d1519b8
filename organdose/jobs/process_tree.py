"""A process with everything it starts: begun as a group of its own, ended as a whole."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

# The environment of a job names it, so that processes which left its group are found too.
MARK = "ORGANDOSE_JOB"


def own_group() -> dict[str, object]:
    """Keywords for `subprocess.Popen` that begin a group which `kill_tree` can end."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def kill_tree(pid: int, mark: str) -> None:
    """End the group begun as process `pid`, and what carries `mark` in its environment, at once. Does not wait."""
    if os.name == "nt":
        subprocess.Popen(["taskkill", "/T", "/F", "/PID", str(pid)], creationflags=subprocess.CREATE_NO_WINDOW,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return
    for member in _members(pid, mark):  # first, since the group may be our own
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):  # gone already; macOS says so of a group of zombies
        os.killpg(pid, signal.SIGKILL)


def tree_is_alive(pid: int, mark: str) -> bool:
    """Whether anything of the group still runs after its first process has ended. Windows cannot tell: False."""
    if os.name == "nt":
        return False
    if sys.platform == "linux":
        return bool(_members(pid, mark))
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_own_tree() -> None:
    """End this process and all it started, at once. Only a process begun with `own_group` takes its group along."""
    mark = os.environ.get(MARK, "")
    if mark and (os.name == "nt" or os.getpgrp() == os.getpid()):
        kill_tree(os.getpid(), mark)
        time.sleep(5)  # Windows ends this process a moment later; it must live until its tree was looked up
    os._exit(1)


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number, whoever owns it."""
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _members(group: int, mark: str) -> list[int]:
    """Linux: the living processes of a group, and those that left it but carry `mark`; elsewhere none."""
    if sys.platform != "linux":
        return []
    variable = f"\0{MARK}={mark}\0".encode() if mark else None
    return [int(folder.name) for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and int(folder.name) != os.getpid() and _belongs(folder, group, variable)]


def _belongs(folder: Path, group: int, variable: bytes | None) -> bool:
    try:
        # The command's name stands in brackets and may hold anything; state, parent and group follow it.
        state, _, its_group = (folder / "stat").read_bytes().rpartition(b") ")[2].split()[:3]
        if state in (b"Z", b"X"):
            return False
        return int(its_group) == group or (
            variable is not None and variable in b"\0" + (folder / "environ").read_bytes() + b"\0")
    except (OSError, ValueError):  # ended meanwhile, or somebody else's
        return False


def _is_alive_on_windows(pid: int) -> bool:
    access_query, access_denied, still_active = 0x1000, 5, 259
    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(access_query, False, pid)
    if not handle:
        return kernel.GetLastError() == access_denied
    status = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(status))
    kernel.CloseHandle(handle)
    return status.value == still_active
