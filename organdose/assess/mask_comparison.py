"""How well masks agree with reference masks: overlap, surface distances, volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, is_known
from organdose.errors import InputError
from organdose.progress import Progress

SURFACE_TOLERANCE_MM = 3.0


@dataclass(frozen=True)
class MaskAgreement:
    """One row of `compare-masks`. Not a number where a quantity has no meaning (one of the masks is not there).

    `dice` = 2 |T and R| / (|T| + |R|), `jaccard` = |T and R| / |T or R|, `precision` = |T and R| / |T|, `recall` =
    |T and R| / |R| for the test mask T and the reference R. `hd95_mm`: the larger of the two 95th percentiles of the
    distances from the surface voxels of one mask to those of the other. `surface_dice`: the share of the surface
    voxels of both that lie within the tolerance of the other's (Nikolov et al., J Med Internet Res 2021;23:e26151).
    """

    organ: str
    dice: float
    jaccard: float
    precision: float
    recall: float
    hd95_mm: float
    surface_dice: float
    volume_ml: float
    reference_volume_ml: float


def compare_masks(test: OrganMasks, reference: OrganMasks, *, tolerance_mm: float = SURFACE_TOLERANCE_MM,
                  progress: Progress | None = None) -> list[MaskAgreement]:
    """A row for each organ of `reference`, then one for each organ that only `test` has (volume only).

    A group ('lungs') is compared with the union of its members where the other side has only these. An organ of the
    reference that `test` lacks has dice 0. Raises `InputError` when the two lie on different grids.
    """
    _check_same_grid(test, reference)
    progress = progress or Progress()
    names = [*reference.names, *(name for name in test.names if not _parts(name, reference))]
    rows = []
    for done, name in enumerate(names):
        progress.report("comparing masks", done / len(names), name)
        spacing_mm = test.reference.GetSpacing()[::-1]
        rows.append(agreement(name, test.union(_parts(name, test)), reference.union(_parts(name, reference)),
                              spacing_mm, tolerance_mm))
    return rows


def agreement(organ: str, test: np.ndarray, reference: np.ndarray, spacing_mm: tuple[float, float, float],
              tolerance_mm: float = SURFACE_TOLERANCE_MM) -> MaskAgreement:
    """Agreement of two boolean arrays (z, y, x) with voxels of `spacing_mm` (z, y, x)."""
    voxel_ml = math.prod(spacing_mm) / 1000
    box = _box(test | reference)
    test, reference = test[box], reference[box]
    in_test, in_reference = int(np.count_nonzero(test)), int(np.count_nonzero(reference))
    common = int(np.count_nonzero(test & reference))
    there = in_reference > 0
    distances = _surface_distances_mm(test, reference, spacing_mm) if in_test and in_reference else None
    return MaskAgreement(
        organ=organ,
        dice=_ratio(2 * common, in_test + in_reference) if there else math.nan,
        jaccard=_ratio(common, in_test + in_reference - common) if there else math.nan,
        precision=_ratio(common, in_test) if there else math.nan,
        recall=_ratio(common, in_reference),
        hd95_mm=max(float(np.percentile(d, 95)) for d in distances) if distances else math.nan,
        surface_dice=_surface_dice(distances, tolerance_mm) if distances else 0.0 if there else math.nan,
        volume_ml=in_test * voxel_ml, reference_volume_ml=in_reference * voxel_ml)


def _parts(name: str, masks: OrganMasks) -> tuple[str, ...]:
    """The masks whose union is `name`; a name outside the vocabulary is only itself."""
    return expand(name, masks.names) if is_known(name) else tuple(n for n in masks.names if n == name)


def _check_same_grid(test: OrganMasks, reference: OrganMasks) -> None:
    one, other = test.reference, reference.reference
    same = one.GetSize() == other.GetSize() and all(
        np.allclose(a, b, atol=1e-3) for a, b in ((one.GetSpacing(), other.GetSpacing()),
                                                   (one.GetOrigin(), other.GetOrigin()),
                                                   (one.GetDirection(), other.GetDirection())))
    if not same:
        raise InputError(f"the masks lie on different grids ({' x '.join(map(str, one.GetSize()))} and "
                         f"{' x '.join(map(str, other.GetSize()))} voxels, or elsewhere)",
                         mend="Compare masks of the same CT.")


def _box(mask: np.ndarray) -> tuple[slice, ...]:
    found = []
    for axis in range(3):
        along = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(along[0]), int(along[-1]) + 1) if along.size else slice(0, 0))
    return tuple(found)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _surface_distances_mm(test: np.ndarray, reference: np.ndarray,
                          spacing_mm: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Distances of the surface voxels of each mask to the nearest surface voxel of the other."""
    points = [np.argwhere(_surface(mask)) * spacing_mm for mask in (test, reference)]
    trees = [cKDTree(p) for p in points]
    return (trees[1].query(points[0], workers=-1)[0], trees[0].query(points[1], workers=-1)[0])


def _surface(mask: np.ndarray) -> np.ndarray:
    """Voxels of the mask with a face on the outside (the edge of the image is outside)."""
    return mask & ~ndimage.binary_erosion(mask)


def _surface_dice(distances: tuple[np.ndarray, np.ndarray], tolerance_mm: float) -> float:
    within = sum(np.count_nonzero(d <= tolerance_mm) for d in distances)
    return within / sum(d.size for d in distances)
