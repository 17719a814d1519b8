"""How alike two images of a patient are under a transform, and how far it moves him."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

_BINS = 32
_FIELD_MM = 8.0


@dataclass(frozen=True)
class Displacement:
    """Where a transform takes the points of the patient: lengths in mm, their mean as a vector (mm, LPS), and the
    smallest and largest local change of volume (determinant of the Jacobian; 1 changes nothing, 0 or less folds)."""

    mean_mm: float
    largest_mm: float
    mean_vector_mm: tuple[float, float, float]
    smallest_jacobian: float
    largest_jacobian: float


def likeness(fixed: sitk.Image, moving: sitk.Image, patient: sitk.Image, transform: sitk.Transform,
             measure: str) -> tuple[float, float]:
    """'correlation' (-1..1) or 'mutual_information' (nats, 32 bins) of the images in `patient` (uint8), as far as
    `transform` leads into the moving image, and the part of the patient for which it does. Larger is more alike.
    """
    there = sitk.Resample(_ones(moving), fixed, transform, sitk.sitkNearestNeighbor, 0)
    in_patient = sitk.GetArrayViewFromImage(patient) > 0
    inside = in_patient & (sitk.GetArrayViewFromImage(there) > 0)
    moved = sitk.Resample(moving, fixed, transform, sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    first, second = (sitk.GetArrayViewFromImage(image)[inside].astype(np.float64) for image in (fixed, moved))
    return _likeness(first, second, measure), np.count_nonzero(inside) / max(1, np.count_nonzero(in_patient))


def _likeness(first: np.ndarray, second: np.ndarray, measure: str) -> float:
    if first.size < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    if measure == "correlation":
        return float(np.corrcoef(first, second)[0, 1])
    together, _, _ = np.histogram2d(first, second, _BINS)
    together /= together.sum()
    apart = np.outer(together.sum(axis=1), together.sum(axis=0))
    some = together > 0
    return float((together[some] * np.log(together[some] / apart[some])).sum())


def _ones(image: sitk.Image) -> sitk.Image:
    ones = sitk.Image(image.GetSize(), sitk.sitkUInt8) + 1
    ones.CopyInformation(image)
    return ones


def displacement(transform: sitk.Transform, patient: sitk.Image) -> Displacement:
    """Of the points in `patient` (uint8), on a grid of about 8 mm."""
    spacing = np.maximum(patient.GetSpacing(), _FIELD_MM)
    size = np.maximum(2, np.ceil(np.array(patient.GetSize()) * patient.GetSpacing() / spacing)).astype(int)
    grid = sitk.Resample(patient, size.tolist(), sitk.Transform(), sitk.sitkNearestNeighbor, patient.GetOrigin(),
                         spacing.tolist(), patient.GetDirection(), 0)
    field = displacement_field(transform, grid)
    inside = sitk.GetArrayViewFromImage(grid) > 0
    vectors = sitk.GetArrayViewFromImage(field)[inside]
    lengths = np.linalg.norm(vectors, axis=1)
    jacobian = jacobian_determinant(field)[inside]
    return Displacement(float(lengths.mean()), float(lengths.max()), tuple(vectors.mean(axis=0).tolist()),
                        float(jacobian.min()), float(jacobian.max()))


def displacement_field(transform: sitk.Transform, grid: sitk.Image) -> sitk.Image:
    """Vectors in mm (float64) from the voxels of `grid` to where `transform` takes them."""
    return sitk.TransformToDisplacementField(transform, sitk.sitkVectorFloat64, grid.GetSize(), grid.GetOrigin(),
                                             grid.GetSpacing(), grid.GetDirection())


def jacobian_determinant(field: sitk.Image) -> np.ndarray:
    """Local change of volume (z, y, x) of a displacement field in mm (at least 2 voxels a side).

    By differences between neighbours, one-sided at the border, where ITK's filter leaves out what it cannot know.
    """
    vectors = sitk.GetArrayViewFromImage(field)
    turn = np.array(field.GetDirection()).reshape(3, 3)
    along = np.stack([np.gradient(vectors, mm, axis=2 - axis) for axis, mm in enumerate(field.GetSpacing())], axis=-1)
    return np.linalg.det(np.eye(3) + along @ turn.T)  # derivatives along the voxels' axes to those along x, y, z
