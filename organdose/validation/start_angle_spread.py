"""How much the dose under the surface of a cylinder differs with the start angle of a helical scan, by pitch.

Beams of one turn and the next abut at the entrance surface where pitch = (F - r) / F (F: focus-isocentre distance, r:
radius): there the start angle matters least (Zhang et al., Med Phys 36 (2009) 1025: 0.74 for a 32 cm phantom, and up to
65 % of ripple at a pitch of 1.5).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.ct.engines import engine
from organdose.patient.dose_grid import DoseGrid, dose_grid
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition, Fact, Origin

_DIAMETER_MM, _LENGTH_MM, _VOXEL_MM = 320.0, 200.0, 5.0
_DEPTH_MM = (2.0, 18.0)
_LUMPS_MM = np.arange(-40.0, 41.0, 10.0)  # places along z, each 10 mm long and 24 mm wide
_FOCUS_ISOCENTRE_MM = 595.0


def start_angle_spreads(pitches: Sequence[float], *, total_collimation_mm: float = 40.0, histories: int = 4_000_000,
                        progress: Progress | None = None) -> dict[float, float]:
    """Standard deviation of single scans around their mean in percent, under the front surface of 32 cm of water
    (root mean square over places along z), for each pitch."""
    image, monte_carlo = _cylinder(), engine("mc")
    grid = dose_grid(image, _VOXEL_MM, schneider2000())
    lumps = _surface_lumps(grid)
    names = tuple(f"{z:g} mm" for z in _LUMPS_MM)
    parameters = monte_carlo.parameters(scanner="generic", histories=histories, start_angle="sampled")
    spreads = {}
    for pitch in pitches:
        study = CTStudy(image, _acquisition(pitch, total_collimation_mm))
        dose = monte_carlo.run(study, grid, parameters, organs=names, organ_mass_g=lumps, progress=progress)
        percent = np.array(list(dose.facts["start_angle_spread_percent"].values()))
        spreads[pitch] = float(np.sqrt(np.mean(percent**2)))
    return spreads


def _cylinder() -> sitk.Image:
    """32 cm of water in air, 20 cm long."""
    count = int(_DIAMETER_MM / _VOXEL_MM) + 6
    places_mm = (np.arange(count) - 0.5 * (count - 1)) * _VOXEL_MM
    inside = np.hypot(places_mm[:, None], places_mm[None, :]) <= 0.5 * _DIAMETER_MM
    slices = round(_LENGTH_MM / _VOXEL_MM)
    image = sitk.GetImageFromArray(np.broadcast_to(np.where(inside, 0, -1000), (slices, count, count)).astype(np.int16))
    image.SetSpacing((_VOXEL_MM,) * 3)
    image.SetOrigin((float(places_mm[0]), float(places_mm[0]), 0.5 * (_VOXEL_MM - _LENGTH_MM)))
    return image


def _surface_lumps(grid: DoseGrid) -> sp.csr_matrix:
    """Masses in g (lumps, voxels) of places just under the front surface."""
    z_mm, y_mm, x_mm = (grid.voxels.origin_mm[axis] + grid.voxels.spacing_mm[axis] * np.arange(count)
                        for axis, count in zip((2, 1, 0), grid.voxels.shape))
    depth_mm = y_mm + 0.5 * _DIAMETER_MM
    under = ((depth_mm > _DEPTH_MM[0]) & (depth_mm < _DEPTH_MM[1]))[:, None] & (np.abs(x_mm) < 12.0)
    mass_g = 1000 * grid.voxels.voxel_mass_kg
    rows = [(mass_g * ((np.abs(z_mm - place) < 5.0)[:, None, None] & under)).ravel() for place in _LUMPS_MM]
    return sp.csr_matrix(np.stack(rows))


def _acquisition(pitch: float, total_collimation_mm: float) -> CTAcquisition:
    known = {"tube_voltage_kv": 120.0, "total_collimation_mm": total_collimation_mm, "ctdi_phantom_cm": 32.0,
             "pitch": pitch, "scan_kind": "helical", "ctdivol_mgy": (10.0,), "isocentre_mm": (0.0, 0.0),
             "focus_isocentre_mm": _FOCUS_ISOCENTRE_MM}
    return CTAcquisition(**{name: Fact(value, Origin.protocol) for name, value in known.items()})
