"""TG-195 case 4: a long PMMA cylinder in a CT beam: discs along its axis (4.1), rods at every angle (4.2)."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp

from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, Tally, run_photons
from organdose.transport.voxel_grid import VoxelGrid
from organdose.validation.comparison import Comparison
from organdose.validation.tg195_table import Published, beam, disc_share

_SPECTRA, _COLLIMATIONS_MM = ("56.4 keV", "120 kVp"), (10, 80)
_FOCUS_MM, _RADIUS_MM, _SLICE_MM = 600.0, 160.0, 10.0
_SLICES = 81  # 81 cm of the report's 3 m: scatter from further away does not count
_DISCS = 4
_ROD_RADIUS_MM, _ROD_OFF_CENTRE_MM, _ROD_SLICES = 5.0, 150.0, 10
_ANGLES_DEG = tuple(range(0, 360, 10))


def discs(published: Published, histories: int, progress: Progress | None = None,
          pixel_mm: float = 2.5) -> list[Comparison]:
    """Case 4.1: energy (eV per history) in four 1 cm discs."""
    grid, share, _ = _cylinder(published, pixel_mm, slice_mm=_SLICE_MM, slices=_SLICES)
    middle = _SLICES // 2
    scores = _plane_scores(grid, [(share, slice(middle + n, middle + n + 1)) for n in range(_DISCS)])
    rows = []
    for spectrum in _SPECTRA:
        for collimation_mm in _COLLIMATIONS_MM:
            tally = _run(published, grid, scores, spectrum, collimation_mm, histories, progress, "4.1")
            for n in range(_DISCS):
                row = published.row("Case 4.1", f"VOI {n + 1}", spectrum, f"{collimation_mm}mm collimation")
                rows.append(published.compared(f"4.1 {spectrum} {collimation_mm} mm VOI {n + 1}", row,
                                               1000 * float(tally.regions[n]),
                                               float(tally.region_relative_uncertainty[n])))
    return rows


def rods(published: Published, histories: int, progress: Progress | None = None,
         pixel_mm: float = 1.25) -> list[Comparison]:
    """Case 4.2: energy (eV per history) in a rod on the axis and one 15 cm off it, for 36 angles of the focus.

    The cylinder is round: instead of the focus the rod moves, and one run tells all angles.
    """
    slices = _SLICES - 1  # the chamber's 10 slices lie even about the beam
    grid, _, (x_mm, y_mm) = _cylinder(published, pixel_mm, slice_mm=_SLICE_MM, slices=slices)
    chamber = slice(slices // 2 - _ROD_SLICES // 2, slices // 2 + _ROD_SLICES // 2)
    places = [(0.0, 0.0)] + [(-_ROD_OFF_CENTRE_MM * math.cos(math.radians(a)),
                              _ROD_OFF_CENTRE_MM * math.sin(math.radians(a))) for a in _ANGLES_DEG]
    scores = _plane_scores(grid, [(disc_share(x_mm, y_mm, pixel_mm, _ROD_RADIUS_MM, place), chamber)
                                  for place in places])
    rows = []
    for spectrum in _SPECTRA:
        for collimation_mm in _COLLIMATIONS_MM:
            tally = _run(published, grid, scores, spectrum, collimation_mm, histories, progress, "4.2")
            for place, spelled in (("Center", "Center"), ("Periphery", "Pherifery")):  # as the published rows spell it
                for n, angle in enumerate(_ANGLES_DEG):
                    region = 0 if place == "Center" else 1 + n
                    row = published.row("Case 4.2", str(angle), spectrum, f"{spelled} {collimation_mm}mm collimation")
                    rows.append(published.compared(
                        f"4.2 {spectrum} {collimation_mm} mm {place.lower()} {angle} deg", row,
                        1000 * float(tally.regions[region]), float(tally.region_relative_uncertainty[region])))
    return rows


def _run(published: Published, grid: VoxelGrid, scores: sp.csr_array, spectrum: str, collimation_mm: float,
         histories: int, progress: Progress | None, case: str) -> Tally:
    source = beam(published, spectrum, (-_FOCUS_MM, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, _RADIUS_MM, 0.0),
                  (0.0, 0.0, 0.5 * collimation_mm))
    return run_photons(source, grid, photon_tables(grid.materials, source.highest_kev + 1.0), StopRule(histories),
                       regions=scores, progress=progress, stage=f"TG-195 {case}, {collimation_mm} mm, {spectrum}")


def _cylinder(published: Published, pixel_mm: float, slice_mm: float, slices: int):
    """The cylinder (axis z) and the air up to the focus; PMMA on the rim has a density that keeps its mass.

    Returns the grid, PMMA's share of each pixel and the pixel centres along x and y.
    """
    beyond = math.ceil(1.02 * _RADIUS_MM / pixel_mm)
    before = math.ceil((_FOCUS_MM + 1.0) / pixel_mm)
    x_mm = pixel_mm * (np.arange(-before, beyond) + 0.5)
    y_mm = pixel_mm * (np.arange(-beyond, beyond) + 0.5)
    share = disc_share(x_mm, y_mm, pixel_mm, _RADIUS_MM)
    (pmma, pmma_density), (air, air_density) = published.material("pmma"), published.material("air")
    plane = np.where(share > 0, pmma_density * share, air_density).astype(np.float32)
    density = np.broadcast_to(plane, (slices, *plane.shape)).copy()
    material = np.broadcast_to((share == 0).astype(np.uint8), density.shape).copy()
    grid = VoxelGrid((pmma, air), material, density, (pixel_mm, pixel_mm, slice_mm),
                     (x_mm[0], y_mm[0], -0.5 * (slices - 1) * slice_mm))
    return grid, (share > 0).astype(float), (x_mm, y_mm)


def _plane_scores(grid: VoxelGrid, volumes: list[tuple[np.ndarray, slice]]) -> sp.csr_array:
    """One row a volume: its share of each pixel (y, x), in a range of slices."""
    in_plane = grid.shape[1] * grid.shape[2]
    rows = []
    for share, slices in volumes:
        pixels = np.flatnonzero(share)
        chosen = range(*slices.indices(grid.shape[0]))
        columns = np.concatenate([k * in_plane + pixels for k in chosen])
        rows.append(sp.csr_array((np.tile(share.ravel()[pixels], len(chosen)), (np.zeros(len(columns), int), columns)),
                                 shape=(1, grid.shape[0] * in_plane)))
    return sp.csr_array(sp.vstack(rows))
