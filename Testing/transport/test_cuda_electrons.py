"""Electrons and positrons on CUDA in numba's simulator: the same tracks, one by one, as on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport import processors
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import electron_tables
from organdose.transport.electron_tracks import Secondaries
from organdose.transport.electron_transport import FIRST_ELECTRON_STREAM, GENERATIONS, PHOTONS_A_HISTORY
from organdose.transport.materials import WATER, Material
from organdose.transport.monte_carlo import StopRule, run_electrons, run_particles
from organdose.transport.particles import Electrons, Photons
from organdose.transport.processors import processor
from organdose.transport.voxel_grid import VoxelGrid
from organdose.transport.voxel_source import Energies, VoxelSource

BONE = Material.from_symbols("bone", {"H": 3.4, "C": 15.5, "N": 4.2, "O": 43.5, "P": 10.3, "Ca": 22.5})
HISTORIES = 12
TRACKS = 60
SEED = 6
PARTICLES = ("position_mm", "direction", "energy_kev", "weight")


def head() -> VoxelGrid:
    """Bone over water, and in between water as thin as lung."""
    material, density = np.zeros((8, 8, 8), np.uint8), np.ones((8, 8, 8), np.float32)
    material[5:], density[5:], density[3] = 1, 1.9, 0.26
    return VoxelGrid((WATER, BONE), material, density, (1.5, 1.5, 1.5), (2.0, -3.0, 40.0))


def source(grid: VoxelGrid, charge: int = 0) -> VoxelSource:
    """A line and a spectrum in the middle of the grid, of a weight that is not 1."""
    activity = np.zeros(grid.shape)
    activity[2:6, 2:6, 2:6] = 1.0
    return VoxelSource(activity, grid.spacing_mm, grid.origin_mm,
                       Energies(np.array([1900.0, 50.0]), np.array([0.0, 900.0]), np.array([1.0, 1.0])), charge, 0.7)


def tables(grid: VoxelGrid) -> tuple:
    return photon_tables(grid.materials, 2000.0), electron_tables(grid.materials, (1.0, 1.9), 2000.0)


def tracks_one_by_one(device: str, charge: int, scoring: str) -> dict[str, np.ndarray]:
    """What each history leaves in each voxel, and its ledger, with all that it sets free."""
    grid = head()
    worker = processor(device, (), (source(grid, charge),), grid, *tables(grid), SEED, scoring)
    done = [worker.run(n, 1, worker.empty_scores()) for n in range(HISTORIES)]
    return {"deposited": np.stack([deposited for deposited, _ in done]), "ledger": np.stack([kev for _, kev in done])}


def what_tracks_set_free(device: str, charge: int, generation: int) -> dict[str, np.ndarray]:
    """Photons and knocked-on electrons of each history, in the rows that are theirs."""
    grid = head()
    electrons, photons, knocked = (Electrons.empty(TRACKS), Photons.empty(PHOTONS_A_HISTORY * TRACKS),
                                   Photons.empty(TRACKS))
    source(grid, charge).emit_electrons(electrons, SEED, 0)
    follow = _follow_on_cuda if device == "cuda" else _follow_on_cpu
    free = dict(zip(("photon", "knocked"), follow(electrons, charge, generation, grid, photons, knocked)))
    return {f"{kind}_{name}": getattr(those, name) for kind, those in free.items() for name in PARTICLES}


def _follow_on_cpu(electrons, charge, generation, grid, photons, knocked):
    from organdose.transport.electron_transport import follow_electrons

    photons.weight[:] = knocked.weight[:] = 0.0
    free = [Secondaries(*(getattr(those, name) for name in PARTICLES)) for those in (photons, knocked)]
    follow_electrons(*(getattr(electrons, name) for name in PARTICLES), electrons.charge, SEED,
                     FIRST_ELECTRON_STREAM + generation, 0, grid.packed(), tables(grid)[1],
                     np.zeros(grid.density_g_cm3.size, np.float32), np.zeros(3), *free)
    return free


def _follow_on_cuda(electrons, charge, generation, grid, photons, knocked):
    from numba import cuda

    from organdose.transport.cuda_electrons import follow_electrons
    from organdose.transport.cuda_particles import Waiting, on_device

    def waiting(those, rows):
        arrays = tuple(getattr(those, name) for name in PARTICLES)
        return on_device(Waiting(*arrays, np.arange(len(arrays[3]), dtype=np.int32), np.array([rows], np.int32)))

    flying, made, hit = waiting(electrons, TRACKS), waiting(photons, 0), waiting(knocked, 0)
    scores = cuda.to_device(np.zeros(grid.density_g_cm3.size, np.float32)), cuda.to_device(np.zeros((2, 3)))
    follow_electrons[2, 32](flying, charge, SEED, FIRST_ELECTRON_STREAM + generation, 0, on_device(grid.packed()),
                            on_device(tables(grid)[1]), *scores, made, hit)
    free = [Waiting(*(array.copy_to_host() for array in those)) for those in (made, hit)]
    for those in free:
        assert set(those.row[:those.count[0]]) == set(np.flatnonzero(those.weight))
    return free


def mixed(device: str) -> dict[str, np.ndarray]:
    """One batch of photons, electrons and positrons together."""
    grid = head()
    electrons = source(grid)
    worker = processor(device, (electrons.emitting(Energies.lines([364.0, 637.0], [8.0, 1.0])),),
                       (electrons, electrons.emitting(Energies.lines(600.0), charge=1, weight=0.2)), grid,
                       *tables(grid), SEED, "stops")
    if device == "cuda":
        from organdose.transport.cuda_processor import CUDAElectrons

        CUDAElectrons.at_once = 16  # how many are followed together must not matter
    deposited, ledger = worker.run(100, 40, worker.empty_scores())
    return {"deposited": deposited, "ledger": ledger, "device": worker.device}


def on_simulated_gpu(call: str, folder: Path) -> dict[str, np.ndarray]:
    """What `call` of this file's functions gives in a process of its own, where numba simulates a GPU."""
    script = f"""
import sys
import numpy as np
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_cuda_electrons import *
np.savez({str(folder / "gpu.npz")!r}, **{call})
"""
    # The simulator runs kernels as Python; the functions they call must be Python then too.
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=300,
                   env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"})
    return dict(np.load(folder / "gpu.npz"))


