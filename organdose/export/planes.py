"""Axial, coronal and sagittal planes of a study, as pictures want them: in mm, radiological side, head up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.assess.organ_selection import BODY, Selection, organ_selections
from organdose.dose_map import DoseMap
from organdose.export.main_organs import is_main_organ

AXIAL, CORONAL, SAGITTAL = 0, 1, 2  # the array axis (z, y, x) a plane stands across
# Letters at the left, right, top and bottom of a picture: the patient's right on the picture's left.
LETTERS = {AXIAL: ("R", "L", "A", "P"), CORONAL: ("R", "L", "H", "F"), SAGITTAL: ("A", "P", "H", "F")}
TITLES = {AXIAL: "Axial", CORONAL: "Coronal", SAGITTAL: "Sagittal"}
_NOT_BODY_HU = -400  # without a body mask: what is denser counts as body
_NOT_BODY = ("couch",)
_MARGIN_MM = 12
# Tissues spread over the whole body say nothing about which plane shows the organs.
_SPREAD_TISSUES = ("skin", "bone_surface", "red_bone_marrow")


@dataclass(frozen=True)
class Plane:
    """One plane of the CT: `index` of the slice along `axis` (AXIAL, CORONAL or SAGITTAL) and its position in mm."""

    axis: int
    index: int
    position_mm: float

    @property
    def title(self) -> str:
        return f"{TITLES[self.axis]}, {'zyx'[self.axis]} = {self.position_mm:.0f} mm"


@dataclass
class PlaneViews:
    """What stands in the planes of one study: HU, dose and masks, each as an array (rows, columns).

    All planes are cut from the CT grid; the dose is interpolated linearly to it.
    """

    ct: sitk.Image
    dose: DoseMap
    masks: OrganMasks
    selections: dict[str, Selection] = field(init=False)

    def __post_init__(self) -> None:
        self.selections = {s.name: s for s in organ_selections(self.masks)}
        self.hu = sitk.GetArrayViewFromImage(self.ct)
        self.dose_mgy = sitk.GetArrayViewFromImage(self.dose.dose_mgy)

    @cached_property
    def body(self) -> np.ndarray:
        """Body (z, y, x): everything drawn but the couch, or, where no body is drawn, what is denser than lung with
        its holes filled. (In a plain label map the voxels of an organ do not carry the label of the body as well.)"""
        if BODY not in self.masks.names:
            return np.stack([ndimage.binary_fill_holes(plane > _NOT_BODY_HU) for plane in self.hu])
        counts = np.zeros((len(self.masks.layers), 256), dtype=bool)
        for name, place in self.masks.segments.items():
            counts[place] = name not in _NOT_BODY
        return np.logical_or.reduce([table[layer] for table, layer in zip(counts, self.masks.layers, strict=True)])

    @cached_property
    def smoothing_voxels(self) -> float:
        """Gaussian sigma in dose voxels that brings the median noise in the body to 2 %, between 1 and 2.5 voxels.

        A Gaussian over independent voxels divides their standard deviation by (2 sqrt(pi) sigma)^(3/2).
        """
        if self.dose.relative_uncertainty is None:
            return 1.0
        centres = [self._dose_indices(axis) for axis in range(3)]
        noise = sitk.GetArrayViewFromImage(self.dose.relative_uncertainty)[self.body[np.ix_(*centres)]]
        if not noise.size:
            return 1.0
        return float(np.clip((np.median(noise) / 0.02) ** (2 / 3) / (2 * np.sqrt(np.pi)), 1.0, 2.5))

    @cached_property
    def smooth_dose_mgy(self) -> np.ndarray:
        """The dose smoothed with the mass as weight, for isodose lines that follow the dose and not its noise."""
        density = np.broadcast_to(self.dose.density_g_cm3, self.dose_mgy.shape)
        energy = ndimage.gaussian_filter(self.dose_mgy * density, self.smoothing_voxels)
        return energy / np.maximum(ndimage.gaussian_filter(density, self.smoothing_voxels), 1e-6)

    @cached_property
    def highest_shown_mgy(self) -> float:
        """Upper end of the colour scale: 98th percentile in the body, so that few hot voxels do not dim the rest."""
        centres = [self._dose_indices(axis) for axis in range(3)]
        inside = self.body[np.ix_(*centres)]
        values_mgy = self.dose_mgy[inside] if inside.any() else self.dose_mgy[self.dose_mgy > 0]
        return float(np.percentile(values_mgy, 98)) or float(self.dose_mgy.max())

    def of_values(self, image: sitk.Image) -> PlaneViews:
        """The same planes with another quantity, on the same or another grid, in the place of the dose."""
        views = PlaneViews(self.ct, replace(self.dose, dose_mgy=image, relative_uncertainty=None), self.masks)
        views.__dict__["body"] = self.body  # costs seconds for a whole body
        return views

    def plane(self, axis: int, index: int) -> Plane:
        return Plane(axis, int(index), float(self._positions_mm(axis)[index]))

    def slice_hu(self, plane: Plane) -> np.ndarray:
        return np.take(self.hu, plane.index, plane.axis)

    def slice_mask(self, plane: Plane, name: str) -> np.ndarray:
        box = [slice(None)] * 3
        box[plane.axis] = slice(plane.index, plane.index + 1)
        return np.squeeze(self.selections[name].mask(self.masks.layers, tuple(box)), plane.axis)

    def slice_body(self, plane: Plane) -> np.ndarray:
        return np.take(self.body, plane.index, plane.axis)

    def slice_dose_mgy(self, plane: Plane, *, smooth: bool = False) -> np.ndarray:
        positions = [self._positions_mm(axis) for axis in range(3)]
        positions[plane.axis] = positions[plane.axis][plane.index:plane.index + 1]
        grid = self.dose.dose_mgy
        places = [(mm - grid.GetOrigin()[2 - axis]) / grid.GetSpacing()[2 - axis] for axis, mm in enumerate(positions)]
        values = self.smooth_dose_mgy if smooth else self.dose_mgy
        sampled = ndimage.map_coordinates(values, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
        return np.squeeze(sampled, plane.axis)

    def extent_mm(self, plane: Plane) -> tuple[float, float, float, float]:
        """(left, right, bottom, top) of the slice's picture in mm, for matplotlib's imshow."""
        rows, columns = [axis for axis in range(3) if axis != plane.axis]
        left, right = self._edges_mm(columns)
        low, high = self._edges_mm(rows)
        return (left, right, high, low) if plane.axis == AXIAL else (left, right, low, high)

    def window_mm(self, plane: Plane) -> tuple[float, float, float, float]:
        """(left, right, bottom, top) of the body with a margin, inside the image: what the picture shows."""
        rows, columns = [axis for axis in range(3) if axis != plane.axis]
        (left, right), (low, high) = self._body_edges_mm[columns], self._body_edges_mm[rows]
        return (left, right, high, low) if plane.axis == AXIAL else (left, right, low, high)

    def mean_dose_profile_mgy(self, axis: int) -> np.ndarray:
        """Mean dose in the body for each CT slice along `axis` (NaN where there is no body)."""
        inside = self.body[np.ix_(*(self._dose_indices(a) for a in range(3)))]
        others = tuple(a for a in range(3) if a != axis)
        with np.errstate(invalid="ignore", divide="ignore"):
            profile = np.where(inside, self.dose_mgy, 0).sum(axis=others) / inside.sum(axis=others)
        return profile[self._nearest_dose_index(axis)]

    @cached_property
    def _body_edges_mm(self) -> list[tuple[float, float]]:
        edges = []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            held = np.flatnonzero(self.body.any(axis=others))
            low, high = self._edges_mm(axis)
            if len(held):
                positions, half = self._positions_mm(axis), self.ct.GetSpacing()[2 - axis] / 2
                low = max(low, positions[held[0]] - half - _MARGIN_MM)
                high = min(high, positions[held[-1]] + half + _MARGIN_MM)
            edges.append((low, high))
        return edges

    def _positions_mm(self, axis: int) -> np.ndarray:
        at = 2 - axis
        return self.ct.GetOrigin()[at] + self.ct.GetSpacing()[at] * np.arange(self.ct.GetSize()[at])

    def _edges_mm(self, axis: int) -> tuple[float, float]:
        positions, half = self._positions_mm(axis), self.ct.GetSpacing()[2 - axis] / 2
        return float(positions[0] - half), float(positions[-1] + half)

    def _dose_indices(self, axis: int) -> np.ndarray:
        """The CT index nearest to the centre of each dose voxel along an axis."""
        at, grid = 2 - axis, self.dose.dose_mgy
        centres_mm = grid.GetOrigin()[at] + grid.GetSpacing()[at] * np.arange(grid.GetSize()[at])
        index = np.rint((centres_mm - self.ct.GetOrigin()[at]) / self.ct.GetSpacing()[at]).astype(int)
        return np.clip(index, 0, self.ct.GetSize()[at] - 1)

    def _nearest_dose_index(self, axis: int) -> np.ndarray:
        at, grid = 2 - axis, self.dose.dose_mgy
        index = np.rint((self._positions_mm(axis) - grid.GetOrigin()[at]) / grid.GetSpacing()[at]).astype(int)
        return np.clip(index, 0, grid.GetSize()[at] - 1)


def informative_planes(views: PlaneViews, axes: Sequence[int] = (AXIAL, CORONAL, SAGITTAL)) -> list[Plane]:
    """The plane of each axis that shows most: where many organs are near their largest section and dose was given.

    Without organs, the plane with the most body times mean dose. Planes that received less than half of the body's
    mean dose are left aside, so that a scan of the abdomen does not show a head.
    """
    return [views.plane(axis, _best_index(views, axis)) for axis in axes]


def _best_index(views: PlaneViews, axis: int) -> int:
    others = tuple(a for a in range(3) if a != axis)
    score = np.zeros(views.hu.shape[axis])
    for name, selection in views.selections.items():
        if is_main_organ(name) and organ(name).tissue_weight not in _SPREAD_TISSUES:
            area = selection.mask(views.masks.layers, selection.box).sum(axis=others)
            score[selection.box[axis]] += area / area.max()
    dose_mgy, body = np.nan_to_num(views.mean_dose_profile_mgy(axis)), views.body.sum(axis=others)
    if not score.any():
        score = body * dose_mgy
    enough_mgy = 0.5 * np.average(dose_mgy, weights=body) if body.any() else 0.0
    return int(np.argmax(np.where(dose_mgy >= enough_mgy, score, -1)))
