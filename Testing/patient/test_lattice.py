"""The voxels that dose is computed in: their place, their extent, and how much of each an image fills."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.errors import InputError
from organdose.patient.dose_grid import dose_grid
from organdose.patient.lattice import carried_on, cubes_over


def image(size, spacing, origin, value=0):
    made = sitk.Image([int(n) for n in size], sitk.sitkInt16) + value
    made.SetSpacing([float(s) for s in spacing])
    made.SetOrigin([float(o) for o in origin])
    return made


def test_cubes_begin_at_the_corner_of_the_ct_and_cover_it():
    lattice = cubes_over(image((100, 90, 33), (0.98, 0.98, 3.0), (-49.0, -40.0, 10.0)), 5.0)
    assert lattice.size == (20, 18, 20)
    assert lattice.edges_mm(0)[0] == pytest.approx(-49.49)
    assert lattice.edges_mm(2)[0] == pytest.approx(8.5)


def test_a_pet_is_carried_on_over_a_longer_ct_without_moving_its_voxels():
    pet = image((50, 50, 20), (4.0, 4.0, 3.0), (-98.0, -98.0, 0.0))
    ct = image((100, 100, 40), (1.5, 1.5, 2.5), (-74.25, -74.25, -20.0))
    lattice = carried_on(pet, ct)
    assert lattice.spacing_mm == (4.0, 4.0, 3.0)
    assert lattice.size[:2] == (50, 50)
    steps = (np.asarray(pet.GetOrigin()) - lattice.origin_mm) / lattice.spacing_mm
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert lattice.edges_mm(2)[0] <= -21.25 and lattice.edges_mm(2)[-1] >= 78.75


def test_parts_of_an_image_add_up_to_its_volume():
    pet = image((7, 6, 5), (4.0, 4.0, 3.0), (1.0, 2.0, 3.0))
    lattice = carried_on(pet, pet, 2.3)
    x, y, z = lattice.parts_of(pet)
    volume = x.sum() * y.sum() * z.sum() * lattice.voxel_ml
    assert volume == pytest.approx(7 * 6 * 5 * 48e-3, rel=1e-9)


def test_dose_voxels_beyond_the_ct_are_air():
    pet = image((10, 10, 10), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    ct = image((10, 10, 5), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    grid = dose_grid(ct, carried_on(pet, ct), schneider2000())
    np.testing.assert_allclose(grid.voxels.density_g_cm3[5:], 0.00121, rtol=1e-3)
    assert np.all(grid.voxels.material_index[5:] == schneider2000().material_index(np.array([-1000.0]))[0])
    assert grid.voxels.density_g_cm3[:5].min() > 0.9


def test_images_of_two_places_are_refused():
    with pytest.raises(InputError, match="of one patient"):
        carried_on(image((50, 50, 50), (2, 2, 2), (0, 0, 0)), image((50, 50, 50), (2, 2, 2), (3000, 3000, 3000)))
