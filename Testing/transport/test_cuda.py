"""The CUDA path in numba's simulator: the same photons, one by one, as on the CPU."""

import os
import subprocess
import sys

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport import processors
from organdose.transport.cross_sections import photon_tables
from organdose.transport.materials import WATER, Material
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.rectangular_beam import RectangularBeam
from organdose.transport.voxel_grid import VoxelGrid

HISTORIES = 120
RUN = """
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from test_cuda import beam, body
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons

grid = body()
tally = run_photons(beam(), grid, photon_tables(grid.materials, 121.0, doppler={doppler}), StopRule({histories}),
                    seed=5, device="cuda", scoring={scoring!r})
np.savez({out!r}, energy=tally.energy_kev, device=tally.device, ledger=list(tally.energy_balance.values()))
"""


def body() -> VoxelGrid:
    """Water with a block that glows in its K x-rays."""
    index = np.zeros((6, 8, 8), np.uint8)
    index[2:4, 3:6, 3:6] = 1
    iodine = Material.from_symbols("iodinated water", {"H": 10.0, "O": 80.0, "I": 10.0})
    return VoxelGrid.of_materials((WATER, iodine), (1.0, 1.1), index, (15.0, 15.0, 15.0))


def beam() -> RectangularBeam:
    return RectangularBeam.fan((0.0, 0.0, 0.0), 600.0, 30.0, 12.0, 8.0, [40.0, 60.0, 120.0], [1.0, 2.0, 1.0])


@pytest.mark.parametrize(("scoring", "doppler"), [("stops", False), ("tracks", True), ("analogue", False)])
def test_the_gpu_follows_the_same_photons_as_the_cpu(tmp_path, scoring, doppler):
    grid, out = body(), tmp_path / "gpu.npz"
    script = RUN.format(folder=os.path.dirname(__file__), histories=HISTORIES, scoring=scoring, doppler=doppler,
                        out=str(out))
    # The simulator runs kernels as Python; the functions they call must be Python then too.
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=300,
                   env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"})
    cpu = run_photons(beam(), grid, photon_tables(grid.materials, 121.0, doppler=doppler), StopRule(HISTORIES), seed=5,
                      device="cpu", scoring=scoring)
    gpu = np.load(out)
    assert str(gpu["device"]) == "cuda" and cpu.device == "cpu"
    # A track that just grazes a voxel leaves more or less there by the last digit of its direction.
    assert gpu["energy"] == pytest.approx(cpu.energy_kev, rel=1e-3, abs=2e-3)
    assert gpu["energy"].sum() == pytest.approx(cpu.energy_kev.sum(), rel=1e-4)
    assert gpu["ledger"] == pytest.approx(list(cpu.energy_balance.values()), rel=1e-4, abs=1e-9)


def test_a_gpu_that_is_not_there_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(processors, "cuda_device_name", lambda: None)
    grid = body()
    with pytest.raises(InputError, match=r"no NVIDIA GPU .* Use --device auto or cpu"):
        run_photons(beam(), grid, photon_tables(grid.materials), StopRule(1000), device="cuda")


def test_without_a_gpu_the_cpu_does_the_work(monkeypatch):
    monkeypatch.setattr(processors, "cuda_device_name", lambda: None)
    grid = body()
    assert run_photons(beam(), grid, photon_tables(grid.materials), StopRule(1000)).device == "cpu"


def test_an_unknown_device_is_named():
    grid = body()
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        run_photons(beam(), grid, photon_tables(grid.materials), StopRule(1000), device="gpu")
