"""How much of the difference of two Monte Carlo dose maps their statistical uncertainties explain."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

_Z_EDGES = np.linspace(-6, 6, 61)
# Of a normal distribution with mean 0 and SD 1.
EXPECTED_PERCENT = {1: 68.27, 2: 95.45, 3: 99.73}


@dataclass(frozen=True)
class StatisticalAgreement:
    """The z-score (T - R) / sqrt(sigma_T^2 + sigma_R^2) of the voxels whose uncertainty is stated.

    Where both maps estimate the same dose z has mean 0 and SD 1. `within_percent`: part of the voxels with |z| up to
    1, 2 and 3. `explained_percent`: mean expected square of the difference, sum of both variances, over the mean
    square of the difference found (100: statistics alone). `systematic_rms_mgy`: the root mean square difference that
    is left when the statistical one is taken off in quadrature. `z_edges` and `z_counts`: the histogram of z, values
    beyond it in the end bins. `maps` says whose uncertainty went in: 'both', 'test' or 'reference'.
    """

    voxels: int
    without: int
    mean_z: float
    sd_z: float
    within_percent: dict[int, float]
    explained_percent: float
    systematic_rms_mgy: float
    maps: str
    z_edges: np.ndarray = field(repr=False)
    z_counts: np.ndarray = field(repr=False)


def statistical_agreement(test_mgy: np.ndarray, reference_mgy: np.ndarray, test_relative: np.ndarray | None,
                          reference_relative: np.ndarray | None) -> StatisticalAgreement | None:
    """Agreement of doses (n) in mGy with relative standard uncertainties (n; 1 = 100 %, None: not stated).

    A voxel in which a map scored nothing (dose 0, or uncertainty of 100 %) has no z and is counted in `without`. With
    one map's uncertainty alone the other is taken as exact. None when neither states any, or no voxel has one.
    """
    stated = [(dose, relative) for dose, relative in ((test_mgy, test_relative), (reference_mgy, reference_relative))
              if relative is not None]
    if not stated:
        return None
    variance, known = np.zeros(len(test_mgy)), np.ones(len(test_mgy), bool)
    for dose, relative in stated:
        sigma = np.asarray(relative, np.float64) * np.abs(dose)
        known &= np.isfinite(sigma) & (sigma > 0) & (np.asarray(relative) < 1)
        variance += sigma ** 2
    if not known.any():
        return None
    difference = np.asarray(test_mgy, np.float64)[known] - np.asarray(reference_mgy, np.float64)[known]
    variance = variance[known]
    z = difference / np.sqrt(variance)
    found, expected = float(np.mean(difference ** 2)), float(np.mean(variance))
    maps = "both" if len(stated) == 2 else "test" if test_relative is not None else "reference"
    counts, _ = np.histogram(np.clip(z, _Z_EDGES[0], _Z_EDGES[-1]), _Z_EDGES)
    return StatisticalAgreement(
        int(known.sum()), int(np.count_nonzero(~known)), float(z.mean()), float(z.std()),
        {limit: 100 * float(np.mean(np.abs(z) <= limit)) for limit in EXPECTED_PERCENT},
        100 * expected / found if found else math.nan, math.sqrt(max(0.0, found - expected)), maps, _Z_EDGES, counts)
