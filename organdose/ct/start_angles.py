"""The gantry angle a scan starts at: given, averaged over, or sampled so that not knowing it enters the uncertainty.

One scan has one start angle. Runs at several of them, equally spaced with a random first one, give the mean dose and
how much single scans differ. With n angles, doses d_i and their statistical variances s_i^2:
- dose: mean of d_i;
- variance between angles: V = max(0, sample variance of d_i - mean of s_i^2), what statistics do not explain;
- variance stated: V + mean of s_i^2 / n, that of one scan whose angle is unknown around the mean.
V from n angles has a relative standard uncertainty of about sqrt(2 / (n - 1)); cut at 0 it is too large rather than too
small where few photons arrive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from organdose.ct.xray_source import XRaySource
from organdose.transport.monte_carlo import StopRule, Tally

_FEWEST_HISTORIES = 20  # a run's batches


@dataclass(frozen=True)
class StartAngleSpread:
    """`angles_deg` that were run; relative standard deviation between them, statistics taken away: of each region's
    score (`regions`), and root mean square over the voxels with at least half the highest energy (`bright_voxels`)."""

    angles_deg: tuple[float, ...]
    regions: np.ndarray
    bright_voxels: float


def sampled_angles_rad(count: int, seed: int) -> list[float]:
    """Equally spaced over a turn, the first one at random."""
    first = np.random.default_rng([seed, count]).uniform(0, 2 * math.pi / count)
    return [first + 2 * math.pi * k / count for k in range(count)]


def run_at_start_angles(run: Callable[[XRaySource, StopRule, int, str], Tally], source: XRaySource, stop: StopRule,
                        angles_rad: list[float], seed: int) -> tuple[Tally, StartAngleSpread]:
    """The mean of runs at each of the start angles, its uncertainty with that of the angle, and their spread.

    `run(source, stop, seed, stage)` gives the tally of one. The angles share the histories equally; with a wanted
    uncertainty each is run to sqrt(n) times it. Every angle has photons of its own (seeds spawned from `seed`).
    """
    count = len(angles_rad)
    each = StopRule(max(_FEWEST_HISTORIES, stop.histories // count),
                    None if stop.region_percent is None else stop.region_percent * math.sqrt(count))
    voxels, regions, balances, histories, batches = _Moments(), _Moments(), [], 0, 0
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64) >> np.uint64(1)
    for k, (angle_rad, own_seed) in enumerate(zip(angles_rad, seeds)):
        turned = replace(source, path=replace(source.path, start_angle_rad=angle_rad))
        tally = run(turned, each, int(own_seed), f"Monte Carlo, start angle {k + 1} of {count}")
        voxels.add(tally.energy_kev, tally.relative_uncertainty)
        regions.add(tally.regions, tally.region_relative_uncertainty)
        balances.append(tally.energy_balance)
        histories, batches = histories + tally.histories, batches + tally.batches
    mean = replace(tally, energy_kev=voxels.mean, relative_uncertainty=voxels.relative_uncertainty().astype(np.float32),
                   regions=regions.mean, region_relative_uncertainty=regions.relative_uncertainty(),
                   histories=histories, batches=batches,
                   energy_balance={name: float(np.mean([each[name] for each in balances])) for name in balances[0]})
    bright = voxels.mean >= 0.5 * voxels.mean.max()
    # Cut at 0 only after averaging: voxel by voxel the cut would leave the statistics of few photons in it.
    mean_square = np.mean(voxels.unexplained()[bright] / voxels.mean[bright] ** 2)
    spread = StartAngleSpread(tuple(round(math.degrees(angle), 1) for angle in angles_rad),
                              _relative(np.sqrt(regions.between()), regions.mean), math.sqrt(max(mean_square, 0.0)))
    return mean, spread


class _Moments:
    """Mean, variance between and mean variance within, of results that come one after the other (Welford, 1962)."""

    def __init__(self):
        self.count, self.mean, self._squares, self._within = 0, 0.0, 0.0, 0.0

    def add(self, values: np.ndarray, relative_uncertainty: np.ndarray) -> None:
        self.count += 1
        step = values - self.mean
        self.mean = self.mean + step / self.count
        self._squares = self._squares + step * (values - self.mean)
        self._within = self._within + ((values * relative_uncertainty) ** 2 - self._within) / self.count

    def unexplained(self) -> np.ndarray:
        """Sample variance between the results minus the variance within them; chance makes it negative, too."""
        return self._squares / max(self.count - 1, 1) - self._within

    def between(self) -> np.ndarray:
        return np.maximum(self.unexplained(), 0.0)

    def relative_uncertainty(self) -> np.ndarray:
        """Of one more result around the mean: variance between, and that of the mean."""
        return _relative(np.sqrt(self.between() + self._within / self.count), self.mean)


def _relative(deviation: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Deviation / mean; 1 where the mean is 0."""
    return np.divide(deviation, mean, out=np.ones_like(mean), where=mean > 0)
