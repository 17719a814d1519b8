"""What runs a batch of histories: CPU threads, or an NVIDIA GPU through numba."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from organdose.errors import InputError
from organdose.transport.cpu_transport import (
    HERD,
    HERD_MEMBER,
    TRANSPORT_STREAM,
    follow_by_stops,
    follow_by_tracks,
)
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.electron_tables import ElectronTables
from organdose.transport.electron_tracks import Secondaries
from organdose.transport.electron_transport import (
    FIRST_ELECTRON_STREAM,
    FIRST_PHOTON_STREAM,
    GENERATIONS,
    PHOTONS_A_HISTORY,
    follow_electrons,
)
from organdose.transport.particles import Electrons, ElectronSource, Photons, PhotonSource
from organdose.transport.voxel_grid import VoxelGrid

SCORINGS = ("stops", "tracks", "analogue")
DEVICES = ("auto", "cpu", "cuda")
_PHOTONS_AT_ONCE = 25_000
_SEEDS_APART = 2**40  # between the random numbers of a run's sources: no other run's seed


class Processor(Protocol):
    """Runs batches for one source, grid and seed. `histories_done` counts on while batches run."""

    device: str
    histories_done: int

    def empty_scores(self) -> np.ndarray:
        """Zeros for one batch's energy per voxel (keV), flat float32."""

    def run(self, first_history: int, count: int, deposited_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Follow `count` histories; returns `deposited_kev` and the ledger (emitted, deposited, leaving; keV)."""

    def stop(self) -> None:
        """Make running batches end soon; their results are not used."""


def cuda_device_name() -> str | None:
    """The NVIDIA GPU numba finds; None without one (or without numba's CUDA support)."""
    try:
        from numba import cuda

        if not cuda.is_available():
            return None
        # numba's simulator has no devices to ask.
        name = cuda.get_current_device().name if hasattr(cuda, "get_current_device") else "simulated GPU"
    except Exception:  # a broken driver raises what it likes; the CPU is then what there is
        return None
    return name.decode() if isinstance(name, bytes) else str(name)


def processor(device: str, photons: Sequence[PhotonSource], electrons: Sequence[ElectronSource], grid: VoxelGrid,
              tables: PhotonTables, electron_tables: ElectronTables | None, seed: int, scoring: str) -> Processor:
    """The processor for all these sources on `device`; 'auto' takes a GPU that is there and that all can start on.
    Raises `InputError` when it is not there."""
    if device not in DEVICES:
        raise InputError(f"unknown device {device!r}", mend=f"Choose one of {', '.join(DEVICES)}.")
    seeds = [seed + part * _SEEDS_APART for part in range(len(photons) + len(electrons))]
    startable = all(getattr(source, "emission", None) is not None for source in (*photons, *electrons))
    if (device == "cuda" or (device == "auto" and startable)) and cuda_device_name() is not None:
        from organdose.transport.cuda_processor import CUDAProcessor

        return CUDAProcessor(photons, electrons, grid, tables, electron_tables, seeds, scoring)
    if device == "cuda":
        raise InputError("no NVIDIA GPU that numba can use was found",
                         mend="Use --device auto or cpu; for a GPU install its driver and organdose[gpu].")
    parts = [CPUProcessor(source, grid, tables, own, scoring) for source, own in zip(photons, seeds)]
    parts += [CPUElectronProcessor(source, grid, tables, electron_tables, own, scoring)
              for source, own in zip(electrons, seeds[len(photons):])]
    return MixedProcessor(parts)


class CPUProcessor:
    """One batch a thread; several threads may call `run` at the same time."""

    device = "cpu"

    def __init__(self, source: PhotonSource, grid: VoxelGrid, tables: PhotonTables, seed: int, scoring: str):
        self._source, self._seed, self._scoring = source, seed, scoring
        self._grid, self._tables = grid.packed(), tables.compiled()
        self._majorant_per_mm = grid.majorant_per_mm(tables)
        self._stopped, self._counting = threading.Event(), threading.Lock()
        self.histories_done = 0

    def empty_scores(self) -> np.ndarray:
        return np.zeros(len(self._grid.voxels), np.float32)

    def stop(self) -> None:
        self._stopped.set()

    def run(self, first_history: int, count: int, deposited_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ledger_kev = np.zeros(3)
        for first in range(first_history, first_history + count, _PHOTONS_AT_ONCE):
            if self._stopped.is_set():
                break
            histories = min(_PHOTONS_AT_ONCE, first_history + count - first)
            self._run_histories(first, histories, deposited_kev, ledger_kev)
            with self._counting:
                self.histories_done += histories
        return deposited_kev, ledger_kev

    def _run_histories(self, first: int, count: int, deposited_kev: np.ndarray, ledger_kev: np.ndarray) -> None:
        photons = Photons.empty(count)
        self._source.emit(photons, self._seed, first)
        self._follow(photons, TRANSPORT_STREAM, first, deposited_kev, ledger_kev)

    def _follow(self, photons: Photons, stream: int, first: int, deposited_kev: np.ndarray,
                ledger_kev: np.ndarray) -> None:
        flying = (photons.position_mm, photons.direction, photons.energy_kev, photons.weight, self._seed, stream,
                  first)
        if self._scoring == "tracks":
            follow_by_tracks(*flying, self._grid, self._tables, deposited_kev, ledger_kev)
        else:
            follow_by_stops(*flying, self._grid, self._tables, self._majorant_per_mm, deposited_kev, ledger_kev,
                            np.zeros(HERD, HERD_MEMBER), self._scoring == "analogue")


class CPUElectronProcessor(CPUProcessor):
    """Electrons and positrons, and the photons they make."""

    def __init__(self, source: ElectronSource, grid: VoxelGrid, tables: PhotonTables, electrons: ElectronTables,
                 seed: int, scoring: str):
        super().__init__(source, grid, tables, seed, scoring)
        self._electron_tables = electrons

    def _run_histories(self, first: int, count: int, deposited_kev: np.ndarray, ledger_kev: np.ndarray) -> None:
        electrons = Electrons.empty(count)
        self._source.emit_electrons(electrons, self._seed, first)
        for generation in range(GENERATIONS):
            electrons = self._follow_electrons(electrons, first, generation, deposited_kev, ledger_kev)

    def _follow_electrons(self, electrons: Electrons, first: int, generation: int, deposited_kev: np.ndarray,
                          ledger_kev: np.ndarray) -> Electrons:
        """Follow them and the photons they make; returns the electrons they knocked on."""
        count = len(electrons.energy_kev)
        photons, knocked = Photons.empty(PHOTONS_A_HISTORY * count), Electrons.empty(count)
        photons.weight[:] = knocked.weight[:] = 0.0
        follow_electrons(electrons.position_mm, electrons.direction, electrons.energy_kev, electrons.weight,
                         electrons.charge, self._seed, FIRST_ELECTRON_STREAM + generation, first, self._grid,
                         self._electron_tables, deposited_kev, ledger_kev,
                         Secondaries(photons.position_mm, photons.direction, photons.energy_kev, photons.weight),
                         Secondaries(knocked.position_mm, knocked.direction, knocked.energy_kev, knocked.weight))
        self._follow(photons, FIRST_PHOTON_STREAM + generation, PHOTONS_A_HISTORY * first, deposited_kev, ledger_kev)
        return knocked


class MixedProcessor:
    """Several processors as one: each runs every history with its own particle."""

    def __init__(self, parts: Sequence[Processor]):
        self._parts = tuple(parts)
        self.device = self._parts[0].device

    @property
    def histories_done(self) -> int:
        return sum(part.histories_done for part in self._parts) // len(self._parts)

    def empty_scores(self) -> np.ndarray:
        return self._parts[0].empty_scores()

    def stop(self) -> None:
        for part in self._parts:
            part.stop()

    def run(self, first_history: int, count: int, deposited_kev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ledger_kev = np.zeros(3)
        for part in self._parts:
            deposited_kev, ledger = part.run(first_history, count, deposited_kev)
            ledger_kev += ledger
        return deposited_kev, ledger_kev
