"""Internal dose organ by organ: the patient's decays and organ masses, the S-values of a phantom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk
from pydantic import Field

from organdose import __version__
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.anatomy.phantoms.voxel_phantom_stylised import stylised_voxel_phantom
from organdose.dose_map import MGY_KG_PER_KEV, DoseMap
from organdose.errors import InputError
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.bladder_voiding import BladderVoiding, ExcretionPhase, bladder_tiac_h
from organdose.nuclear.engines import EngineParameters
from organdose.nuclear.organ_level import OrganLevelDose, organ_level_dose, sources_in
from organdose.nuclear.s_values import REMAINDER
from organdose.nuclear.s_values_cache import cached_s_values
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress

QUANTITY = "organ mean absorbed dose"
_PHANTOMS = {"adult_male": "adult-male", "adult_female": "adult-female"}
_OF_WOMEN = {"uterus", "ovaries", "ovary_left", "ovary_right"}
_BLADDER = "urinary_bladder_contents"
# Organs worth a source of their own; what else is drawn counts with the remainder of the body.
_SOURCES = ("brain", "salivary_glands", "parotid_gland_left", "parotid_gland_right", "submandibular_gland_left",
            "submandibular_gland_right", "thyroid_gland", "thymus", "lungs", "heart", "breast", "liver", "gallbladder",
            "spleen", "pancreas", "adrenal_glands", "kidneys", "kidney_left", "kidney_right", "stomach",
            "small_intestine", "small_bowel", "duodenum", "colon", "urinary_bladder", "prostate", "uterus", "testes",
            "ovaries", "bones", "red_bone_marrow", "skin")
# Masks of hollow organs hold what fills them; the phantom's mass is that of the wall.
_NOT_SCALED = {"gallbladder", "stomach", "small_intestine", "small_bowel", "duodenum", "colon", "urinary_bladder",
               "bones", "red_bone_marrow", "skin"}
_LEAST_TISSUE_G_CM3 = 0.15  # of a dose voxel that is painted with the body's mean dose
_ADVANCED = {"group": "Advanced"}
_URINE = {"group": "Urinary bladder"}
_FAR_MORE = 2.0  # times as much as the image shows is said aloud


class MirdParameters(EngineParameters):
    phantom: str = Field("auto", title="Phantom", description="auto, adult_male, adult_female, or the path of a voxel "
                         "phantom (docs/organ-level-mird.md); auto: by the patient's sex, or the woman where uterus or "
                         "ovaries are drawn")
    mass_scaling: bool = Field(True, title="Scale to the patient's organ masses",
                               description="self dose of source organs, by the masses of their masks")
    remainder: Literal["auto", "administered", "image", "none"] = Field(
        "auto", title="Remainder of the body", description="administered: all that was given and is in no source organ "
        "decays in the rest of the body; image: what the image shows there; auto: administered where it is known and "
        "there is one time point, as several show what leaves the body")
    surface_walls: bool = Field(True, title="Surface dose for walls", json_schema_extra=_ADVANCED,
                                description="electrons of contents give their wall half the dose of the contents")
    excreted_percent: float | None = Field(
        None, ge=0, le=100, title="Excreted with urine (%)", json_schema_extra=_URINE,
        description="of the administered activity; the bladder's activity is then computed, not measured")
    excretion_half_life_h: float = Field(1.0, ge=0, le=10000, title="Half-life of excretion (h)",
                                         description="biological", json_schema_extra=_URINE)
    voiding_interval_h: float = Field(3.5, gt=0, le=48, title="Voiding interval (h)", json_schema_extra=_URINE,
                                      description="time from one void to the next")
    voxel_mm: float = Field(3.0, ge=2, le=10, title="Phantom's voxels (mm)", json_schema_extra=_ADVANCED,
                            description="of the stylised phantoms")
    histories: int = Field(1_000_000, ge=1000, le=10**9, title="Photons a source", json_schema_extra=_ADVANCED,
                           description="for S-values that are not in the cache yet")
    seed: int = Field(1, ge=0, lt=2**40, title="Seed", json_schema_extra=_ADVANCED,
                      description="the same seed gives the same S-values")


class MirdEngine:
    name = "mird"
    title = "Organ-level MIRD (S-values of a phantom)"
    needs = "decays and masses of organs; the administered activity for the rest of the body"
    yields = "the mean dose of each organ in mGy, the same in all its voxels"
    parameters = MirdParameters
    computes_organs = True

    def check(self, source: ActivityIntegral, parameters: MirdParameters) -> None:
        """See `InternalDoseEngine.check`."""
        if not source.organ_decays:
            raise InputError("there are no organs with a time-integrated activity", mend="Give masks.")
        if source.administered_bq is None and (parameters.remainder == "administered" or parameters.excreted_percent):
            raise InputError("the administered activity is not known",
                             mend="Give it, or choose the remainder from the image and no excretion.")
        if parameters.phantom not in ("auto", *_PHANTOMS) and not Path(parameters.phantom).exists():
            raise InputError(f"there is no phantom {parameters.phantom!r}",
                             mend=f"Choose one of auto, {', '.join(_PHANTOMS)}, or give a path.")

    def run(self, source: ActivityIntegral, grid: DoseGrid, parameters: MirdParameters, *,
            organs: tuple[str, ...] = (), organ_mass_g: sp.csr_matrix | None = None,
            progress: Progress | None = None) -> DoseMap:
        """See `InternalDoseEngine.run`."""
        phantom = _phantom(parameters, organs, progress)
        masses_g = {} if organ_mass_g is None else dict(zip(organs, np.ravel(organ_mass_g.sum(axis=1)).tolist()))
        dose = organ_level(source, phantom, parameters, masses_g, progress)
        means, uncertainty, notes = _means(dose, phantom, source, organs, masses_g)
        painted = _painted(dose, grid, organs, organ_mass_g, means)
        image = sitk.GetImageFromArray(painted)
        image.CopyInformation(grid.geometry)
        return DoseMap(dose_mgy=image, density_g_cm3=grid.voxels.density_g_cm3, engine=f"{self.name} {__version__}",
                       quantity=QUANTITY, organ_relative_uncertainty=uncertainty, organ_mean_mgy=means,
                       organ_level=dose,
                       facts=_facts(dose, (*dose.notes, *notes)) | {"doubts": _doubts(dose, source)})


def organ_level(source: ActivityIntegral, phantom: LabelledPhantom, parameters: MirdParameters,
                masses_g: Mapping[str, float], progress: Progress | None = None) -> OrganLevelDose:
    """Doses to all targets of `phantom` from the patient's decays. `masses_g`: of the patient's organs, by name."""
    measured = {name: decays for name, decays in source.organ_decays.items() if name in _SOURCES}
    decays, notes = sources_in(phantom, measured)
    rest, note = _remainder(source, parameters, decays)
    if parameters.excreted_percent:
        decays[_BLADDER] = _voided_decays(source, parameters)
        notes += (f"bladder: {parameters.excreted_percent:g} % excreted with {parameters.excretion_half_life_h:g} h, "
                  f"voided every {parameters.voiding_interval_h:g} h",)
    if rest > 0:
        decays[REMAINDER] = rest
    decays = {name: number for name, number in decays.items() if number > 0}
    if not decays:
        raise InputError("no organ of the phantom holds activity", mend="Check masks and activity.")
    values = cached_s_values(phantom, source.mixture, list(decays), histories=parameters.histories,
                             seed=parameters.seed, progress=progress)
    scaled = _masses_of_sources(phantom, decays, masses_g) if parameters.mass_scaling else {}
    return organ_level_dose(values, decays, administered_bq=source.administered_bq, patient_mass_g=scaled,
                            surface_walls=parameters.surface_walls, notes=(*notes, note))


def _masses_of_sources(phantom: LabelledPhantom, decays: Mapping[str, float],
                       masses_g: Mapping[str, float]) -> dict[str, float]:
    """The patient's masses of solid source organs, and of what these make up: both kidneys, where each is a source."""
    solid = [name for name in decays if name in phantom.regions and name not in (REMAINDER, *_NOT_SCALED)]
    labels = {label for name in solid for label in phantom.region(name)}
    return {name: mass_g for name, mass_g in masses_g.items()
            if mass_g > 0 and name not in _NOT_SCALED and name in phantom.regions
            and labels.issuperset(phantom.region(name))}


