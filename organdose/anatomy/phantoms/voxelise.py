"""A stylised patient in voxels: the part and medium of each, and from them density, HU and organ masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.phantoms.fine_structure import VesselTree, bowel_loops, box_window, small_vessels
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.shapes import AnyOf, Solid
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, Phantom, PhantomPart
from organdose.errors import InputError
from organdose.progress import Progress

BACKGROUND = ("", "skin", "subcutaneous_fat", "torso_fat", "skeletal_muscle", "soft_tissue")
_BACKGROUND_MEDIUM = ("air", "skin", "fat", "fat", "muscle", "soft_tissue")
_FIRST_PART = len(BACKGROUND)
_CORTEX_CM = 0.16
_FINEST_SHELL_MM = 1.6
_SLAB_SLICES = 16


@dataclass(frozen=True)
class VoxelPhantom:
    """A phantom on a grid. `part` and `medium` are uint8 arrays (z, y, x): index into `part_names`, number of a medium.

    Part 0 is the air around the body; parts below `len(BACKGROUND)` are skin, fat and muscle.
    """

    phantom: Phantom
    pose: str
    reference: sitk.Image
    part: np.ndarray
    medium: np.ndarray

    @cached_property
    def part_names(self) -> tuple[str, ...]:
        return BACKGROUND + tuple(p.name for p in self.phantom.parts_in(self.pose))

    @property
    def density_g_cm3(self) -> np.ndarray:
        """float32 (z, y, x)."""
        return media().density_g_cm3[self.medium]

    @property
    def hu(self) -> np.ndarray:
        """float32 (z, y, x): noiseless HU of each voxel's medium."""
        return media().hu[self.medium]

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.reference.GetSpacing())) / 1000

    def masks(self, *, tissues: bool = False) -> OrganMasks:
        """The truth: 'body' and every organ that has a voxel on this grid, under the vocabulary's names.

        `tissues` adds what no clinic contours: skin, subcutaneous fat, fat inside the trunk, muscle.
        """
        masks = OrganMasks(self.reference, origin=f"equations of {self.phantom.title.lower()}")
        present = np.bincount(self.part.ravel(), minlength=256) > 0
        labels: list[np.ndarray] = []
        for name, parts in {"body": list(range(1, 256)), **mask_owners(self.phantom, self.pose)}.items():
            if not present[parts].any() or (name in BACKGROUND and not tissues):
                continue
            layer = next((i for i, table in enumerate(labels) if not table[parts].any()), len(labels))
            if layer == len(labels):
                labels.append(np.zeros(256, np.uint8))
            value = int(labels[layer].max()) + 1
            labels[layer][parts] = value
            masks.segments[name] = (layer, value)
        masks.layers.extend(table[self.part] for table in labels)
        return masks


    def volumes_and_masses(self) -> dict[str, tuple[float, float]]:
        """(ml, g) of 'body' and every organ and tissue on this grid."""
        media_count = len(media().names)
        both = self.part.astype(np.uint16) * np.uint16(media_count) + self.medium
        voxels = np.bincount(both.ravel(), minlength=256 * media_count).reshape(256, media_count)
        owners = {"body": list(range(1, 256)), **mask_owners(self.phantom, self.pose)}
        counts = {name: voxels[parts].sum(axis=0) for name, parts in owners.items()}
        return {name: (float(n.sum() * self.voxel_ml), float((n * media().density_g_cm3).sum() * self.voxel_ml))
                for name, n in counts.items() if n.any()}


def mask_owners(phantom: Phantom, pose: str) -> dict[str, list[int]]:
    """For each organ name, the indices of the parts that make it up."""
    owners: dict[str, list[int]] = {}
    for index, part in enumerate(phantom.parts_in(pose), start=_FIRST_PART):
        for name in part.masks:
            owners.setdefault(name, []).append(index)
    if phantom.exteriors[pose].under_skin_and_fat is not None:
        for name in ("skin", "subcutaneous_fat", "torso_fat", "skeletal_muscle"):
            owners[name] = [BACKGROUND.index(name)]
    return owners


