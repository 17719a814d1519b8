"""TG-195 case 3: a compressed breast between two plates, in mammography and at the 15 degrees of a tomosynthesis."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp

from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.validation.comparison import Comparison
from organdose.validation.tg195_table import Published, beam, box_scores, disc_share, volume_rows

_SPECTRA = ("16.8 keV", "30 kVp")
_SPACING_MM = (2.0, 2.0, 1.0)
# From the chest wall (x = 0) and the middle of the breast; the focus stands above, 66 cm over the detector.
_LOWER_MM, _UPPER_MM = (-60.0, -172.0, -60.0), (142.0, 136.0, 625.0)
_RADIUS_MM, _HALF_HEIGHT_MM, _SKIN_MM, _PLATE_MM = 100.0, 25.0, 2.0, 2.0
_PLATE_DEPTH_MM, _PLATE_HALF_WIDTH_MM = 140.0, 130.0
_FOCUS_DETECTOR_MM, _DETECTOR_MM = 660.0, -40.0
_BOXES_MM = ((50, 50, 0), (20, 0, 0), (50, 0, 0), (80, 0, 0), (50, -50, 0), (50, 0, -15), (50, 0, 15))
_BOX_HALF_MM = (10.0, 10.0, 5.0)


def mammography(published: Published, histories: int, progress: Progress | None = None) -> list[Comparison]:
    """Energy (eV per history) in the breast without its skin and in seven boxes of it."""
    grid, scores = _breast(published)
    rows = []
    for mode, angle_deg in (("radiography", 0.0), ("tomosynthesis", 15.0)):
        angle, arm_mm = math.radians(angle_deg), _FOCUS_DETECTOR_MM + _DETECTOR_MM
        for spectrum in _SPECTRA:
            source = beam(published, spectrum, (0.0, -arm_mm * math.sin(angle), arm_mm * math.cos(angle)),
                          (0.5 * _PLATE_DEPTH_MM, 0.0, _DETECTOR_MM), (0.5 * _PLATE_DEPTH_MM, 0.0, 0.0),
                          (0.0, _PLATE_HALF_WIDTH_MM, 0.0))
            tally = run_photons(source, grid, photon_tables(grid.materials, source.highest_kev + 1.0),
                                StopRule(histories), regions=scores, progress=progress,
                                stage=f"TG-195 3, {mode}, {spectrum}")
            rows += volume_rows(published, "3", mode, spectrum, len(_BOXES_MM), tally)
    return rows


def _breast(published: Published):
    """Air with body (its first 6 cm: 16 keV photons come from no deeper), plates and the half cylinder of the breast.

    Voxels on the breast's rim hold what fills most of them.
    """
    counts = [round((high - low) / step) for low, high, step in zip(_LOWER_MM, _UPPER_MM, _SPACING_MM)]
    x, y, z = (low + step * (np.arange(n) + 0.5) for low, step, n in zip(_LOWER_MM, _SPACING_MM, counts))
    material = np.zeros(counts[::-1], np.uint8)
    behind, beside = x < 0, x > 0
    material[np.ix_(np.abs(z) < 150.0, np.abs(y) < 150.0, behind)] = 1
    plates = (np.abs(z) > _HALF_HEIGHT_MM) & (np.abs(z) < _HALF_HEIGHT_MM + _PLATE_MM)
    material[np.ix_(plates, np.abs(y) < _PLATE_HALF_WIDTH_MM, beside & (x < _PLATE_DEPTH_MM))] = 2
    outer = disc_share(x, y, _SPACING_MM[0], _RADIUS_MM) * beside
    inner = disc_share(x, y, _SPACING_MM[0], _RADIUS_MM - _SKIN_MM) * beside
    # The plane's air, skin and tissue shares decide by majority.
    in_plane = np.argmax([1 - outer, outer - inner, inner], axis=0)
    skin_layer = np.where(in_plane > 0, 3, 0)
    for k in np.flatnonzero(np.abs(z) < _HALF_HEIGHT_MM):
        tissue = np.abs(z[k]) < _HALF_HEIGHT_MM - _SKIN_MM
        plane = np.choose(in_plane, [0, 3, 4]) if tissue else skin_layer
        material[k][plane > 0] = plane[plane > 0]
    centre_mm = tuple(0.5 * (low + high) for low, high in zip(_LOWER_MM, _UPPER_MM))
    grid = published.grid(("air", "water", "pmma", "skin", "breast_20_80"), material, _SPACING_MM, centre_mm)
    whole = ((0.0, 0.0, 0.0), (_RADIUS_MM, _RADIUS_MM, _HALF_HEIGHT_MM))
    breast = box_scores(grid, [whole], material == 4)
    return grid, sp.csr_array(sp.vstack([breast, box_scores(grid, [(c, _BOX_HALF_MM) for c in _BOXES_MM])]))
