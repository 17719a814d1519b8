"""Which packages the Python that runs the jobs has: Slicer's own, or the one chosen in the settings."""

from __future__ import annotations

import json
import math
import subprocess
import time
from importlib.util import find_spec

_QUESTION = ("import importlib.util, json, sys; "
             "print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))")
_PATIENCE_S = 10
# Of the engines. Asked together, because each question starts that Python.
_MODULES = ("torch", "monai", "totalsegmentator", "nnunetv2")
_FRESH_S = 30  # people install packages into that Python while the window is open
_known: dict[str, tuple[float, frozenset[str]]] = {}  # by the Python chosen: when it was asked, and what it has


def installed_for_jobs(module: str) -> bool:
    """Whether a job would find a package of an engine. True where that cannot be found out: the job says it then."""
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    chosen = slicer.util.settingsValue(INTERPRETER_SETTING, "") or ""
    if not chosen:
        return find_spec(module) is not None
    asked_s, found = _known.get(chosen, (-math.inf, frozenset()))
    if time.monotonic() - asked_s > _FRESH_S:
        found = _asked()
        _known[chosen] = time.monotonic(), found
    return module in found or module not in _MODULES


def look_again() -> None:
    """Forget what was found: something may have been installed since."""
    _known.clear()


def _asked() -> frozenset[str]:
    from organdose.errors import InputError
    from organdose.panels.window_jobs import job_interpreter

    try:
        python = job_interpreter()
        answer = subprocess.run([str(python.executable), "-c", _QUESTION, *_MODULES], env=python.job_environment(),
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=True)
        return frozenset(json.loads(answer.stdout))
    except (InputError, OSError, ValueError, subprocess.SubprocessError):
        return frozenset(_MODULES)
