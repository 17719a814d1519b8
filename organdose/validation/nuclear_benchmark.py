"""How fast activity over time is integrated voxel by voxel, and how much memory that takes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from organdose.nuclear.time_integration import time_integrated
from organdose.progress import Progress

_VOXELS = 5_000_000
_TIMES_H = (4.0, 24.0, 48.0, 96.0, 168.0)
_LU177_HALF_LIFE_H = 159.46
_NOISE = 0.1
_MODELS = {"bi": "two exponentials", "mono": "one exponential", "trapezoid": "trapezoids, fitted tail"}


def run_nuclear_benchmark(progress: Progress) -> list[str]:
    """Lines: seconds and peak memory of integrating 5 million voxels, each model in a process of its own."""
    lines = []
    for model, title in _MODELS.items():
        progress.report(f"Activity over time, {title}", 0.0)
        command = [sys.executable, "-c", f"from organdose.validation.nuclear_benchmark import measure; "
                                         f"measure({model!r}, {_VOXELS})"]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        memory = "" if figures["peak_gib"] is None else f", {figures['peak_gib']:.1f} GiB at most"
        lines.append(f"{title}, {_VOXELS:,} voxels x {len(_TIMES_H)} time points with {100 * _NOISE:.0f} % noise: "
                     f"{figures['seconds']:.1f} s{memory}; median error {figures['median_error_percent']:.1f} %, "
                     f"{figures['simpler_percent']:.1f} % of the voxels by a simpler model")
    return lines


def measure(model: str, voxels: int) -> None:
    """Print the figures of one model as JSON: seconds without compilation, peak memory of this process."""
    activity, uncertainty, integral = _kinetics(voxels)
    times_s, decay_per_s = 3600 * np.array(_TIMES_H), math.log(2) / _LU177_HALF_LIFE_H / 3600
    options = {"uncertainty": uncertainty} | ({"tail": "fitted"} if model == "trapezoid" else {})
    few = {**options, "uncertainty": uncertainty[:, :10]}
    time_integrated(model, times_s, activity[:, :10], decay_per_s, **few)  # compile
    start_s = time.perf_counter()
    result = time_integrated(model, times_s, activity, decay_per_s, **options)
    seconds = time.perf_counter() - start_s
    error = float(np.median(np.abs(result.value / integral - 1)))
    print(json.dumps({"seconds": seconds, "peak_gib": peak_gib(), "median_error_percent": 100 * error,
                      "simpler_percent": 100 * float(np.mean(result.flags & 1))}))


def _kinetics(voxels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activities (points, voxels) of two phases with noise, their standard uncertainties, the true integrals."""
    random, times_s = np.random.default_rng(11), 3600 * np.array(_TIMES_H)
    clean, integral = np.zeros((len(times_s), voxels), np.float32), np.zeros(voxels)
    for half_lives_h, amplitudes in (((2.5, 10.0), (0.2, 1.0)), ((40.0, 110.0), (0.3, 1.0))):
        rate = math.log(2) / 3600 / random.uniform(*half_lives_h, voxels)
        amplitude = 1e5 * random.uniform(*amplitudes, voxels)
        integral += amplitude / rate
        for k, time_s in enumerate(times_s):
            clean[k] += amplitude * np.exp(-rate * time_s)
    uncertainty = _NOISE * clean
    for k in range(len(times_s)):
        clean[k] += uncertainty[k] * random.standard_normal(voxels, np.float32)
    return clean, uncertainty, integral


def peak_gib() -> float | None:
    """Peak memory of this process since it began; None where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20
