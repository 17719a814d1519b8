"""Organ mean doses of two dose maps, organ by organ and over all organs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known, organ
from organdose.assess.dose_map_pair import DoseMapPair
from organdose.assess.error_statistics import ErrorStatistics, error_statistics, relative_percent
from organdose.assess.gamma_index import PASSES_UP_TO
from organdose.assess.organ_selection import BODY, REMAINDER
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.errors import InputError
from organdose.progress import Progress

_NOT_ORGANS = (BODY, REMAINDER, "couch")
FULL_PERCENT = 99.0  # an organ of which less is compared bears a note
_HALF = 0.5


@dataclass(frozen=True)
class OrganDoseDifference:
    """One row of `organ_comparison.csv`: mean doses of one organ in both maps.

    Means are over the part of the organ's mass (or volume: see `organ_dose_differences`) that both maps cover,
    `compared_percent` of its volume. `relative_percent` is NaN below the low dose. The uncertainties are the relative
    standard uncertainties that the runs state for this organ's mean, `z` the difference over both in quadrature; NaN
    where not stated. `gamma_pass_percent`: of the organ's volume above the low dose, global gamma. `in_summary`:
    whether the row counts in the figures over organs (organs as drawn; not the body, what is left of it, or groups).
    """

    organ: str
    volume_ml: float
    compared_percent: float
    test_mgy: float
    reference_mgy: float
    difference_mgy: float
    relative_percent: float
    test_uncertainty_percent: float
    reference_uncertainty_percent: float
    z: float
    gamma_pass_percent: float
    in_summary: bool
    note: str = ""


def body_region(masks: OrganMasks, grid: sitk.Image, progress: Progress | None = None) -> np.ndarray | None:
    """The voxels (bool (z, y, x)) of `grid` that lie at least half inside the body mask; None without one."""
    if BODY not in masks.segments:
        return None
    weights, inner = _weights(masks, grid, np.ones(masks.shape, np.float32), (BODY,), progress)
    share = np.zeros(weights.volume_ml.shape[1], np.float32)
    indices, _, volume_ml = weights.row(BODY)
    share[indices] = volume_ml / weights.voxel_volume_ml
    return share.reshape(tuple(reversed(weights.dose_grid.GetSize())))[inner] >= _HALF


def organ_dose_differences(pair: DoseMapPair, masks: OrganMasks, gamma: np.ndarray, *,
                           density_g_cm3: np.ndarray | None = None, organs: tuple[str, ...] | None = None,
                           progress: Progress | None = None) -> list[OrganDoseDifference]:
    """A row for each mask and group of masks, or for `organs`; `gamma` is the map of global gamma.

    Masks lie on their own grid and share out exactly among the dose voxels. With `density_g_cm3` (z, y, x) on that
    grid the means are weighted with mass, as in `organs.csv`, without it with volume. What a map does not cover is
    left out of both means. Raises `InputError` for an unknown or empty organ.
    """
    density = np.ones(masks.shape, np.float32) if density_g_cm3 is None else density_g_cm3
    weights, inner = _weights(masks, pair.reference, density, organs, progress)
    padded = tuple(reversed(weights.dose_grid.GetSize()))
    maps = [_in_padding(values, padded, inner) for values in (pair.test_mgy, pair.reference_mgy, gamma)]
    return [_row(name, weights, maps, pair.low_dose_mgy, organs is not None) for name in weights.names]


def with_uncertainty(rows: list[OrganDoseDifference], test_percent: dict[str, float],
                     reference_percent: dict[str, float]) -> list[OrganDoseDifference]:
    """The rows with the relative standard uncertainties (%) that the runs state for their organs' means, and z."""
    told = []
    for row in rows:
        test, reference = (stated.get(row.organ, math.nan) for stated in (test_percent, reference_percent))
        sigma = math.hypot(test / 100 * row.test_mgy, reference / 100 * row.reference_mgy)
        told.append(replace(row, test_uncertainty_percent=test, reference_uncertainty_percent=reference,
                            z=row.difference_mgy / sigma if sigma > 0 else math.nan))
    return told


