"""The CTDI calibration against itself and against what was measured on scanners.

A scan of the CTDI phantom scaled by CTDIvol must give that CTDIvol back; each shipped scanner must show the half-value
layer, the output, the air kerma against fan angle and the CTDI ratios that its definition quotes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from organdose.ct.ctdi import CTDICalibration, ctdi_phantom, simulate_ctdi
from organdose.ct.scanner import load_scanner
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import XRaySource
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.validation.comparison import Comparison
from organdose.validation.scanner_rows import scanner_rows


def ctdi(histories: int | None = None, progress: Progress | None = None) -> list[Comparison]:
    """Every row: the closure of the calibration, then the shipped scanners beside their measurements."""
    histories = histories or 20_000_000
    return closure_rows(histories, progress) + scanner_rows(histories, progress)


def closure_rows(histories: int, progress: Progress | None = None) -> list[Comparison]:
    """Dose-length per photon of one rotation hardly depends on the collimation, and a scan spread along z piles up to
    the integral of one rotation: what scaling by CTDIvol rests on.

    A 40 mm beam loses 0.6 to 0.8 % against a 10 mm one: 20 mm more of its scatter leaves the 100 mm chamber at the
    ends. That is physics, not noise, and smaller than the tolerance of a scanner's displayed CTDIvol.
    """
    scanner = load_scanner("generic")
    rows = []
    for phantom_cm, kind in ((32.0, "body"), (16.0, "head")):
        source = XRaySource(scanner.tube_spectrum(120.0), TubePath.axial(0.0), scanner.focus_isocentre_mm,
                            scanner.fan_half_angle_rad, 10.0, bowtie=scanner.bowtie(kind))
        narrow = simulate_ctdi(source, phantom_cm, histories=histories, wanted_percent=None, progress=progress)
        wide = simulate_ctdi(replace(source, total_collimation_mm=40.0), phantom_cm, histories=histories,
                             wanted_percent=None, progress=progress)
        uncertainty = float(np.hypot(narrow.relative_uncertainty, wide.relative_uncertainty))
        rows.append(Comparison(f"{phantom_cm:g} cm: 40 mm against 10 mm collimation", wide.weighted_mgy_mm, uncertainty,
                               {"10 mm": narrow.weighted_mgy_mm}, narrow.weighted_mgy_mm, 2.0))
        rows.append(_spread_scan(source, phantom_cm, histories, progress))
        rows.append(_closure(source, phantom_cm, narrow, histories, progress))
    return rows


def _spread_scan(source: XRaySource, phantom_cm: float, histories: int, progress: Progress | None) -> Comparison:
    """Energy in the middle 10 mm of a 100 mm scan against one rotation over 100 mm, per unit line density."""
    grid, _ = ctdi_phantom(phantom_cm, length_mm=450.0)  # long enough that the ends do not matter
    in_slice = grid.shape[1] * grid.shape[2]
    z_mm = grid.origin_mm[2] + grid.spacing_mm[2] * np.arange(grid.shape[0])
    # The middle 10 mm of a 100 mm scan sees one rotation's profile through a box of 100 mm with 10 mm wide shoulders.
    shoulders = np.clip((55.0 - np.abs(z_mm)) / 10.0, 0.0, 1.0)
    middle = np.where(np.abs(z_mm) < 5.0, 10.0, 0.0)  # 100 mm of scan over 10 mm
    regions = sp.csr_array(np.repeat(np.stack([shoulders, middle]), in_slice, axis=1))
    tables = photon_tables(grid.materials)
    spread = replace(source, path=TubePath(np.array([-50.0, 50.0]), np.array([1.0, 1.0])))
    single = run_photons(source, grid, tables, StopRule(histories), regions=regions, progress=progress,
                         stage=f"One rotation, {phantom_cm:g} cm")
    scan = run_photons(spread, grid, tables, StopRule(histories), regions=regions, seed=2, progress=progress,
                       stage=f"100 mm scan, {phantom_cm:g} cm")
    uncertainty = float(np.hypot(single.region_relative_uncertainty[0], scan.region_relative_uncertainty[1]))
    return Comparison(f"{phantom_cm:g} cm: middle of a 100 mm scan against one rotation's 100 mm integral",
                      scan.regions[1], uncertainty, {"one rotation": single.regions[0]}, single.regions[0], 0.3)


def _closure(source: XRaySource, phantom_cm: float, calibration: CTDICalibration, histories: int,
             progress: Progress | None) -> Comparison:
    """A 100 mm scan of the CTDI phantom, scaled to a CTDIvol of 10 mGy: the chambers' middle must receive 10 mGy.

    CTDI100 is by definition the dose in the middle of a 100 mm scan (AAPM report 96).
    """
    grid, scores = ctdi_phantom(phantom_cm)
    z_mm = grid.origin_mm[2] + grid.spacing_mm[2] * np.arange(grid.shape[0])
    in_middle = np.repeat(np.abs(z_mm) < 10.0, grid.shape[1] * grid.shape[2])
    # The scores are mean dose times 100 mm over the whole chamber; the middle 20 mm hold a fifth of its mass.
    chambers = scores.multiply(in_middle[None, :] * 5.0 / 100.0)
    weighted = sp.csr_array(np.array([[1 / 3, 2 / 3]])) @ sp.csr_array(chambers)
    scan = run_photons(replace(source, path=TubePath(np.array([-50.0, 50.0]), np.array([1.0, 1.0]))), grid,
                       photon_tables(grid.materials), StopRule(histories), regions=weighted, seed=3, progress=progress,
                       stage=f"Closure, {phantom_cm:g} cm")
    photons = 10.0 * 100.0 / calibration.weighted_mgy_mm
    uncertainty = float(np.hypot(scan.region_relative_uncertainty[0], calibration.relative_uncertainty))
    return Comparison(f"{phantom_cm:g} cm: CTDIw of a scan scaled to 10 mGy", scan.regions[0] * photons, uncertainty,
                      {"CTDIvol": 10.0}, 10.0, 1.5)
