"""Batches of histories on an NVIDIA GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import cuda

from organdose.errors import InputError
from organdose.transport.cpu_transport import TRANSPORT_STREAM
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.cuda_electrons import follow_electrons
from organdose.transport.cuda_particles import (
    THREADS_PER_BLOCK,
    Waiting,
    blocks,
    emission_kernel,
    emptied,
    on_device,
    room_for,
)
from organdose.transport.cuda_transport import follow_by_stops, follow_by_tracks
from organdose.transport.electron_tables import ElectronTables
from organdose.transport.electron_transport import (
    FIRST_ELECTRON_STREAM,
    FIRST_PHOTON_STREAM,
    GENERATIONS,
    PHOTONS_A_HISTORY,
)
from organdose.transport.particles import ElectronSource, PhotonSource
from organdose.transport.voxel_grid import VoxelGrid

_PHOTONS_AT_ONCE = 1 << 21
_ELECTRONS_AT_ONCE = 1 << 20
_LEDGER_ROWS = 1024


class CUDAWorld:
    """What all sources of a run share on the GPU: grid, tables, scores, and arrays for particles."""

    def __init__(self, grid: VoxelGrid, tables: PhotonTables, electrons: ElectronTables | None, scoring: str):
        self.grid, self._tables = on_device(grid.packed()), on_device(tables.compiled())
        self.electron_tables = None if electrons is None else on_device(electrons)
        self._majorant_per_mm = cuda.to_device(grid.majorant_per_mm(tables))
        self._scoring = scoring
        self.deposited_kev = cuda.to_device(np.zeros(grid.density_g_cm3.size, np.float32))
        self.ledger_kev = cuda.to_device(np.zeros((_LEDGER_ROWS, 3)))
        self._rooms: dict[str, Waiting] = {}

    def room(self, name: str, rows: int) -> Waiting:
        """Arrays kept from batch to batch, without particles."""
        if name not in self._rooms or self._rooms[name].row.shape[0] < rows:
            self._rooms[name] = room_for(rows)
        return emptied(self._rooms[name])

    def follow_photons(self, photons: Waiting, most: int, seed: int, stream: int, first_history: int) -> None:
        """Follow what waits in `photons`, at `most` that many."""
        world = (photons, np.int64(seed), np.int64(stream), np.int64(first_history), self.grid, self._tables)
        if self._scoring == "tracks":
            follow_by_tracks[blocks(most), THREADS_PER_BLOCK](*world, self.deposited_kev, self.ledger_kev)
        else:
            follow_by_stops[blocks(most), THREADS_PER_BLOCK](*world, self._majorant_per_mm, self.deposited_kev,
                                                             self.ledger_kev, self._scoring == "analogue")


class CUDAPhotons:
    """The photons of one source."""

    at_once = _PHOTONS_AT_ONCE

    def __init__(self, source: PhotonSource | ElectronSource, world: CUDAWorld, seed: int):
        if getattr(source, "emission", None) is None:
            raise InputError(f"particles of {type(source).__name__} cannot start on a GPU", mend="Use --device cpu.")
        one_particle, tables = source.emission
        self._emit, self._source_tables = emission_kernel(one_particle), on_device(tables)
        self._world, self._seed = world, seed

    def run(self, first: int, count: int) -> None:
        """Follow `count` histories from number `first` on."""
        self._world.follow_photons(self._emitted("photons", first, count), count, self._seed, TRANSPORT_STREAM, first)

    def _emitted(self, room: str, first: int, count: int) -> Waiting:
        particles = self._world.room(room, count)
        self._emit[blocks(count), THREADS_PER_BLOCK](particles, np.int64(count), np.int64(self._seed), np.int64(first),
                                                     self._source_tables)
        return particles


class CUDAElectrons(CUDAPhotons):
    """The electrons or positrons of one source, the photons they make and the electrons they knock on."""

    at_once = _ELECTRONS_AT_ONCE

    def __init__(self, source: ElectronSource, world: CUDAWorld, seed: int):
        super().__init__(source, world, seed)
        self._charge = source.charge

    def run(self, first: int, count: int) -> None:
        electrons, charge = self._emitted("electrons 0", first, count), self._charge
        for generation in range(GENERATIONS):
            knocked = self._world.room(f"electrons {(generation + 1) % 2}", count)
            self._follow_electrons(electrons, charge, generation, first, count, knocked)
            electrons, charge = knocked, 0

    def _follow_electrons(self, electrons: Waiting, charge: int, generation: int, first: int, count: int,
                          knocked: Waiting) -> None:
        world, photons = self._world, self._world.room("photons", PHOTONS_A_HISTORY * count)
        follow_electrons[blocks(count), THREADS_PER_BLOCK](
            electrons, np.int64(charge), np.int64(self._seed), np.int64(FIRST_ELECTRON_STREAM + generation),
            np.int64(first), world.grid, world.electron_tables, world.deposited_kev, world.ledger_kev, photons, knocked)
        world.follow_photons(photons, PHOTONS_A_HISTORY * count, self._seed, FIRST_PHOTON_STREAM + generation,
                             PHOTONS_A_HISTORY * first)


class CUDAProcessor:
    """Photons, electrons and positrons of any number of sources; a batch's energies per voxel come back to be added up.

    `seeds`: one a source, those of `photons` first. Raises `InputError` for a source that cannot emit on a GPU.
    """

    device = "cuda"

    def __init__(self, photons: Sequence[PhotonSource], electrons: Sequence[ElectronSource], grid: VoxelGrid,
                 tables: PhotonTables, electron_tables: ElectronTables | None, seeds: Sequence[int], scoring: str):
        self._world = CUDAWorld(grid, tables, electron_tables, scoring)
        kinds = [(CUDAPhotons, source) for source in photons] + [(CUDAElectrons, source) for source in electrons]
        self._parts = [kind(source, self._world, seed) for (kind, source), seed in zip(kinds, seeds, strict=True)]
        self._stopped, self.histories_done = False, 0

    def empty_scores(self) -> np.ndarray:
        return np.zeros(self._world.deposited_kev.shape[0], np.float32)

    def stop(self) -> None:
        self._stopped = True

    def run(self, first_history: int, count: int, deposited_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._world.deposited_kev.copy_to_device(deposited_kev)
        self._world.ledger_kev.copy_to_device(np.zeros((_LEDGER_ROWS, 3)))
        for part in self._parts:
            for first in range(first_history, first_history + count, part.at_once):
                if not self._stopped:
                    part.run(first, min(part.at_once, first_history + count - first))
        self.histories_done += count
        self._world.deposited_kev.copy_to_host(deposited_kev)
        return deposited_kev, self._world.ledger_kev.copy_to_host().sum(axis=0)
