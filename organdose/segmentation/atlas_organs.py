"""The organs of a reference patient carried over to a CT: estimates, each marked as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, mark_drawn
from organdose.progress import Progress
from organdose.segmentation.atlas_reference import AtlasReference
from organdose.segmentation.atlas_registration import AtlasMap

MARROW = "red_bone_marrow"
LUNGS = ("lung_left", "lung_right")
_VOXEL_MM = 2.0  # finer voxels of a CT share a label: the estimate is centimetres wide
_SNAP_MM = 20.0  # bone that the CT shows belongs to the nearest bone of the reference within this
_LEAST_BONE = 0.3  # of the reference's bone must be seen before what is not seen is given up
_LEAST_INSIDE = 0.5  # of an organ must lie in the body
_CORTEX_HU = 600.0  # denser bone holds no marrow; this project's choice
_SKIN_MM = 2.0  # of adults, as in the stylised phantoms


@dataclass(frozen=True)
class SeenTissue:
    """What HU tell of a CT: masks (bool, (z, y, x)) on its grid."""

    image: sitk.Image
    body: np.ndarray
    bones: np.ndarray
    lungs: np.ndarray


@dataclass(frozen=True)
class CarriedLabels:
    """Labels of the reference (uint16, (z, y, x)) in blocks of `shrink` (z, y, x) voxels of the CT."""

    labels: np.ndarray
    shrink: tuple[int, int, int]

    def slice(self, k: int, shape: tuple[int, int]) -> np.ndarray:
        """The labels of slice `k` of the CT, `shape` (y, x)."""
        z, y, x = self.shrink
        return np.repeat(np.repeat(self.labels[k // z], y, axis=0), x, axis=1)[:shape[0], :shape[1]]

    def box(self, table: np.ndarray, shape: tuple[int, int, int]) -> tuple[tuple[slice, ...], np.ndarray] | None:
        """The box of the CT that holds the labels where `table` is True, and the mask in it; None without any."""
        mask = table[self.labels]
        sides = [np.flatnonzero(mask.any(axis=tuple(o for o in range(3) if o != axis))) for axis in range(3)]
        if not sides[0].size:
            return None
        coarse = tuple(slice(int(side[0]), int(side[-1]) + 1) for side in sides)
        fine = mask[coarse]
        for axis, factor in enumerate(self.shrink):
            fine = np.repeat(fine, factor, axis=axis)
        box = tuple(slice(c.start * f, min(c.stop * f, n)) for c, f, n in zip(coarse, self.shrink, shape))
        return box, fine[tuple(slice(0, side.stop - side.start) for side in box)]


def carried_labels(reference: AtlasReference, found: AtlasMap, image: sitk.Image, progress: Progress) -> CarriedLabels:
    """The reference's label at the middle of each block of the CT; nearest voxel. Raises `Cancelled`."""
    spacing = image.GetSpacing()[::-1]
    shrink = tuple(max(1, int(_VOXEL_MM / s + 0.25)) for s in spacing)
    shape = [-(-n // f) for n, f in zip(image.GetSize()[::-1], shrink)]
    axes_mm = [o + s * (np.arange(n) * f + 0.5 * (f - 1))
               for o, s, n, f in zip(image.GetOrigin()[::-1], spacing, shape, shrink)]
    blends = [_blend(axis_mm, o, s, n) for axis_mm, o, s, n in zip(
        axes_mm, found.grid.GetOrigin()[::-1], found.grid.GetSpacing()[::-1], found.grid.GetSize()[::-1])]
    to_index = found.matrix / np.array(reference.spacing_mm)[:, None]
    start = (found.shift_mm - reference.origin_mm) / reference.spacing_mm
    labels = np.zeros(shape, np.uint16)
    sizes = reference.labels.shape[::-1]
    for k, z_mm in enumerate(axes_mm[0]):
        progress.report("atlas: organs", 0.5 * k / shape[0])
        planes = np.tensordot(blends[0][k], found.displacement_mm, axes=(0, 1))  # (3, y, x) of the map's grid
        x_mm, y_mm, up_mm = (blends[1] @ plane @ blends[2].T for plane in planes)
        places = (x_mm + axes_mm[2][None], y_mm + axes_mm[1][:, None], up_mm + z_mm)
        index = [np.rint(sum(to_index[row, column] * places[column] for column in range(3)) + start[row]).astype(int)
                 for row in range(3)]
        inside = np.logical_and.reduce([(i >= 0) & (i < n) for i, n in zip(index, sizes)])
        x, y, z = (np.where(inside, i, 0) for i in index)
        labels[k] = np.where(inside, reference.labels[z, y, x], 0)
    return CarriedLabels(labels, shrink)


def _blend(places_mm: np.ndarray, origin_mm: float, step_mm: float, count: int) -> np.ndarray:
    """Weights (places, count) of linear interpolation on an axis; the ends go on beyond it."""
    at = np.clip((places_mm - origin_mm) / step_mm, 0, count - 1)
    low = np.minimum(at.astype(int), max(count - 2, 0))
    weights = np.zeros((len(at), count), np.float32)
    weights[np.arange(len(at)), low] = 1 - (at - low)
    weights[np.arange(len(at)), np.minimum(low + 1, count - 1)] += at - low
    return weights


def with_seen_bones(carried: CarriedLabels, reference: AtlasReference, seen: SeenTissue, note: list[str]
                    ) -> CarriedLabels:
    """Bones as the CT shows them, each voxel called as the nearest bone of the reference; what the CT does not show is
    given up. Where hardly any bone is seen, those of the reference stay."""
    is_bone = reference.table(reference.bones)
    shown = _blocks(seen.bones, carried.shrink)
    expected = is_bone[carried.labels] & _blocks(seen.body, carried.shrink)
    if shown.sum() < _LEAST_BONE * expected.sum():
        note.append("the CT shows hardly any bone: bones lie where the reference has them")
        return carried
    labels = carried.labels.copy()
    bones = is_bone[labels]
    if not bones.any():
        return carried
    sampling = [s * f for s, f in zip(seen.image.GetSpacing()[::-1], carried.shrink)]
    box = _box(shown | bones)
    away, index = ndimage.distance_transform_edt(~bones[box], sampling=sampling, return_indices=True)
    nearest = labels[box][tuple(index)]
    labels[bones] = 0
    take = shown[box] & (away <= _SNAP_MM)
    labels[box][take] = nearest[take]
    return CarriedLabels(labels, carried.shrink)


def estimated_masks(carried: CarriedLabels, reference: AtlasReference, seen: SeenTissue, origin: str,
                    progress: Progress) -> OrganMasks:
    """The organs in the body, its skin, and the sites of red marrow, each marked as estimated. Raises `Cancelled`."""
    masks = OrganMasks(seen.image, origin=origin)
    short = f"estimated from the {reference.title.lower()}, not seen in the image"
    left_out = {}
    for done, (name, labels) in enumerate(reference.organs.items()):
        progress.report("atlas: organs", 0.5 + 0.5 * done / len(reference.organs))
        found = carried.box(reference.table(labels), masks.shape)
        if found is None:
            continue
        box, mask = found
        inside = mask & seen.body[box]
        if name not in LUNGS:
            inside &= ~seen.lungs[box]
        if np.count_nonzero(inside) < _LEAST_INSIDE * np.count_nonzero(mask):
            left_out[name] = "the reference's lies outside the body here: left out"
            continue
        masks.add(name, inside, tuple(side.start for side in box))
        masks.notes[name] = short
    _add_marrow(masks, carried, reference, seen, short)
    skin = skin_of(seen.body, seen.image.GetSpacing())
    if skin.any():
        masks.add("skin", skin)
        masks.notes["skin"] = f"estimated: the outer {_SKIN_MM:g} mm of the body, at least one voxel"
    masks.notes.update(left_out)
    mark_drawn(masks, Drawn.ESTIMATED)
    return masks


def _add_marrow(masks: OrganMasks, carried: CarriedLabels, reference: AtlasReference, seen: SeenTissue, short: str
                ) -> None:
    found = carried.box(reference.table(reference.marrow), masks.shape)
    if found is None:
        return
    box, mask = found
    hu = sitk.GetArrayViewFromImage(seen.image)[box]
    mask &= seen.body[box] & (hu < _CORTEX_HU)
    if mask.any():
        masks.add(MARROW, mask, tuple(side.start for side in box))
        masks.notes[MARROW] = (f"{short}: bones with red marrow in adults below {_CORTEX_HU:g} HU, all counted alike "
                               "whatever their share of marrow")


def skin_of(body: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The outer 2 mm of a body (z, y, x) in each slice, at least one voxel; not where the image ends."""
    count = max(1, round(_SKIN_MM / max(spacing_mm[:2])))
    cross = ndimage.generate_binary_structure(2, 1)
    skin = np.zeros_like(body)
    for k in range(body.shape[0]):
        skin[k] = body[k] & ~ndimage.binary_erosion(body[k], cross, iterations=count, border_value=1)
    return skin


def _blocks(mask: np.ndarray, shrink: tuple[int, int, int]) -> np.ndarray:
    """True where at least half of a block is."""
    pads = [(0, -n % f) for n, f in zip(mask.shape, shrink)]
    padded = np.pad(mask, pads)
    z, y, x = (n // f for n, f in zip(padded.shape, shrink))
    return 2 * padded.reshape(z, shrink[0], y, shrink[1], x, shrink[2]).sum(axis=(1, 3, 5)) >= np.prod(shrink)


def _box(mask: np.ndarray) -> tuple[slice, ...]:
    sides = [np.flatnonzero(mask.any(axis=tuple(o for o in range(3) if o != axis))) for axis in range(3)]
    return tuple(slice(int(side[0]), int(side[-1]) + 1) for side in sides)