def _phantom(parameters: MirdParameters, organs: tuple[str, ...], progress: Progress | None) -> LabelledPhantom:
    if parameters.phantom not in ("auto", *_PHANTOMS):
        return read_voxel_phantom(Path(parameters.phantom))
    sex = "adult_female" if _OF_WOMEN & set(organs) else "adult_male"
    name = sex if parameters.phantom == "auto" else parameters.phantom
    return stylised_voxel_phantom(load_phantom(_PHANTOMS[name]), parameters.voxel_mm, progress=progress)


def _voided_decays(source: ActivityIntegral, parameters: MirdParameters) -> float:
    phases = [ExcretionPhase(parameters.excreted_percent / 100, parameters.excretion_half_life_h)]
    tiac_h = bladder_tiac_h(phases, source.mixture.parent.decay_constant_per_s,
                            BladderVoiding(interval_h=parameters.voiding_interval_h))
    return 3600 * tiac_h * source.administered_bq


def _remainder(source: ActivityIntegral, parameters: MirdParameters, decays: Mapping[str, float]) -> tuple[float, str]:
    """Decays in the rest of the body beside those measured in source organs, and where they come from."""
    rule = parameters.remainder
    if rule == "auto":
        # Several time points show what leaves the body, which the administered activity does not know.
        times = max((len(curve.times_s) for curve in source.curves), default=0)
        rule = "image" if source.administered_bq is None or times > 1 else "administered"
    if rule == "none":
        return 0.0, "remainder of the body: left out"
    if rule == "image":
        rest = source.total_decays - sum(decays.values())
        said = "what the image shows outside the source organs; beyond the image nothing"
    else:
        per_s = source.mixture.parent.decay_constant_per_s
        excreted = (parameters.excreted_percent or 0.0) / 100
        leaving_per_s = math.log(2) / max(3600 * parameters.excretion_half_life_h, 1e-3)
        held_s = (1 - excreted) / per_s + excreted / (per_s + leaving_per_s)
        # What is excreted passes the bladder, whose decays are then not part of the body's.
        rest = source.administered_bq * held_s - sum(number for name, number in decays.items()
                                                     if not (excreted and name == _BLADDER))
        said = "administered activity without the source organs" + (
            ", less what is excreted" if excreted else "; nothing leaves the body") + (
            f": {rest / 3.6e9:.4g} MBq h, of which the image shows "
            f"{(source.total_decays - sum(decays.values())) / 3.6e9:.4g} MBq h")
    if rest < 0:
        said += f"; the source organs hold {-rest / 3.6e9:.3g} MBq h more than there is: none taken"
    return max(rest, 0.0), f"remainder of the body: {said}"


