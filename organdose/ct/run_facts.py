"""What a run of the Monte Carlo engine leaves in its record: scanner, exposure, calibration, statistics."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from organdose.ct.calibrated_source import CalibratedSource
from organdose.ct.exposure import Exposure
from organdose.ct.scanner_definition import Scanner
from organdose.ct.start_angles import StartAngleSpread
from organdose.transport.monte_carlo import Tally


def run_facts(scanner: Scanner, exposure: Exposure, tubes: CalibratedSource, tally: Tally,
              photons: float) -> dict[str, object]:
    """Facts by name, units in the names. `photons`: behind all filters, of the whole scan."""
    calibration = tubes.calibration
    return {
        "scanner": f"{scanner.title} ({scanner.name}): {scanner.source}",
        "scan_kind": exposure.scan_kind,
        "tube_voltage_kv": exposure.tube_voltage_kv,
        "additional_filter_mm": exposure.filter_mm,
        "spectrum_mean_kev": round(tubes.source.spectrum.mean_kev, 2),
        **_second_tube(exposure, tubes),
        "total_collimation_mm": exposure.total_collimation_mm,
        "focus_isocentre_mm": exposure.focus_isocentre_mm,
        "isocentre_mm": [round(v, 1) for v in exposure.isocentre_mm],
        "bowtie": exposure.bowtie_kind,
        "ctdi_phantom_cm": exposure.phantom_cm,
        "tube_current_scenario": "as scanned" if exposure.fixed_ma is None else f"{exposure.fixed_ma:g} mA throughout",
        "angular_modulation": exposure.path.angular_weight is not None,
        "ctdivol_mean_mgy": round(float(np.nanmean(exposure.ctdivol_mgy)), 4),
        "ctdivol_range_mgy": [round(float(edge(exposure.ctdivol_mgy)), 4) for edge in (np.nanmin, np.nanmax)],
        "dlp_mgy_cm": round(exposure.dlp_mgy_mm / 10, 2),
        "photons_behind_filters": photons,
        "calibration_mgy_cm_per_photon": calibration.weighted_mgy_mm / 10,
        "calibration_centre_to_periphery": round(calibration.centre_mgy_mm / calibration.periphery_mgy_mm, 4),
        "calibration_uncertainty_percent": round(100 * calibration.relative_uncertainty, 3),
        "histories": tally.histories,
        "batches": tally.batches,
        "device": tally.device,
        "scoring": tally.scoring,
        "energy_balance": {name: float(f"{value:.6g}") for name, value in tally.energy_balance.items()},
        "contradictions": list(exposure.contradictions),
    }


def _second_tube(exposure: Exposure, tubes: CalibratedSource) -> dict[str, object]:
    if exposure.second_tube is None:
        return {}
    told = asdict(exposure.second_tube)
    return {"second_tube_voltage_kv": told["tube_voltage_kv"], "second_tube_filter_mm": told["filter_mm"],
            "second_tube_offset_deg": told["offset_deg"], "second_tube_ctdivol_share": round(tubes.second_share, 4),
            "second_tube_mean_kev": round(tubes.source.further_tubes[0].spectrum.mean_kev, 2)}


def spread_facts(spread: StartAngleSpread | None, organs: tuple[str, ...]) -> dict[str, object]:
    """How much the dose of single scans differs with their start angle; nothing where angles were not sampled."""
    if spread is None:
        return {}
    by_organ = {name: round(100 * float(value), 3) for name, value in zip(organs, spread.regions)}
    return {"start_angles_deg": list(spread.angles_deg), "start_angle_spread_percent": by_organ,
            "start_angle_spread_bright_voxels_percent": round(100 * spread.bright_voxels, 2)}
