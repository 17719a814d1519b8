"""The numbers of one organ: a row of the organ table, and its cumulative dose-volume histogram."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class OrganDose:
    """One row of `organs.csv`. Doses in mGy; D98, D50 and D2 are the doses that 98, 50 and 2 % of the volume exceed.

    `mean_mgy` is mass-weighted; `uncertainty_percent` is the relative standard uncertainty of the mean (None: the
    engine states none); `in_image_percent` is how much of the organ the image shows (100 when it ends inside it).
    `mask` is the review of the mask (`anatomy.mask_status`), '' where nobody knows.
    """

    organ: str
    snomed: str
    volume_ml: float
    mass_g: float
    mean_mgy: float
    uncertainty_percent: float | None
    sd_mgy: float
    min_mgy: float
    max_mgy: float
    d98_mgy: float
    d50_mgy: float
    d2_mgy: float
    in_image_percent: float
    note: str = ""
    mask: str = ""


@dataclass(frozen=True)
class DoseVolumeHistogram:
    """Cumulative DVH of one organ: `volume_percent[i]` of its volume receives at least `dose_mgy[i]`.

    Bins are relative to the organ's maximum, so that low doses are not hidden in the first bin.
    """

    organ: str
    dose_mgy: np.ndarray = field(repr=False)
    volume_percent: np.ndarray = field(repr=False)
