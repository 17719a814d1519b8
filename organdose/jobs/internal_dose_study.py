"""What an internal dose is computed from: PET or SPECT, CT, masks and facts, read and brought onto one dose grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.ct.engines import EngineParameters
from organdose.ct.patient_model import patient_model, tissue_table
from organdose.errors import InputError, MissingFacts
from organdose.jobs.record import RunRecord, files_of
from organdose.nuclear.progeny import DecayMixture, with_progeny
from organdose.nuclear.radionuclide import radionuclide
from organdose.patient.dose_grid import DoseGrid, dose_grid
from organdose.patient.lattice import Lattice, carried_on
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import masks_for_study, thresholded_bones
from organdose.study import read_ct
from organdose.study.activity_reading import join_studies, read_activity
from organdose.study.activity_study import ActivityFrame, ActivityStudy, net_injected_bq
from organdose.study.ct_study import CTStudy
from organdose.study.nuclear_protocol import NuclearProtocol, read_nuclear_protocol

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseJob

_NOT_FOR_DOSE = ("patient_mass_kg",)  # SUV need it, dose does not


@dataclass(frozen=True)
class InternalDoseStudy:
    """`frames`: on their own grids, brought together. `everything`: weights of all organs the masks have or make.
    `inside` (bool, (z, y, x) of the dose grid): voxels that hold a part of the body or of any mask. `administered_bq`:
    net. `hu_to_tissue`: source of the tissues. `assumptions`, `warnings`: lines for the report."""

    activity: ActivityStudy
    frames: tuple[ActivityFrame, ...]
    ct: CTStudy
    masks: OrganMasks
    lattice: Lattice
    grid: DoseGrid
    everything: OrganWeights
    inside: np.ndarray
    mixture: DecayMixture
    administered_bq: float
    hu_to_tissue: str
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def sex(self) -> str:
        return _sex(self.activity, self.ct)


def read_internal_dose_study(job: InternalDoseJob, record: RunRecord, progress: Progress) -> InternalDoseStudy:
    """Read all that `job` names. Raises `MissingFacts` with the questions, `InputError`, `Cancelled`."""
    tissue_table(job.hu_curve)  # small and quickly wrong: before minutes are spent on the images
    with record.timed("read"):
        activity = _activity(job, progress)
        mixture = with_progeny(activity.acquisition.value("radionuclide"))
        ct = read_ct(job.ct, series=job.ct_series, progress=progress)
        record.add_input("ct", job.ct, ct.files)
        for number, path in enumerate(job.pet, 1):
            record.add_input(f"pet {number}", path, files_of(path))
        for role in ("protocol", "segmentation", "recovery"):
            if (path := getattr(job, role)) is not None:
                record.add_input(role, path, files_of(path))
    with record.timed("masks"):
        masks = masks_for_study(ct, job.segmentation, progress=progress)
    with record.timed("dose grid"):
        lattice = carried_on(activity.frames[0].image, ct.image, job.voxel_mm)
        patient = patient_model(ct, masks, _tissue_choices(job, ct), lambda: thresholded_bones(ct, masks, progress))
        grid = dose_grid(ct.image, lattice, patient.tissues, air=patient.air, contrast=patient.contrast,
                         progress=progress)
        everything = organ_weights(masks, grid.ct_density_g_cm3, grid.geometry, sex=_sex(activity, ct),
                                   progress=progress)
    return InternalDoseStudy(
        activity, activity.frames, ct, masks, lattice, grid, everything, everything.drawn(), mixture,
        net_injected_bq(activity.acquisition), patient.facts["hu_to_tissue"],
        (*activity.assumptions, *patient.assumptions, *_about_contrast(job, ct)),
        (*activity.warnings, *_places(activity, ct)))


def _sex(activity: ActivityStudy, ct: CTStudy) -> str:
    return ct.patient_sex or activity.acquisition.value("patient_sex") or ""


def _activity(job: InternalDoseJob, progress: Progress) -> ActivityStudy:
    """All frames, with every fact that a dose needs."""
    protocol = _protocol(job)
    studies = [read_activity(path, protocol=protocol, series=job.series, half_life_of=_half_life_s, progress=progress)
               for path in job.pet]
    study = studies[0] if len(studies) == 1 else join_studies(studies)
    asked = {name: why for name, why in study.questions.items() if name not in _NOT_FOR_DOSE}
    if asked:
        raise MissingFacts(asked, where=job.pet[0])
    return study


def _protocol(job: InternalDoseJob) -> NuclearProtocol | None:
    """The protocol file with what the job itself states on top."""
    protocol = NuclearProtocol() if job.protocol is None else read_nuclear_protocol(job.protocol)
    stated: dict[str, object] = {}
    if job.nuclide is not None:
        stated["radionuclide"] = radionuclide(job.nuclide).name
    if job.administered_mbq is not None:
        stated["injected_activity_bq"] = job.administered_mbq * 1e6
    origins = protocol.origins | dict.fromkeys(stated, "user")
    return protocol.model_copy(update=stated | {"origins": origins})


def _half_life_s(name: str) -> float | None:
    try:
        return radionuclide(name).half_life_s
    except InputError:
        return None


def _tissue_choices(job: InternalDoseJob, ct: CTStudy) -> EngineParameters:
    """Iodine needs the tube voltage: without it bright voxels are bone, which the report says."""
    contrast = job.contrast
    if ct.acquisition.tube_voltage_kv is None and contrast != "no":
        if contrast == "yes":
            raise InputError("contrast medium needs the CT's tube voltage, which is not stated", where=job.ct,
                             mend="Give the DICOM CT, or contrast no.")
        contrast = "no"
    return EngineParameters(couch=job.couch, hu_curve=job.hu_curve, contrast=contrast)


def _about_contrast(job: InternalDoseJob, ct: CTStudy) -> list[str]:
    """What `_tissue_choices` has decided without being asked."""
    if job.contrast != "auto" or ct.acquisition.tube_voltage_kv is not None:
        return []
    return ["The CT's tube voltage is not stated: contrast medium was not looked for, and what is brighter than 120 HU "
            "is taken for bone."]


def _places(activity: ActivityStudy, ct: CTStudy) -> list[str]:
    """Where PET or SPECT and CT lie by their headers."""
    said, frame = [], activity.frames[0]
    other = ct.frame_of_reference_uid
    if frame.frame_of_reference_uid and other and frame.frame_of_reference_uid != other:
        said.append("PET or SPECT and CT have different frames of reference: nothing says that the patient lay still "
                    "between them")
    covered = _covered_length(frame.image, ct.image)
    if covered < 0.999:
        said.append(f"the CT shows {100 * covered:.0f} % of the length of the PET or SPECT: activity "
                    "beyond it lies in air")
    return said


def _covered_length(image: sitk.Image, ct: sitk.Image) -> float:
    """Part of the length of `image` along the body that `ct` shows too."""
    (low, high), (ct_low, ct_high) = _length(image), _length(ct)
    return max(0.0, min(high, ct_high) - max(low, ct_low)) / (high - low)


def _length(image: sitk.Image) -> tuple[float, float]:
    low = image.GetOrigin()[2] - 0.5 * image.GetSpacing()[2]
    return low, low + image.GetSpacing()[2] * image.GetDepth()
