"""Which Python runs the jobs: the window's own, or an environment the user has already (with torch, say)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError

OLDEST_PYTHON = (3, 11)
_IN_A_FOLDER = ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe")
# They belong to the Python they were set for and break any other.
_OF_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "__PYVENV_LAUNCHER__")
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "PATH")
_MEND = "Give the folder of a virtual environment or conda environment, or its python."


@dataclass(frozen=True)
class Interpreter:
    """A Python with the environment variables it is started with.

    `package_path` is the folder that holds this `organdose`, so that a job runs the code of its window; None where
    that folder holds other packages too (site-packages): the interpreter must then have its own organdose.
    """

    executable: Path
    environment: Mapping[str, str]
    package_path: Path | None

    @classmethod
    def own(cls, executable: Path | None = None) -> Interpreter:
        """The Python this runs in, by `executable` where that is known. Raises `InputError` when it is not found."""
        found = Path(executable) if executable is not None else _own_executable()
        return cls(found, dict(os.environ), _package_path())

    @classmethod
    def existing(cls, path: Path | str, startup_environment: Mapping[str, str]) -> Interpreter:
        """A Python, or the folder of an environment, with the variables the window was started with.

        `startup_environment`: in Slicer `slicer.util.startupEnvironment()`, so that Slicer's libraries are not loaded
        by another Python. Starts it once to see what it is. Raises `InputError` for what is not a Python of 3.11 on.
        """
        executable = _find(Path(path).expanduser().absolute())
        environment = _activated(executable, _without_another_python(startup_environment))
        _check(executable, environment)
        return cls(executable, environment, _package_path())

    def job_environment(self, **more: str) -> dict[str, str]:
        """All variables of a process that runs code of `organdose`."""
        paths = [str(self.package_path or ""), self.environment.get("PYTHONPATH", "")]
        # SAFEPATH: modules of the folder it happens to run in are not imported.
        return {**self.environment, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONSAFEPATH": "1",
                "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **more}


def _own_executable() -> Path:
    # Inside Slicer this is the application or a Python that lacks Slicer's paths; the one that has them lies beside it.
    running = Path(sys.executable or "Slicer").absolute()
    beside = [str(running.parent), str(running.parent.parent / "bin")]
    found = shutil.which("PythonSlicer", path=os.pathsep.join(beside))
    if found is None and running.stem.lower().startswith("python"):
        return running
    found = found or shutil.which("PythonSlicer")
    if found is None:
        raise InputError("the Python of this application is not found", where=running,
                         mend="Choose a Python for jobs in the settings.")
    return _behind_launcher(Path(found))


def _behind_launcher(launcher: Path) -> Path:
    """The Python that PythonSlicer starts, where it runs with this application's environment.

    The launcher stands between: it turns the signal that ended its child into an exit status of 1, and on Windows
    gives the child another standard input than ours, so that it would outlive a crashed application.
    """
    real = launcher.with_name(f"python-real{launcher.suffix}")
    window = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}
    try:
        runs = real.is_file() and subprocess.run([real, "-c", "import ssl, json"], stdin=subprocess.DEVNULL,
                                                 capture_output=True, timeout=30, check=False, **window).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        runs = False
    return real if runs else launcher


def _package_path() -> Path | None:
    folder = Path(__file__).resolve().parents[2]
    return None if folder.name in ("site-packages", "dist-packages") else folder


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError("there is no such file or folder", where=path, mend=_MEND)
    # Links are kept: a virtual environment knows itself by the path of its link.
    found = next((path / name for name in _IN_A_FOLDER if (path / name).is_file()), None)
    if found is None:
        raise InputError("there is no Python in this folder", where=path, mend=_MEND)
    return found


def _without_another_python(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would make this Python load the modules or libraries of the application around us."""
    cleaned = {name: value for name, value in environment.items() if name not in _OF_ANOTHER_PYTHON}
    application = os.environ.get("SLICER_HOME")
    for name in _LIBRARY_PATHS if application else ():
        if name in cleaned:
            cleaned[name] = os.pathsep.join(part for part in cleaned[name].split(os.pathsep)
                                            if not Path(part).is_relative_to(application))
    return {name: value for name, value in cleaned.items() if value or name not in _LIBRARY_PATHS}


def _activated(executable: Path, environment: dict[str, str]) -> dict[str, str]:
    """With the programs (on Windows: the libraries of conda too) of its environment found first."""
    folder = executable.parent
    first = [str(each) for each in (folder, folder / "Library" / "bin", folder / "Scripts") if each.is_dir()]
    return {**environment, "PATH": os.pathsep.join([*first, environment.get("PATH", "")]).rstrip(os.pathsep)}


def _check(executable: Path, environment: dict[str, str]) -> None:
    question = "import sys; print('Python', *sys.version_info[:2])"
    window = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}
    try:
        answer = subprocess.run([executable, "-I", "-S", "-c", question], env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=30, check=False, **window).stdout.decode(errors="replace")
        word, major, minor = answer.split()
        version = int(major), int(minor)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise InputError("this is not a Python that runs", where=executable, mend=_MEND) from error
    if word != "Python":
        raise InputError("this is not a Python that runs", where=executable, mend=_MEND)
    if version < OLDEST_PYTHON:
        raise InputError(f"this is Python {major}.{minor}, jobs need 3.11 or newer", where=executable, mend=_MEND)
