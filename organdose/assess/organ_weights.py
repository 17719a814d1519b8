"""How much of each organ lies in each voxel of the dose grid: masses and volumes by exact overlap of voxel boxes.

Organs are drawn on the fine CT grid; dose lives on a coarser grid whose voxels are no whole number of CT voxels. Both
grids are axis-aligned, so the overlap of two voxels is the product of three overlaps of intervals, and an organ's mass
in every dose voxel is three matrix products, one an axis. Nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from scipy import sparse

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix
from organdose.anatomy.mask_status import mask_status, row_status
from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.boxes import corner_of, shape_of, slabs
from organdose.assess.organ_coverage import organ_coverage
from organdose.assess.organ_selection import Selection, organ_selections
from organdose.assess.overlap_sums import AxisShares, add_overlaps
from organdose.errors import InputError
from organdose.progress import Progress

_SLAB_VOXELS = 4_000_000  # CT voxels shared out at once: bounds the extra memory to some tens of MB
_ALLOWED_OUTSIDE = 0.01  # part of an organ's volume that may stick out of the dose grid
_FUZZ = 1e-6  # part of the fullest dose voxel below which an overlap is rounding
# What a row counts where its name promises less. Mineral takes up more of diagnostic X-rays than marrow between it
# (photoelectric absorption); ICRP 116, annex D, treats marrow apart (cited from memory).
_COUNTED = {"red_bone_marrow": "all tissue of the marrow's sites, mineral too: X-rays leave less in the marrow itself"}


@dataclass(frozen=True)
class OrganWeights:
    """Mass and volume of each organ in each dose voxel.

    `mass_g` and `volume_ml` are CSR matrices (organs, dose voxels flattened in (z, y, x) order) of one common
    sparsity; row i belongs to `names[i]`. `members`: the drawn masks each row was joined from. `touches_image_edge`
    and `in_image_percent` (NaN: not known) say whether the image cuts the organ, `notes` why (only organs with
    something to say), `mask_status` how its mask was drawn and who approved it. `dose_grid` stands for the
    geometry; its voxel values are not used.
    """

    names: tuple[str, ...]
    mass_g: sparse.csr_matrix = field(repr=False)
    volume_ml: sparse.csr_matrix = field(repr=False)
    dose_grid: sitk.Image = field(repr=False)
    members: dict[str, tuple[str, ...]]
    touches_image_edge: dict[str, bool]
    in_image_percent: dict[str, float]
    notes: dict[str, str]
    mask_status: dict[str, str] = field(default_factory=dict)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one dose voxel in ml."""
        return float(np.prod(self.dose_grid.GetSpacing())) / 1000.0

    def drawn(self) -> np.ndarray:
        """Boolean array (z, y, x) of the dose grid: the voxels that hold a part of any organ."""
        reached = np.zeros(self.mass_g.shape[1], dtype=bool)
        reached[self.volume_ml.indices] = True
        return reached.reshape(tuple(reversed(self.dose_grid.GetSize())))

    def row(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(flat dose-voxel indices, mass in g, volume in ml) of one organ. Raises `ValueError` for an unknown name."""
        index = self.names.index(name)
        span = slice(self.mass_g.indptr[index], self.mass_g.indptr[index + 1])
        return self.mass_g.indices[span], self.mass_g.data[span], self.volume_ml.data[span]


def organ_weights(masks: OrganMasks, ct_density_g_cm3: np.ndarray, dose_grid: sitk.Image, *, sex: str = "",
                  organs: Sequence[str] | None = None, progress: Progress | None = None) -> OrganWeights:
    """Mass (g) and volume (ml) that each organ has in each voxel of `dose_grid`.

    `ct_density_g_cm3`: (z, y, x) on the grid of the masks. `sex` ('M', 'F' or '': mean of both) picks the reference
    masses by which an organ cut by the image is judged. `organs`: the rows wanted, groups and 'remainder' included;
    by default every mask, every group of the vocabulary that has a member among the masks, and, where there is a
    body, 'remainder': the body without all other masks.

    Raises `InputError` for densities or grids that do not fit, an unknown or empty organ, an organ without mass, and
    an organ of which more than 1 % lies outside the dose grid.
    """
    _check(masks, ct_density_g_cm3, dose_grid)
    selections = organ_selections(masks, organs)
    shares, shape = _axis_shares(masks.reference, dose_grid), tuple(reversed(dose_grid.GetSize()))
    rows, edges, shown, notes = [], {}, {}, {}
    for done, selection in enumerate(selections):
        if progress is not None:
            progress.report("organ masses", done / len(selections), selection.name)
        indices, mass_g, volume_ml, drawn_ml = _overlap(selection, ct_density_g_cm3, masks, shares, shape)
        _check_row(selection.name, mass_g, volume_ml, drawn_ml)
        rows.append((indices, mass_g, volume_ml))
        edge = organ_coverage(selection, masks.shape, float(mass_g.sum()), sex)
        edges[selection.name], shown[selection.name] = edge.touches_image_edge, edge.in_image_percent
        notes[selection.name] = "; ".join(filter(None, (_COUNTED.get(selection.name), selection.note, edge.note)))
    if progress is not None:
        progress.report("organ masses", 1.0)
    mass, volume = _matrices(rows, dose_grid.GetNumberOfPixels())
    return OrganWeights(tuple(s.name for s in selections), mass, volume, dose_grid,
                        {s.name: s.members for s in selections}, edges, shown,
                        {name: note for name, note in notes.items() if note}, _mask_status(masks, selections))


def _mask_status(masks: OrganMasks, selections: Sequence[Selection]) -> dict[str, str]:
    drawn = {name: mask_status(masks.reviews.get(name)) for name in masks.names}
    return {selection.name: row_status(selection.name, drawn) for selection in selections}


def held_voxels(volume_ml: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where an organ's volume in the dose voxels is more than rounding: `np.nonzero` of it."""
    return np.nonzero(volume_ml > _FUZZ * volume_ml.max(initial=0))


def _axis_shares(fine: sitk.Image, coarse: sitk.Image) -> tuple[AxisShares, AxisShares, AxisShares]:
    """For the axes z, y, x: how fine voxels share out among coarse ones."""
    def edges_mm(image: sitk.Image, axis: int) -> np.ndarray:
        return axis_edges_mm(image.GetOrigin()[axis], image.GetSpacing()[axis], image.GetSize()[axis])

    return tuple(AxisShares.of(overlap_matrix(edges_mm(fine, axis), edges_mm(coarse, axis))) for axis in (2, 1, 0))


def _overlap(selection: Selection, density_g_cm3: np.ndarray, masks: OrganMasks, shares: tuple[AxisShares, ...],
             shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """(flat dose indices, mass in g, volume in ml, volume in ml as drawn on the CT) of one organ.

    `shape` is that of the dose grid (z, y, x).
    """
    box = selection.box
    # Only the dose voxels that the organ's box reaches, so that a small organ costs nothing.
    reached = tuple(axis.part(part).reached() for axis, part in zip(shares, box, strict=True))
    volume_ml, voxels = np.zeros(shape_of(reached)), 0
    mass_g = np.zeros_like(volume_ml)
    for slab in slabs(box, _SLAB_VOXELS):
        inside = selection.mask(masks.layers, slab)
        voxels += np.count_nonzero(inside)
        parts = tuple(axis.part(part) for axis, part in zip(shares, slab))
        add_overlaps(inside, density_g_cm3[slab], parts, corner_of(reached), volume_ml, mass_g)
    held = held_voxels(volume_ml)
    indices = np.ravel_multi_index(tuple(at + part.start for at, part in zip(held, reached, strict=True)), shape)
    drawn_ml = voxels * float(np.prod(masks.reference.GetSpacing())) / 1000.0
    return indices, mass_g[held], volume_ml[held], drawn_ml


def _matrices(rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]], voxels: int,
              ) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    starts = np.concatenate([[0], np.cumsum([len(indices) for indices, _, _ in rows])])
    columns = np.concatenate([indices for indices, _, _ in rows])
    shape = (len(rows), voxels)
    return tuple(sparse.csr_matrix((np.concatenate([row[which] for row in rows]), columns, starts), shape=shape)
                 for which in (1, 2))


