"""Whichever way a CT's axes run in memory, its voxels lie where SimpleITK says they lie."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.assess.hu_density import HUDensity
from organdose.assess.patient_grid import PatientGrid
from organdose.errors import InputError


def _grid(image):
    return PatientGrid.of(image.GetOrigin(), image.GetSpacing(), image.GetDirection(), image.GetSize())


def _image(axes, signs):
    image = sitk.GetImageFromArray(np.random.default_rng(1).integers(-1000, 900, (4, 5, 6)).astype(np.int16))
    direction = np.zeros((3, 3))
    direction[list(axes), range(3)] = signs
    image.SetDirection(direction.ravel().tolist())
    image.SetSpacing((1.5, 2.5, 3.5))
    image.SetOrigin((-7.0, 11.0, -300.25))
    return image


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_every_voxel_is_found_at_its_place(axes, signs):
    image = _image(axes, signs)
    grid, stored = _grid(image), sitk.GetArrayFromImage(image)
    turned = grid.turned(stored)
    assert turned.shape == grid.shape and np.shares_memory(turned, stored)
    assert grid.stored_shape == stored.shape
    for z, y, x in np.ndindex(turned.shape):
        place_mm = np.array(grid.origin_mm) + np.array(grid.spacing_mm) * (x, y, z)
        assert turned[z, y, x] == image[image.TransformPhysicalPointToIndex(place_mm.tolist())]
    box = (slice(1, 3), slice(0, 4), slice(2, 5))
    inside = np.zeros(stored.shape, bool)
    inside[box] = True
    found = np.zeros(grid.shape, bool)
    found[grid.turned_box(box)] = True
    assert np.array_equal(grid.turned(inside), found)


def test_an_oblique_grid_is_refused():
    image = _image((0, 1, 2), (1, 1, 1))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    with pytest.raises(InputError, match="not aligned with the patient axes"):
        _grid(image)


def test_a_tilt_that_is_only_rounding_is_none():
    image = _image((0, 1, 2), (1, 1, 1))
    image.SetDirection((1, 1e-6, 0, -1e-6, 1, 0, 0, 0, 1))
    assert _grid(image).order == (0, 1, 2)


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.uint16])
def test_looked_up_densities_are_those_of_the_tissue_table(kind):
    hu = np.linspace(0, 9000, 240).reshape(4, 6, 10).astype(kind)
    if kind is not np.uint16:
        hu -= 1500
    part = (slice(1, 3), slice(0, 6), slice(2, 9))
    density = HUDensity(hu[:, ::-1], schneider2000())
    assert np.array_equal(density[part], schneider2000().density_g_cm3(hu[:, ::-1])[part])
    assert density[part].dtype == np.float32
