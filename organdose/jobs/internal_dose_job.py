"""Internal dose from PET or SPECT on disk to a result folder: the job that command line, window and page all build."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known, organ
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.internal_effective_dose import InternalEffectiveDose, internal_effective_dose
from organdose.assess.internal_organ_dose import InternalOrganDose, internal_organ_doses
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.assess.radiobiology import Radiobiology, read_radiobiology
from organdose.assess.therapy import TherapyRow, therapy_rows
from organdose.dose_map import DoseMap, within
from organdose.errors import InputError
from organdose.jobs.internal_dose_study import InternalDoseStudy, read_internal_dose_study
from organdose.jobs.parameters import checked
from organdose.jobs.record import RunRecord
from organdose.jobs.result_folder import RECORD_NAME, check_inputs_outside, check_result_folder, result_folder
from organdose.nuclear.activity_integral import ActivityIntegral, activity_integral, activity_over_time
from organdose.nuclear.engines import EngineParameters, engine
from organdose.nuclear.integration_models import integration_model
from organdose.nuclear.recovery_coefficients import Recovery, read_recovery_table
from organdose.nuclear.time_text import duration
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.segmentation.lesion_parameters import LesionParameters
from organdose.segmentation.lesion_seeds import BoxSeed, SphereSeed
from organdose.study.activity_study import ActivityFrame
from organdose.study.frame_registration_parameters import RegistrationParameters

_LONG_LIVED_S = 365.25 * 86400.0


class InternalDoseJob(BaseModel):
    """Parameters of one internal dose computation. Saved as JSON it can be run again.

    `pet`: PET or SPECT, one path a time point or one for all. `engine` makes the dose map and the table, the engines in
    `compare_with` stand beside it; `engine_parameters` are by engine name. `tia`: how activity is integrated over time
    (`nuclear.integration_models`); auto: physical decay for one time point, one exponential for more. `registration`
    brings the time points together, by the CTs of `registration_cts` (one for each) where they are given. `lesions`:
    where to look for lesions in the image of `lesion_frame` (from 1). `radiobiology`: JSON with the alpha/beta and
    repair half-times of organs that BED and EQD2 are wanted for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pet: tuple[Path, ...] = Field(min_length=1)
    ct: Path
    out: Path
    segmentation: Path | None = None
    protocol: Path | None = None
    series: str | None = None
    ct_series: str | None = None
    nuclide: str | None = None
    administered_mbq: float | None = Field(None, gt=0, le=1e6)
    organs: tuple[str, ...] | None = Field(None, min_length=1)
    engine: str = "mc"
    compare_with: tuple[str, ...] = ()
    engine_parameters: dict[str, dict[str, object]] = Field(default_factory=dict)
    tia: Literal["auto", "physical", "mono", "bi", "trapezoid", "single"] = "auto"
    tia_parameters: dict[str, object] = Field(default_factory=dict)
    voxel_mm: float | None = Field(None, ge=0.5, le=20)
    outside_body: Literal["leave_out", "keep"] = "leave_out"
    recovery: Path | None = None
    recovery_organs: tuple[str, ...] = ()
    registration: RegistrationParameters = RegistrationParameters(method="none")
    registration_cts: tuple[Path, ...] = ()
    lesions: tuple[SphereSeed | BoxSeed, ...] = ()
    lesion_parameters: LesionParameters = LesionParameters()
    lesion_frame: int = Field(1, ge=1)
    radiobiology: Path | None = None
    couch: Literal["auto", "keep", "remove"] = "auto"
    hu_curve: str | None = None
    contrast: Literal["auto", "yes", "no"] = "auto"
    scene: bool = True


