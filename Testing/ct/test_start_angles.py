"""Start angles: their spread is told apart from the statistics of photons and becomes part of the uncertainty."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from organdose.ct.start_angles import run_at_start_angles, sampled_angles_rad
from organdose.ct.tube_path import TubePath
from organdose.transport.monte_carlo import StopRule, Tally


@dataclass(frozen=True)
class Source:
    """What `run_at_start_angles` needs of one: a path that can be turned."""

    path: TubePath


SOURCE = Source(TubePath.helical(np.array([0.0, 1.0]), np.ones(2), 1.0))
VOXELS = (4, 50, 50)


def runs(depends: float, noise: float, seen: list | None = None):
    """A stand-in for the simulation: 10 keV per voxel, times 1 + depends x cos(start angle), with relative noise."""
    def run(source, stop, seed, stage):
        angle = source.path.start_angle_rad
        if seen is not None:
            seen.append((angle, stop, seed, stage))
        value = 10 * (1 + depends * math.cos(angle))
        energy = value * (1 + noise * np.random.default_rng(seed).standard_normal(VOXELS))
        return Tally(energy, np.full(VOXELS, noise, np.float32), np.array([value]), np.array([0.0]), stop.histories, 20,
                     {"emitted_kev": value}, "cpu", "stops")

    return run


def test_the_spread_of_a_dose_that_goes_with_the_angle_is_its_standard_deviation():
    angles = sampled_angles_rad(8, seed=3)
    mean, spread = run_at_start_angles(runs(0.2, 0.0), SOURCE, StopRule(8000), angles, seed=3)
    # Equally spaced angles average a cosine to 0; its sample variance over n of them is n / (n - 1) / 2.
    assert mean.regions[0] == pytest.approx(10.0)
    assert spread.regions[0] == pytest.approx(0.2 * math.sqrt(0.5 * 8 / 7))
    assert mean.region_relative_uncertainty[0] == pytest.approx(0.2 * math.sqrt(0.5 * 8 / 7))
    assert mean.relative_uncertainty == pytest.approx(np.full(VOXELS, 0.2 * math.sqrt(0.5 * 8 / 7)))
    assert spread.bright_voxels == pytest.approx(0.2 * math.sqrt(0.5 * 8 / 7))


def test_the_statistics_of_photons_are_not_taken_for_a_spread_of_angles():
    angles = sampled_angles_rad(8, seed=3)
    mean, spread = run_at_start_angles(runs(0.0, 0.1), SOURCE, StopRule(8000), angles, seed=3)
    # 10 000 voxels know their mean square to 2 %: what is left of 10 % is below 1.5 %.
    assert spread.bright_voxels < 0.015
    assert spread.regions[0] == 0.0
    # The mean of eight is known sqrt(8) times better; voxel by voxel the cut at 0 makes it somewhat larger.
    assert 0.1 / math.sqrt(8) < np.sqrt(np.mean(mean.relative_uncertainty**2)) < 0.1


def test_both_together_add_up():
    angles = sampled_angles_rad(16, seed=3)
    mean, spread = run_at_start_angles(runs(0.2, 0.1), SOURCE, StopRule(8000), angles, seed=3)
    expected = 0.2 * math.sqrt(0.5 * 16 / 15)
    assert spread.bright_voxels == pytest.approx(expected, rel=0.03)
    # Noise changes the variance that is seen in 16 angles from voxel to voxel, but not its mean.
    assert np.sqrt(np.mean(mean.relative_uncertainty**2)) == pytest.approx(
        math.hypot(expected, 0.1 / math.sqrt(16)), rel=0.05)


def test_angles_share_the_histories_and_have_photons_of_their_own():
    seen = []
    mean, _ = run_at_start_angles(runs(0.0, 0.1, seen), SOURCE, StopRule(8000, 1.0), sampled_angles_rad(8, 1), seed=1)
    angles, stops, seeds, stages = zip(*seen)
    assert np.diff(angles) == pytest.approx(np.full(7, math.pi / 4))
    assert {stop.histories for stop in stops} == {1000} and stops[0].region_percent == pytest.approx(math.sqrt(8))
    assert len(set(seeds)) == 8 and mean.histories == 8000
    assert mean.energy_balance == {"emitted_kev": pytest.approx(10.0)}
    assert stages[0] == "Monte Carlo, start angle 1 of 8"


def test_the_first_angle_goes_with_the_seed():
    assert sampled_angles_rad(8, 1) == sampled_angles_rad(8, 1)
    assert sampled_angles_rad(8, 1) != sampled_angles_rad(8, 2)
    assert all(0 <= sampled_angles_rad(8, seed)[0] < math.pi / 4 for seed in range(50))