def voxelise(phantom: Phantom, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 3.0),
             z_range_mm: tuple[float, float] | None = None, *, pose: str = ARMS_UP,
             width_mm: tuple[float, float] | None = None, progress: Progress | None = None) -> VoxelPhantom:
    """The phantom on a grid of `spacing_mm` (x, y, z), LPS, centred on the body's axis in x and y.

    `z_range_mm`: lowest and highest slice centre (default: the whole body). `width_mm`: (x, y) size of the grid
    (default: just around the body). Each voxel is what lies at its centre. Raises `InputError` for a pose, spacing or
    range that makes no grid.
    """
    axes_mm = grid_axes_mm(phantom, spacing_mm, z_range_mm, pose=pose, width_mm=width_mm)
    shape = tuple(len(a) for a in reversed(axes_mm))
    part, medium = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    labeller = Labeller(phantom, pose)
    progress = progress or Progress()
    for k in range(0, shape[0], _SLAB_SLICES):
        progress.report("phantom in voxels", k / shape[0])
        part[k:k + _SLAB_SLICES], medium[k:k + _SLAB_SLICES] = labeller.label(
            axes_mm[0], axes_mm[1], axes_mm[2][k:k + _SLAB_SLICES])
    reference = sitk.Image(*(len(a) for a in axes_mm), sitk.sitkUInt8)
    reference.SetSpacing([float(s) for s in spacing_mm])
    reference.SetOrigin([float(a[0]) for a in axes_mm])
    return VoxelPhantom(phantom, pose, reference, part, medium)


def grid_axes_mm(phantom, spacing_mm, z_range_mm=None, *, pose=ARMS_UP, width_mm=None) -> tuple[np.ndarray, ...]:
    """Voxel centres along x, y and z in mm; see `voxelise`."""
    if pose not in phantom.exteriors:
        raise InputError(f"there is no pose {pose!r}", mend=f"Choose one of: {', '.join(phantom.exteriors)}.")
    if len(spacing_mm) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing_mm):
        raise InputError(f"no grid has the spacing {spacing_mm} mm", mend="Give three positive numbers x, y, z.")
    bounds = body_bounds_mm(phantom, pose)
    low, high = z_range_mm or (bounds[2][0] + spacing_mm[2] / 2, bounds[2][1])
    if not high >= low:
        raise InputError(f"the range of slices {low} to {high} mm is empty", mend="Give the lower z first.")
    sizes = width_mm or [2 * max(abs(a), abs(b)) + 10 for a, b in bounds[:2]]
    axes = []
    for size, step in zip(sizes, spacing_mm[:2]):
        count = int(np.ceil(size / step - 1e-6))
        axes.append((np.arange(count) - (count - 1) / 2) * step)
    count = int(np.floor((high - low) / spacing_mm[2] + 1e-6)) + 1
    return (*axes, low + np.arange(count) * spacing_mm[2])


def body_bounds_mm(phantom: Phantom, pose: str) -> tuple[tuple[float, float], ...]:
    stretch = (phantom.girth, phantom.girth, 1.0)
    return tuple((10 * low * s * g, 10 * high * s * g) for (low, high), s, g in
                 zip(phantom.exteriors[pose].solid.bounds, phantom.scale, stretch))


def body_back_mm(phantom: Phantom, pose: str) -> float:
    """y of the patient's backmost point (to 2 mm)."""
    axes_mm = grid_axes_mm(phantom, (6, 2, 10), pose=pose)
    axes = [a / (10 * s) for a, s in zip(axes_mm, phantom.scale)]
    rows = _inside(phantom.exteriors[pose].solid, _slimmed(axes, phantom.girth)).any(axis=(0, 2))
    return float(axes_mm[1][rows].max()) + 1