@dataclass(frozen=True)
class InternalDoseResult:
    """Everything a computed internal dose consists of, before it is written.

    `rows`, `dose`: of the chosen engine; `other_rows`, `others`: of the engines beside it, by name. `effective_dose`:
    of the chosen engine and all organs there are masks of, also where only some were asked for. `therapy`: BED and EQD2
    of the organs that parameters were given for.
    """

    study: InternalDoseStudy
    masks: OrganMasks
    grid: DoseGrid
    weights: OrganWeights
    source: ActivityIntegral
    dose: DoseMap
    rows: list[InternalOrganDose]
    histograms: list[DoseVolumeHistogram]
    effective_dose: InternalEffectiveDose
    therapy: tuple[TherapyRow, ...] = ()
    others: dict[str, DoseMap] = field(default_factory=dict)
    other_rows: dict[str, list[InternalOrganDose]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reference: int = 1

    @property
    def reference_frame(self) -> ActivityFrame:
        """The time point that the others were brought onto, on the dose grid."""
        return self.study.frames[self.reference - 1]


def run_internal_dose(job: InternalDoseJob, progress: Progress | None = None) -> InternalDoseResult:
    """Compute the dose of a study and write the result folder `job.out`, whole or not at all.

    Raises `InputError` (`MissingFacts` where facts are missing) for input that cannot be used, `Cancelled`.
    """
    from organdose.jobs.internal_dose_files import write_internal_dose_files

    progress = progress or Progress()
    record = RunRecord("internal-dose", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    check_inputs_outside(job.out, (*job.pet, job.ct, job.segmentation, job.protocol, job.recovery,
                                   *job.registration_cts, job.hu_curve, job.radiobiology))
    result = compute_internal_dose(job, record, progress)
    with result_folder(job.out) as folder:
        write_internal_dose_files(folder, result, record, scene=job.scene, progress=progress)
        record.write(folder / RECORD_NAME)
        progress.report("Done", 1.0)
    return result


def compute_internal_dose(job: InternalDoseJob, record: RunRecord, progress: Progress) -> InternalDoseResult:
    """Read, segment, integrate, compute and assess, without writing anything; notes facts and times in `record`."""
    names = tuple(dict.fromkeys((job.engine, *job.compare_with)))
    chosen = {name: engine(name) for name in names}
    parameters = {name: checked(each.parameters, **job.engine_parameters.get(name, {}))
                  for name, each in chosen.items()}
    record.job["engine_parameters"] = {name: each.model_dump(mode="json") for name, each in parameters.items()}
    radiobiology = None if job.radiobiology is None else read_radiobiology(job.radiobiology)
    _check_recovery(job)
    study = read_internal_dose_study(job, record, progress)
    _check_named(radiobiology, study.everything)
    parameters = {name: _of_the_patient(each, study) for name, each in parameters.items()}
    weights = study.everything if job.organs is None else organ_weights(
        study.masks, study.grid.ct_density_g_cm3, study.grid.geometry, sex=study.sex, organs=job.organs,
        progress=progress)
    with record.timed("activity over time"):
        source = _source(job, study, progress)
    doses, rows = {}, {}
    for name, each in chosen.items():
        each.check(source, parameters[name])
        # A dose of organs comes from all of them; a simulation stops by those that were asked for.
        known = study.everything if each.computes_organs else weights
        with record.timed(f"dose, {name}"):
            dose = each.run(source, study.grid, parameters[name], organs=known.names, organ_mass_g=known.mass_g,
                            progress=progress)
        doses[name] = within(dose, study.inside)
        rows[name] = _rows(doses[name], weights, source)
    with record.timed("histograms"):
        histograms = dose_volume_histograms(doses[job.engine], weights)
    effective = _effective_dose(doses[job.engine], rows[job.engine], weights, study)
    therapy = () if radiobiology is None else tuple(therapy_rows(
        rows[job.engine], source.curves, radiobiology, dose=doses[job.engine], weights=weights,
        alpha_emitters=study.alpha_emitters))
    doubts = [line for dose in doses.values() for line in dose.facts.get("doubts", ())]
    warnings = (*study.warnings, *source.warnings, *_between_curve_and_voxels(source, study.everything),
                *_long_lived(source), *doubts)
    main, main_rows = doses.pop(job.engine), rows.pop(job.engine)
    record.facts.update(engine=main.engine, masks=study.masks.origin, mask_notes=study.masks.notes,
                        **_activity_facts(source), **main.facts, study_assumptions=study.assumptions,
                        compared={name: dose.facts for name, dose in doses.items()}, warnings=list(warnings))
    return InternalDoseResult(study, study.masks, study.grid, weights, source, main, main_rows, histograms, effective,
                              therapy, doses, rows, warnings, job.registration.reference)


def _of_the_patient(parameters: EngineParameters, study: InternalDoseStudy) -> EngineParameters:
    """With the phantom of the patient's sex where it is left to the engine, which knows the drawn organs alone."""
    phantom = {"M": "adult_male", "F": "adult_female"}.get(study.sex)
    if phantom is None or getattr(parameters, "phantom", None) != "auto":
        return parameters
    return parameters.model_copy(update={"phantom": phantom})


def _source(job: InternalDoseJob, study: InternalDoseStudy, progress: Progress) -> ActivityIntegral:
    weights = study.everything
    over_time = activity_over_time(study.frames, study.lattice, study.mixture.parent.half_life_s,
                                   [each.whole for each in study.alignment.frames])
    model = job.tia
    if model == "auto":
        model = "physical" if len(study.frames) == 1 else "mono"
    integration_model(model)
    return activity_integral(over_time, study.mixture, study.administered_bq, model=model,
                             parameters=job.tia_parameters, organs=weights.names, organ_ml=weights.volume_ml,
                             inside=study.inside if job.outside_body == "leave_out" else None,
                             recoveries=_recoveries(job, weights), progress=progress)


def _check_recovery(job: InternalDoseJob) -> None:
    """One without the other would correct nothing."""
    if (job.recovery is None) != (not job.recovery_organs):
        raise InputError("recovery coefficients need both, the table and the organs that they are for",
                         mend="Give --recovery and --recovery-organs, or neither.")


def _check_named(radiobiology: Radiobiology | None, weights: OrganWeights) -> None:
    """Raises `InputError` for a name that is no organ, before any dose is computed."""
    for name in () if radiobiology is None else radiobiology.organs:
        if name not in weights.names and not is_known(name):
            organ(name)  # raises, with the names that are near


def _recoveries(job: InternalDoseJob, weights: OrganWeights) -> dict[str, Recovery]:
    """The coefficients of the organs that are to be corrected, from their volumes."""
    if job.recovery is None or not job.recovery_organs:
        return {}
    table = read_recovery_table(job.recovery)
    if unknown := [name for name in job.recovery_organs if name not in weights.names]:
        raise InputError(f"no mask of {', '.join(unknown)}, whose recovery is to be corrected",
                         mend=f"Masks: {', '.join(weights.names)}.")
    return {name: table.at_volume(float(weights.row(name)[2].sum())) for name in job.recovery_organs}


def _rows(dose: DoseMap, weights: OrganWeights, source: ActivityIntegral) -> list[InternalOrganDose]:
    in_voxels = weights.volume_ml @ (source.decays.ravel().astype(float) / weights.voxel_volume_ml)
    return internal_organ_doses(organ_table(dose, weights), dict(zip(weights.names, in_voxels.tolist())),
                                source.administered_bq, source.organ_relative_uncertainty)


def _effective_dose(dose: DoseMap, rows: list[InternalOrganDose], weights: OrganWeights,
                    study: InternalDoseStudy) -> InternalEffectiveDose:
    return internal_effective_dose(rows if weights is study.everything else organ_table(dose, study.everything),
                                   study.sex, administered_mbq=study.administered_bq * 1e-6,
                                   alpha_emitters=study.alpha_emitters)


def _between_curve_and_voxels(source: ActivityIntegral, weights: OrganWeights) -> list[str]:
    """Organs whose own integral and the sum of their voxels' differ: fits of noisy voxels are not linear."""
    said, voxel_ml = [], weights.voxel_volume_ml
    for name, whole in source.organ_decays.items():
        indices, _, volume_ml = weights.row(name)
        summed = float(source.decays.ravel()[indices] @ volume_ml) / voxel_ml
        if whole > 0 and abs(summed / whole - 1) > 0.05 and whole > 1e-3 * source.total_decays:
            said.append(f"{name}: the voxels' time-integrated activities add up to {100 * (summed / whole - 1):+.0f} % "
                        "of that of the organ's own curve")
    return said


def _long_lived(source: ActivityIntegral) -> list[str]:
    """Physical decay alone, over longer than anything stays in a body."""
    parent = source.mixture.parent
    if source.model != "physical" or parent.half_life_s < _LONG_LIVED_S:
        return []
    return [f"{parent.name} decays with a half-life of {duration(parent.half_life_s)}: without what the body excretes "
            "the doses are those of staying in it for ever"]


def _activity_facts(source: ActivityIntegral) -> dict[str, object]:
    return {"radionuclide": source.mixture.parent.name, "time_model": source.model,
            "administered_mbq": None if source.administered_bq is None else source.administered_bq * 1e-6,
            "total_tia_mbq_h": source.total_decays / 3.6e9, "activity_notes": list(source.notes)}
