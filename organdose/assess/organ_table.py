"""The organ table: one row of dose figures for each organ."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organs import is_known, organ
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_weights import OrganWeights
from organdose.dose_map import DoseMap
from organdose.errors import InputError

SLIVER = 0.01  # part of a dose voxel an organ must fill for the voxel to count in spread, extremes and percentiles


def organ_table(dose: DoseMap, weights: OrganWeights) -> list[OrganDose]:
    """One `OrganDose` for each row of `weights`, in its order.

    The mean is mass-weighted over every voxel the organ reaches (energy imparted / mass, ICRU Report 85). Standard
    deviation, minimum, maximum, D98, D50 and D2 are volume-weighted (ICRU Report 83): each voxel counts with the
    volume the organ has in it, and voxels that it fills to less than 1 % do not count, unless it fills none further.
    The uncertainty is the engine's own for the organ's mean (`organ_relative_uncertainty`), in percent; so is the mean
    of engines that compute organs (`organ_mean_mgy`).

    Raises `InputError` for a dose map on another grid, non-finite or negative dose, or dose that is zero everywhere.
    """
    dose_mgy = flat_dose_mgy(dose, weights)
    return [_row(name, dose, dose_mgy, weights) for name in weights.names]


def flat_dose_mgy(dose: DoseMap, weights: OrganWeights) -> np.ndarray:
    """The dose in mGy, flattened in (z, y, x) order, after the checks `organ_table` names."""
    image, grid = dose.dose_mgy, weights.dose_grid
    same = image.GetSize() == grid.GetSize() and np.allclose(
        [*image.GetOrigin(), *image.GetSpacing()], [*grid.GetOrigin(), *grid.GetSpacing()], atol=1e-3)
    if not same:
        raise InputError("the dose map and the organ weights are on different grids",
                         mend="Compute the organ weights on the grid of this dose map.")
    return checked_dose_mgy(sitk.GetArrayViewFromImage(image))


def checked_dose_mgy(values_mgy: np.ndarray) -> np.ndarray:
    """A dose array (z, y, x) in mGy, flattened to double precision; raises `InputError` as `organ_table` says."""
    low, high = values_mgy.min(), values_mgy.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError("the dose map holds values that are not finite", mend="Compute the dose again.")
    if low < 0:
        raise InputError(f"the dose map holds negative dose (down to {low:.3g} mGy)", mend="Compute the dose again.")
    if high == 0:
        raise InputError("the dose map is zero everywhere", mend="Check that the scan range meets the patient.")
    return values_mgy.ravel().astype(np.float64)


@dataclass(frozen=True)
class OrganVoxels:
    """One organ in the dose voxels that it reaches: dose in mGy, mass in g, volume in ml.

    `rising_mgy` and `rising_ml`: the voxels that count for percentiles and DVH, by rising dose.
    """

    dose_mgy: np.ndarray = field(repr=False)
    mass_g: np.ndarray = field(repr=False)
    volume_ml: np.ndarray = field(repr=False)
    rising_mgy: np.ndarray = field(repr=False)
    rising_ml: np.ndarray = field(repr=False)


def voxels_of_row(name: str, dose_mgy: np.ndarray, weights: OrganWeights) -> OrganVoxels:
    """The voxels of one row of `weights` in the flat dose map `dose_mgy`."""
    indices, mass_g, volume_ml = weights.row(name)
    return organ_voxels(dose_mgy[indices], mass_g, volume_ml, weights.voxel_volume_ml)


def organ_voxels(dose_mgy: np.ndarray, mass_g: np.ndarray, volume_ml: np.ndarray,
                 voxel_volume_ml: float) -> OrganVoxels:
    """From the dose (mGy), mass (g) and volume (ml) of an organ in each voxel; `voxel_volume_ml` is a dose voxel's."""
    counted = volume_ml >= SLIVER * voxel_volume_ml
    if not counted.any():
        counted[:] = True
    counted_mgy, counted_ml = dose_mgy[counted], volume_ml[counted].astype(np.float64)
    order = _rising(counted_mgy)
    return OrganVoxels(dose_mgy, mass_g, volume_ml, counted_mgy[order], counted_ml[order])


def dose_at_volume_mgy(values_mgy: np.ndarray, volume_ml: np.ndarray, percent: np.ndarray) -> np.ndarray:
    """D`percent`: the dose in mGy that `percent` of the volume reaches or exceeds; `values_mgy` rise.

    Each voxel's dose stands at the middle of its share of the cumulative volume, with straight lines between, so that
    the percentiles of a smooth dose do not depend on the voxel size to first order.
    """
    below = (np.cumsum(volume_ml) - 0.5 * volume_ml) / volume_ml.sum()
    return np.interp(1.0 - np.asarray(percent) / 100.0, below, values_mgy)


def organ_row(name: str, voxels: OrganVoxels, *, uncertainty_percent: float | None, in_image_percent: float,
              note: str = "") -> OrganDose:
    """The table row of one organ: see `organ_table`. `note` says what else the reader should know."""
    values_mgy, volume_ml = voxels.rising_mgy, voxels.rising_ml
    d98, d50, d2 = (float(d) for d in dose_at_volume_mgy(values_mgy, volume_ml, np.array([98, 50, 2])))
    spread = np.sqrt(np.average((values_mgy - np.average(values_mgy, weights=volume_ml)) ** 2, weights=volume_ml))
    notes = [note, "no dose scored" if values_mgy[-1] == 0 else ""]
    return OrganDose(
        organ=name, snomed=organ(name).snomed_code if is_known(name) else "",
        volume_ml=float(voxels.volume_ml.sum(dtype=np.float64)), mass_g=float(voxels.mass_g.sum(dtype=np.float64)),
        mean_mgy=float(np.average(voxels.dose_mgy, weights=voxels.mass_g)), uncertainty_percent=uncertainty_percent,
        sd_mgy=float(spread), min_mgy=float(values_mgy[0]), max_mgy=float(values_mgy[-1]),
        d98_mgy=d98, d50_mgy=d50, d2_mgy=d2,
        in_image_percent=in_image_percent, note="; ".join(note for note in notes if note))


def _row(name: str, dose: DoseMap, dose_mgy: np.ndarray, weights: OrganWeights) -> OrganDose:
    relative = dose.organ_relative_uncertainty.get(name)
    row = organ_row(name, voxels_of_row(name, dose_mgy, weights),
                    uncertainty_percent=None if relative is None else 100.0 * float(relative),
                    in_image_percent=weights.in_image_percent[name], note=weights.notes.get(name, ""))
    row = replace(row, mask=weights.mask_status.get(name, ""))
    return row if name not in dose.organ_mean_mgy else replace(row, mean_mgy=dose.organ_mean_mgy[name])


def _rising(values_mgy: np.ndarray) -> np.ndarray:
    """The places of dose values (none negative) by rising dose, equal ones in their order.

    Dose maps hold single precision: value and place fit in one whole number, and whole numbers sort much faster than
    `np.argsort` does.
    """
    single = values_mgy.astype(np.float32)
    if not np.array_equal(single, values_mgy):
        return np.argsort(values_mgy, kind="stable")
    # The bits of floats that are not negative rise with their value; + 0 makes -0 one of them.
    keys = (single + np.float32(0)).view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.intp)