class Labeller:
    """Answers for slabs of an upright grid which part and medium each voxel is; keeps the seeded fine structure."""

    def __init__(self, phantom: Phantom, pose: str):
        self.phantom, self.pose = phantom, pose
        self.parts = phantom.parts_in(pose)
        self._vessels = {part.name: VesselTree.grow(part.solid, phantom.seed)
                         for part in self.parts if part.texture == "lung_vessels"}

    def label(self, x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(part, medium) as uint8 arrays (z, y, x) at the crossings of three rising axes in mm."""
        axes = [(a / (10 * s)).astype(np.float32) for a, s in zip((x_mm, y_mm, z_mm), self.phantom.scale)]
        steps_cm = [abs(float(a[1] - a[0])) if len(a) > 1 else 0.1 for a in axes]
        part = self._background(axes, steps_cm)
        body = part > 0
        medium = np.array([media().number[m] for m in _BACKGROUND_MEDIUM], np.uint8)[part]
        fat = part == BACKGROUND.index("torso_fat")
        medium[fat & small_vessels(*_crossings(axes, (slice(None),) * 3), 0.2)] = media().number["blood"]
        free = body.copy()
        for index, this in enumerate(self.parts, start=_FIRST_PART):
            window = box_window(this.solid.bounds, axes)
            if window is None:
                continue
            x, y, z = _crossings(axes, window)
            mine = _inside(this.solid, (x.ravel(), y.ravel(), z.ravel())) & free[window]
            if mine.any():
                part[window][mine] = index
                free[window][mine] = False
                medium[window][mine] = media().number[this.medium]
                self._fill(this, mine, medium[window], (x, y, z))
        if 10 * max(steps_cm[:2]) <= _FINEST_SHELL_MM:
            self._cortical_shell(medium, steps_cm)
        return part, medium

    def _background(self, axes, steps_cm) -> np.ndarray:
        exterior, girth = self.phantom.exteriors[self.pose], self.phantom.girth
        shape = tuple(len(a) for a in reversed(axes))
        part = np.zeros(shape, np.uint8)
        body = _inside(exterior.solid, _slimmed(axes, girth))
        if exterior.under_skin_and_fat is None:
            part[body] = BACKGROUND.index("soft_tissue")
            return part
        part[body] = BACKGROUND.index("subcutaneous_fat")
        skin_voxels = round(exterior.skin_cm / max(steps_cm[:2]))
        if skin_voxels >= 1:
            part[body & ~_eroded_in_plane(body, skin_voxels)] = BACKGROUND.index("skin")
        muscle = _inside(exterior.under_skin_and_fat, _slimmed(axes, 1 + (girth - 1) / 3)) & body
        part[muscle] = BACKGROUND.index("skeletal_muscle")
        part[_inside(exterior.cavity, _slimmed(axes, 1 + (girth - 1) / 2)) & muscle] = BACKGROUND.index("torso_fat")
        return part

    def _fill(self, part: PhantomPart, mine: np.ndarray, medium: np.ndarray, points) -> None:
        x, y, z = points
        for solid, name in part.contents:
            medium[mine & solid.inside(x, y, z)] = media().number[name]
        if part.texture == "lung_vessels":
            medium[mine & self._vessels[part.name].inside(x, y, z)] = media().number["blood"]
        if part.texture == "bowel_loops":
            lumen, gas = bowel_loops(x, y, z, part.solid.bounds[1][0])
            medium[mine & lumen] = media().number["bowel_contents"]
            medium[mine & gas] = media().number["gas"]
        if part.texture == "vessels":
            medium[mine & small_vessels(x, y, z, 0.22)] = media().number["blood"]

    @staticmethod
    def _cortical_shell(medium: np.ndarray, steps_cm) -> None:
        number = media().number
        bone = medium == number["bone"]
        core = _eroded_in_plane(bone, max(1, round(_CORTEX_CM / max(steps_cm[:2]))))
        medium[bone] = number["cortical_bone"]
        medium[core] = number["spongiosa"]


def _inside(solid: Solid, axes) -> np.ndarray:
    """Which crossings (z, y, x) of three rising axes lie in the solid; each piece of a union only near itself."""
    inside = np.zeros(tuple(len(a) for a in reversed(list(axes))), dtype=bool)
    for piece in solid.parts if isinstance(solid, AnyOf) else (solid,):
        window = box_window(piece.bounds, axes)
        if window is not None:
            inside[window] |= piece.inside(*_crossings(axes, window))
    return inside


def _slimmed(axes, girth: float) -> tuple[np.ndarray, ...]:
    return axes[0] / np.float32(girth), axes[1] / np.float32(girth), axes[2]


def _crossings(axes, window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z, y, x = (axis[w] for axis, w in zip(reversed(list(axes)), window))
    return x[None, None, :], y[None, :, None], z[:, None, None]


def _eroded_in_plane(mask: np.ndarray, voxels: int) -> np.ndarray:
    """`mask` without its outer `voxels` in x and y."""
    disk = np.zeros((3, 3, 3), dtype=bool)
    disk[1] = ndimage.generate_binary_structure(2, 1)
    return ndimage.binary_erosion(mask, disk, iterations=voxels)
