"""Run a source in a voxel grid in batches, and tell from the spread between batches how sure the result is."""

from __future__ import annotations

import math
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.particles import Photons, PhotonSource
from organdose.transport.photon_transport import transport_photons
from organdose.transport.voxel_grid import VoxelGrid

_FEWEST_BATCHES = 20
_SMALLEST_BATCH = 20_000
_LARGEST_BATCH = 500_000


@dataclass(frozen=True)
class StopRule:
    """When to stop: after `histories`, or earlier once every region's mean is known to `region_percent`."""

    histories: int
    region_percent: float | None = None

    def __post_init__(self):
        if self.histories < _FEWEST_BATCHES:
            raise InputError(f"{self.histories} histories are too few", mend=f"Ask for at least {_FEWEST_BATCHES}.")
        if self.region_percent is not None and not self.region_percent > 0:
            raise InputError("the wanted uncertainty must be positive", mend="Give it in percent, for example 1.")


@dataclass(frozen=True)
class Tally:
    """Energy deposited per history.

    `energy_kev`: mean per voxel (z, y, x). `relative_uncertainty`: its relative standard uncertainty per voxel
    (float32, 1 where nothing was deposited). `regions`: mean of each region's score per history, and
    `region_relative_uncertainty` likewise (1 where nothing was scored).
    """

    energy_kev: np.ndarray
    relative_uncertainty: np.ndarray
    regions: np.ndarray
    region_relative_uncertainty: np.ndarray
    histories: int
    batches: int


def run_photons(source: PhotonSource, grid: VoxelGrid, tables: PhotonTables, stop: StopRule, *, seed: int = 1,
                regions: sp.csr_array | None = None, threads: int | None = None, progress: Progress | None = None,
                stage: str = "Monte Carlo") -> Tally:
    """Photons of `source` in `grid`.

    `regions` (n_regions, n_voxels) turns the energy of the flattened grid (keV per history) into a score for each
    region, for example mass-weighted mean dose. The result is the same to the last bit for the same seed on any number
    of threads: each batch is run by one thread and batches are added up in their order.
    Raises `Cancelled` when `progress` was cancelled, `InputError` when the source exceeds the tables' energies.
    """
    if source.highest_kev > tables.highest_kev:
        raise InputError(f"the source emits up to {source.highest_kev:g} keV, the tables end at {tables.highest_kev:g}",
                         mend="Build the tables for higher energies.")
    progress = progress or Progress()
    threads = threads or os.cpu_count() or 1
    batch_size = _batch_size(stop.histories, grid.density_g_cm3.size)
    planned = max(_FEWEST_BATCHES, math.ceil(stop.histories / batch_size))
    run_batch = _batch_runner(source, grid, tables, seed, batch_size)
    sums = _BatchSums(grid.shape, 0 if regions is None else regions.shape[0])
    spare = deque(np.zeros(grid.shape) for _ in range(threads + 1))
    waiting = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            started = 0
            while sums.batches < planned:
                while started < planned and spare:
                    waiting.append(pool.submit(run_batch, started, spare.popleft()))
                    started += 1
                deposited = waiting.popleft().result()
                sums.add(deposited, regions)
                spare.append(deposited)
                fraction = max(sums.batches / planned, sums.fraction_of_goal(stop.region_percent))
                progress.report(stage, fraction, f"{sums.batches * batch_size:,} histories")
                if sums.reached(stop.region_percent):
                    break
        finally:
            for future in waiting:
                future.cancel()
    return sums.tally(batch_size)


def _batch_size(histories: int, voxels: int) -> int:
    """Large enough that adding a batch up costs little beside running it, small enough for many batches."""
    wanted = min(max(_SMALLEST_BATCH, voxels // 10), _LARGEST_BATCH)
    return max(1, min(wanted, histories // _FEWEST_BATCHES))


def _batch_runner(source: PhotonSource, grid: VoxelGrid, tables: PhotonTables, seed: int, batch_size: int):
    corner, spacing = grid.lower_corner_mm, np.asarray(grid.spacing_mm, dtype=float)
    majorant = grid.majorant_per_mm(tables)

    def run(batch: int, deposited_kev: np.ndarray) -> np.ndarray:
        photons = Photons.empty(batch_size)
        first_history = batch * batch_size
        source.emit(photons, seed, first_history)
        transport_photons(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, seed,
                          first_history, corner, spacing, grid.material_index, grid.density_g_cm3,
                          tables.attenuation_cm2_g, tables.transferred_cm2_g, tables.photoelectric_part,
                          tables.photoelectric_or_compton_part, majorant, tables.energy_steps_per_log,
                          tables.incoherent, tables.coherent_cumulated, tables.momentum_steps_per_sqrt_x,
                          deposited_kev)
        return deposited_kev

    return run


class _BatchSums:
    """Sums and sums of squares over batches, for voxels and regions."""

    def __init__(self, shape: tuple[int, int, int], n_regions: int):
        self.batches = 0
        self._sum, self._squares = np.zeros(shape), np.zeros(shape)
        self._region_sum, self._region_squares = np.zeros(n_regions), np.zeros(n_regions)

    def add(self, deposited_kev: np.ndarray, regions: sp.csr_array | None) -> None:
        if regions is not None:
            scores = regions @ deposited_kev.ravel()
            self._region_sum += scores
            self._region_squares += scores**2
        _add_and_clear(deposited_kev.ravel(), self._sum.ravel(), self._squares.ravel())
        self.batches += 1

    def fraction_of_goal(self, region_percent: float | None) -> float:
        if region_percent is None or self.batches < 2:
            return 0.0
        worst = 100 * self._region_uncertainty().max(initial=0.0)
        return min(1.0, (region_percent / worst) ** 2) if worst > 0 else 1.0

    def reached(self, region_percent: float | None) -> bool:
        return self.batches >= _FEWEST_BATCHES and self.fraction_of_goal(region_percent) >= 1.0

    def _region_uncertainty(self) -> np.ndarray:
        return _relative_uncertainty(self._region_sum, self._region_squares, self.batches)

    def tally(self, batch_size: int) -> Tally:
        histories = self.batches * batch_size
        uncertainty = _relative_uncertainty(self._sum, self._squares, self.batches).astype(np.float32)
        return Tally(self._sum / histories, uncertainty, self._region_sum / histories, self._region_uncertainty(),
                     histories, self.batches)


@njit(nogil=True, cache=True)
def _add_and_clear(batch, total, squares):
    for k in range(batch.shape[0]):
        value = batch[k]
        if value != 0.0:
            total[k] += value
            squares[k] += value * value
            batch[k] = 0.0


def _relative_uncertainty(total: np.ndarray, squares: np.ndarray, batches: int) -> np.ndarray:
    """Relative standard uncertainty of a mean over `batches` equal batches; 1 where the mean is zero."""
    mean = total / batches
    variance_of_mean = np.maximum(squares / batches - mean**2, 0.0) / max(batches - 1, 1)
    return np.divide(np.sqrt(variance_of_mean), mean, out=np.ones_like(mean), where=mean > 0)
