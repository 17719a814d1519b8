"""The scanner's tube or tubes on the path of an exposure, and how much dose each of their photons stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from organdose.ct.ctdi import CTDICalibration, calibrated
from organdose.ct.exposure import Exposure
from organdose.ct.scanner_definition import Scanner
from organdose.ct.scanner_source import scanner_source, second_tube
from organdose.ct.tube import Tube
from organdose.ct.xray_source import XRaySource
from organdose.progress import Progress


@dataclass(frozen=True)
class CalibratedSource:
    """`source` with all its tubes; `calibration`: dose-length in the CTDI phantom of one of its photons, whichever tube
    it is from; `second_share`: part of the CTDIvol from the second tube, 0 without one."""

    source: XRaySource
    calibration: CTDICalibration
    second_share: float = 0.0


def xray_source(scanner: Scanner, exposure: Exposure) -> XRaySource:
    """The tubes on the path of this exposure, the second with as many photons as the first until it is calibrated.

    Raises `InputError` for a voltage, filter, bowtie or collimation that cannot be.
    """
    told = exposure.second_tube
    further = () if told is None else (second_tube(
        scanner, told.tube_voltage_kv, exposure.bowtie_kind, 1.0, offset_deg=told.offset_deg,
        further_filter_mm=told.filter_mm),)
    return scanner_source(
        scanner, exposure.tube_voltage_kv, exposure.total_collimation_mm, exposure.bowtie_kind, exposure.path,
        isocentre_mm=exposure.isocentre_mm, focus_isocentre_mm=exposure.focus_isocentre_mm,
        further_filter_mm=exposure.filter_mm, further_tubes=further)


def calibrated_source(scanner: Scanner, exposure: Exposure, *, progress: Progress | None = None) -> CalibratedSource:
    """The tubes of an exposure, calibrated in the CTDI phantom with constant current over a turn.

    Each of two tubes is calibrated alone, so that their photons are mixed to the share of CTDIvol that each has.
    """
    both = xray_source(scanner, exposure)
    first = calibrated(replace(both, further_tubes=()), exposure.phantom_cm, progress=progress)
    if not both.further_tubes:
        return CalibratedSource(both, first)
    tube = both.further_tubes[0]
    second = calibrated(_alone(both, tube), exposure.phantom_cm, progress=progress)
    photons = _photon_ratio(exposure, both, first, second)
    mixed = _mixed(first, second, photons)
    share = photons / (1.0 + photons) * second.weighted_mgy_mm / mixed.weighted_mgy_mm
    return CalibratedSource(replace(both, further_tubes=(replace(tube, share=photons),)), mixed, share)


def _alone(source: XRaySource, tube: Tube) -> XRaySource:
    return replace(source, spectrum=tube.spectrum, fan_half_angle_rad=tube.fan_half_angle_rad, bowtie=tube.bowtie,
                   anode_angle_deg=tube.anode_angle_deg, further_tubes=())


def _photon_ratio(exposure: Exposure, source: XRaySource, first: CTDICalibration, second: CTDICalibration) -> float:
    """Photons of the second tube for each one of the first, behind all filters."""
    told = exposure.second_tube
    if told.ctdivol_share is not None:
        share = told.ctdivol_share
        return share / (1.0 - share) * first.weighted_mgy_mm / second.weighted_mgy_mm
    per_mas = [tube.photons_per_mas(source.focus_isocentre_mm) for tube in source.tubes]
    return told.mas_ratio * per_mas[1] / per_mas[0]


def _mixed(first: CTDICalibration, second: CTDICalibration, photons: float) -> CTDICalibration:
    """Per photon of the mixture."""
    parts = np.array([1.0, photons]) / (1.0 + photons)
    centre, periphery = (float(parts @ [getattr(each, name) for each in (first, second)])
                         for name in ("centre_mgy_mm", "periphery_mgy_mm"))
    weighted = parts * [first.weighted_mgy_mm, second.weighted_mgy_mm]
    uncertainty = np.hypot(*(weighted * [first.relative_uncertainty, second.relative_uncertainty])) / weighted.sum()
    return CTDICalibration(first.phantom_cm, centre, periphery, float(uncertainty), first.histories + second.histories)
