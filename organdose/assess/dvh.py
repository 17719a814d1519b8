"""Cumulative dose-volume histograms."""

from __future__ import annotations

import numpy as np

from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.assess.organ_table import OrganVoxels, flat_dose_mgy, voxels_of_row
from organdose.assess.organ_weights import OrganWeights
from organdose.dose_map import DoseMap


def dose_volume_histograms(dose: DoseMap, weights: OrganWeights, bins: int = 200) -> list[DoseVolumeHistogram]:
    """The cumulative DVH of each row of `weights`: `bins` equal steps from 0 to the organ's own maximum.

    Volume-weighted over the same voxels as the percentiles of `organ_table`, and with the same errors.
    """
    dose_mgy = flat_dose_mgy(dose, weights)
    return [histogram(name, voxels_of_row(name, dose_mgy, weights), bins) for name in weights.names]


def histogram(name: str, voxels: OrganVoxels, bins: int = 200) -> DoseVolumeHistogram:
    """The cumulative DVH of one organ: see `dose_volume_histograms`."""
    values_mgy = voxels.rising_mgy
    edges_mgy = np.linspace(0.0, values_mgy[-1], bins + 1)
    above = np.append(np.cumsum(voxels.rising_ml[::-1])[::-1], 0.0)  # volume from each voxel upwards in dose
    at_least_ml = above[np.searchsorted(values_mgy, edges_mgy, side="left")]
    return DoseVolumeHistogram(name, edges_mgy, 100.0 * at_least_ml / above[0])
