"""Gamma index of two dose maps: does the test have the reference's dose nearby?

Low et al., Med Phys 25 (1998) 656: for every reference voxel r the smallest, over the places r' of the test map, of

    sqrt(|r' - r|^2 / distance^2 + (test(r') - reference(r))^2 / criterion^2).

The test dose is trilinear between voxel centres and the minimum is sought over all places, not on a lattice: to 0.01
in gamma (`gamma_kernel.GAMMA_TOLERANCE`), never below the exact value.
"""

from __future__ import annotations

import itertools
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress

_CHUNK_VOXELS = 20_000  # between two looks at whether the user has had enough
_WIDEST_SEARCH_VOXELS = 60
PASSES_UP_TO = 1 + 1e-5  # doses in single precision round: a difference of exactly the criterion passes


@dataclass(frozen=True)
class GammaCriteria:
    """`distance_mm` and `dose_percent`: of the normalisation dose (global), or of each reference voxel's own (local).

    `normalisation_mgy`: None takes the reference's maximum in the compared region. `cutoff_percent`: reference voxels
    below this part of the normalisation have no gamma. `max_gamma`: nothing is sought beyond; it stands for all above.
    """

    distance_mm: float = 1.0
    dose_percent: float = 1.0
    local: bool = False
    cutoff_percent: float = 10.0
    normalisation_mgy: float | None = None
    max_gamma: float = 2.0

    def __post_init__(self) -> None:
        for name in ("distance_mm", "dose_percent", "max_gamma"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"gamma: {name} is {getattr(self, name)!r}", mend="Give a number above zero.")
        if not 0 <= self.cutoff_percent < 100:
            raise InputError(f"gamma: a cutoff of {self.cutoff_percent!r} %", mend="Give 0 or more, below 100.")
        if self.normalisation_mgy is not None and not 0 < self.normalisation_mgy < math.inf:
            raise InputError(f"gamma: a normalisation of {self.normalisation_mgy!r} mGy", mend="Give a dose above 0.")

    @property
    def title(self) -> str:
        """'1 %/1 mm global', as the field writes it."""
        return f"{self.dose_percent:g} %/{self.distance_mm:g} mm {'local' if self.local else 'global'}"


@dataclass(frozen=True)
class GammaMap:
    """Gamma of each reference voxel (float32 (z, y, x); NaN where there is none) and its figures.

    `criteria` has the normalisation that was used. `pass_percent`: voxels with gamma up to 1, of the `evaluated` ones.
    """

    gamma: np.ndarray = field(repr=False)
    criteria: GammaCriteria
    evaluated: int
    pass_percent: float
    mean: float
    percentile_95: float
    capped: int


def gamma_index(reference: sitk.Image, test: sitk.Image, criteria: GammaCriteria | None = None, *,
                region: np.ndarray | None = None, progress: Progress | None = None) -> GammaMap:
    """Gamma of every voxel of `reference` (mGy) in `region` (bool (z, y, x)) above the cutoff.

    Both maps lie along the patient's axes (direction LPS); their voxels may differ in size and place. Voxels of the
    reference that are not finite, or without any test dose within reach, have no gamma (NaN) and are not counted in
    `evaluated`. Raises `InputError` for oblique grids, grids of a single voxel across, a search too wide for the
    voxels, and when no voxel is left.
    """
    criteria, progress = criteria or GammaCriteria(), progress or Progress()
    for image, what in ((reference, "reference"), (test, "test")):
        _check_grid(image, what)
    dose_mgy = sitk.GetArrayViewFromImage(reference)
    wanted = np.isfinite(dose_mgy) if region is None else np.isfinite(dose_mgy) & region
    if not wanted.any():
        raise InputError("gamma: no voxel of the reference is to be compared")
    if criteria.normalisation_mgy is None:
        criteria = replace(criteria, normalisation_mgy=float(dose_mgy[wanted].max()))
    wanted &= dose_mgy >= max(criteria.cutoff_percent / 100 * criteria.normalisation_mgy, np.finfo(np.float32).tiny)
    if not wanted.any():
        raise InputError("gamma: the reference is below the cutoff everywhere", mend="Lower the cutoff.")
    gamma = np.full(dose_mgy.shape, np.nan, np.float32)
    gamma[wanted] = _gamma_of(np.flatnonzero(wanted), reference, test, criteria, progress)
    return _figures(gamma, criteria)


