"""Reference patients for the atlas: the stylised adults and voxel phantoms as labels with HU and organs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.anatomy.organs import is_known, organ, organs
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.anatomy.phantoms.voxelise import mask_owners, voxelise
from organdose.anatomy.tissues import schneider2000
from organdose.errors import InputError
from organdose.progress import Progress

_STYLISED_MM = 2.0
_MARROW_SITES = ("skull", "mandible", "scapulae", "claviculae", "sternum", "ribs", "vertebrae", "sacrum", "hips")
# Long bones: the half next to this bone has red marrow.
_HALVES = {"femur_left": "hip_left", "femur_right": "hip_right", "humerus_left": "scapula_left",
           "humerus_right": "scapula_right"}
# Not carried over: the CT shows them itself, or nobody contours them.
_NOT_CARRIED = frozenset({"body", "remainder", "skin", "subcutaneous_fat", "torso_fat", "air_internal", "bones"})
_AIR_HU = -1000.0


@dataclass(frozen=True)
class AtlasReference:
    """A reference patient. `labels` (z, y, x; uint16), 0 outside the body; LPS, voxels of `spacing_mm` (x, y, z), the
    centre of the first one at `origin_mm`. `hu` is indexed by label. `organs`: name of the vocabulary to its labels,
    which no other organ holds unless one lies in the other. `marrow`: labels of the sites of red marrow, `bones`: of
    the skeleton, `lungs`: of the lungs.
    """

    title: str
    sex: str
    labels: np.ndarray
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    hu: np.ndarray
    organs: dict[str, tuple[int, ...]]
    marrow: tuple[int, ...]
    bones: tuple[int, ...]
    lungs: tuple[int, ...]

    def table(self, labels: tuple[int, ...]) -> np.ndarray:
        """Bool, indexed by label: True for `labels`."""
        return np.isin(np.arange(len(self.hu)), labels)


def stylised_reference(sex: str, progress: Progress | None = None) -> AtlasReference:
    """The stylised adult of that sex ('M', 'F') with raised arms, in voxels of 2 mm."""
    phantom = load_phantom("adult-female" if sex == "F" else "adult-male")
    whole = voxelise(phantom, (_STYLISED_MM,) * 3, pose=ARMS_UP, progress=progress)
    media_count = len(media().names)
    pairs = whole.part.astype(np.uint16) * np.uint16(media_count) + whole.medium
    there = np.flatnonzero(np.bincount(pairs.ravel(), minlength=256 * media_count))
    there = there[there >= media_count]  # part 0 is the air around
    number = np.zeros(256 * media_count, np.uint16)
    number[there] = np.arange(1, len(there) + 1)
    hu = np.concatenate([[_AIR_HU], media().hu[there % media_count]]).astype(np.float32)
    of_part = {part: tuple(np.flatnonzero(there // media_count == part) + 1) for part in set(there // media_count)}
    drawn = {name: tuple(int(label) for part in parts for label in of_part.get(part, ()))
             for name, parts in mask_owners(phantom, ARMS_UP).items()}
    labels = number[pairs]
    labels, hu, drawn, halves = _with_halves(labels, hu, drawn)
    marrow = _labels_of(_MARROW_SITES, drawn) + halves
    return AtlasReference(phantom.title, phantom.sex, labels, (_STYLISED_MM,) * 3, whole.reference.GetOrigin(), hu,
                          _carried(drawn), marrow, _labels_of(("bones",), drawn),
                          _labels_of(("lung_left", "lung_right"), drawn))


def voxel_reference(path: Path) -> AtlasReference:
    """A voxel phantom of the user's (files: docs/organ-level-mird.md), turned to LPS: z to the head, y to the back.

    Raises `InputError` for what is none, and for one that is mirrored or upside down.
    """
    phantom = read_voxel_phantom(path)
    size = int(phantom.labels.max()) + 1
    inside = np.ones(size, bool)
    inside[[label for label in (0, *phantom.outside) if label < size]] = False
    labels = np.where(inside[phantom.labels], phantom.labels, 0).astype(np.uint16)
    hu = np.full(size, _AIR_HU, np.float32)
    curve = schneider2000()
    for label, entry in phantom.entries.items():
        if label < size and inside[label]:
            hu[label] = np.interp(entry.density_g_cm3, curve.node_density_g_cm3, curve.node_hu)
    drawn = {name: tuple(label for label, part in region.items() if part > 0 and label < size and inside[label])
             for name, region in phantom.regions.items()}
    drawn = {name: found for name, found in drawn.items() if found}
    _refuse_turned(labels, drawn, path)
    lengths_mm = [n * s for n, s in zip(labels.shape[::-1], phantom.spacing_mm)]
    origin_mm = tuple(0.5 * (s - length) for s, length in zip(phantom.spacing_mm, lengths_mm))
    return AtlasReference(phantom.title, phantom.sex, labels, tuple(phantom.spacing_mm), origin_mm, hu,
                          _carried(_filled(drawn)), drawn.get("red_bone_marrow", ()), drawn.get("bones", ()),
                          _labels_of(("lungs",), drawn))


def _refuse_turned(labels: np.ndarray, drawn: dict[str, tuple[int, ...]], where: Path) -> None:
    def middle(name: str, axis: int) -> float | None:
        voxels = np.isin(labels, drawn[name]) if name in drawn else np.zeros(0, bool)
        return float(np.nonzero(voxels)[axis].mean()) if voxels.any() else None

    for lower, higher, axis in (("liver", "spleen", 2), ("urinary_bladder", "brain", 0), ("sternum", "vertebrae", 1)):
        one, other = middle(lower, axis), middle(higher, axis)
        if one is not None and other is not None and one > other:
            raise InputError(f"the {lower} of the phantom lies where its {higher} should", where=where,
                             mend="Store the label map with x to the left, y to the back, z to the head.")


def _filled(drawn: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Hollow organs with what fills them, as they are contoured on CT; `_contents` are not organs of their own then."""
    found = {name: labels for name, labels in drawn.items() if not name.endswith("_contents")}
    for name in list(found):
        if f"{name}_contents" in drawn and is_known(name):
            found[name] = tuple(dict.fromkeys((*found[name], *drawn[f"{name}_contents"])))
            for member in organ(name).members:
                found.pop(member, None)
    return found


