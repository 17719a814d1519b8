"""The dose map of a whole examination: its parts on one grid, added up voxel by voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.jobs.total_parts import DosePart
from organdose.patient.lattice import Lattice, carried_on
from organdose.progress import Progress

_REACHED = 0.5  # part of a voxel that a map must fill to count in it
_BODY_G_CM3 = 0.2  # less is air; lungs are more
_LEAST_OVERLAP, _GOOD_OVERLAP = 0.5, 0.9  # of the smaller body, where both maps reach


@dataclass(frozen=True)
class PartOnGrid:
    """A part on the grid of the sum, arrays (z, y, x): dose and its standard uncertainty in mGy (None: not stated),
    density in g/cm3, and whether the part's map reaches the voxel at all."""

    dose_mgy: np.ndarray = field(repr=False)
    sigma_mgy: np.ndarray | None = field(repr=False)
    density_g_cm3: np.ndarray = field(repr=False)
    reached: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class TotalMap:
    """`dose`: the sum. `parts_reached` (uint8, (z, y, x)): how many of the `number_of_parts` each voxel holds.
    `assumptions` and `warnings`: lines for the reader."""

    dose: DoseMap
    parts_reached: np.ndarray = field(repr=False)
    number_of_parts: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def total_map(parts: Sequence[DosePart], progress: Progress | None = None) -> TotalMap:
    """Add the dose maps up, on the finest of their grids carried on over all of them.

    A map on another grid is brought over by the exact overlap of the voxels, weighted with mass: energy over mass in
    each new voxel, so that the energy in the body stays what it was; interpolation would not keep it. Raises
    `InputError` where the parts' bodies do not overlap.
    """
    lattice = common_lattice([part.dose.dose_mgy for part in parts])
    brought = []
    for done, part in enumerate(parts):
        if progress is not None:
            progress.report("Parts on one grid", done / len(parts), part.name)
        brought.append(part_on_grid(part.dose, lattice))
    warnings = _about_bodies(parts, brought)
    dose_mgy = np.sum([each.dose_mgy for each in brought], axis=0)
    density = _density(parts, brought)
    image = lattice.image(dose_mgy.astype(np.float32))
    total = DoseMap(image, density, " + ".join(f"{part.dose.engine} ({part.name})" for part in parts),
                    relative_uncertainty=_uncertainty(brought, dose_mgy, lattice))
    reached = np.sum([each.reached for each in brought], axis=0, dtype=np.uint8)
    return TotalMap(total, reached, len(parts), _assumptions(parts, brought, lattice, density), tuple(warnings))


def common_lattice(images: Sequence[sitk.Image]) -> Lattice:
    """The grid with the smallest voxels (the first of several), carried on over all the others."""
    finest = min(images, key=lambda image: round(math.prod(image.GetSpacing()), 6))
    lattice = carried_on(finest, finest)
    for image in images:
        lattice = carried_on(lattice.image(np.zeros(lattice.shape, np.uint8)), image)
    return lattice


def part_on_grid(dose: DoseMap, lattice: Lattice) -> PartOnGrid:
    """One part on `lattice`: see `total_map`. Errors of voxels that are averaged count as one common error."""
    target = lattice.image(np.zeros(lattice.shape, np.uint8))

    def averaged(values: np.ndarray) -> np.ndarray:
        image = sitk.GetImageFromArray(values.astype(np.float64))
        image.CopyInformation(dose.dose_mgy)
        return sitk.GetArrayFromImage(averaged_onto(image, target))

    values_mgy = sitk.GetArrayFromImage(dose.dose_mgy).astype(np.float64)
    density = dose.density_g_cm3.astype(np.float64)
    filled = averaged(np.ones_like(density))
    reached = filled >= _REACHED - 1e-9
    mass = averaged(density)
    has_mass = reached & (mass > 0)

    def by_mass(weighted: np.ndarray) -> np.ndarray:
        return np.divide(averaged(weighted * density), mass, out=np.zeros_like(mass), where=has_mass)

    sigma = None if dose.relative_uncertainty is None else by_mass(
        values_mgy * sitk.GetArrayFromImage(dose.relative_uncertainty))
    density_there = np.divide(mass, filled, out=np.zeros_like(mass), where=reached)
    return PartOnGrid(by_mass(values_mgy), sigma, density_there, reached)


def _density(parts: Sequence[DosePart], brought: Sequence[PartOnGrid]) -> np.ndarray:
    """The density of the finest part that reaches a voxel."""
    order = sorted(range(len(parts)), key=lambda n: math.prod(parts[n].dose.dose_mgy.GetSpacing()))
    density = np.zeros(brought[0].reached.shape)
    for n in reversed(order):
        density = np.where(brought[n].reached, brought[n].density_g_cm3, density)
    return density.astype(np.float32)


def _uncertainty(brought: Sequence[PartOnGrid], dose_mgy: np.ndarray, lattice: Lattice) -> sitk.Image | None:
    """Relative standard uncertainty of the sum (1 without dose): the parts' own, in squares."""
    stated = [each.sigma_mgy for each in brought if each.sigma_mgy is not None]
    if not stated:
        return None
    sigma = np.sqrt(np.sum([each ** 2 for each in stated], axis=0))
    relative = np.divide(sigma, dose_mgy, out=np.ones_like(sigma), where=dose_mgy > 0)
    return lattice.image(relative.astype(np.float32))


def _about_bodies(parts: Sequence[DosePart], brought: Sequence[PartOnGrid]) -> list[str]:
    """Warnings of bodies that lie beside each other; raises `InputError` where they do not overlap."""
    said, bodies = [], [each.reached & (each.density_g_cm3 > _BODY_G_CM3) for each in brought]
    for i in range(1, len(parts)):
        for j in range(i):
            both = brought[i].reached & brought[j].reached
            smaller = min(int(bodies[i][both].sum()), int(bodies[j][both].sum()))
            overlap = int((bodies[i] & bodies[j]).sum()) / smaller if smaller else 0.0
            pair = f"{parts[j].name} and {parts[i].name}"
            if overlap < _LEAST_OVERLAP:
                raise InputError(f"the bodies of {pair} do not overlap ({100 * overlap:.0f} % of the smaller)",
                                 mend="Give parts of one patient in one position and coordinate system.")
            if overlap < _GOOD_OVERLAP:
                said.append(f"the bodies of {pair} overlap by only {100 * overlap:.0f} % of the smaller: the sum of "
                            "the maps is wrong where they do not; the table adds organs up, wherever they lie")
    return said


def _assumptions(parts: Sequence[DosePart], brought: Sequence[PartOnGrid], lattice: Lattice,
                 density: np.ndarray) -> tuple[str, ...]:
    voxel = " x ".join(f"{length:.4g}" for length in lattice.spacing_mm)
    said = [f"The parts are added up in voxels of {voxel} mm, the finest among them; coarser maps keep their own "
            "detail. They were brought over by the overlap of voxels weighted with mass, which keeps the energy."]
    body_g = np.where(density > _BODY_G_CM3, density, 0.0)
    for part, each in zip(parts, brought, strict=True):
        lacking = float(body_g[~each.reached].sum() / body_g.sum())
        if lacking > 5e-4:
            said.append(f"{100 * lacking:.1f} % of the mass shown lies outside the dose map of {part.name}: the summed "
                        "map holds there the dose of the other parts alone (parts_reached.nrrd).")
        if each.sigma_mgy is None and any(other.sigma_mgy is not None for other in brought):
            said.append(f"{part.name} states no uncertainty of voxels: that of the sum is without it.")
    return tuple(said)