def _doubts(dose: OrganLevelDose, source: ActivityIntegral) -> list[str]:
    """Where the rest of the body gets far more than the image shows there: excretion, or a short field of view."""
    decays = {name: float(number) * 1e6 for name, number in zip(dose.sources, dose.decays_mbq_s)}
    rest = decays.pop(REMAINDER, 0.0)
    shown = source.total_decays - sum(decays.values())
    if rest <= _FAR_MORE * max(shown, 0.0):
        return []
    return [f"mird: {rest / 3.6e9:.3g} MBq h are taken to be in the rest of the body, the image shows "
            f"{max(shown, 0.0) / 3.6e9:.3g}: its doses are upper bounds where activity is excreted "
            "(mird.remainder=image takes what the image shows)"]


def _means(dose: OrganLevelDose, phantom: LabelledPhantom, source: ActivityIntegral, organs: tuple[str, ...],
           masses_g: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float], tuple[str, ...]]:
    """Mean dose of the patient's organs, uncertainties, and notes on those the phantom does not have."""
    totals, spread = dose.total_mgy, dict(zip(dose.targets, dose.relative_uncertainty.tolist()))
    charged_kev = source.mixture.emissions.electron_energy_kev + source.mixture.emissions.alpha_energy_kev
    means, uncertainty, alone, unlike = {}, {}, [], []
    for organ in organs:
        place = "body" if organ == REMAINDER else organ
        means[organ] = totals.get(place, totals["body"])
        uncertainty[organ] = spread.get(place, spread["body"])
        if place in totals:
            continue
        decays, mass_g = source.organ_decays.get(organ, 0.0), masses_g.get(organ, 0.0)
        if decays > 0 and mass_g > 0:
            means[organ] += decays * charged_kev * MGY_KG_PER_KEV / (mass_g / 1000)
            alone.append(organ)
        else:
            unlike.append(organ)
    notes = []
    if alone:
        notes.append(f"not in {phantom.title}: the mean dose of the body and the electrons and alphas of their own "
                     f"decays stand for {', '.join(alone)}")
    if unlike:
        notes.append(f"not in {phantom.title}: the mean dose of the body stands for {', '.join(unlike)}")
    return means, uncertainty, tuple(notes)


def _painted(dose: OrganLevelDose, grid: DoseGrid, organs: tuple[str, ...], organ_mass_g: sp.csr_matrix | None,
             means: Mapping[str, float]) -> np.ndarray:
    """Each voxel has the dose of the smallest organ that makes up more than half of it, else of the body."""
    tissue = grid.voxels.density_g_cm3 > _LEAST_TISSUE_G_CM3
    painted = np.where(tissue, np.float32(dose.total_mgy["body"]), np.float32(0)).ravel()
    if organ_mass_g is None:
        return painted.reshape(grid.voxels.shape)
    voxel_mass_g = 1000 * grid.voxels.voxel_mass_kg.ravel()
    rows = sp.csr_matrix(organ_mass_g)
    for row in np.argsort(-np.asarray(rows.sum(axis=1)).ravel(), kind="stable"):
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        voxels, mass_g = rows.indices[span], rows.data[span]
        mostly = mass_g > 0.5 * voxel_mass_g[voxels]
        painted[voxels[mostly] if mostly.any() else voxels] = means[organs[row]]
    return painted.reshape(grid.voxels.shape)


def _facts(dose: OrganLevelDose, notes: tuple[str, ...]) -> dict[str, object]:
    main = {target: dict(list(dose.contributions(target).items())[:3]) for target in dose.targets}
    return {"phantom": dose.phantom, "source_organs_mbq_h": {name: float(number) / 3600 for name, number in
                                                            zip(dose.sources, dose.decays_mbq_s)},
            "largest_contributors_mgy": {target: main[target] for target in main if dose.total_mgy[target] > 0},
            "assumptions": list(notes)}
