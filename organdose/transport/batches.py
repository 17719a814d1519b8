"""Batches of histories: how many, what they add up to, and how sure the sums are.

The spread between batches gives the standard uncertainty of every voxel and region, whatever correlates the scores of
one history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from organdose.errors import InputError

FEWEST_BATCHES = 20
_WANTED_BATCHES = 100
_SMALLEST_BATCH = 20_000
_LARGEST_BATCH = 2_000_000
_VOXELS_A_HISTORY = 16
_NO_REGIONS = np.zeros(0, np.int64)

Regions = sp.csr_array | np.ndarray


@dataclass(frozen=True)
class StopRule:
    """When to stop: after `histories`, or earlier once every region's mean is known to `region_percent`."""

    histories: int
    region_percent: float | None = None

    def __post_init__(self):
        if self.histories < FEWEST_BATCHES:
            raise InputError(f"{self.histories} histories are too few", mend=f"Ask for at least {FEWEST_BATCHES}.")
        if self.region_percent is not None and not self.region_percent > 0:
            raise InputError("the wanted uncertainty must be positive", mend="Give it in percent, for example 1.")


@dataclass(frozen=True)
class Tally:
    """Energy deposited per history.

    `energy_kev`: mean per voxel (z, y, x). `relative_uncertainty`: its relative standard uncertainty per voxel
    (float32, 1 where nothing was deposited). `regions`: mean of each region's score per history, and
    `region_relative_uncertainty` likewise (1 where nothing was scored). `energy_balance`: what photons really did (keV
    per history): emitted = deposited + leaving, and what the voxels together scored. `device`: where it ran.
    """

    energy_kev: np.ndarray
    relative_uncertainty: np.ndarray
    regions: np.ndarray
    region_relative_uncertainty: np.ndarray
    histories: int
    batches: int
    energy_balance: dict[str, float]
    device: str
    scoring: str


def batch_size(stop: StopRule, voxels: int) -> int:
    """Large enough that adding a batch up costs little beside running it, small enough for many batches: from few, the
    largest uncertainty of many organs is mostly the one that chance made large."""
    smallest = max(_SMALLEST_BATCH, voxels // _VOXELS_A_HISTORY)
    # A run that may stop early must not be bound to large batches by its many histories at most.
    wanted = smallest if stop.region_percent else max(smallest, min(stop.histories // _WANTED_BATCHES, _LARGEST_BATCH))
    return max(1, min(wanted, stop.histories // FEWEST_BATCHES))


def checked_regions(regions: Regions | None, shape: tuple[int, int, int]) -> Regions | None:
    """Labels as a flat array, or scores as they are. Raises `InputError` when they do not fit the grid."""
    if regions is None:
        return None
    if isinstance(regions, np.ndarray):
        if regions.shape != shape or not np.issubdtype(regions.dtype, np.integer) or int(regions.min()) < 0:
            raise InputError(f"region labels of shape {regions.shape} and type {regions.dtype} for a grid of {shape}",
                             mend="Give whole numbers from 0 on as (z, y, x) of the grid.")
        return regions.ravel()
    if regions.shape[1] != int(np.prod(shape)):
        raise InputError(f"regions cover {regions.shape[1]} voxels, the grid has {int(np.prod(shape))}",
                         mend="Make the regions on the same grid.")
    return regions


class BatchSums:
    """Sums and sums of squares over equal batches, for voxels and regions."""

    def __init__(self, shape: tuple[int, int, int], regions: Regions | None):
        self.batches = 0
        self._shape = shape
        self._sum, self._squares = np.zeros(int(np.prod(shape))), np.zeros(int(np.prod(shape)))
        self._labels = regions if isinstance(regions, np.ndarray) else _NO_REGIONS
        self._scores = None if isinstance(regions, np.ndarray) else regions
        count = self._scores.shape[0] if self._scores is not None else (
            int(self._labels.max()) + 1 if len(self._labels) else 0)
        self._region_sum, self._region_squares = np.zeros(count), np.zeros(count)
        self.ledger_kev = np.zeros(3)

    def add(self, deposited_kev: np.ndarray, ledger_kev: np.ndarray) -> None:
        """Add one batch's flat voxel scores and clear them for the next."""
        scores = np.zeros_like(self._region_sum)
        if self._scores is not None:
            scores += self._scores @ deposited_kev
        _add_and_clear(deposited_kev, self._sum, self._squares, self._labels, scores)
        self._region_sum += scores
        self._region_squares += scores**2
        self.ledger_kev += ledger_kev
        self.batches += 1

    def fraction_of_goal(self, region_percent: float | None) -> float:
        """How much of the work is done that takes every region to `region_percent`."""
        if region_percent is None or self.batches < 2:
            return 0.0
        worst = 100 * self._region_uncertainty().max(initial=0.0)
        return min(1.0, (region_percent / worst) ** 2) if worst > 0 else 1.0

    def reached(self, region_percent: float | None) -> bool:
        return self.batches >= FEWEST_BATCHES and self.fraction_of_goal(region_percent) >= 1.0

    def _region_uncertainty(self) -> np.ndarray:
        _, uncertainty = _mean_and_uncertainty(self._region_sum, self._region_squares, self.batches, 1)
        return uncertainty.astype(float)

    def tally(self, histories: int, device: str, scoring: str) -> Tally:
        mean, uncertainty = _mean_and_uncertainty(self._sum, self._squares, self.batches, histories)
        emitted, deposited, leaving = (float(value) / histories for value in self.ledger_kev)
        balance = {"emitted_kev": emitted, "deposited_kev": deposited, "leaving_kev": leaving,
                   "relative_difference": (emitted - deposited - leaving) / emitted if emitted else 0.0,
                   "scored_kev": float(self._sum.sum()) / histories}
        return Tally(mean.reshape(self._shape), uncertainty.reshape(self._shape),
                     self._region_sum / histories, self._region_uncertainty(), histories, self.batches, balance, device,
                     scoring)


@njit(nogil=True, cache=True)
def _add_and_clear(batch, total, squares, labels, scores):
    labelled = labels.shape[0] > 0
    for k in range(batch.shape[0]):
        value = float(batch[k])
        if value != 0.0:
            total[k] += value
            squares[k] += value * value
            batch[k] = 0.0
            if labelled:
                scores[labels[k]] += value


@njit(cache=True)
def _mean_and_uncertainty(total, squares, batches, histories):
    """Mean per history, and its relative standard uncertainty: 1 where the mean is zero."""
    mean, uncertainty = np.empty(total.shape[0]), np.ones(total.shape[0], np.float32)
    for k in range(total.shape[0]):
        mean[k] = total[k] / histories
        if total[k] > 0.0:
            variance = max(0.0, squares[k] / batches - (total[k] / batches) ** 2) / max(batches - 1, 1)
            uncertainty[k] = math.sqrt(variance) / (total[k] / batches)
    return mean, uncertainty
