"""How fast the photon Monte Carlo is, and what its ways to score are worth."""

from __future__ import annotations

import time

import numpy as np

from organdose.progress import Progress
from organdose.transport.batches import StopRule, Tally
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import run_photons
from organdose.transport.processors import cuda_device_name
from organdose.validation.benchmark_worlds import World, fine_torso, whole_body

_HISTORIES = 6_000_000
_COMPILING = 2000
_SCORINGS = ("stops", "tracks", "analogue")
_GPU_HISTORIES = 400_000_000
_WANTED_ORGAN_PERCENT, _WANTED_VOXEL_PERCENT = 1.0, 2.0
_IN_BEAM = 0.3  # of the median dose of voxels with dose: the irradiated body


def run_transport_benchmark(progress: Progress) -> list[str]:
    """Lines: histories a second on one thread and all, efficiency of each scoring, time to a wanted uncertainty."""
    lines = []
    for title, world in (("whole body, 5 mm", whole_body()), ("torso, 500 x 320 x 260 of 1 mm, 20 materials",
                                                               fine_torso())):
        lines += _speeds(title, world, progress)
    lines += _efficiencies(whole_body(), progress)
    lines += _time_to_uncertainty(whole_body(), progress)
    if (gpu := cuda_device_name()) is not None:
        lines += _on_gpu(gpu, progress)
    return lines


def _timed(world: World, histories: int, progress: Progress, stage: str, *, wanted_percent: float | None = None,
           **options) -> tuple[Tally, float]:
    """A tally and its wall seconds, compilation apart."""
    source, tables = world.helical_source(), photon_tables(world.grid.materials, 121.0)
    run_photons(source, world.grid, tables, StopRule(_COMPILING), **options)
    start_s = time.perf_counter()
    tally = run_photons(source, world.grid, tables, StopRule(histories, wanted_percent), progress=progress,
                        stage=stage, regions=world.organs, **options)
    return tally, time.perf_counter() - start_s


def _speeds(title: str, world: World, progress: Progress) -> list[str]:
    lines = []
    for scoring in ("stops", "tracks"):
        for threads, named in ((1, "1 thread"), (None, "all cores")):
            tally, seconds = _timed(world, _HISTORIES, progress, f"Speed, {title}, {scoring}", threads=threads,
                                    device="cpu", scoring=scoring)
            lines.append(f"{title}, 120 kVp, by {scoring}, {named}: {tally.histories / seconds:.3g} histories/s")
    return lines


def _efficiencies(world: World, progress: Progress) -> list[str]:
    """1 / (uncertainty squared x time) against the analogue run, for the irradiated voxels and the organs."""
    figures = {}
    for scoring in _SCORINGS:
        tally, seconds = _timed(world, _HISTORIES, progress, f"Efficiency, {scoring}", threads=1, device="cpu",
                                scoring=scoring)
        organs = np.sqrt(np.mean(tally.region_relative_uncertainty[1:] ** 2))
        figures[scoring] = 1 / (_voxel_uncertainty(world, tally) ** 2 * seconds), 1 / (organs**2 * seconds)
    analogue = figures["analogue"]
    return [f"whole body, 5 mm, by {scoring}: efficiency {voxel / analogue[0]:.3g} times analogue in voxels, "
            f"{organ / analogue[1]:.3g} times in organs" for scoring, (voxel, organ) in figures.items()
            if scoring != "analogue"]


def _voxel_uncertainty(world: World, tally: Tally) -> float:
    """Median relative uncertainty of the dose in the irradiated body."""
    density = world.grid.density_g_cm3
    dose = np.divide(tally.energy_kev, density, out=np.zeros(density.shape), where=density > 0.1)
    irradiated = dose > _IN_BEAM * np.median(dose[dose > 0])
    return float(np.median(tally.relative_uncertainty[irradiated]))


def _time_to_uncertainty(world: World, progress: Progress) -> list[str]:
    lines = []
    for scoring in ("stops", "tracks"):
        tally, seconds = _timed(world, 200_000_000, progress, f"To 1 % in every organ, {scoring}", device="cpu",
                                scoring=scoring, wanted_percent=_WANTED_ORGAN_PERCENT)
        lines.append(f"whole body helical, 5 mm, by {scoring}: each of {len(world.names)} organs above 50 g known to "
                     f"{_WANTED_ORGAN_PERCENT:g} % after {seconds:.1f} s and {tally.histories:,} histories")
    pilot = _voxel_uncertainty(world, tally)
    histories = round(tally.histories * (100 * pilot / _WANTED_VOXEL_PERCENT) ** 2)
    tally, seconds = _timed(world, histories, progress, "To 2 % in the median voxel", device="cpu", scoring="tracks")
    return [*lines, f"whole body helical, 5 mm, by tracks: median voxel of the irradiated body known to "
                    f"{100 * _voxel_uncertainty(world, tally):.2f} % after {seconds:.1f} s and {tally.histories:,} "
                    "histories"]


def _on_gpu(gpu: str, progress: Progress) -> list[str]:
    lines = []
    for scoring in ("stops", "tracks"):
        tally, seconds = _timed(whole_body(), _GPU_HISTORIES, progress, f"{gpu}, {scoring}", device="cuda",
                                scoring=scoring)
        lines.append(f"whole body, 5 mm, by {scoring}, {gpu}: {tally.histories / seconds:.3g} histories/s")
    return lines
