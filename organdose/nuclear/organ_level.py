"""Organ-level MIRD: decays in source organs times S-values of a phantom, scaled to the patient's organ masses.

MIRD pamphlet 21 (Bolch et al., J Nucl Med 50 (2009) 477). Mass scaling: the dose of an organ to itself goes with
1 / mass for charged particles and with mass^(-2/3) for photons (MIRD pamphlet 11: Snyder et al. 1975; Stabin, Sparks,
Crowe, OLINDA/EXM, J Nucl Med 46 (2005) 1023); doses between organs stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom, Region
from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.s_values import DECAYS_PER_MBQ_S, REMAINDER, SValues

CONTENTS = "_contents"
# Where a mask of the organ holds mostly what fills it: its activity is in the contents.
_FILLED = ("urinary_bladder", "gallbladder")
_NOT_SOURCES = ("body", REMAINDER)


@dataclass(frozen=True)
class OrganLevelDose:
    """Doses by target and source.

    `dose_mgy`: (targets, sources), mGy. `decays_mbq_s` (sources): MBq s. `relative_uncertainty` (targets): standard
    uncertainty of the total by the Monte Carlo statistics of the S-values and the uncertainties given for the decays.
    `mass_g` (targets): the patient's where it is known, else the phantom's. `administered_bq`: None where nobody said.
    `notes` are lines for a report.
    """

    phantom: str
    nuclide: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    dose_mgy: np.ndarray
    decays_mbq_s: np.ndarray
    relative_uncertainty: np.ndarray
    mass_g: np.ndarray
    administered_bq: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def total_mgy(self) -> dict[str, float]:
        return dict(zip(self.targets, self.dose_mgy.sum(axis=1).tolist()))

    @property
    def mgy_per_mbq(self) -> dict[str, float]:
        """Per administered MBq; NaN where that is not known."""
        per_mbq = 1e6 / self.administered_bq if self.administered_bq else math.nan
        return {target: per_mbq * dose_mgy for target, dose_mgy in self.total_mgy.items()}

    def contributions(self, target: str) -> dict[str, float]:
        """mGy by source, the largest first. Raises `InputError` for an unknown target."""
        if target not in self.targets:
            raise InputError(f"there is no dose to {target!r}", mend=f"There are: {', '.join(self.targets)}.")
        row = self.dose_mgy[self.targets.index(target)]
        return {self.sources[k]: float(row[k]) for k in np.argsort(-row, kind="stable")}


def organ_level_dose(values: SValues, decays: Mapping[str, float], *, administered_bq: float | None = None,
                     patient_mass_g: Mapping[str, float] | None = None,
                     decay_relative_uncertainty: Mapping[str, float] | None = None, surface_walls: bool = True,
                     notes: tuple[str, ...] = ()) -> OrganLevelDose:
    """Doses to all targets of `values`, from `decays` (source to Bq s; sources without any may lack).

    `patient_mass_g`: masses to scale to, by name of a target. `surface_walls`: see `with_surface_walls`. Raises
    `InputError` for a source without S-values, negative decays, and masses that are none.
    """
    for source, number in decays.items():
        values.column(source)
        if not number >= 0 or not math.isfinite(number):
            raise InputError(f"{number:g} decays in {source!r}", mend="Give Bq s, from 0 on.")
    values = with_surface_walls(values) if surface_walls else values
    values, mass_g, said = with_patient_masses(values, patient_mass_g or {})
    mbq_s = np.array([decays.get(source, 0.0) for source in values.sources]) / DECAYS_PER_MBQ_S
    dose_mgy = values.total * mbq_s
    spread = np.array([(decay_relative_uncertainty or {}).get(source, 0.0) for source in values.sources])
    variance = (values.relative_uncertainty * dose_mgy) ** 2 + (spread * dose_mgy) ** 2
    total = dose_mgy.sum(axis=1)
    uncertainty = np.divide(np.sqrt(variance.sum(axis=1)), total, out=np.ones_like(total), where=total > 0)
    return OrganLevelDose(values.phantom, values.nuclide, values.targets, values.sources, dose_mgy, mbq_s, uncertainty,
                          mass_g, administered_bq, (*notes, *values.notes, *said))


def with_surface_walls(values: SValues) -> SValues:
    """Electrons of contents give their wall half the dose they give the contents: the dose at its surface, as ICRP
    publication 30 and MIRD take it for stylised phantoms. Voxels of some mm cannot show how far electrons reach in."""
    charged, sigma = values.charged.copy(), values.charged_uncertainty.copy()
    said = []
    for column, source in enumerate(values.sources):
        wall = source.removesuffix(CONTENTS)
        if not source.endswith(CONTENTS) or wall not in values.targets or wall == "heart":
            continue
        parts = values.target_parts[values.row(wall)]
        rows = [row for row, target in enumerate(values.target_parts) if target.keys() <= parts.keys()]
        charged[rows, column] = (0.5 * values.electron_kev * DECAYS_PER_MBQ_S * MGY_KG_PER_KEV
                                 / (values.source_mass_g[column] / 1000))
        sigma[rows, column] = 0.0
        said.append(f"{wall}: electrons of its contents give it half the dose of the contents (its surface)")
    return replace(values, charged=charged, charged_uncertainty=sigma, notes=(*values.notes, *said))


def with_patient_masses(values: SValues, patient_mass_g: Mapping[str, float]
                        ) -> tuple[SValues, np.ndarray, tuple[str, ...]]:
    """S-values for the patient's masses, the masses of the targets (g), and a note.

    Where one of target and source lies in the other, their dose to themselves is scaled by the mass of the larger one.
    """
    for name, mass_g in patient_mass_g.items():
        if not mass_g > 0 or not math.isfinite(mass_g):
            raise InputError(f"a mass of {mass_g:g} g for {name!r}", mend="Give the organ's mass or leave it out.")
    known = {name: mass_g for name, mass_g in patient_mass_g.items() if name in values.targets}
    mass_g = np.array([known.get(name, own) for name, own in zip(values.targets, values.target_mass_g)])
    factor_of = {_key(values.target_parts[values.row(name)]): values.target_mass_g[values.row(name)] / mass
                 for name, mass in known.items()}
    arrays = [values.charged.copy(), values.photon.copy(), values.charged_uncertainty.copy(),
              values.photon_uncertainty.copy()]
    for column, source in enumerate(values.source_parts):
        for row, target in enumerate(values.target_parts):
            larger = target if source.keys() <= target.keys() else source if target.keys() <= source.keys() else None
            factor = 1.0 if larger is None else factor_of.get(_key(larger), 1.0)
            for array, power in zip(arrays, (1.0, 2 / 3, 1.0, 2 / 3)):
                array[row, column] *= factor**power
    scaled = [f"{name} {mass:.4g} g ({values.target_mass_g[values.row(name)]:.4g} g)" for name, mass in known.items()]
    said = (f"scaled to the patient's masses (phantom's in brackets): {', '.join(scaled)}",) if scaled else ()
    return replace(values, charged=arrays[0], photon=arrays[1], charged_uncertainty=arrays[2],
                   photon_uncertainty=arrays[3]), mass_g, said


def _key(region: Region) -> tuple:
    return tuple(sorted(region.items()))


def sources_in(phantom: LabelledPhantom, organ_decays: Mapping[str, float]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Decays by source region of the phantom, from decays by organ as measured, and what was done, as notes.

    Bladder and gallbladder are taken for their contents. Of organs that overlap in the phantom the smaller ones count.
    What the phantom does not have is left to the remainder.
    """
    chosen: dict[str, float] = {}
    taken: set[int] = set()
    lacking, doubled = [], []
    places = {name: place for name in organ_decays if name not in _NOT_SOURCES and (place := _place(phantom, name))}
    lacking = [name for name in organ_decays if name not in _NOT_SOURCES and name not in places]
    for name, place in sorted(places.items(), key=lambda item: phantom.mass_g(item[1])):
        labels = set(phantom.region(place))
        if labels & taken:
            doubled += [name] if labels - taken else []
            continue
        taken |= labels
        chosen[place] = float(organ_decays[name])
    notes = [f"{name}: its activity is taken for that of its contents" for name, place in places.items()
             if place in chosen and place != name]
    if lacking:
        notes.append(f"not in {phantom.title}, counted with the remainder of the body: {', '.join(lacking)}")
    if doubled:
        notes.append(f"parts are sources of their own, the rest counts with the remainder: {', '.join(doubled)}")
    return chosen, tuple(notes)


def _place(phantom: LabelledPhantom, name: str) -> str | None:
    for place in ((name + CONTENTS, name) if name in _FILLED else (name,)):
        if place in phantom.regions and phantom.mass_g(place) > 0:
            return place
    return None
