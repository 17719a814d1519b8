"""Small grids, masks and dose maps with known answers."""

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.dose_map import DoseMap


def _grid(size, spacing=(1.0, 1.0, 1.0), corner=(0.0, 0.0, 0.0)) -> sitk.Image:
    """Empty image of `size` (x, y, z) whose outer corner lies at `corner` (mm)."""
    image = sitk.Image([int(n) for n in size], sitk.sitkFloat32)
    image.SetSpacing([float(s) for s in spacing])
    image.SetOrigin([c + s / 2 for c, s in zip(corner, spacing, strict=True)])
    return image


def _masks(reference: sitk.Image, **organs: np.ndarray) -> OrganMasks:
    masks = OrganMasks(reference)
    for name, mask in organs.items():
        masks.add(name, mask)
    return masks


def _dose_map(grid: sitk.Image, dose_mgy: np.ndarray, organ_uncertainty: dict[str, float] | None = None) -> DoseMap:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, dtype=np.float32))
    image.CopyInformation(grid)
    return DoseMap(image, np.ones(dose_mgy.shape, np.float32), "test",
                   organ_relative_uncertainty=organ_uncertainty or {})


@pytest.fixture
def grid() -> Callable[..., sitk.Image]:
    return _grid


@pytest.fixture
def make_masks() -> Callable[..., OrganMasks]:
    return _masks


@pytest.fixture
def dose_map() -> Callable[..., DoseMap]:
    return _dose_map


@pytest.fixture
def ball() -> Callable[..., np.ndarray]:
    """Boolean ball in an array of `shape` (z, y, x), in voxels."""
    def make(shape, centre, radius) -> np.ndarray:
        axes = np.ogrid[tuple(slice(0, n) for n in shape)]
        return sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)) < radius ** 2
    return make


class ArrayDrawing:
    """Masks in arrays that a test draws on: `layers` as stored, each beginning at its voxel of `corners`."""

    def __init__(self, layers, segments, corners=None, notes=None):
        self.layers, self.segments = layers, segments
        self.corners = corners or [(0, 0, 0)] * len(layers)
        self.notes = notes or {}

    @property
    def stamps(self):
        return [(layer.shape, layer.tobytes(), corner) for layer, corner in zip(self.layers, self.corners)]

    def layer(self, index):
        return self.layers[index], self.corners[index]


@pytest.fixture
def drawing() -> type[ArrayDrawing]:
    return ArrayDrawing
