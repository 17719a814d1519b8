"""Equivalent filters of a scanner from what was measured on it.

Manufacturers do not publish filters and bowties. After Turner et al. (Med Phys 36 (2009) 2154) flat filter and bowtie
are replaced by equivalent ones: the flat filter gives the measured half-value layer on the central ray, the bowtie the
measured air kerma against fan angle or, where only CTDI is known, the ratio of CTDI100 at the centre to the periphery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from organdose.ct.bowtie import Bowtie, TabulatedBowtie, bowtie_transmission
from organdose.ct.ctdi import simulate_ctdi
from organdose.ct.scanner_definition import Scanner
from organdose.ct.scanner_measurements import CTDIMeasurement, FanKerma, HalfValueLayer, Output, Provenance
from organdose.ct.scanner_source import scanner_source
from organdose.ct.spectrum import Spectrum
from organdose.ct.tube_path import TubePath
from organdose.errors import InputError
from organdose.progress import Progress

_THICKEST_MM = 200.0
_MATERIALS = ("Al", "PTFE", "PMMA", "C")
# A bowtie to begin with for each CTDI phantom; only its compensated part is fitted.
_START = {32: Bowtie(material="Al", central_mm=0.0, edge_mm=34.0, compensated_water_cylinder_mm=320.0,
                     compensated_part=0.4),
          16: Bowtie(material="Al", central_mm=0.0, edge_mm=30.0, compensated_water_cylinder_mm=200.0,
                     compensated_part=0.5)}
_PARTS = (0.0, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class BowtieFit:
    """A fitted bowtie, the ratio centre / periphery it gives, and the standard uncertainty of that ratio."""

    bowtie: Bowtie
    centre_to_periphery: float
    uncertainty: float


def fitted_scanner(scanner: Scanner, *, histories: int = 2_000_000, progress: Progress | None = None) -> Scanner:
    """`scanner` with the flat filter and the bowties that its measurements ask for, and their `sources`.

    The flat aluminium follows the first half-value layer, else the first output; each bowtie the first air kerma
    against fan angle, else the first CTDI ratio for it. Bowties whose source is 'published' stay, and so does what
    nothing was measured for.
    Raises `InputError` for measurements that no filter explains, or where there are none.
    """
    measured = scanner.measurements
    layers, outputs = ([m for m in measured if isinstance(m, kind)] for kind in (HalfValueLayer, Output))
    kermas, ratios = ([m for m in measured if isinstance(m, kind)] for kind in (FanKerma, CTDIMeasurement))
    ratios = [m for m in ratios if m.centre_to_periphery is not None]
    if not layers + outputs + kermas + ratios:
        raise InputError(f"scanner {scanner.name!r} has no measurements to fit to",
                         mend="Add half-value layers, output, air kerma against fan angle or CTDI ratios.")
    if layers or outputs:
        aluminium_mm = (flat_filter_for_hvl(scanner, layers[0]) if layers
                        else flat_filter_for_output(scanner, outputs[0]))
        scanner = _with(_with_aluminium(scanner, round(aluminium_mm, 2)), "filtration_mm", (layers or outputs)[0],
                        "aluminium fitted to the " + ("half-value layer" if layers else "output against tube voltage"))
    published = {name for name, told in scanner.sources.items() if told.status == "published"}
    for kind in ("body", "head"):
        if f"bowties.{kind}" in published:
            continue
        alike, ratio = [m for m in kermas if m.bowtie == kind], next((m for m in ratios if m.bowtie == kind), None)
        if alike:
            scanner = _fitted_to_kerma(scanner, kind, alike)
        elif ratio is not None:
            scanner = _fitted_to_ratio(scanner, kind, ratio, histories, progress)
    return scanner


def _fitted_to_kerma(scanner: Scanner, kind: str, measured: list[FanKerma]) -> Scanner:
    bowtie = bowtie_for_kerma(scanner, measured)
    others = ", ".join(f"{m.tube_voltage_kv:g}" for m in measured[1:])
    return _with_bowtie(scanner, kind, bowtie, measured[0],
                        f"equivalent {bowtie.material} for the air kerma against fan angle at "
                        f"{measured[0].tube_voltage_kv:g} kV"
                        + (f", the material that best gives that at {others} kV" if others else ""))


def _fitted_to_ratio(scanner: Scanner, kind: str, measured: CTDIMeasurement, histories: int,
                     progress: Progress | None) -> Scanner:
    fit = bowtie_for_ratio(scanner, measured, _START[measured.phantom_cm], histories=histories, progress=progress)
    return _with_bowtie(scanner, kind, fit.bowtie, measured,
                        f"equivalent aluminium for CTDI100 centre / periphery = {measured.centre_to_periphery:g} at "
                        f"{measured.tube_voltage_kv:g} kV in the {measured.phantom_cm} cm phantom (simulated "
                        f"{fit.centre_to_periphery:.3f} +- {fit.uncertainty:.3f})")


def _with(scanner: Scanner, field: str, measured: Provenance, how: str) -> Scanner:
    """`scanner` with the provenance of one fitted field: no better than the figure it was fitted to."""
    status = "unverified" if measured.status == "unverified" else "fitted"
    told = Provenance(status=status, text=f"{how}; the figure is {measured.status}: {measured.text}")
    return scanner.model_copy(update={"sources": scanner.sources | {field: told}})


def _with_bowtie(scanner: Scanner, kind: str, bowtie: Bowtie | TabulatedBowtie, measured: Provenance,
                 how: str) -> Scanner:
    changed = scanner.model_copy(update={"bowties": scanner.bowties | {kind: bowtie}})
    return _with(changed, f"bowties.{kind}", measured, how)


def thickness_for(spectrum: Spectrum, material: str, relative_kerma: float) -> float:
    """Thickness (mm) of `material` that leaves that part of the air kerma. Raises `InputError` when none does."""
    def excess(mm: float) -> float:
        return spectrum.filtered(material, mm).air_kerma / spectrum.air_kerma - relative_kerma

    if relative_kerma >= 1:
        return 0.0
    if excess(_THICKEST_MM) > 0:
        raise InputError(f"no {material} thinner than {_THICKEST_MM:g} mm leaves {relative_kerma:g} of the air kerma",
                         mend="Check the measured value or take a denser material.")
    return float(brentq(excess, 0.0, _THICKEST_MM))


def flat_filter_for_hvl(scanner: Scanner, measured: HalfValueLayer) -> float:
    """Aluminium (mm) instead of that in the definition's flat filters, for the measured half-value layer.

    Raises `InputError` when the other filters alone are harder, or no aluminium suffices.
    """
    def excess(aluminium_mm: float) -> float:
        return _with_aluminium(scanner, aluminium_mm).central_spectrum(
            measured.tube_voltage_kv, measured.bowtie).half_value_layer_mm_al() - measured.mm_al

    if excess(0.0) > 0 or excess(_THICKEST_MM) < 0:
        raise InputError(f"no flat aluminium filter gives a half-value layer of {measured.mm_al:g} mm Al at "
                         f"{measured.tube_voltage_kv:g} kV", mend="Check the measured value and the other filters.")
    return float(brentq(excess, 0.0, _THICKEST_MM, xtol=1e-4))


def flat_filter_for_output(scanner: Scanner, measured: Output) -> float:
    """Aluminium (mm) instead of that in the definition's flat filters, for which air kerma per mAs rises with the tube
    voltage as measured: least squares of the logarithms, the scale left free."""
    def spread(aluminium_mm: float) -> float:
        trial = _with_aluminium(scanner, aluminium_mm)
        ours = [trial.central_spectrum(kv, measured.bowtie).air_kerma for kv in measured.tube_voltage_kv]
        return float(np.var(np.log(ours) - np.log(measured.relative_air_kerma)))

    return float(minimize_scalar(spread, bounds=(0.0, 30.0), method="bounded", options={"xatol": 1e-3}).x)


def bowtie_for_kerma(scanner: Scanner, measured: list[FanKerma]) -> TabulatedBowtie:
    """The thickness at each fan angle that lets the first measured air kerma through; on the central ray of the body
    bowtie it is 0, because the flat filters account for it.

    Where the same bowtie was measured at further voltages, the material is that which explains them best: light ones
    let relatively more through at low voltages. Aluminium otherwise.
    """
    if len(measured) == 1:
        return _of_material(scanner, measured[0], "Al")
    fits = [_of_material(scanner, measured[0], material) for material in _MATERIALS]
    return min(fits, key=lambda fit: sum(
        np.sum(np.log(kerma_through(scanner, fit, m) / m.relative_air_kerma) ** 2) for m in measured[1:]))


def _of_material(scanner: Scanner, measured: FanKerma, material: str) -> TabulatedBowtie:
    spectrum = scanner.tube_spectrum(measured.tube_voltage_kv)
    thickness_mm = [round(thickness_for(spectrum, material, kerma), 2) for kerma in measured.relative_air_kerma]
    return TabulatedBowtie(material=material, fan_angle_deg=measured.fan_angle_deg, thickness_at_mm=thickness_mm)


def kerma_through(scanner: Scanner, bowtie: Bowtie | TabulatedBowtie, measured: FanKerma) -> np.ndarray:
    """Air kerma at the fan angles of a measurement, over that behind the flat filters alone."""
    spectrum = scanner.tube_spectrum(measured.tube_voltage_kv)
    passed = bowtie_transmission(bowtie, np.radians(measured.fan_angle_deg), spectrum.energies_kev,
                                 scanner.focus_isocentre_mm)
    return spectrum.with_photons(spectrum.photons * passed).air_kerma_each / spectrum.air_kerma


def bowtie_for_ratio(scanner: Scanner, measured: CTDIMeasurement, start: Bowtie, *, histories: int = 2_000_000,
                     progress: Progress | None = None) -> BowtieFit:
    """`start` with the `compensated_part` whose simulated CTDI100 ratio is the measured one.

    The ratio is simulated for a few parts, each with its own random numbers, and a parabola through them solved.
    Raises `InputError` when no part gives the ratio, or the measurement has none.
    """
    if measured.centre_to_periphery is None:
        raise InputError("this measurement gives no centre_to_periphery", mend="Fit to one that does.")
    ratios = [ctdi_ratio(scanner, measured, start.model_copy(update={"compensated_part": part}), seed=seed,
                         histories=histories, progress=progress) for seed, part in enumerate(_PARTS, start=1)]
    curve = np.polynomial.Polynomial.fit(_PARTS, [ratio for ratio, _ in ratios], 2)
    roots = (curve - measured.centre_to_periphery).roots()
    inside = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and _PARTS[0] - 1e-9 <= r.real <= _PARTS[-1] + 1e-9]
    if not inside:
        raise InputError(f"no bowtie gives centre / periphery = {measured.centre_to_periphery:g} at "
                         f"{measured.tube_voltage_kv:g} kV; simulated {ratios[0][0]:.3f} to {ratios[-1][0]:.3f}",
                         mend="Check the ratio and the half-value layer.")
    part = round(inside[0], 3)
    return BowtieFit(start.model_copy(update={"compensated_part": part}), float(curve(part)),
                     max(uncertainty for _, uncertainty in ratios))


def ctdi_ratio(scanner: Scanner, measured: CTDIMeasurement, bowtie: Bowtie | TabulatedBowtie | None = None, *,
               seed: int = 1, histories: int = 2_000_000, progress: Progress | None = None) -> tuple[float, float]:
    """Simulated CTDI100 centre / periphery as measured, and its standard uncertainty; `bowtie` None: the scanner's."""
    source = scanner_source(scanner, measured.tube_voltage_kv, measured.collimation_mm, measured.bowtie,
                            TubePath.axial(0.0))
    if bowtie is not None:
        source = replace(source, bowtie=bowtie)
    found = simulate_ctdi(source, float(measured.phantom_cm), seed=seed, histories=histories, wanted_percent=None,
                          progress=progress)
    ratio = found.centre_mgy_mm / found.periphery_mgy_mm
    return ratio, ratio * found.ratio_uncertainty


def _with_aluminium(scanner: Scanner, aluminium_mm: float) -> Scanner:
    return scanner.model_copy(update={"filtration_mm": scanner.filtration_mm | {"Al": aluminium_mm}})