def _check_grid(image: sitk.Image, what: str) -> None:
    if not np.allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-4):
        raise InputError(f"the {what} map is not aligned with the patient's axes (LPS)", mend="Resample it first.")
    if min(image.GetSize()) < 2:
        raise InputError(f"the {what} map is a single voxel across: {' x '.join(map(str, image.GetSize()))}",
                         mend="Give a volume.")


def _gamma_of(voxels: np.ndarray, reference: sitk.Image, test: sitk.Image, criteria: GammaCriteria,
              progress: Progress) -> np.ndarray:
    """Gamma (float32) of the voxels given by their flat index in the reference."""
    from organdose.assess.gamma_kernel import gamma_of_voxels

    spacing_mm = np.array(test.GetSpacing()[::-1])
    step = spacing_mm / criteria.distance_mm
    cells, cells_away = _cells_around(step, criteria.max_gamma)
    test_mgy = np.where(np.isfinite(values := sitk.GetArrayViewFromImage(test)), values, np.nan).astype(np.float32)
    dose_mgy = sitk.GetArrayViewFromImage(reference).ravel()
    scale = np.array(reference.GetSpacing()[::-1]) / spacing_mm
    shift = (np.array(reference.GetOrigin()[::-1]) - test.GetOrigin()[::-1]) / spacing_mm
    gamma = np.empty(len(voxels), np.float32)

    def work(start: int) -> None:
        part = slice(start, start + _CHUNK_VOXELS)
        places = np.stack(np.unravel_index(voxels[part], tuple(reversed(reference.GetSize()))), axis=-1) * scale + shift
        dose = dose_mgy[voxels[part]].astype(np.float64)
        base = dose if criteria.local else np.full_like(dose, criteria.normalisation_mgy)
        gamma_of_voxels(places, dose, criteria.dose_percent / 100 * base, test_mgy, step, cells, cells_away,
                        criteria.max_gamma, gamma[part])

    starts = range(0, len(voxels), _CHUNK_VOXELS)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for done, _ in enumerate(pool.map(work, starts)):
                progress.report(f"Gamma {criteria.title}", done / len(starts))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    progress.report(f"Gamma {criteria.title}", 1.0)
    return gamma


def _cells_around(step: np.ndarray, max_gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells (m, 3) around a place's own cell that hold places within reach, nearest first, and their least distance.

    Distances are in units of the distance criterion, as `step` (3), the size of a voxel, is.
    """
    reach = np.ceil(max_gamma / step).astype(int)
    if reach.max() > _WIDEST_SEARCH_VOXELS:
        raise InputError(f"gamma: a search of {reach.max()} voxels around each", mend="Lower the distance criterion.")
    cells = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))
    away = np.linalg.norm(np.maximum(np.abs(cells) - 1, 0) * step, axis=1)
    # Equally near ones: the own cell before its neighbours.
    order = np.lexsort((np.abs(cells).sum(axis=1), away))
    order = order[away[order] < max_gamma]
    return cells[order], away[order]


def _figures(gamma: np.ndarray, criteria: GammaCriteria) -> GammaMap:
    values = gamma[np.isfinite(gamma)]
    if not values.size:
        raise InputError("gamma: the test map has no dose within reach of any reference voxel",
                         mend="Check that both maps show the same place.")
    return GammaMap(gamma, criteria, int(values.size), 100.0 * float(np.mean(values <= PASSES_UP_TO)),
                    float(values.mean(dtype=np.float64)), float(np.percentile(values, 95)),
                    int(np.count_nonzero(values >= criteria.max_gamma)))
