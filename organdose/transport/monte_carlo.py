"""Run a source in a voxel grid, on CPU threads or a GPU, until it is known well enough."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.transport.batches import BatchSums, Regions, StopRule, Tally, batch_size, checked_regions
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.electron_tables import ElectronTables
from organdose.transport.particles import ElectronSource, PhotonSource
from organdose.transport.processors import SCORINGS, Processor, processor
from organdose.transport.voxel_grid import VoxelGrid

__all__ = ["StopRule", "Tally", "run_electrons", "run_particles", "run_photons"]

# Voxels from this size on are scored along tracks: `organdose benchmark` prints what either way gains.
_TRACKS_FROM_MM = 2.5
_LOOK_S = 0.2


def run_photons(source: PhotonSource, grid: VoxelGrid, tables: PhotonTables, stop: StopRule, *, seed: int = 1,
                regions: Regions | None = None, threads: int | None = None, progress: Progress | None = None,
                stage: str = "Monte Carlo", device: str = "auto", scoring: str = "auto") -> Tally:
    """Transport histories until `stop` says so.

    `regions`: scores to follow, either whole-number labels (z, y, x) of the grid, whose energies are summed label by
    label, or a matrix (regions, voxels in z, y, x order) whose rows are applied to the keV of each voxel. `threads`
    changes the time and nothing else: the same seed gives the same numbers on any number of them; CUDA's atomic
    additions may differ in the last digits. `scoring`: 'stops', 'tracks' (see `flights`), 'analogue', or 'auto': tracks
    in voxels of 2.5 mm and more, else stops. Raises `Cancelled` from `progress`, `InputError` when regions do not fit
    the grid or the device is not there.
    """
    if source.highest_kev > tables.highest_kev:
        raise InputError(f"the source emits up to {source.highest_kev:g} keV, the tables end at {tables.highest_kev:g}",
                         mend="Build the tables for higher energies.")
    scoring = _scoring(scoring, grid, tables)
    worker = processor(device, (source,), (), grid, tables, None, seed, scoring)
    return _tallied(worker, grid, stop, regions, threads, progress or Progress(), stage, scoring)


def run_electrons(source: ElectronSource, grid: VoxelGrid, tables: PhotonTables, electrons: ElectronTables,
                  stop: StopRule, *, seed: int = 1, regions: Regions | None = None, threads: int | None = None,
                  progress: Progress | None = None, stage: str = "Monte Carlo, electrons", device: str = "auto",
                  scoring: str = "auto") -> Tally:
    """Electrons and positrons of `source`, and the photons they make. Otherwise as `run_photons`.

    `tables` must reach up to the electrons' energies and, for positrons, to 511 keV; photons leave their energy where
    they set electrons free.
    """
    scoring = _scoring(scoring, grid, tables)
    worker = processor(device, (), (source,), grid, tables, electrons, seed, scoring)
    return _tallied(worker, grid, stop, regions, threads, progress or Progress(), stage, scoring)


def run_particles(photons: Sequence[PhotonSource], electrons: Sequence[ElectronSource], grid: VoxelGrid,
                  tables: PhotonTables, electron_tables: ElectronTables, stop: StopRule, *, seed: int = 1,
                  regions: Regions | None = None, threads: int | None = None, progress: Progress | None = None,
                  stage: str = "Monte Carlo", device: str = "auto", scoring: str = "auto") -> Tally:
    """Photons, electrons and positrons of one decay as one run.

    A history is one particle of each source, with the weight its source gives it: with the yields as weights a history
    stands for one decay. Otherwise as `run_photons`. Raises `InputError` where nothing is emitted.
    """
    if not photons and not electrons:
        raise InputError("there is nothing to follow: no source emits anything")
    scoring = _scoring(scoring, grid, tables)
    worker = processor(device, photons, electrons, grid, tables, electron_tables, seed, scoring)
    return _tallied(worker, grid, stop, regions, threads, progress or Progress(), stage, scoring)


def _scoring(scoring: str, grid: VoxelGrid, tables: PhotonTables) -> str:
    if tables.materials != grid.materials:
        raise InputError("the photon tables are of other materials than the grid",
                         mend="Make them with photon_tables(grid.materials).")
    if scoring == "auto":
        return "tracks" if min(grid.spacing_mm) >= _TRACKS_FROM_MM else "stops"
    if scoring not in SCORINGS:
        raise InputError(f"unknown scoring {scoring!r}", mend=f"Choose one of {', '.join(SCORINGS)}, auto.")
    return scoring


def _tallied(worker: Processor, grid: VoxelGrid, stop: StopRule, regions: Regions | None, threads: int | None,
             progress: Progress, stage: str, scoring: str) -> Tally:
    sums = BatchSums(grid.shape, checked_regions(regions, grid.shape))
    size = batch_size(stop, grid.density_g_cm3.size)
    threads = max(1, threads or os.cpu_count() or 1) if worker.device == "cpu" else 1
    _run_batches(worker, sums, stop, size, threads, progress, stage)
    return sums.tally(sums.batches * size, worker.device, scoring)


def _run_batches(worker: Processor, sums: BatchSums, stop: StopRule, size: int, threads: int, progress: Progress,
                 stage: str) -> None:
    planned = math.ceil(stop.histories / size)
    spare = deque(worker.empty_scores() for _ in range(min(planned, threads + (threads > 1))))
    waiting: deque[Future] = deque()
    started = 0

    def report() -> None:
        done = min(1.0, worker.histories_done / (planned * size))
        progress.report(stage, max(done, sums.fraction_of_goal(stop.region_percent)),
                        f"{worker.histories_done:,} histories")

    with ThreadPoolExecutor(threads) as pool:
        try:
            while sums.batches < planned and not sums.reached(stop.region_percent):
                while started < planned and spare:
                    waiting.append(pool.submit(worker.run, started * size, size, spare.popleft()))
                    started += 1
                deposited, ledger = _awaited(waiting.popleft(), report)
                sums.add(deposited, ledger)
                spare.append(deposited)
                report()
        finally:
            worker.stop()
            for future in waiting:
                future.cancel()


def _awaited(future: Future, report) -> tuple:
    """The result of a batch; meanwhile progress is reported, so that a long batch can be cancelled."""
    while True:
        try:
            return future.result(timeout=_LOOK_S)
        except NotYet:
            if future.done():
                raise
            report()
