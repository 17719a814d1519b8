"""Small worlds for internal dose: frames of uniform activity, grids of soft tissue."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.media import SOFT_TISSUE
from organdose.nuclear.progeny import with_progeny
from organdose.patient.dose_grid import DoseGrid
from organdose.study.activity_study import ActivityFrame
from organdose.study.facts import Fact, Origin
from organdose.study.nuclear_facts import NuclearAcquisition
from organdose.transport.voxel_grid import VoxelGrid

INJECTED_AT = datetime(2025, 3, 14, 9, 0)


@pytest.fixture
def make_frame():
    """A frame of `values` (z, y, x) in Bq/ml that begins `start_s` after the administration, as it was then."""
    def make(values, start_s=0.0, duration_s=0.0, voxel_mm=4.0, origin_mm=(0.0, 0.0, 0.0)) -> ActivityFrame:
        image = sitk.GetImageFromArray(np.asarray(values, np.float32))
        image.SetSpacing((voxel_mm,) * 3)
        image.SetOrigin(origin_mm)
        at = INJECTED_AT + timedelta(seconds=start_s)
        facts = NuclearAcquisition(injected_at=Fact(INJECTED_AT, Origin.protocol))
        return ActivityFrame(image, facts, start_at=at, start_s=start_s, duration_s=duration_s, reference_at=at,
                             reference_s=start_s, decay_correction="NONE")
    return make


@pytest.fixture
def tissue_grid():
    """A dose grid of soft tissue (or of `materials` by index): `shape` (z, y, x) cubes of `voxel_mm`."""
    def make(shape, voxel_mm, materials=None, densities=None, index=None) -> DoseGrid:
        materials = materials or (SOFT_TISSUE.material,)
        densities = densities or (SOFT_TISSUE.density_g_cm3,)
        index = np.zeros(shape, np.uint8) if index is None else index
        voxels = VoxelGrid.of_materials(materials, densities, index, (voxel_mm,) * 3)
        geometry = sitk.GetImageFromArray(voxels.density_g_cm3)
        geometry.SetSpacing(voxels.spacing_mm)
        geometry.SetOrigin(voxels.origin_mm)
        return DoseGrid(geometry, voxels, voxels.density_g_cm3)
    return make


@pytest.fixture
def make_source():
    """Decays (z, y, x) of a nuclide as engines take them."""
    def make(nuclide, decays, administered_bq=None) -> ActivityIntegral:
        decays = np.asarray(decays, np.float32)
        return ActivityIntegral(decays, np.full(decays.shape, np.nan, np.float32), with_progeny(nuclide),
                                administered_bq, "physical")
    return make
