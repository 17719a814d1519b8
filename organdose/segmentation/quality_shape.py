"""Shape: parts that do not hang together, and holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import is_known, organs
from organdose.segmentation.drawn_organs import DrawnOrgan
from organdose.segmentation.quality_limits import is_among, limits

_MOST_CELLS = 1_000_000
_ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


def shape_findings(drawn: DrawnOrgan) -> Iterator[Finding]:
    """Islands and holes of one organ.

    Large organs are looked at in cells of several voxels: a cell belongs to a part where it holds any voxel of it, and
    to a hole where it lacks any, so that no connection is overlooked, while volumes are those of the voxels.
    """
    counts, full, edge = _cells(drawn.mask)
    if not (len(organs()[drawn.name].members if drawn.name in organs() else ()) > 1
            or is_among(drawn.name, limits()["several_parts"]["may"]["organs"])):
        yield from _several_parts(drawn, counts, edge)
    if not is_among(drawn.name, limits()["holes"]["may"]["organs"]):
        yield from _holes(drawn, full - counts, edge)


def _cells(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Voxels of the mask in each cell, voxels that the cell has at all, and how many voxels long it is."""
    edge = 1
    while mask.size / edge**3 > _MOST_CELLS:
        edge += 1
    counts = mask.view(np.uint8)
    for axis in range(3):  # one axis after the other: each pass leaves less for the next
        if edge > 1:
            starts = np.arange(0, mask.shape[axis], edge)
            counts = np.add.reduceat(counts, starts, axis=axis, dtype=np.uint16)
    full = _sizes(mask.shape, edge)
    return counts, full, edge


def _sizes(shape: tuple[int, ...], edge: int) -> np.ndarray:
    """Voxels in each cell: fewer in the last ones, which the box may cut."""
    along = [np.minimum(edge, size - np.arange(0, size, edge)) for size in shape]
    return along[0][:, None, None] * along[1][None, :, None] * along[2][None, None, :]


def _several_parts(drawn: DrawnOrgan, counts: np.ndarray, edge: int) -> Iterator[Finding]:
    limit = limits()["several_parts"]
    labels, number = ndimage.label(counts > 0, _ALL_NEIGHBOURS)
    if number < 2:
        return
    voxels = np.bincount(labels.ravel(), counts.ravel())[1:]
    main = int(voxels.argmax())
    island = voxels * drawn.image.voxel_ml
    from_ml = min(limit["island_ml"], limit["island_share"] * drawn.volume_ml)
    large = (island >= from_ml) & (voxels >= limit["voxels"])
    large[main] = False
    if not large.any():
        return
    islands_ml = float(island[large].sum())
    share = islands_ml / drawn.volume_ml
    largest = int(np.where(large, voxels, 0).argmax())
    is_bad = share >= limit["bad_share"] and not is_among(drawn.name, limit["thin"]["organs"])
    severity = _severity(drawn.name, is_bad)
    yield Finding(drawn.name, FindingKind.SEVERAL_PARTS,
                  f"{1 + np.count_nonzero(large)} separate parts; {islands_ml:.1f} ml ({100 * share:.1f} %) lie apart "
                  "from the largest", _place(drawn, labels == largest + 1, edge), severity)


def _holes(drawn: DrawnOrgan, lacking: np.ndarray, edge: int) -> Iterator[Finding]:
    limit = limits()["holes"]
    labels, number = ndimage.label(np.pad(lacking > 0, 1, constant_values=True))
    if number < 2:
        return
    labels = np.where(labels == labels[0, 0, 0], 0, labels)[1:-1, 1:-1, 1:-1]
    labels[_filled_by_others(drawn, labels, edge)] = 0
    voxels = np.bincount(labels.ravel(), lacking.ravel())
    voxels[0] = 0
    holes_ml = float(voxels.sum()) * drawn.image.voxel_ml
    share = holes_ml / drawn.volume_ml
    largest_ml = float(voxels.max()) * drawn.image.voxel_ml
    # Pinholes (vessels in a lung) count only when there are many.
    if (largest_ml < limit["hole_ml"] and share < limit["hole_share"]) or voxels.sum() < limit["voxels"]:
        return
    yield Finding(drawn.name, FindingKind.HOLES, f"{np.count_nonzero(voxels)} holes, {holes_ml:.1f} ml together "
                  f"({100 * share:.1f} % of its volume)", _place(drawn, labels == int(voxels.argmax()), edge),
                  _severity(drawn.name, share >= limit["bad_share"]))


def _severity(name: str, is_bad: bool) -> Severity:
    """A structure that the vocabulary does not know may have any shape."""
    if not is_known(name):
        return Severity.NOTE
    return Severity.BAD if is_bad else Severity.CHECK


def _filled_by_others(drawn: DrawnOrgan, labels: np.ndarray, edge: int) -> np.ndarray:
    """Cells of holes that another organ or lesion fills: a vessel in the liver is no hole of it."""
    cells = np.argwhere(labels > 0)
    taken = np.zeros(labels.shape, dtype=bool)
    if not len(cells):
        return taken
    image = drawn.image
    corner = np.array([side.start for side in drawn.box])
    middle = np.minimum(corner + cells * edge + edge // 2, [side.stop - 1 for side in drawn.box])
    around = limits()["overlap"]["may"]["organs"]
    for layer, labelled in enumerate(image.layers):
        fills = np.zeros(256, dtype=bool)
        for other in image.organs.values():
            lesion = is_among(other.name, ("tumour*", "lesion*", "kidney_cyst_*"))
            if other.layer == layer and other is not drawn and (lesion or not is_among(other.name, around)):
                fills[other.value] = True
        taken[tuple(cells.T)] |= fills[labelled[tuple(middle.T)]]
    return taken


def _place(drawn: DrawnOrgan, chosen: np.ndarray, edge: int) -> tuple[float, float, float]:
    """LPS mm of the chosen cell nearest to their middle."""
    cells = np.argwhere(chosen)
    nearest = cells[((cells - cells.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    last = np.array(drawn.mask.shape) - 1
    return drawn.in_box_mm(np.minimum(nearest * edge + (edge - 1) / 2, last))
