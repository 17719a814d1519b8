"""The record of a run: enough to know what was done, and to do it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from organdose import __version__
from organdose.errors import InputError

_LIBRARIES = ("numpy", "scipy", "SimpleITK", "pydicom", "highdicom", "numba", "xraylib", "matplotlib",
              "slicer-core", "icrp107-database", "radioactivedecay")


@dataclass
class RunRecord:
    """Collects what goes into `run.json` while a job runs."""

    task: str
    job: dict[str, object]
    inputs: dict[str, dict[str, object]] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @contextmanager
    def timed(self, stage: str):
        """Add the time of the block to `seconds[stage]`."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - start_s, 3)

    def add_input(self, role: str, path: Path, files: Iterable[Path]) -> None:
        """Note an input with one SHA-256 over the sorted SHA-256 of its files (of the file itself, if it is one)."""
        digests = sorted(_sha256(file) for file in files)
        whole = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
        self.inputs[role] = {"path": str(path), "files": len(digests), "sha256": whole}

    def as_dict(self) -> dict[str, object]:
        return {
            "organdose": __version__,
            "task": self.task,
            "research_software": "Not a medical device. Not for clinical decisions.",
            "started": self.started.isoformat(timespec="seconds"),
            "job": self.job,
            "inputs": self.inputs,
            "facts": self.facts,
            "seconds": self.seconds,
            "versions": versions(),
            "device": device(),
        }

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_dict(), indent=1, default=str) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Python and the libraries a number depends on."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> dict[str, object]:
    """The machine, without its name."""
    return {"class": "cpu", "machine": platform.machine(), "system": platform.system(), "threads": os.cpu_count()}


def files_of(path: Path) -> list[Path]:
    """The file itself, or all files in a folder. Raises `InputError` where there is neither."""
    if not os.path.exists(path):
        raise InputError("there is no such file or folder", where=path, mend="Check the path.")
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