def organ_errors(rows: list[OrganDoseDifference], low_dose_mgy: float) -> ErrorStatistics:
    """ME, MAE, RE and RAE over the organs `in_summary` whose dose both maps state: mean, SD and range."""
    counted = [row for row in rows if row.in_summary and math.isfinite(row.difference_mgy)]
    return error_statistics(np.array([row.test_mgy for row in counted]),
                            np.array([row.reference_mgy for row in counted]), low_dose_mgy)


def _row(name: str, weights: OrganWeights, maps: list[np.ndarray], low_mgy: float,
         asked_for: bool) -> OrganDoseDifference:
    indices, mass_g, volume_ml = weights.row(name)
    test_mgy, reference_mgy, gamma = (values[indices] for values in maps)
    both = np.isfinite(test_mgy) & np.isfinite(reference_mgy)
    compared = 100 * float(volume_ml[both].sum() / volume_ml.sum())
    test, reference = (_mean(values[both], mass_g[both]) for values in (test_mgy, reference_mgy))
    judged = np.isfinite(gamma)
    passed = _mean(100.0 * (gamma[judged] <= PASSES_UP_TO), volume_ml[judged])
    drawn = weights.members[name] == (name,)
    notes = [weights.notes.get(name, ""), "" if compared >= FULL_PERCENT else
             f"only {compared:.0f} % of the organ lies in both dose maps",
             "below the low dose: no relative error" if reference < low_mgy else ""]
    return OrganDoseDifference(
        name, float(volume_ml.sum()), compared, test, reference, test - reference,
        float(relative_percent(np.array([test]), np.array([reference]), low_mgy)[0]), math.nan, math.nan, math.nan,
        passed, asked_for or (drawn and name not in _NOT_ORGANS and not _is_group(name)),
        "; ".join(note for note in notes if note))


def _is_group(name: str) -> bool:
    return is_known(name) and bool(organ(name).members)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    total = float(weights.sum(dtype=np.float64))
    return float(np.dot(values.astype(np.float64), weights) / total) if total > 0 else math.nan


def _weights(masks: OrganMasks, grid: sitk.Image, density_g_cm3: np.ndarray, organs: tuple[str, ...] | None,
             progress: Progress | None) -> tuple[OrganWeights, tuple[slice, slice, slice]]:
    """Organ weights on `grid` enlarged by whole voxels until it holds the masks, and where `grid` lies in it."""
    steps = list(zip(grid.GetOrigin(), grid.GetSpacing(), grid.GetSize(), masks.reference.GetOrigin(),
                     masks.reference.GetSpacing(), masks.reference.GetSize()))
    before = [max(0, math.ceil(((o - s / 2) - (mo - ms / 2)) / s - 1e-6)) for o, s, _, mo, ms, _ in steps]
    after = [max(0, math.ceil(((mo + ms * (mn - 0.5)) - (o + s * (n - 0.5))) / s - 1e-6))
             for o, s, n, mo, ms, mn in steps]
    size = [n + a + b for n, a, b in zip(grid.GetSize(), before, after)]
    if math.prod(size) > 50 * max(grid.GetNumberOfPixels(), masks.reference.GetNumberOfPixels()):
        raise InputError("the masks lie far away from the dose map",
                         mend="Check that both are in DICOM's patient coordinates.")
    padded = sitk.Image(size, sitk.sitkUInt8)
    padded.SetSpacing(grid.GetSpacing())
    padded.SetOrigin([o - s * b for o, s, b in zip(grid.GetOrigin(), grid.GetSpacing(), before)])
    inner = tuple(slice(b, b + n) for b, n in zip(before[::-1], grid.GetSize()[::-1]))
    return organ_weights(masks, density_g_cm3, padded, organs=organs, progress=progress), inner


def _in_padding(values: np.ndarray, shape: tuple[int, int, int], inner: tuple[slice, slice, slice]) -> np.ndarray:
    """`values` in the middle of an array of NaN, flattened."""
    padded = np.full(shape, np.nan, np.float32)
    padded[inner] = values
    return padded.ravel()
