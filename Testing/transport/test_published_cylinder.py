"""A CT beam in a PMMA cylinder against published codes: TG-195 case 4.1, one beam with few histories."""

import numpy as np
import pytest

from organdose.transport.cross_sections import photon_tables
from organdose.transport.materials import DRY_AIR, DRY_AIR_DENSITY_G_CM3, PMMA, PMMA_DENSITY_G_CM3
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.rectangular_beam import RectangularBeam
from organdose.transport.voxel_grid import VoxelGrid

# Sechopoulos et al., Med Phys 42 (2015) 5679, 56.4 keV, 10 mm collimation: mean of EGSnrc, Geant4 and PENELOPE, eV per
# history in four 1 cm discs of the cylinder (radius 16 cm), 0 to 3 cm from the beam.
PUBLISHED_EV = (11594.8, 2575.1, 1764.2, 1330.3)


@pytest.mark.parametrize("scoring", ["stops", "tracks"])
def test_four_discs_of_a_pmma_cylinder_receive_what_published_codes_say_within_one_percent(scoring):
    x_mm, y_mm = np.arange(-605.0, 166.0, 5.0), np.arange(-165.0, 166.0, 5.0)
    pmma = x_mm**2 + y_mm[:, None] ** 2 < 160.0**2
    index = np.broadcast_to((~pmma).astype(np.uint8), (61, *pmma.shape))
    grid = VoxelGrid.of_materials((PMMA, DRY_AIR), (PMMA_DENSITY_G_CM3, DRY_AIR_DENSITY_G_CM3), index,
                                  (5.0, 5.0, 10.0), (x_mm.mean(), 0.0, 0.0))
    labels = np.zeros(grid.shape, np.uint8)
    for disc in range(4):
        labels[30 + disc][pmma] = 1 + disc
    beam = RectangularBeam((-600.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 160.0, 0.0), (0.0, 0.0, 5.0), [56.4])
    tally = run_photons(beam, grid, photon_tables(grid.materials), StopRule(400_000), regions=labels, scoring=scoring)
    for n, published_ev in enumerate(PUBLISHED_EV, start=1):
        sigma = tally.region_relative_uncertainty[n]
        assert 1000 * tally.regions[n] == pytest.approx(published_ev, rel=0.01 + 3 * sigma)
    assert tally.region_relative_uncertainty[1:].max() < 0.015
