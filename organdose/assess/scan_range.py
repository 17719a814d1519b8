"""How much of each organ the beam reached directly, and how much of it the image shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.assess.organ_weights import OrganWeights

_ALL = 99.5  # percent from which nobody needs a note


@dataclass(frozen=True)
class OrganRange:
    """One organ: percent of its imaged mass within the primary beam's range of z, percent of it the image shows.

    `in_image_percent` is NaN where nobody can tell (see `organ_coverage`). `is_cut`: the mask touches the first or last
    slice or the side of the image, so that the organ is at least partly outside.
    """

    organ: str
    mass_g: float
    in_beam_percent: float
    in_image_percent: float
    is_cut: bool

    @property
    def note(self) -> str:
        """What the organ table has to say about the beam; '' where it reached all that is shown."""
        if self.in_beam_percent >= _ALL:
            return ""
        return f"{self.in_beam_percent:.0f} % of the part shown lies in the directly irradiated range"


def organ_ranges(weights: OrganWeights, beam_range_mm: tuple[float, float]) -> list[OrganRange]:
    """One `OrganRange` for each row of `weights`.

    `beam_range_mm`: z from which to which the beam reaches at the isocentre. Dose voxels that it covers in part count
    with that part.
    """
    grid = weights.dose_grid
    slices = grid.GetSize()[2]
    lower_mm = grid.GetOrigin()[2] + (np.arange(slices) - 0.5) * grid.GetSpacing()[2]
    covered = np.clip(np.minimum(lower_mm + grid.GetSpacing()[2], beam_range_mm[1])
                      - np.maximum(lower_mm, beam_range_mm[0]), 0, None) / grid.GetSpacing()[2]
    found = []
    for name in weights.names:
        indices, mass_g, _ = weights.row(name)
        at_slice = indices // (grid.GetSize()[0] * grid.GetSize()[1])
        total_g = float(mass_g.sum(dtype=np.float64))
        percent = 100 * float((mass_g * covered[at_slice]).sum(dtype=np.float64)) / total_g
        found.append(OrganRange(name, total_g, percent, weights.in_image_percent[name],
                                weights.touches_image_edge[name]))
    return found
