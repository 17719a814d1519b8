"""A voxel phantom: a label map and what each label is made of. Files: `voxel_phantom_files`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from organdose.errors import InputError

OUTSIDE = "outside"

# For each label of a region, the part of its mass that belongs to it.
Region = Mapping[int, float]


@dataclass(frozen=True)
class PhantomMedium:
    """`weight_fractions`: element symbol to weight; `red_marrow_fraction`: part of its mass that is red marrow."""

    weight_fractions: Mapping[str, float]
    red_marrow_fraction: float = 0.0


@dataclass(frozen=True)
class PhantomLabel:
    """One value of the label map: its name in the phantom's own table, its medium and density (g/cm3)."""

    name: str
    medium: str
    density_g_cm3: float


@dataclass(frozen=True)
class LabelledPhantom:
    """`labels` (z, y, x; whole numbers) and what they mean.

    `spacing_mm` (x, y, z). `entries` maps every label in the map to its entry. `regions` maps names (the vocabulary's
    where it has the organ, else the phantom's own) to labels with the part of each that belongs to the region; regions
    may overlap ('kidneys' and 'kidney_left'). `contents` names the regions of what fills hollow organs, `outside` holds
    the labels that are not the body. `notes` are lines for a report.
    """

    title: str
    sex: str
    labels: np.ndarray
    spacing_mm: tuple[float, float, float]
    entries: Mapping[int, PhantomLabel]
    media: Mapping[str, PhantomMedium]
    regions: Mapping[str, Region]
    contents: frozenset[int] = frozenset()
    outside: frozenset[int] = frozenset()
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def voxels(self) -> dict[int, int]:
        """Number of voxels of each label that occurs."""
        counts = np.bincount(self.labels.ravel())
        return {int(label): int(counts[label]) for label in np.flatnonzero(counts)}

    @cached_property
    def label_mass_g(self) -> dict[int, float]:
        voxel_ml = float(np.prod(self.spacing_mm)) / 1000
        return {label: count * voxel_ml * self.entries[label].density_g_cm3 for label, count in self.voxels.items()}

    def mass_g(self, region: str | Region) -> float:
        parts = self.region(region) if isinstance(region, str) else region
        return sum(part * self.label_mass_g.get(label, 0.0) for label, part in parts.items())

    def region(self, name: str) -> Region:
        """Raises `InputError` for a name the phantom does not have."""
        if name not in self.regions:
            raise InputError(f"{self.title} has no {name!r}", mend=f"It has: {', '.join(self.regions)}.")
        return self.regions[name]

    def remainder(self, taken: Iterable[Region]) -> Region:
        """The body without the regions `taken` and without contents of hollow organs."""
        left = {label: 1.0 for label in self.regions["body"] if label not in self.contents}
        for region in taken:
            for label, part in region.items():
                if label in left:
                    left[label] = max(0.0, left[label] - part)
        return {label: part for label, part in left.items() if part > 1e-9 and label in self.voxels}
