"""TG-195 case 2: a soft-tissue slab in the beam of a radiography unit, from above and at the 15 degrees of a
tomosynthesis."""

from __future__ import annotations

import math

import numpy as np

from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.validation.comparison import Comparison
from organdose.validation.tg195_table import Published, beam, box_scores, volume_rows

_SPECTRA = ("56.4 keV", "120 kVp")
_VOXEL_MM, _HALF_SLAB_MM, _SLAB_MM = 5.0, 195.0, 200.0
_FRONT_MM, _DETECTOR_MM = 1550.0, 1800.0  # from the focus
_CUBE_HALF_MM = 15.0
_CUBES_MM = ((0, -150, 0), (-150, 0, 0), (0, 0, 0), (150, 0, 0), (0, 150, 0), (0, 0, -60), (0, 0, -30), (0, 0, 30),
             (0, 0, 60))
_MARGIN_VOXELS = 10


def radiography(published: Published, histories: int, progress: Progress | None = None) -> list[Comparison]:
    """Energy (eV per history) in the slab and nine cubes of it, for two spectra and two directions."""
    grid, scores = _slab(published)
    rows = []
    for mode, angle_deg in (("radiography", 0.0), ("tomosynthesis", 15.0)):
        for spectrum in _SPECTRA:
            focus_mm = (0.0, -_DETECTOR_MM * math.tan(math.radians(angle_deg)), -_FRONT_MM)
            source = beam(published, spectrum, focus_mm, (0.0, 0.0, _DETECTOR_MM - _FRONT_MM),
                          (_HALF_SLAB_MM, 0.0, 0.0), (0.0, _HALF_SLAB_MM, 0.0))
            tally = run_photons(source, grid, photon_tables(grid.materials, source.highest_kev + 1.0),
                                StopRule(histories), regions=scores, progress=progress,
                                stage=f"TG-195 2, {mode}, {spectrum}")
            rows += volume_rows(published, "2", mode, spectrum, len(_CUBES_MM), tally)
    return rows


def _slab(published: Published):
    """Air from the focus on with the slab at its end; z runs with the beam, 0 at the slab's front."""
    margin = round(_DETECTOR_MM * math.tan(math.radians(15.0)) / _VOXEL_MM) + _MARGIN_VOXELS
    across = round(2 * _HALF_SLAB_MM / _VOXEL_MM)
    above, slab = round(_FRONT_MM / _VOXEL_MM), round(_SLAB_MM / _VOXEL_MM)
    material = np.zeros((above + slab + _MARGIN_VOXELS, margin + across + _MARGIN_VOXELS, across + 2 * _MARGIN_VOXELS),
                        np.uint8)
    material[above:above + slab, margin:margin + across, _MARGIN_VOXELS:_MARGIN_VOXELS + across] = 1
    centre_mm = (0.0, 0.5 * _VOXEL_MM * (_MARGIN_VOXELS - margin),
                 0.5 * _VOXEL_MM * (slab + _MARGIN_VOXELS - above))
    grid = published.grid(("air", "soft_tissue"), material, (_VOXEL_MM,) * 3, centre_mm)
    middle_mm = 0.5 * _SLAB_MM
    # The report counts cubes from the slab's middle; its z runs with the beam as well.
    cubes = [((x, y, middle_mm + z), (_CUBE_HALF_MM,) * 3) for x, y, z in _CUBES_MM]
    whole = ((0.0, 0.0, middle_mm), (_HALF_SLAB_MM, _HALF_SLAB_MM, middle_mm))
    return grid, box_scores(grid, [whole, *cubes])
