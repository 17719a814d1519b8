"""The X-ray source of a scanner definition."""

from __future__ import annotations

import math

from organdose.ct.scanner_definition import Scanner
from organdose.ct.tube import Tube
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import FocalSpot, XRaySource


def scanner_source(scanner: Scanner, tube_voltage_kv: float, total_collimation_mm: float, bowtie: str,
                   path: TubePath, *, isocentre_mm: tuple[float, float] = (0.0, 0.0),
                   focus_isocentre_mm: float | None = None,
                   further_filter_mm: dict[str, float] | None = None, further_tubes: tuple[Tube, ...] = ()
                   ) -> XRaySource:
    """The first tube of `scanner` on `path`, with `further_tubes` (see `second_tube`) beside it.

    `bowtie`: body, head or none; `focus_isocentre_mm` where a header knows better than the definition.
    Raises `InputError` for a voltage, bowtie or collimation the scanner cannot have.
    """
    spot = scanner.focal_spot
    return XRaySource(
        scanner.tube_spectrum(tube_voltage_kv, further_filter_mm), path,
        scanner.focus_isocentre_mm if focus_isocentre_mm is None else focus_isocentre_mm, scanner.fan_half_angle_rad,
        total_collimation_mm, isocentre_mm, scanner.bowtie(bowtie), _heel_angle_deg(scanner),
        FocalSpot() if spot is None else FocalSpot(spot.across_mm, spot.along_mm, spot.collimator_mm), further_tubes)


def second_tube(scanner: Scanner, tube_voltage_kv: float, bowtie: str, share: float, *,
                offset_deg: float | None = None, further_filter_mm: dict[str, float] | None = None) -> Tube:
    """The second tube of a dual-source scanner; `share`: its photons behind all filters over the first tube's.

    Fan and offset are those of the definition; without one, the first tube's fan and 90 degrees.
    """
    definition = scanner.second_tube
    fan_angle_deg = scanner.fan_angle_deg if definition is None else definition.fan_angle_deg
    if offset_deg is None:
        offset_deg = 90.0 if definition is None else definition.offset_deg
    return Tube(scanner.tube_spectrum(tube_voltage_kv, further_filter_mm), math.radians(0.5 * fan_angle_deg),
                scanner.bowtie(bowtie), _heel_angle_deg(scanner), share, math.radians(offset_deg))


def _heel_angle_deg(scanner: Scanner) -> float | None:
    return scanner.anode_angle_deg if scanner.heel_effect else None
