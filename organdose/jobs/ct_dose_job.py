"""CT dose from a study on disk to a result folder: the job that command line, window and page all build."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_descriptors import DoseDescriptors
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.assess.scan_range import OrganRange, organ_ranges
from organdose.ct.engines import EngineParameters, engine
from organdose.ct.patient_model import PatientModel, contrast_image, patient_model, tissue_table
from organdose.ct.scan_extension import beam_range_mm
from organdose.dose_map import DoseMap, within
from organdose.errors import InputError
from organdose.jobs.ct_dose_descriptors import noted, scan_descriptors
from organdose.jobs.mask_check import bad_mask_warnings
from organdose.jobs.record import RunRecord, files_of
from organdose.jobs.result_folder import RECORD_NAME, check_inputs_outside, check_result_folder, result_folder
from organdose.patient.dose_grid import DoseGrid, dose_grid
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import masks_for_study, thresholded_bones
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy


class CTDoseJob(BaseModel):
    """Parameters of one CT dose computation. Saved as JSON it can be run again.

    `engine_parameters` are those the engine declares (`organdose.ct.engines`); without `segmentation` the analytic
    engine draws what Hounsfield units alone can tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    out: Path
    segmentation: Path | None = None
    protocol: Path | None = None
    series: str | None = None
    organs: tuple[str, ...] | None = Field(None, min_length=1)
    engine: str = "mc"
    voxel_mm: float = Field(5.0, ge=0.5, le=20)
    engine_parameters: dict[str, object] = Field(default_factory=dict)
    scene: bool = True


@dataclass(frozen=True)
class CTDoseResult:
    """Everything a computed CT dose consists of, before it is written.

    `contrast`: uint8 image on the CT's grid, 1 where contrast medium was found; None without any.
    """

    study: CTStudy
    masks: OrganMasks
    dose: DoseMap
    rows: list[OrganDose]
    histograms: list[DoseVolumeHistogram]
    warnings: tuple[str, ...] = ()
    descriptors: DoseDescriptors | None = None
    ranges: tuple[OrganRange, ...] = ()
    contrast: sitk.Image | None = None


def run_ct_dose(job: CTDoseJob, progress: Progress | None = None) -> CTDoseResult:
    """Compute the dose of a study and write the result folder `job.out`, whole or not at all.

    Raises `InputError` (`MissingFacts` where acquisition facts are missing) for input that cannot be used, `Cancelled`.
    """
    from organdose.jobs.ct_dose_files import write_ct_dose_files

    progress = progress or Progress()
    record = RunRecord("ct-dose", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    check_inputs_outside(job.out, (job.ct, job.segmentation, job.protocol, job.engine_parameters.get("hu_curve")))
    result = compute_ct_dose(job, record, progress)
    with result_folder(job.out) as folder:
        write_ct_dose_files(folder, result, record, scene=job.scene, progress=progress)
        record.write(folder / RECORD_NAME)
        progress.report("Done", 1.0)
    return result


def compute_ct_dose(job: CTDoseJob, record: RunRecord, progress: Progress) -> CTDoseResult:
    """Read, segment, compute and assess, without writing anything; notes inputs, facts and times in `record`."""
    chosen = engine(job.engine)
    parameters = _engine_parameters(chosen.parameters, job.engine_parameters)
    tissue_table(parameters.hu_curve)  # small and quickly wrong: before minutes are spent on the images
    # Defaults too: they may be others when the record is run again.
    record.job["engine_parameters"] = parameters.model_dump(mode="json")
    with record.timed("read"):
        study = read_ct(job.ct, protocol=job.protocol, series=job.series, progress=progress)
        chosen.check(study, parameters)
        record.add_input("ct", job.ct, study.files)
        if job.protocol is not None:
            record.add_input("protocol", job.protocol, [job.protocol])
    with record.timed("masks"):
        masks = masks_for_study(study, job.segmentation, progress=progress)
        if job.segmentation is not None:
            record.add_input("segmentation", job.segmentation, files_of(job.segmentation))
        bad_masks = bad_mask_warnings(masks, study.image, study.patient_sex, progress)
        if parameters.hu_curve is not None:
            record.add_input("hu_curve", Path(parameters.hu_curve), [Path(parameters.hu_curve)])
    with record.timed("dose grid"):
        patient = patient_model(study, masks, parameters, lambda: thresholded_bones(study, masks, progress))
        grid = dose_grid(study.image, job.voxel_mm, patient.tissues, air=patient.air, contrast=patient.contrast,
                         progress=progress)
        weights = _weights(study, masks, grid, job.organs, progress)
    with record.timed("dose"):
        dose = chosen.run(study, grid, parameters, organs=weights.names, organ_mass_g=weights.mass_g, progress=progress)
        # Kerma of the room's air around the patient is no dose of anybody; every voxel of a mask keeps its value.
        everything = weights if job.organs is None else _weights(study, masks, grid, None, progress)
        dose = _with_patient_facts(within(dose, everything.drawn()), patient)
    with record.timed("assess"):
        rows, histograms = organ_table(dose, weights), dose_volume_histograms(dose, weights)
    with record.timed("descriptors"):
        exposure = chosen.exposure(study, parameters)
        all_rows = rows if everything is weights else organ_table(dose, everything)
        descriptors = scan_descriptors(study, masks, exposure, all_rows, progress)
        ranges = organ_ranges(weights, beam_range_mm(exposure.path.z_mm, exposure.total_collimation_mm))
    warnings = (*bad_masks, *dose.facts.get("contradictions", ()), *_warnings(dose, parameters), *descriptors.warnings)
    record.facts.update(engine=dose.engine, masks=masks.origin, mask_notes=masks.notes, **dose.facts,
                        descriptors=descriptors.facts(), warnings=[*study.acquisition.warnings, *warnings])
    return CTDoseResult(study, masks, dose, noted(rows, ranges), histograms, warnings, descriptors, tuple(ranges),
                        contrast_image(study.image, patient.contrast))


def _with_patient_facts(dose: DoseMap, patient: PatientModel) -> DoseMap:
    assumptions = [*dose.facts.get("assumptions", ()), *patient.assumptions]
    return replace(dose, facts={**dose.facts, **patient.facts, "assumptions": assumptions})


def _warnings(dose: DoseMap, parameters: EngineParameters) -> tuple[str, ...]:
    """What the engine was asked for and could not do."""
    wanted_percent = getattr(parameters, "uncertainty_percent", None)
    reached = dose.organ_relative_uncertainty
    if wanted_percent is None or not reached:
        return ()
    worst = max(reached, key=reached.get)
    # The calibration's own uncertainty comes on top of what the run was stopped by.
    if 100 * reached[worst] <= 1.1 * wanted_percent:
        return ()
    return (f"the wanted uncertainty of {wanted_percent:g} % was not reached for every organ ({worst}: "
            f"{100 * reached[worst]:.2g} %): allow more histories",)


def _weights(study: CTStudy, masks: OrganMasks, grid: DoseGrid, organs: tuple[str, ...] | None,
             progress: Progress) -> OrganWeights:
    return organ_weights(masks, grid.ct_density_g_cm3, grid.geometry, sex=study.patient_sex, organs=organs,
                         progress=progress)


def _engine_parameters(model: type[EngineParameters], values: dict[str, object]) -> EngineParameters:
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"engine parameter {name!r}: {first['msg']}",
                         mend=f"Parameters: {', '.join(model.model_fields)}.") from error