@pytest.mark.parametrize(("charge", "scoring"), [(0, "tracks"), (1, "stops")])
def test_every_track_leaves_the_same_energies_as_on_the_cpu(tmp_path, charge, scoring):
    gpu = on_simulated_gpu(f"tracks_one_by_one('cuda', {charge}, {scoring!r})", tmp_path)
    cpu = tracks_one_by_one("cpu", charge, scoring)
    assert np.count_nonzero(cpu["deposited"], axis=1).max() > 10, "tracks cross many voxels"
    assert gpu["ledger"] == pytest.approx(cpu["ledger"], rel=1e-4, abs=1e-2)
    assert gpu["deposited"] == pytest.approx(cpu["deposited"], rel=1e-3, abs=1e-2)


@pytest.mark.parametrize(("charge", "generation"), [(0, 0), (1, 0), (0, GENERATIONS - 1)])
def test_tracks_set_free_the_same_photons_and_electrons_as_on_the_cpu(tmp_path, charge, generation):
    gpu = on_simulated_gpu(f"what_tracks_set_free('cuda', {charge}, {generation})", tmp_path)
    cpu = what_tracks_set_free("cpu", charge, generation)
    last = generation == GENERATIONS - 1
    assert np.count_nonzero(cpu["knocked_weight"]) == 0 if last else np.count_nonzero(cpu["knocked_weight"]) > 10
    assert np.count_nonzero(cpu["photon_weight"][::PHOTONS_A_HISTORY]) > 0, "some tracks radiate"
    assert np.any(cpu["photon_weight"][1::PHOTONS_A_HISTORY]) == (charge == 1), "positrons annihilate"
    for kind in ("photon", "knocked"):
        there = cpu[f"{kind}_weight"] > 0
        assert np.array_equal(gpu[f"{kind}_weight"] > 0, there)
        for name in PARTICLES:
            # Compiled code contracts products and sums, and a track of a hundred steps adds up their rounding.
            assert gpu[f"{kind}_{name}"][there] == pytest.approx(cpu[f"{kind}_{name}"][there], rel=1e-3, abs=1e-4)


def test_photons_electrons_and_positrons_together_are_the_same_on_both(tmp_path):
    gpu, cpu = on_simulated_gpu("mixed('cuda')", tmp_path), mixed("cpu")
    assert str(gpu["device"]) == "cuda" and cpu["device"] == "cpu"
    assert gpu["ledger"] == pytest.approx(cpu["ledger"], rel=1e-4)
    assert gpu["deposited"] == pytest.approx(cpu["deposited"], rel=1e-3, abs=1e-2)


def test_on_a_real_gpu_as_much_energy_is_left_as_on_the_cpu():
    if processors.cuda_device_name() is None:
        pytest.skip("no NVIDIA GPU that numba can use")
    grid = head()
    gpu, cpu = (run_particles((), (source(grid, 1),), grid, *tables(grid), StopRule(20_000), seed=SEED, device=device)
                for device in ("cuda", "cpu"))
    assert gpu.device == "cuda" and abs(gpu.energy_balance["relative_difference"]) < 1e-5
    # The same tracks but for those that a last digit sends another way.
    assert gpu.energy_kev.sum() == pytest.approx(cpu.energy_kev.sum(), rel=0.01)


def test_electrons_for_a_gpu_that_is_not_there_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(processors, "cuda_device_name", lambda: None)
    grid = head()
    with pytest.raises(InputError, match=r"no NVIDIA GPU .* Use --device auto or cpu"):
        run_electrons(source(grid), grid, *tables(grid), StopRule(1000), device="cuda")
    with pytest.raises(InputError, match=r"no NVIDIA GPU .* Use --device auto or cpu"):
        run_particles((), (source(grid),), grid, *tables(grid), StopRule(1000), device="cuda")


def test_electrons_that_cannot_start_on_a_gpu_run_on_the_cpu(monkeypatch):
    monkeypatch.setattr(processors, "cuda_device_name", lambda: "a GPU")
    grid = head()

    class OnlyOnCPU:
        highest_kev = 1900.0
        emit_electrons = staticmethod(source(grid).emit_electrons)

    assert run_electrons(OnlyOnCPU(), grid, *tables(grid), StopRule(100)).device == "cpu"
