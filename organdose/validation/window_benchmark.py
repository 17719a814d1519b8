"""How long the module's window is deaf during a job: measured in the stand-in Slicer of the tests."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).resolve().parents[2] / "Testing" / "measure_window.py"
_PATIENCE_S = 1800


def run_window_benchmark() -> list[str]:
    """The lines that `Testing/measure_window.py` prints, or one that says why it cannot run here.

    It is a process of its own: the stand-in takes over the names `qt` and `slicer.app`.
    """
    if not _SCRIPT.exists() or any(importlib.util.find_spec(name) is None for name in ("slicer", "PySide6")):
        return ["window during a job: not measured (needs a checkout with the development packages)"]
    done = subprocess.run([sys.executable, str(_SCRIPT)], capture_output=True, text=True, timeout=_PATIENCE_S,
                          check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        return [f"window during a job: not measured ({lines[-1]})"]
    return done.stdout.splitlines()
