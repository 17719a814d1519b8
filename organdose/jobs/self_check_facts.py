"""The facts of a self-check, asked in the Python that runs jobs: versions, memory, graphics cards.

Run by its path this file prints one JSON object; it needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

EVERYTHING, NETWORK_ENGINES, GPU_MONTE_CARLO = "everything", "network engines", "gpu Monte Carlo"
MARK = '{"organdose self-check": '


@dataclass(frozen=True)
class Package:
    """A package jobs need: its name for pip, the name it is imported by, the oldest version, and what needs it."""

    name: str
    module: str
    minimum: str
    needed_for: str = EVERYTHING

    @property
    def requirement(self) -> str:
        return f"{self.name}>={self.minimum}"


PACKAGES = (
    Package("numpy", "numpy", "1.26"), Package("scipy", "scipy", "1.11"), Package("SimpleITK", "SimpleITK", "2.3"),
    Package("pydicom", "pydicom", "3.0"), Package("pylibjpeg", "pylibjpeg", "2.0"),
    Package("pylibjpeg-openjpeg", "openjpeg", "2.3"), Package("pylibjpeg-libjpeg", "libjpeg", "2.2"),
    Package("highdicom", "highdicom", "0.24"), Package("numba", "numba", "0.60"),
    Package("xraylib", "xraylib", "4.1.5"), Package("pydantic", "pydantic", "2.6"), Package("typer", "typer", "0.12"),
    Package("rich", "rich", "13"), Package("matplotlib", "matplotlib", "3.8"), Package("jinja2", "jinja2", "3.1"),
    Package("icrp107-database", "icrp107_database", "0.0.3"), Package("radioactivedecay", "radioactivedecay", "0.6"),
    Package("torch", "torch", "2.4", NETWORK_ENGINES), Package("monai", "monai", "1.4", NETWORK_ENGINES),
    Package("PyYAML", "yaml", "6", NETWORK_ENGINES),
    Package("numba-cuda", "numba_cuda", "0.4", GPU_MONTE_CARLO),
)
# What segmentation engines use beyond that, none of it needed: (name for pip, module, how to install it).
_OURS = "pip install 'organdose[segmentation]'"
SEGMENTATION_PACKAGES = (("torch", "torch", _OURS), ("monai", "monai", _OURS),
                         ("TotalSegmentator", "totalsegmentator", "pip install TotalSegmentator"),
                         ("nnunetv2", "nnunetv2", "pip install nnunetv2"))


def found_version(name: str, module: str) -> str | None:
    """The version of an installed package that can be found for import, 'unknown' where it does not say, or None."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:  # a folder without a module in it is what a broken removal leaves
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def is_enough(found: str | None, minimum: str) -> bool:
    """Whether a found version is there and not older than `minimum`; an unknown one is believed."""
    if found is None or not re.match(r"\d", found):
        return found is not None
    parts = [[int(part) for part in re.match(r"[\d.]+", version)[0].split(".") if part] for version in (found, minimum)]
    return parts[0] >= parts[1]


def architecture_supported(capability: tuple[int, int], arch_list: Iterable[str]) -> bool:
    """Whether code built for `arch_list` (sm_90, compute_90 ...) runs on a GPU of this (major, minor) capability.

    Machine code (sm) runs on GPUs of the same major and no smaller minor number, PTX (compute) on all newer ones; an
    ending 'a' ties both to exactly their GPU, 'f' to the same major number.
    """
    for kind, digits, ending in re.findall(r"(sm|compute)_(\d+)([af]?)", " ".join(arch_list)):
        built = int(digits[:-1]), int(digits[-1])
        same_major = built[0] == capability[0]
        if (built == capability or (ending != "a" and built <= capability
                                    and (same_major or (kind == "compute" and not ending)))):
            return True
    return False