def _carried(drawn: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The organs of the vocabulary, without groups whose members are drawn."""
    names = [name for name in drawn if name in organs() and name not in _NOT_CARRIED]
    return {name: drawn[name] for name in names if not any(part in drawn for part in organ(name).members)}


def _labels_of(names: tuple[str, ...], drawn: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The labels of organs and of the members of groups."""
    found: dict[int, None] = {}
    for name in names:
        found.update(dict.fromkeys(drawn.get(name, ())))
        found.update(dict.fromkeys(_labels_of(organ(name).members, drawn) if is_known(name) else ()))
    return tuple(found)


def _with_halves(labels: np.ndarray, hu: np.ndarray, drawn: dict[str, tuple[int, ...]]
                 ) -> tuple[np.ndarray, np.ndarray, dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Long bones get labels of their own for the half towards the trunk, where adults have red marrow."""
    marrow: list[int] = []
    for bone, anchor in _HALVES.items():
        if bone not in drawn or anchor not in drawn:
            continue
        slices = np.flatnonzero(np.isin(labels, drawn[bone]).any(axis=(1, 2)))
        anchor_slice = np.flatnonzero(np.isin(labels, drawn[anchor]).any(axis=(1, 2))).mean()
        middle = int(slices.mean())
        half = slice(middle, None) if anchor_slice > middle else slice(0, middle)
        for label in drawn[bone]:
            new = len(hu)
            part = labels[half]
            part[part == label] = new
            hu = np.append(hu, hu[label])
            drawn = {name: (*found, new) if label in found else found for name, found in drawn.items()}
            marrow.append(new)
    return labels, hu, drawn, tuple(marrow)
