"""Whether the Python that runs jobs is fit for them, told in plain words.

The facts are asked in that Python by `self_check_facts.py`; what follows from them is said here.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from organdose.jobs import self_check_facts
from organdose.jobs.interpreter import OLDEST_PYTHON, Interpreter
from organdose.jobs.process_tree import kill_tree, own_group
from organdose.jobs.self_check_facts import (
    EVERYTHING,
    GPU_MONTE_CARLO,
    MARK,
    NETWORK_ENGINES,
    PACKAGES,
    Package,
    is_enough,
)

WHOLE_BODY_BYTES = 4 << 30


@dataclass(frozen=True)
class Problem:
    """What is wrong, how to mend it, and what is impossible until then (EVERYTHING, NETWORK_ENGINES ...)."""

    what: str
    mend: str
    needed_for: str = EVERYTHING


@dataclass(frozen=True)
class SelfCheck:
    """What a self-check found: the fields of `probe`, or a `failure` in words where it did not get so far."""

    python: str = ""
    executable: str = ""
    platform: str = ""
    organdose: str | None = None
    memory: dict[str, int | None] = field(default_factory=dict)
    graphics_cards: list[str] = field(default_factory=list)
    packages: list[dict[str, str | None]] = field(default_factory=list)
    segmentation: list[dict[str, str | None]] = field(default_factory=list)
    shipped_network: bool | None = None
    torch: dict | None = None
    numba_cuda: dict | None = None
    failure: str = ""

    @property
    def problems(self) -> list[Problem]:
        """In plain words, the gravest first."""
        if self.failure:
            return [Problem(self.failure, "Choose another Python for jobs in the settings.")]
        return [*self._python_problems(), *self._package_problems(), *self._torch_problems(), *self._gpu_problems(),
                *self._memory_problems()]

    @property
    def segmentation_lines(self) -> list[str]:
        """What segmentation engines find: packages with versions or how to install them, and the shipped network."""
        lines = [f"{each['name']} {each['found']}" if each["found"] else
                 f"{each['name']}: not installed ({each['install']})" for each in self.segmentation]
        if self.shipped_network is not None:
            lines.append("Res-U2Net network: shipped" if self.shipped_network else
                         "Res-U2Net network: not in this installation (organdose train segmentation makes one)")
        return lines

    @property
    def is_ready(self) -> bool:
        """Whether jobs can run at all."""
        return not any(each.needed_for == EVERYTHING for each in self.problems)

    def missing_requirements(self, for_engines: Iterable[str] = ()) -> list[str]:
        """What pip would have to install, for everything and for the named engines besides."""
        return [package.requirement for package in self._missing({EVERYTHING, *for_engines})]

    def _missing(self, groups: set[str]) -> list[Package]:
        found = {each["name"]: each["found"] for each in self.packages}
        return [package for package in PACKAGES
                if package.needed_for in groups and not is_enough(found.get(package.name), package.minimum)]

    def _python_problems(self) -> Iterable[Problem]:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        if not is_enough(self.python, oldest):
            yield Problem(f"this is Python {self.python}, jobs need {oldest} or newer",
                          "Choose another Python for jobs in the settings.")
        if self.organdose is None:
            yield Problem("this Python does not find organdose itself", "Install organdose in it with pip.")

    def _package_problems(self) -> Iterable[Problem]:
        found = {each["name"]: each["found"] for each in self.packages}
        for group in (EVERYTHING, NETWORK_ENGINES, GPU_MONTE_CARLO):
            missing = self._missing({group})
            if missing:
                named = ", ".join(each.name if found.get(each.name) is None else
                                  f"{each.name} {found[each.name]} (older than {each.minimum})" for each in missing)
                yield Problem(f"missing for {group}: {named}",
                              f"Install them: {' '.join(each.requirement for each in missing)}.", group)

    def _torch_problems(self) -> Iterable[Problem]:
        torch, until = self.torch, "until then jobs run on the CPU."
        if torch is None:
            return
        cards = ", ".join(self.graphics_cards)
        if torch["error"]:
            yield Problem(f"torch cannot be loaded ({torch['error']})", "Install torch again.", NETWORK_ENGINES)
        elif cards and not torch["cuda_build"] and not torch["rocm_build"]:
            yield Problem(f"torch is built without CUDA, the GPU {cards} is not used",
                          f"Install torch built with CUDA; {until}", NETWORK_ENGINES)
        elif cards and not torch["cuda_available"]:
            yield Problem(f"torch, built with CUDA {torch['cuda_build']}, does not find the GPU {cards}",
                          f"Update the driver of the card; {until}", NETWORK_ENGINES)
        for gpu in torch["gpus"]:
            if gpu["architecture_supported"] is False:
                major, minor = gpu["capability"]
                newer = not any((major, minor) <= (int(each[:-1]), int(each[-1]))
                                for each in re.findall(r"sm_(\d+)", " ".join(torch["arch_list"])))
                yield Problem(f"torch is built without sm_{major}{minor}, the GPU {gpu['name']} needs it",
                              f"Install {'a newer' if newer else 'an older'} torch, built with sm_{major}{minor}; "
                              f"{until}", NETWORK_ENGINES)

    def _gpu_problems(self) -> Iterable[Problem]:
        if self.numba_cuda is not None and self.graphics_cards and not self.numba_cuda["available"]:
            why = f" ({self.numba_cuda['error']})" if self.numba_cuda["error"] else ""
            yield Problem(f"numba-cuda does not find the GPU {', '.join(self.graphics_cards)}{why}",
                          "Update the driver of the card; until then Monte Carlo runs on the CPU.", GPU_MONTE_CARLO)

    def _memory_problems(self) -> Iterable[Problem]:
        free = self.memory.get("free_bytes")
        if free is not None and free < WHOLE_BODY_BYTES:
            yield Problem(f"{free / 2**30:.1f} GiB of memory are free, a whole-body CT may need "
                          f"{WHOLE_BODY_BYTES >> 30}", "Close other programs.", "large studies")


class SelfCheckRun:
    """A self-check that is running: `poll` until there is a `result`."""

    def __init__(self, interpreter: Interpreter, patience_s: float = 180.0):
        self.result: SelfCheck | None = None
        self._give_up_s = time.monotonic() + patience_s
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe would block who reads it; closed with the run)
        self._process: subprocess.Popen | None = None
        try:
            self._process = subprocess.Popen(
                [str(interpreter.executable), self_check_facts.__file__], env=interpreter.job_environment(),
                stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, **own_group())
        except OSError as error:
            self._end(SelfCheck(failure=f"the Python for jobs cannot be started ({error})"))

    def poll(self) -> SelfCheck | None:
        """The result as soon as there is one. Never waits."""
        if self.result is None:
            status = self._process.poll()
            if status is not None:
                self._output.seek(0)
                self._end(_understood(self._output.read().decode(errors="replace"), status))
            elif time.monotonic() > self._give_up_s:
                self.close()
        return self.result

    def close(self) -> None:
        """End it, whether it has a result or not."""
        if self.result is None:
            kill_tree(self._process.pid, "")
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
            self._end(SelfCheck(failure="the self-check was stopped before it had finished"))

    def _end(self, result: SelfCheck) -> None:
        self.result = result
        self._output.close()


def start_self_check(interpreter: Interpreter) -> SelfCheckRun:
    """Begin a self-check of this interpreter; it takes some seconds where torch is installed."""
    return SelfCheckRun(interpreter)


def _understood(output: str, status: int) -> SelfCheck:
    """The check printed among whatever libraries print."""
    lines = [line for line in output.splitlines() if line.strip()]
    for line in lines:
        if line.startswith(MARK):
            return SelfCheck(**json.loads(line)["organdose self-check"])
    said = f": {lines[-1].strip()[:200]}" if lines else ""
    return SelfCheck(failure=f"the self-check ended without an answer (status {status}){said}")
