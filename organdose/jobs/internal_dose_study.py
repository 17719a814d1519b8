"""What an internal dose is computed from: PET or SPECT, CT, masks and facts, read and brought onto one dose grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_weights import OrganWeights, organ_weights
from organdose.ct.engines import EngineParameters
from organdose.ct.patient_model import patient_model, tissue_table
from organdose.errors import InputError, MissingFacts
from organdose.jobs.mask_check import bad_mask_warnings
from organdose.jobs.record import RunRecord, files_of
from organdose.nuclear.frame_alignment import FrameAlignment, align_frames
from organdose.nuclear.progeny import DecayMixture, with_progeny
from organdose.nuclear.radionuclide import radionuclide
from organdose.patient.dose_grid import DoseGrid, dose_grid
from organdose.patient.lattice import Lattice, carried_on
from organdose.progress import Progress
from organdose.segmentation.lesions import Lesion, lesion_masks
from organdose.segmentation.lesions_as_organs import add_lesions
from organdose.segmentation.masks_for_study import masks_for_study, thresholded_bones
from organdose.study import read_ct
from organdose.study.activity_reading import join_studies, read_activity
from organdose.study.activity_study import ActivityFrame, ActivityStudy, net_injected_bq
from organdose.study.ct_study import CTStudy
from organdose.study.decay_correction import decay_factor
from organdose.study.nuclear_protocol import NuclearProtocol, read_nuclear_protocol
from organdose.study.suv import bq_per_ml_of_suv, suv_normalisation

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseJob

_NOT_FOR_DOSE = ("patient_mass_kg",)  # SUV need it, dose does not


@dataclass(frozen=True)
class InternalDoseStudy:
    """`alignment`: the frames on the dose grid; `lesions`: outlined in one of them, and among `masks`. `everything`:
    weights of all organs the masks have or make. `inside` (bool, (z, y, x) of the dose grid): voxels that hold a part
    of the body or of any mask. `administered_bq`: net. `hu_to_tissue`: source of the tissues. `assumptions`,
    `warnings`: lines for the report."""

    activity: ActivityStudy
    alignment: FrameAlignment
    lesions: tuple[Lesion, ...]
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
    def frames(self) -> tuple[ActivityFrame, ...]:
        """In Bq/ml on the dose grid, in the order of time."""
        return tuple(each.frame for each in self.alignment.frames)

    @property
    def sex(self) -> str:
        return _sex(self.activity, self.ct)

    @property
    def alpha_emitters(self) -> tuple[str, ...]:
        """Nuclides of the decay whose alphas are in the dose."""
        return tuple(member.nuclide.name for member in self.mixture.members
                     if member.nuclide.emissions.alpha_energy_kev > 0)


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
        for role in ("protocol", "segmentation", "recovery", "radiobiology"):
            if (path := getattr(job, role)) is not None:
                record.add_input(role, path, files_of(path))
    with record.timed("masks"):
        masks = masks_for_study(ct, job.segmentation, progress=progress)
        bad_masks = bad_mask_warnings(masks, ct.image, _sex(activity, ct), progress)
    with record.timed("frames"):
        lattice = carried_on(_reference(job, activity).image, ct.image, job.voxel_mm)
        alignment = _aligned(job, activity, lattice, progress)
        lesions = _lesions(job, activity, alignment, progress)
        add_lesions(masks, lesions)
    with record.timed("dose grid"):
        patient = patient_model(ct, masks, _tissue_choices(job, ct), lambda: thresholded_bones(ct, masks, progress))
        grid = dose_grid(ct.image, lattice, patient.tissues, air=patient.air, contrast=patient.contrast,
                         progress=progress)
        everything = organ_weights(masks, grid.ct_density_g_cm3, grid.geometry, sex=_sex(activity, ct),
                                   progress=progress)
    return InternalDoseStudy(
        activity, alignment, lesions, ct, masks, lattice, grid, everything, everything.drawn(), mixture,
        net_injected_bq(activity.acquisition), patient.facts["hu_to_tissue"],
        (*activity.assumptions, *patient.assumptions, *_about_contrast(job, ct)),
        (*bad_masks, *activity.warnings, *alignment.warnings, *_places(activity, ct)))


def _reference(job: InternalDoseJob, activity: ActivityStudy) -> ActivityFrame:
    """The frame that the others are brought onto."""
    number = job.registration.reference
    if number > len(activity.frames):
        raise InputError(f"frame {number} of {len(activity.frames)} cannot be the reference",
                         mend="Count the frames from 1 in the order of time.")
    return activity.frames[number - 1]


def _aligned(job: InternalDoseJob, activity: ActivityStudy, lattice: Lattice, progress: Progress) -> FrameAlignment:
    cts = None
    if job.registration_cts:
        if len(job.registration_cts) != len(activity.frames):
            raise InputError(f"{len(job.registration_cts)} CTs for {len(activity.frames)} time points",
                             mend="Give one CT for each time point, in the order of time, or none.")
        cts = [read_ct(path, progress=progress) for path in job.registration_cts]
    target = lattice.image(np.zeros(lattice.shape, np.uint8))
    return align_frames(activity.frames, target, job.registration, cts=cts, progress=progress)


def _lesions(job: InternalDoseJob, activity: ActivityStudy, alignment: FrameAlignment,
             progress: Progress) -> tuple[Lesion, ...]:
    """Outlined on the voxels of the PET or SPECT, but for a frame that was moved: that is outlined where it came to."""
    if not job.lesions:
        return ()
    if job.lesion_frame > len(activity.frames):
        raise InputError(f"lesions in frame {job.lesion_frame} of {len(activity.frames)}",
                         mend="Count the frames from 1 in the order of time.")
    moved = alignment.frames[job.lesion_frame - 1]
    is_moved = moved.registration is not None and moved.registration.method != "none"
    frame = moved.frame if is_moved else activity.frames[job.lesion_frame - 1]
    return lesion_masks(frame.image, job.lesions, job.lesion_parameters, bq_per_ml_of_suv=_suv_of_one(activity, frame),
                        progress=progress)


def _suv_of_one(activity: ActivityStudy, frame: ActivityFrame) -> float | None:
    """Bq/ml for an SUV (body weight) of 1 at the frame's reference time; None where the patient's mass is not known."""
    mass_kg = activity.acquisition.value("patient_mass_kg")
    if mass_kg is None or frame.reference_s is None:
        return None
    activity_bq = net_injected_bq(activity.acquisition) * decay_factor(frame.reference_s,
                                                                       activity.acquisition.value("half_life_s"))
    return bq_per_ml_of_suv(activity_bq, suv_normalisation("BW", mass_kg=mass_kg))


def _sex(activity: ActivityStudy, ct: CTStudy) -> str:
    return ct.patient_sex or activity.acquisition.value("patient_sex") or ""


def _activity(job: InternalDoseJob, progress: Progress) -> ActivityStudy:
    """All frames, with every fact that a dose needs."""
    protocol = _protocol(job)
    studies = [read_activity(path, protocol=protocol, series=job.series, half_life_of=_half_life_s, progress=progress)
               for path in job.pet]
    study = studies[0] if len(studies) == 1 else join_studies(studies)
    study = replace(study, warnings=(*study.warnings, *_unread_series(protocol, study)))
    asked = {name: why for name, why in study.questions.items() if name not in _NOT_FOR_DOSE}
    if asked:
        raise MissingFacts(asked, where=job.pet[0])
    return study


def _unread_series(protocol: NuclearProtocol, study: ActivityStudy) -> list[str]:
    """Facts that the protocol has of series or files that were not read: a misspelt name would go unseen."""
    known = {name for frame in study.frames
             for name in (frame.series_number, frame.series_uid, *(path.name for path in frame.files))}
    return [f"the protocol's facts of {name!r} were not used: no image that was read has that series or file name"
            for name in protocol.series if name not in known]


def _protocol(job: InternalDoseJob) -> NuclearProtocol:
    """The protocol file with what the job itself states on top. Raises `InputError` for a nuclide nobody knows."""
    protocol = NuclearProtocol() if job.protocol is None else read_nuclear_protocol(job.protocol)
    if protocol.radionuclide is not None:
        radionuclide(protocol.radionuclide)
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
