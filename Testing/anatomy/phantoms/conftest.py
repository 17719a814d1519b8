"""One coarse voxelisation of the male trunk, shared by the tests."""

import pytest

from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import VoxelPhantom, voxelise


@pytest.fixture(scope="session")
def male_trunk() -> VoxelPhantom:
    return voxelise(load_phantom("adult-male"), (1.5, 1.5, 5), (-177.5, 800))
