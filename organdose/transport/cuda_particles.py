"""Particles on an NVIDIA GPU that wait to be followed, and the scores that many threads add to."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import cuda

from organdose.transport.compiled import scalar_function
from organdose.transport.emission import put

THREADS_PER_BLOCK = 128


class Waiting(NamedTuple):
    """Arrays on the GPU as in `electron_tracks.Secondaries`, in which some rows hold a particle: the first `count[0]`
    of `row` (int32) name these, in any order. A particle's random numbers belong to its row, so the order is free."""

    position_mm: np.ndarray
    direction: np.ndarray
    energy_kev: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    count: np.ndarray


def room_for(rows: int) -> Waiting:
    """Arrays for that many particles, none of them there yet."""
    single = np.float32
    return Waiting(cuda.device_array((rows, 3), single), cuda.device_array((rows, 3), single),
                   cuda.device_array(rows, single), cuda.device_array(rows, single), cuda.device_array(rows, np.int32),
                   cuda.to_device(np.zeros(1, np.int32)))


def emptied(waiting: Waiting) -> Waiting:
    waiting.count.copy_to_device(np.zeros(1, np.int32))
    return waiting


def blocks(threads: int) -> int:
    return -(-threads // THREADS_PER_BLOCK)


def on_device(tables: tuple) -> tuple:
    """The same tuple with its arrays on the GPU."""
    moved = [cuda.to_device(np.ascontiguousarray(item)) if isinstance(item, np.ndarray) else item for item in tables]
    return type(tables)(*moved) if hasattr(tables, "_fields") else tuple(moved)


@cache
def emission_kernel(one_particle):
    """A kernel that fills a `Waiting` with the particles of consecutive histories, that of history first + n in row n.
    """
    particle_of = scalar_function(one_particle) if not hasattr(one_particle, "py_func") else one_particle

    @cuda.jit(fastmath=True)
    def emit(waiting, histories, seed, first_history, tables):
        n = cuda.grid(1)
        if n == 0:
            waiting.count[0] = histories
        if n < histories:
            put(particle_of(seed, first_history + n, *tables), waiting.position_mm, waiting.direction,
                waiting.energy_kev, waiting.weight, n)
            waiting.row[n] = n

    return emit


@cuda.jit(device=True)
def row_of_thread(waiting):
    """The row of the particle that this thread follows; -1 when there are fewer particles than threads."""
    n = cuda.grid(1)
    if n < waiting.count[0]:
        return waiting.row[n]
    return -1


@cuda.jit(device=True)
def append(waiting, row):
    """Row `row` holds a particle now."""
    waiting.row[cuda.atomic.add(waiting.count, 0, 1)] = row


@cuda.jit(device=True)
def add(deposited, index, value):
    cuda.atomic.add(deposited, index, value)


@cuda.jit(device=True)
def note(ledger_kev, entry, value):
    # The ledger has many rows, to be added up later: thousands of threads must not wait for one number.
    cuda.atomic.add(ledger_kev, (cuda.blockIdx.x % ledger_kev.shape[0], entry), value)