def probe() -> dict[str, object]:
    """All facts, as JSON takes them; what cannot be found out is None."""
    return {
        "python": platform.python_version(), "executable": sys.executable, "platform": platform.platform(),
        "organdose": _own_version(), "memory": _memory(), "graphics_cards": _graphics_cards(),
        "packages": [{"name": each.name, "module": each.module, "minimum": each.minimum, "needed_for": each.needed_for,
                      "found": found_version(each.name, each.module)} for each in PACKAGES],
        "segmentation": [{"name": name, "found": found_version(name, module), "install": install}
                         for name, module, install in SEGMENTATION_PACKAGES],
        "shipped_network": _shipped_network(), "torch": _torch(), "numba_cuda": _numba_cuda()}


def _own_version() -> str | None:
    try:
        return importlib.import_module("organdose").__version__
    except ImportError:
        return None


def _shipped_network() -> bool | None:
    """Whether the trained Res-U2Net lies among the resources; None where organdose itself is not there."""
    try:
        resources = importlib.import_module("organdose.resources")
        return resources.resource_path("models", "res-u2net").is_dir()
    except ImportError:
        return None
    except Exception:  # its own error for a file that is not there: a class this file does not know
        return False


def _memory() -> dict[str, int | None]:
    total = free = None
    with contextlib.suppress(Exception):
        if sys.platform == "linux":
            with open("/proc/meminfo", encoding="ascii") as file:
                kib = {line.split(":")[0]: int(line.split()[1]) for line in file}
            total, free = 1024 * kib["MemTotal"], 1024 * kib["MemAvailable"]
        elif sys.platform == "darwin":
            total = int(_output("sysctl", "-n", "hw.memsize"))
            pages = dict(re.findall(r"Pages (free|inactive|speculative):\s+(\d+)", text := _output("vm_stat")))
            free = sum(map(int, pages.values())) * int(re.search(r"page size of (\d+)", text)[1])
        elif os.name == "nt":
            total, free = _windows_memory()
    return {"total_bytes": total, "free_bytes": free}


def _windows_memory() -> tuple[int, int]:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong) for name in ("total", "free", "total_page", "free_page", "total_virtual",
                                                    "free_virtual", "free_extended")]
    status = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status.total, status.free


def _graphics_cards() -> list[str]:
    """Names of NVIDIA cards as the driver knows them, also where no package could use them."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if shutil.which("nvidia-smi"):
            names = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
            return [name.strip() for name in names if name.strip()]
    return []


def _output(*command: str) -> str:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          check=True).stdout


def _torch() -> dict[str, object] | None:
    """torch as it is installed; None where it is not. A torch that cannot be loaded has an 'error'."""
    if importlib.util.find_spec("torch") is None:
        return None
    facts: dict[str, object] = {"version": found_version("torch", "torch"), "cuda_build": None, "rocm_build": None,
                                "cuda_available": False, "arch_list": [], "gpus": [], "error": None}
    try:
        torch = importlib.import_module("torch")
        facts.update(version=str(torch.__version__), cuda_build=torch.version.cuda,
                     rocm_build=getattr(torch.version, "hip", None), cuda_available=torch.cuda.is_available())
        if facts["cuda_available"]:
            facts["arch_list"] = list(torch.cuda.get_arch_list())
            facts["gpus"] = [_gpu(torch, number, facts) for number in range(torch.cuda.device_count())]
    except Exception as error:
        facts["error"] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return facts


def _gpu(torch, number: int, facts: dict) -> dict[str, object]:
    capability = tuple(torch.cuda.get_device_capability(number))
    # AMD's cards count otherwise, and what torch lists for them is not ours to judge.
    supported = None if facts["rocm_build"] else architecture_supported(capability, facts["arch_list"])
    free = total = None
    with contextlib.suppress(Exception):
        free, total = torch.cuda.mem_get_info(number)
    return {"name": torch.cuda.get_device_name(number), "capability": capability, "architecture_supported": supported,
            "memory_free_bytes": free, "memory_total_bytes": total}


def _numba_cuda() -> dict[str, object] | None:
    """Whether numba-cuda finds a GPU; None where it is not installed."""
    if importlib.util.find_spec("numba_cuda") is None:
        return None
    try:
        return {"available": bool(importlib.import_module("numba.cuda").is_available()), "error": None}
    except Exception as error:
        return {"available": False, "error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}


if __name__ == "__main__":
    print("\n" + MARK + json.dumps(probe()) + "}", flush=True)
