"""The shipped scanners beside the figures measured on them."""

from __future__ import annotations

import numpy as np

from organdose.ct.bowtie_fit import ctdi_ratio, kerma_through
from organdose.ct.ctdi import simulate_ctdi
from organdose.ct.scanner import load_scanner, scanner_names
from organdose.ct.scanner_definition import Scanner
from organdose.ct.scanner_measurements import CTDIMeasurement, FanKerma, HalfValueLayer, Output
from organdose.ct.scanner_source import scanner_source
from organdose.ct.tube_path import TubePath
from organdose.progress import Progress
from organdose.validation.comparison import Comparison

# Percent. Half-value layers are fitted where they are given at all. Output per mAs: 3 % between voltages, the
# repeatability of a chamber and a generator. Air kerma through the bowtie: 5 %, for other voltages than the fitted one.
# What reaches a chamber behind a thick bowtie is partly off-focal radiation and scatter, which is not simulated: half a
# percent of the central ray's air kerma is allowed for. CTDI ratios of scanners in general are a half and one, roughly.
# Absolute output: tubes differ by a tenth, and the beam is wider than its nominal width (over-beaming).
_BACKGROUND = 0.005
_LAYER, _OUTPUT, _KERMA, _RATIO, _GENERAL_RATIO, _ABSOLUTE = 1.0, 3.0, 5.0, 5.0, 15.0, 20.0
_CM2_PER_SR = 1e4  # at 1 m


def scanner_rows(histories: int, progress: Progress | None = None) -> list[Comparison]:
    """One row for each figure in the shipped definitions; CTDI ratios with `histories` photons each."""
    rows = []
    for name in scanner_names():
        scanner = load_scanner(name)
        for measured in scanner.measurements:
            if isinstance(measured, HalfValueLayer):
                rows.append(_half_value_layer(scanner, measured))
            elif isinstance(measured, Output):
                rows += _output(scanner, measured)
            elif isinstance(measured, FanKerma):
                rows += _fan_kerma(scanner, measured)
            else:
                rows += _ctdi(scanner, measured, histories, progress)
    return rows


def _half_value_layer(scanner: Scanner, measured: HalfValueLayer) -> Comparison:
    ours = scanner.central_spectrum(measured.tube_voltage_kv, measured.bowtie).half_value_layer_mm_al()
    return Comparison(f"{scanner.name}: half-value layer (mm Al), {measured.tube_voltage_kv:g} kV ({measured.status})",
                      ours, 0.0, {"measured": measured.mm_al}, measured.mm_al, _LAYER)


def _output(scanner: Scanner, measured: Output) -> list[Comparison]:
    """Air kerma per mAs at each voltage over their mean, logarithmically."""
    kerma = np.array([scanner.central_spectrum(kv, measured.bowtie).air_kerma for kv in measured.tube_voltage_kv])
    ours, told = (values / np.exp(np.mean(np.log(values))) for values in (kerma, np.array(measured.relative_air_kerma)))
    return [Comparison(f"{scanner.name}: relative output at {kv:g} kV ({measured.status})", float(o), 0.0,
                       {"measured": float(t)}, float(t), _OUTPUT)
            for kv, o, t in zip(measured.tube_voltage_kv, ours, told)]


def _fan_kerma(scanner: Scanner, measured: FanKerma) -> list[Comparison]:
    """Air kerma at each fan angle, relative to the central ray of the body bowtie."""
    ours = kerma_through(scanner, scanner.bowtie(measured.bowtie), measured) / kerma_through(
        scanner, scanner.bowtie("body"), measured)[0]
    return [Comparison(f"{scanner.name}: {measured.bowtie} bowtie, {measured.tube_voltage_kv:g} kV, air kerma at "
                       f"{deg:.1f} degrees ({measured.status})", float(o), 0.0, {"measured": t}, t,
                       round(_KERMA + 100 * _BACKGROUND / t))
            for deg, o, t in zip(measured.fan_angle_deg, ours, measured.relative_air_kerma)]


def _ctdi(scanner: Scanner, measured: CTDIMeasurement, histories: int, progress: Progress | None) -> list[Comparison]:
    """The ratio of centre to periphery, the output per mAs, or both."""
    rows = []
    if measured.centre_to_periphery is not None:
        rows.append(_ctdi_ratio(scanner, measured, histories, progress))
    if measured.ctdiw_mgy_per_100mas is not None:
        rows.append(_ctdiw(scanner, measured, histories, progress))
    return rows


def _ctdiw(scanner: Scanner, measured: CTDIMeasurement, histories: int, progress: Progress | None) -> Comparison:
    """CTDIw from nothing but the tube's spectrum (SpekPy: photons per cm2 and mAs at 1 m), filters and geometry.

    No dose is scaled by it: it shows that the absolute chain from photons to mGy holds.
    """
    source = scanner_source(scanner, measured.tube_voltage_kv, measured.collimation_mm, measured.bowtie,
                            TubePath.axial(0.0))
    found = simulate_ctdi(source, float(measured.phantom_cm), seed=12, histories=histories, wanted_percent=None,
                          progress=progress)
    focus_mm, told = source.focus_isocentre_mm, measured.ctdiw_mgy_per_100mas
    photons_per_mm_mas = _CM2_PER_SR * source.tubes[0].photons_per_mas(focus_mm) / focus_mm
    return Comparison(f"{scanner.name}: CTDIw (mGy / 100 mAs) from the tube's own output, {measured.phantom_cm} cm, "
                      f"{measured.tube_voltage_kv:g} kV ({measured.status})",
                      100 * photons_per_mm_mas * found.weighted_mgy_mm, found.relative_uncertainty, {"measured": told},
                      told, _ABSOLUTE)


def _ctdi_ratio(scanner: Scanner, measured: CTDIMeasurement, histories: int, progress: Progress | None) -> Comparison:
    ratio, uncertainty = ctdi_ratio(scanner, measured, seed=11, histories=histories, progress=progress)
    general = measured.status == "unverified"
    return Comparison(f"{scanner.name}: CTDI100 centre / periphery, {measured.phantom_cm} cm, "
                      f"{measured.tube_voltage_kv:g} kV ({'scanners in general' if general else measured.status})",
                      ratio, uncertainty / ratio, {"measured": measured.centre_to_periphery},
                      measured.centre_to_periphery, _GENERAL_RATIO if general else _RATIO)
