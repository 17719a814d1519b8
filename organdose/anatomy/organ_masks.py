"""Many organs on one grid, in as few arrays as overlaps allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.review import Review
from organdose.errors import InputError


@dataclass
class OrganMasks:
    """Organ masks on the grid of `reference`, kept as shared label layers (the layout of Slicer's .seg.nrrd).

    Masks that do not overlap share a layer, so a whole-body segmentation of a hundred organs stays as small as one
    label map. `layers` are uint8 arrays (z, y, x); `segments` maps an organ name of the vocabulary to
    (layer index, label value). `origin` says who made the masks, for the report ('RTSTRUCT', 'analytic', ...).
    `notes` holds one line for each organ that needs a remark, `reviews` how organs were drawn and who approved them
    (see `review.py`).
    """

    reference: sitk.Image
    layers: list[np.ndarray] = field(default_factory=list)
    segments: dict[str, tuple[int, int]] = field(default_factory=dict)
    origin: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.segments)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x) of the masks."""
        return tuple(reversed(self.reference.GetSize()))

    def mask(self, name: str) -> np.ndarray:
        """Boolean array (z, y, x) of one organ. Raises `KeyError` when it is not there."""
        layer, value = self.segments[name]
        return self.layers[layer] == value

    def union(self, names: Iterable[str]) -> np.ndarray:
        """Boolean array (z, y, x): the voxels in any of `names` (those that are there)."""
        joined = np.zeros(self.shape, dtype=bool)
        for name in names:
            if name in self.segments:
                joined |= self.mask(name)
        return joined

    def kept(self, names: Iterable[str]) -> OrganMasks:
        """The same masks with only `names` (those that are there); arrays are shared, not copied."""
        segments = {name: self.segments[name] for name in names if name in self.segments}
        notes = {name: note for name, note in self.notes.items() if name in segments or name not in self.segments}
        reviews = {name: review for name, review in self.reviews.items() if name in segments}
        return OrganMasks(self.reference, self.layers, segments, self.origin, notes, reviews)

    def add(self, name: str, mask: np.ndarray, corner: tuple[int, int, int] | None = None) -> None:
        """Put a mask (z, y, x; bool) in the first layer where it overlaps nothing.

        The mask covers the whole reference image, or, when `corner` (z, y, x) is given, a box of it that begins there.
        Raises `InputError` when it is not of that shape or the organ is there already.
        """
        if name in self.segments:
            raise InputError(f"the organ {name!r} appears twice in one segmentation", mend="Keep one of them.")
        box = tuple(slice(start, start + size) for start, size in zip(corner or (0, 0, 0), mask.shape))
        fits = mask.ndim == 3 and all(b.start >= 0 and b.stop <= size for b, size in zip(box, self.shape))
        if not fits or (corner is None and mask.shape != self.shape):
            raise InputError(f"the mask of {name!r} has the shape {mask.shape}, the CT has {self.shape}",
                             mend="Use masks drawn on this CT.")
        box, mask = _shrunk(box, mask)
        for index, layer in enumerate(self.layers):
            value = 1 + max((v for n, v in self.segments.values() if n == index), default=0)
            if value <= 255 and not layer[box][mask].any():
                break
        else:
            index, value = len(self.layers), 1
            self.layers.append(np.zeros(self.shape, dtype=np.uint8))
        self.layers[index][box][mask] = value
        self.segments[name] = (index, value)


def _shrunk(box: tuple[slice, ...], mask: np.ndarray) -> tuple[tuple[slice, ...], np.ndarray]:
    """The part of a box, and of the mask in it, that holds all its voxels: small organs need not touch the whole CT."""
    found = []
    for axis in range(3):
        along = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(along[0]), int(along[-1]) + 1) if along.size else slice(0, 0))
    moved = tuple(slice(side.start + part.start, side.start + part.stop) for side, part in zip(box, found))
    return moved, mask[tuple(found)]
