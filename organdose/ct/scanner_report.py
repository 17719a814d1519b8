"""What a scanner definition amounts to, in lines for a reader: beam quality, bowties, CTDI ratios, sources."""

from __future__ import annotations

import numpy as np

from organdose.ct.bowtie import bowtie_transmission
from organdose.ct.bowtie_fit import ctdi_ratio
from organdose.ct.scanner import load_scanner, scanner_names
from organdose.ct.scanner_definition import Scanner
from organdose.ct.scanner_measurements import CTDIMeasurement
from organdose.progress import Progress

_VOLTAGES_KV = (70, 80, 100, 120, 140, 150)
_FAN_DEG = (0, 5, 10, 15, 20, 25)
_PHANTOM_CM = {"body": 32, "head": 16}


def scanner_list() -> list[str]:
    """One line for each scanner that ships."""
    scanners = [load_scanner(name) for name in scanner_names()]
    width = max(len(scanner.name) for scanner in scanners)
    return [f"{scanner.name:<{width}}  {scanner.title}" for scanner in scanners]


def scanner_lines(scanner: Scanner) -> list[str]:
    """Geometry, half-value layers, what the bowties let through, and how well each number is known."""
    spot = scanner.focal_spot
    lines = [f"{scanner.title} ({scanner.name})",
             f"Header: {scanner.manufacturer or 'any maker'}; models {', '.join(scanner.models) or 'none'}",
             f"Focus-isocentre {scanner.focus_isocentre_mm:g} mm, fan {scanner.fan_angle_deg:g} degrees, anode "
             f"{abs(scanner.anode_angle_deg):g} degrees, heel effect {'on' if scanner.heel_effect else 'off'}",
             "Flat filters: " + (", ".join(f"{mm:g} mm {m}" for m, mm in scanner.filtration_mm.items()) or "none"),
             "Focal spot: a point" if spot is None else
             f"Focal spot {spot.across_mm:g} x {spot.along_mm:g} mm, penumbra "
             f"{spot.along_mm * (scanner.focus_isocentre_mm / spot.collimator_mm - 1):.1f} mm at the isocentre"]
    if scanner.second_tube is not None:
        lines.append(f"Second tube: fan {scanner.second_tube.fan_angle_deg:g} degrees, "
                     f"{scanner.second_tube.offset_deg:g} degrees after the first")
    lines += _beam_quality(scanner) + _through_bowties(scanner)
    lines += [f"CTDIvol {value:.4g} mGy per mAs at {key.replace('/', ' kV, ')} cm phantom"
              for key, value in scanner.ctdivol_mgy_per_mas.items()]
    known = [f"{name} {told.status}" for name, told in scanner.sources.items()]
    known += [f"measurement {m.kind} ({m.bowtie}) {m.status}" for m in scanner.measurements]
    return [*lines, "Known: " + ("; ".join(known) or "the definition says nothing of each number"),
            f"Source: {scanner.source}"]


def _beam_quality(scanner: Scanner) -> list[str]:
    """Half-value layer on the central ray for each voltage and bowtie."""
    lines = []
    for kind in scanner.bowties:
        layers = [f"{kv} kV {scanner.central_spectrum(kv, kind).half_value_layer_mm_al():.2f}" for kv in _VOLTAGES_KV]
        lines.append(f"Half-value layer, {kind} bowtie (mm Al): {', '.join(layers)}")
    return lines


def _through_bowties(scanner: Scanner) -> list[str]:
    """Air kerma against fan angle over that on the central ray, at 120 kV and equal distance."""
    spectrum, lines = scanner.tube_spectrum(120.0), []
    angles = [deg for deg in _FAN_DEG if deg <= 0.5 * scanner.fan_angle_deg]
    for kind, bowtie in scanner.bowties.items():
        passed = bowtie_transmission(bowtie, np.radians(angles), spectrum.energies_kev, scanner.focus_isocentre_mm)
        kerma = [spectrum.with_photons(spectrum.photons * part).air_kerma for part in passed]
        mm = bowtie.thickness_mm(np.radians(angles), scanner.focus_isocentre_mm)
        lines.append(f"{kind} bowtie, air kerma at 120 kV against the fan's centre: " + ", ".join(
            f"{deg} deg {k / kerma[0]:.3f} ({thick:.1f} mm {bowtie.material})"
            for deg, k, thick in zip(angles, kerma, mm)))
    return lines


def ctdi_lines(scanner: Scanner, *, collimation_mm: float = 20.0, histories: int = 5_000_000,
               progress: Progress | None = None) -> list[str]:
    """Simulated CTDI100 centre over periphery at 120 kV for each bowtie in its phantom, with what was measured."""
    lines = []
    for kind in scanner.bowties:
        asked = CTDIMeasurement(kind="ctdi", bowtie=kind, tube_voltage_kv=120, phantom_cm=_PHANTOM_CM.get(kind, 32),
                                collimation_mm=collimation_mm, centre_to_periphery=1.0, status="fitted",
                                text="a place in the table only")
        ratio, uncertainty = ctdi_ratio(scanner, asked, histories=histories, progress=progress)
        told = [m.centre_to_periphery for m in scanner.measurements if isinstance(m, CTDIMeasurement)
                and m.bowtie == kind and m.centre_to_periphery is not None]
        lines.append(f"CTDI100 centre / periphery, {kind} bowtie, {asked.phantom_cm} cm, 120 kV, "
                     f"{collimation_mm:g} mm: {ratio:.3f} +- {uncertainty:.3f}"
                     + "".join(f" (wanted {value:g})" for value in told))
    return lines
