"""The worlds speed is measured with, and that every figure is there."""

import numpy as np
import pytest

from organdose.progress import Progress
from organdose.transport.materials import WATER
from organdose.transport.voxel_grid import VoxelGrid
from organdose.validation import transport_benchmark
from organdose.validation.benchmark_worlds import World, whole_body


def test_the_whole_body_has_its_mass_and_only_organs_above_50_g():
    world = whole_body()
    mass_g = world.grid.density_g_cm3.astype(float) * 0.125
    body_kg = mass_g[world.grid.density_g_cm3 > 0.1].sum() / 1000
    assert 60 < body_kg < 90  # ICRP 89: 73 kg
    organs_g = np.bincount(world.organs.ravel(), mass_g.ravel())[1:]
    assert len(organs_g) == len(world.names) and organs_g.min() > 50
    assert organs_g[world.names.index("liver")] == pytest.approx(1800, rel=0.15)  # ICRP 89


@pytest.fixture
def small_world(monkeypatch):
    index = np.zeros((10, 12, 12), np.uint8)
    organs = np.zeros(index.shape, np.uint8)
    organs[3:7, 4:8, 4:8] = 1
    world = World(VoxelGrid.of_materials((WATER,), (1.0,), index, (20.0, 20.0, 20.0)), organs, ("middle",), (-60, 60))
    monkeypatch.setattr(transport_benchmark, "whole_body", lambda: world)
    monkeypatch.setattr(transport_benchmark, "fine_torso", lambda: world)
    monkeypatch.setattr(transport_benchmark, "_HISTORIES", 40_000)
    monkeypatch.setattr(transport_benchmark, "_WANTED_VOXEL_PERCENT", 10.0)
    monkeypatch.setattr(transport_benchmark, "cuda_device_name", lambda: None)


def test_speed_efficiency_and_time_to_an_uncertainty_are_told(small_world):
    text = "\n".join(transport_benchmark.run_transport_benchmark(Progress()))
    for wanted in ("by stops, 1 thread", "by tracks, all cores", "times analogue in voxels", "known to 1 % after",
                   "median voxel of the irradiated body"):
        assert wanted in text