def _check(masks: OrganMasks, density_g_cm3: np.ndarray, dose_grid: sitk.Image) -> None:
    if density_g_cm3.shape != masks.shape:
        raise InputError(f"the densities have the shape {density_g_cm3.shape}, the masks {masks.shape} (z, y, x)",
                         mend="Use masks and densities of one CT.")
    if not (density_g_cm3.min() >= 0 and np.isfinite(density_g_cm3.max())):
        raise InputError("the CT's densities hold negative or non-finite values", mend="Check the CT's HU values.")
    for image, what in ((masks.reference, "CT"), (dose_grid, "dose")):
        if not np.allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-6):
            raise InputError(f"the {what} grid is not aligned with the patient axes (LPS)",
                             mend="Turn it to an axis-aligned grid first.")


def _check_row(name: str, mass_g: np.ndarray, volume_ml: np.ndarray, drawn_ml: float) -> None:
    outside = 1 - float(volume_ml.sum(dtype=np.float64)) / drawn_ml
    if outside > _ALLOWED_OUTSIDE:
        raise InputError(f"{100 * outside:.0f} % of the organ {name!r} lies outside the dose grid",
                         mend="Compute the dose on a grid that covers the whole CT.")
    if not mass_g.sum(dtype=np.float64) > 0:
        raise InputError(f"the organ {name!r} has no mass: the CT shows nothing but vacuum there",
                         mend="Check that the masks were drawn on this CT.")
