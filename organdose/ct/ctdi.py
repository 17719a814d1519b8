"""CTDI phantoms: the link between simulated photons and the dose a scanner states.

A helical or axial scan with the photon line density n(z) (photons per mm of beam travel) has the CTDIvol k n(z), where
k is the dose-length product per photon in the CTDI phantom, 1/3 centre + 2/3 periphery, integrated over the 100 mm
chamber (IEC 60601-2-44; AAPM report 96). k is simulated here with the same tube, bowtie and collimation as the patient.

Beams wider than 40 mm would shine past the chamber: IEC 60601-2-44 (edition 3, amendment 1, 2012) then defines the CTDI
as that of a reference beam, here 20 mm, times the ratio of the two beams' CTDI free in air.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace

import numpy as np
import scipy.sparse as sp

from organdose.computed_cache import cache_folder, code_digest, fingerprint, keep
from organdose.ct.tube import Tube
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import XRaySource
from organdose.dose_map import MGY_KG_PER_KEV
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.materials import DRY_AIR, PMMA, PMMA_DENSITY_G_CM3
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.voxel_grid import VoxelGrid

# Slices end at +-50 mm, where the chamber ends.
_PIXEL_MM, _SLICE_MM, _LENGTH_MM, _CHAMBER_MM = 2.0, 5.0, 150.0, 100.0
_HOLE_DEPTH_MM = 10.0
_HOLE_RADIUS_MM = 6.5
_HISTORIES = 20_000_000
_WANTED_PERCENT = 0.5
_WIDEST_MEASURED_MM, _REFERENCE_MM = 40.0, 20.0


@dataclass(frozen=True)
class CTDICalibration:
    """Dose-length per emitted photon (mGy mm, to air) at the centre and 10 mm under the surface of a CTDI phantom.

    `relative_uncertainty` is that of the weighted sum, `ratio_uncertainty` that of centre over periphery (relative).
    """

    phantom_cm: float
    centre_mgy_mm: float
    periphery_mgy_mm: float
    relative_uncertainty: float
    histories: int
    ratio_uncertainty: float = 0.0

    @property
    def weighted_mgy_mm(self) -> float:
        """k: 1/3 centre + 2/3 periphery."""
        return self.centre_mgy_mm / 3 + 2 * self.periphery_mgy_mm / 3


def ctdi_phantom(phantom_cm: float, length_mm: float = _LENGTH_MM) -> tuple[VoxelGrid, sp.csr_array]:
    """The PMMA cylinder (axis at the origin) and the dose scores of its chambers: centre, periphery.

    The five holes are filled with air of PMMA's density, so that the energy left in them is the dose to air in PMMA's
    photon field while enough photons stop there. The scores turn keV in the grid into mGy mm over 100 mm.
    """
    radius_mm = 5.0 * phantom_cm
    count = 2 * math.ceil((radius_mm + 2 * _PIXEL_MM) / _PIXEL_MM)
    centres_mm = (np.arange(count) - 0.5 * (count - 1)) * _PIXEL_MM
    slices = round(length_mm / _SLICE_MM)
    plane = _disc(centres_mm, 0, 0, radius_mm)
    ring_mm = radius_mm - _HOLE_DEPTH_MM
    holes = [(0.0, 0.0), (ring_mm, 0.0), (-ring_mm, 0.0), (0.0, ring_mm), (0.0, -ring_mm)]
    inside = [_disc(centres_mm, x, y, _HOLE_RADIUS_MM) > 0.5 for x, y in holes]
    material = np.zeros((slices, count, count), np.uint8)
    material[:, np.any(inside, axis=0)] = 1
    density = np.broadcast_to((PMMA_DENSITY_G_CM3 * plane).astype(np.float32), material.shape).copy()
    origin_mm = (centres_mm[0], centres_mm[0], -0.5 * (slices - 1) * _SLICE_MM)
    grid = VoxelGrid((PMMA, DRY_AIR), material, density, (_PIXEL_MM, _PIXEL_MM, _SLICE_MM), origin_mm)
    z_mm = origin_mm[2] + _SLICE_MM * np.arange(slices)
    in_chamber = np.abs(z_mm) < 0.5 * _CHAMBER_MM
    scores = []
    for chamber in (inside[0], np.any(inside[1:], axis=0)):
        voxels = in_chamber[:, None, None] & chamber[None]
        mass_kg = grid.voxel_mass_kg[voxels].sum()
        scores.append(np.where(voxels, _CHAMBER_MM * MGY_KG_PER_KEV / mass_kg, 0.0).ravel())
    return grid, sp.csr_array(np.stack(scores))


def _disc(centres_mm: np.ndarray, x_mm: float, y_mm: float, radius_mm: float, parts: int = 10) -> np.ndarray:
    """Part of each pixel (y, x) that lies in a circle."""
    offsets = (np.arange(parts) - 0.5 * (parts - 1)) * _PIXEL_MM / parts
    fine = (centres_mm[:, None] + offsets).ravel()
    inside = (fine[:, None] - y_mm) ** 2 + (fine[None, :] - x_mm) ** 2 <= radius_mm**2
    count = len(centres_mm)
    return inside.reshape(count, parts, count, parts).mean(axis=(1, 3))


def simulate_ctdi(source: XRaySource, phantom_cm: float, *, seed: int = 1, histories: int = _HISTORIES,
                  wanted_percent: float | None = _WANTED_PERCENT, progress: Progress | None = None) -> CTDICalibration:
    """One axial rotation of `source` around the CTDI phantom at the isocentre, as wide as IEC 60601-2-44 asks for."""
    grid, scores = ctdi_phantom(phantom_cm)
    at_centre = replace(source, path=TubePath.axial(0.0), isocentre_mm=(0.0, 0.0))
    in_air = 1.0
    if source.total_collimation_mm > _WIDEST_MEASURED_MM:
        at_centre = replace(at_centre, total_collimation_mm=_REFERENCE_MM)
        in_air = free_air_kerma_length(source) / free_air_kerma_length(at_centre)
    tables = photon_tables(grid.materials, max(source.highest_kev, 60.0) + 1.0)
    tally = run_photons(at_centre, grid, tables, StopRule(histories, wanted_percent), seed=seed, regions=scores,
                        progress=progress, stage="CTDI calibration")
    centre, periphery = (in_air * float(value) for value in tally.regions)
    parts = tally.region_relative_uncertainty * np.array([centre / 3, 2 * periphery / 3])
    return CTDICalibration(phantom_cm, centre, periphery, float(np.hypot(*parts) / (centre / 3 + 2 * periphery / 3)),
                           tally.histories, float(np.hypot(*tally.region_relative_uncertainty)))


def free_air_kerma_length(source: XRaySource) -> float:
    """Air kerma free in air integrated along the axis, for each emitted photon (keV cm2/g per mm, arbitrary scale).

    A direction (fan angle 0, elevation e) meets the axis at F tan(e), where the fluence goes with cos(e)^2 / F^2.
    """
    shares = np.array([tube.share for tube in source.tubes])
    return float(np.dot(shares / shares.sum(), [_axial_kerma(tube, source) for tube in source.tubes]))


def _axial_kerma(tube: Tube, source: XRaySource, fans: int = 65, heights: int = 64) -> float:
    focus_mm = source.focus_isocentre_mm
    fan_sine = math.sin(tube.fan_half_angle_rad) * (2 * np.arange(fans) / (fans - 1) - 1)
    fan_cosine = np.sqrt(1 - fan_sine**2)
    slopes = np.linspace(-0.5, 0.5, heights + 1) * source.total_collimation_mm / focus_mm * fan_cosine[:, None]
    elevation_sine = slopes / np.sqrt(1 + slopes**2)
    middle, steps = 0.5 * (elevation_sine[:, 1:] + elevation_sine[:, :-1]), np.diff(elevation_sine, axis=1)
    photons = tube.photons(fan_sine, middle, focus_mm)
    emitted = np.trapezoid((photons.sum(axis=2) * steps).sum(axis=1) / fan_cosine, fan_sine)
    kerma = tube.spectrum.with_photons(photons[fans // 2]).air_kerma_each
    return float(np.sum(kerma * steps[fans // 2] / np.sqrt(1 - middle[fans // 2] ** 2)) / focus_mm / emitted)


def calibrated(source: XRaySource, phantom_cm: float, *, progress: Progress | None = None) -> CTDICalibration:
    """`simulate_ctdi`, remembered in the user's cache folder for the same tube, bowtie, beam and code."""
    path = cache_folder("ctdi") / f"{_fingerprint(source, phantom_cm)}.json"
    try:
        return CTDICalibration(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        pass
    calibration = simulate_ctdi(source, phantom_cm, wanted_percent=_WANTED_PERCENT, progress=progress)
    keep(path, lambda part: part.write_text(json.dumps(asdict(calibration)), encoding="utf-8"))
    return calibration


def _fingerprint(source: XRaySource, phantom_cm: float) -> str:
    tubes = [(tube.fan_half_angle_rad, tube.bowtie, tube.anode_angle_deg, tube.share, tube.offset_rad,
              tube.spectrum.bin_kev, tube.spectrum.energies_kev.tolist(),
              [float(f"{p:.6g}") for p in tube.spectrum.photons]) for tube in source.tubes]
    return fingerprint(code_digest("ct/*.py", "transport/*.py"), phantom_cm, _WANTED_PERCENT,
                       source.focus_isocentre_mm, source.total_collimation_mm, source.focal_spot, tubes)
