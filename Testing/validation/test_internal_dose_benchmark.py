"""The benchmark of internal dose measures a body that holds what was given to it."""

import numpy as np
import pytest

from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxel_phantom_stylised import stylised_voxel_phantom
from organdose.nuclear.biokinetics import biokinetics
from organdose.validation.internal_dose_benchmark import _organs, _whole_body


@pytest.fixture(scope="module")
def phantom():
    return stylised_voxel_phantom(load_phantom("adult-male"), 10.0)


def test_the_body_holds_the_decays_of_the_biokinetics(phantom):
    _, source = _whole_body(phantom, None)
    tiac_h = sum(biokinetics("fdg_icrp128").tiac_h.values())
    assert source.total_decays == pytest.approx(100e6 * 3600 * tiac_h, rel=1e-4)


def test_the_box_of_a_pet_keeps_head_and_trunk(phantom):
    grid, source = _whole_body(phantom, (120, 80, 80))
    whole, _ = _whole_body(phantom, None)
    assert grid.voxels.shape == source.decays.shape == (120, 80, 80)
    assert 0.7 < source.total_decays / _whole_body(phantom, None)[1].total_decays < 1
    tissue = [np.count_nonzero(each.voxels.density_g_cm3 > 0.2) for each in (grid, whole)]
    assert 0.6 < tissue[0] / tissue[1] < 1


def test_only_organs_above_fifty_grams_decide(phantom):
    grid, _ = _whole_body(phantom, None)
    names, mass_g = _organs(phantom, grid)
    assert {"liver", "brain", "kidneys", "spleen"} <= set(names) and "thyroid_gland" not in names
    assert float(mass_g.sum(axis=1).min()) > 30
