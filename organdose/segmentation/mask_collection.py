"""Masks under other people's names, collected into `OrganMasks` under the names of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import describe
from organdose.anatomy.review import Review, refresh_reviews
from organdose.errors import InputError
from organdose.segmentation.organ_names import own_name, vocabulary_name
from organdose.study.ct_study import CTStudy


@dataclass(frozen=True)
class MaskLabel:
    """What a file says a mask is: its label, SNOMED CT code with side ('left', 'right', ''), an identifier, and the
    review that came with it."""

    label: str
    code: str = ""
    laterality: str = ""
    identifier: str = ""
    review: Review | None = None


def labels_present(labels: np.ndarray) -> list[int]:
    """The values (whole numbers from 0 to 65535) that occur in an array (z, y, x), in order."""
    counts = np.zeros(65536, dtype=np.int64)
    for plane in labels:  # a slice at a time: bincount works on a copy in int64
        of_plane = np.bincount(plane.ravel())
        counts[:of_plane.size] += of_plane
    return [int(value) for value in np.flatnonzero(counts)]


class MaskCollection:
    """Builds `OrganMasks` on the grid of a study; says in `notes` what was renamed, kept aside or left out."""

    def __init__(self, study: CTStudy, origin: str, where: Path | str):
        self.masks = OrganMasks(study.image, origin=origin)
        self.where = where
        self.empty: list[str] = []

    def add(self, what: MaskLabel, mask: np.ndarray, corner: tuple[int, int, int] | None = None) -> str | None:
        """Add one mask (z, y, x; bool), the whole CT or a box of it from `corner`. Gives its name; None when empty."""
        if not mask.any():
            self.empty.append(what.label)
            return None
        name = self._free_name(what)
        self.masks.add(name, mask, corner)
        self._keep_review(name, what)
        return name

    def add_label_map(self, labels: np.ndarray, corner: tuple[int, int, int], names: dict[int, MaskLabel]) -> None:
        """Add the masks of a box of labels (z, y, x; whole numbers >= 0, 0 is background) as layers of their own.

        Labels in `names` without voxels are left out; labels without a name are called 'label_7' and noted.
        """
        present = [value for value in labels_present(labels) if value != 0]
        box = tuple(slice(start, start + size) for start, size in zip(corner, labels.shape))
        for chunk in (present[at:at + 255] for at in range(0, len(present), 255)):
            table = np.zeros(present[-1] + 1, dtype=np.uint8)
            layer = np.zeros(self.masks.shape, dtype=np.uint8)
            for new, value in enumerate(chunk, start=1):
                table[value] = new
                what = names.get(value, MaskLabel(f"label_{value}"))
                name = self._free_name(what)
                self.masks.segments[name] = (len(self.masks.layers), new)
                self._keep_review(name, what)
            layer[box] = table[labels]
            self.masks.layers.append(layer)

    def note(self, name: str, text: str) -> None:
        notes = self.masks.notes
        notes[name] = f"{notes[name]}; {text}" if name in notes else text

    def finished(self) -> OrganMasks:
        """The masks, their reviews compared with the voxels. Raises `InputError` when there is none with a voxel in it.
        """
        if not self.masks.segments:
            what = f"all its masks are empty ({', '.join(self.empty)})" if self.empty else "it holds no masks"
            raise InputError(what, where=self.where, mend="Give a file with masks.")
        for label in self.empty:
            self.note(own_name(label), "empty in the file: left out")
        for name in refresh_reviews(self.masks):
            self.note(name, "approved once, but changed since")
        return self.masks

    def _keep_review(self, name: str, what: MaskLabel) -> None:
        if what.review is not None:
            self.masks.reviews[name] = what.review

    def _free_name(self, what: MaskLabel) -> str:
        """The organ's name; the mask's own name when the vocabulary does not know it or the organ is taken."""
        known = vocabulary_name(what.label, what.code, what.laterality, what.identifier)
        own = own_name(what.label or what.identifier)
        if known and known not in self.masks.segments:
            if own not in (own_name(known), own_name(describe(known).title)):
                self.note(known, f"called {what.label!r} in the file")
            return known
        reason = f"a second mask for {known}" if known else "not in the vocabulary"
        name, number = own, 2
        while name in self.masks.segments:
            name, number = f"{own}_{number}", number + 1
        self.note(name, f"{reason}: kept under its own name")
        return name
