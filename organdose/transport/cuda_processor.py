"""Batches of histories on an NVIDIA GPU."""

from __future__ import annotations

import numpy as np
from numba import cuda

from organdose.errors import InputError
from organdose.transport.compiled import scalar_function
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.cuda_transport import THREADS_PER_BLOCK, follow_by_stops, follow_by_tracks
from organdose.transport.emission import put
from organdose.transport.particles import PhotonSource
from organdose.transport.voxel_grid import VoxelGrid

_PHOTONS_AT_ONCE = 1 << 21
_LEDGER_ROWS = 1024


class CUDAProcessor:
    """Grid, tables and source stay on the GPU; a batch's energies per voxel come back to be added up."""

    device = "cuda"

    def __init__(self, source: PhotonSource, grid: VoxelGrid, tables: PhotonTables, seed: int, scoring: str):
        if getattr(source, "emission", None) is None:
            raise InputError(f"{type(source).__name__} photons cannot start on a GPU", mend="Use --device cpu.")
        self._seed, self._scoring = seed, scoring
        one_photon, source_tables = source.emission
        self._emit, self._source_tables = _emission_kernel(one_photon), _on_device(source_tables)
        self._grid, self._tables = _on_device(grid.packed()), _on_device(tables.compiled())
        self._majorant_per_mm = cuda.to_device(grid.majorant_per_mm(tables))
        self._deposited_kev = cuda.to_device(np.zeros(grid.density_g_cm3.size, np.float32))
        self._stopped, self.histories_done = False, 0

    def empty_scores(self) -> np.ndarray:
        return np.zeros(self._deposited_kev.shape[0], np.float32)

    def stop(self) -> None:
        self._stopped = True

    def run(self, first_history: int, count: int, deposited_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._deposited_kev.copy_to_device(deposited_kev)
        ledger_kev = cuda.to_device(np.zeros((_LEDGER_ROWS, 3)))
        for first in range(first_history, first_history + count, _PHOTONS_AT_ONCE):
            if self._stopped:
                break
            photons = min(_PHOTONS_AT_ONCE, first_history + count - first)
            self._follow(first, photons, ledger_kev)
            self.histories_done += photons
        self._deposited_kev.copy_to_host(deposited_kev)
        return deposited_kev, ledger_kev.copy_to_host().sum(axis=0)

    def _follow(self, first: int, photons: int, ledger_kev) -> None:
        blocks = -(-photons // THREADS_PER_BLOCK)
        flying = (cuda.device_array((photons, 3), np.float32), cuda.device_array((photons, 3), np.float32),
                  cuda.device_array(photons, np.float32), cuda.device_array(photons, np.float32))
        seed, first = np.int64(self._seed), np.int64(first)
        self._emit[blocks, THREADS_PER_BLOCK](*flying, seed, first, self._source_tables)
        world = (*flying, seed, first, self._grid, self._tables)
        if self._scoring == "tracks":
            follow_by_tracks[blocks, THREADS_PER_BLOCK](*world, self._deposited_kev, ledger_kev)
        else:
            follow_by_stops[blocks, THREADS_PER_BLOCK](*world, self._majorant_per_mm, self._deposited_kev, ledger_kev,
                                                       self._scoring == "analogue")


def _on_device(tables: tuple) -> tuple:
    """The same tuple with its arrays on the GPU."""
    moved = [cuda.to_device(np.ascontiguousarray(item)) if isinstance(item, np.ndarray) else item for item in tables]
    return type(tables)(*moved) if hasattr(tables, "_fields") else tuple(moved)


def _emission_kernel(one_photon):
    """A kernel that fills arrays with the photons of consecutive histories."""
    photon_of = scalar_function(one_photon) if not hasattr(one_photon, "py_func") else one_photon

    @cuda.jit(fastmath=True)
    def emit(position_mm, direction, energy_kev, weight, seed, first_history, tables):
        n = cuda.grid(1)
        if n < energy_kev.shape[0]:
            put(photon_of(seed, first_history + n, *tables), position_mm, direction, energy_kev, weight, n)

    return emit
