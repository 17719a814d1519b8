"""PET and SPECT as every other room sees them: frames in Bq/ml with their times, and what was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError, MissingFacts
from organdose.study.decay_correction import decay_factor
from organdose.study.moments import seconds_between
from organdose.study.nuclear_facts import EXPLANATIONS, NuclearAcquisition

# What every dose from a study needs; each that lacks is a question.
_NEEDED = ("radionuclide", "half_life_s", "injected_activity_bq", "patient_mass_kg", "decay_correction", "duration_s")


@dataclass(frozen=True)
class ActivityFrame:
    """One volume in time.

    `image` holds Bq/ml (float32) at the frame's reference time on an axis-aligned grid turned to LPS. Times are on the
    clock (`_at`) and in seconds after the administration (`_s`); each is None where nobody said what it follows from.
    `decay_correction` is that of the source: NONE, START, ADMIN, or '' where it is not said. `acquisition` has the
    facts of the frame's own series.
    """

    image: sitk.Image
    acquisition: NuclearAcquisition
    start_at: datetime | None = None
    start_s: float | None = None
    duration_s: float | None = None
    reference_at: datetime | None = None
    reference_s: float | None = None
    decay_correction: str = ""
    series_number: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    files: tuple[Path, ...] = ()

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.image.GetSpacing())) / 1000.0


@dataclass(frozen=True)
class ActivityStudy:
    """The frames of one administration in the order of time.

    `acquisition` has the facts of the first frame. `assumptions` say how values and times were reached, `warnings` what
    contradicts itself, `questions` what is still to be said, by the name of the fact with its explanation.
    """

    frames: tuple[ActivityFrame, ...]
    acquisition: NuclearAcquisition
    warnings: tuple[str, ...] = field(default=())
    assumptions: tuple[str, ...] = field(default=())

    @property
    def questions(self) -> dict[str, str]:
        """Missing facts with their explanations, of every frame."""
        asked: dict[str, str] = {}
        for frame in self.frames:
            asked |= frame.acquisition.missing(*_NEEDED)
            if frame.start_s is None:
                asked |= frame.acquisition.missing("injected_at", "scan_start_at")
        return asked

    @property
    def net_injected_bq(self) -> float:
        """See `net_injected_bq`."""
        return net_injected_bq(self.acquisition)

    def require_answers(self, where: object = None) -> None:
        """Raises `MissingFacts` while there are questions."""
        if self.questions:
            raise MissingFacts(self.questions, where=where)


def net_injected_bq(acquisition: NuclearAcquisition) -> float:
    """Activity that reached the patient, in Bq at the administration: the syringe's less what stayed in it.

    A residual measured later was more at the administration. Raises `MissingFacts`, and `InputError` for a residual
    that is not less than the activity.
    """
    acquisition.require("injected_activity_bq")
    given_bq, residual_bq = acquisition.injected_activity_bq.value, acquisition.value("residual_bq") or 0.0
    if residual_bq and acquisition.residual_at is not None:
        acquisition.require("injected_at", "half_life_s")
        elapsed_s = seconds_between(acquisition.injected_at.value, acquisition.residual_at.value)
        residual_bq /= decay_factor(elapsed_s, acquisition.half_life_s.value)
    if residual_bq >= given_bq:
        raise InputError(f"the residual of {residual_bq:g} Bq is not less than the activity of {given_bq:g} Bq",
                         mend="Check both and their times.")
    return given_bq - residual_bq


def activity_at(frame: ActivityFrame, when: datetime | float) -> sitk.Image:
    """The frame's image in Bq/ml (float32) as physical decay alone would have it at `when`: a moment, or seconds after
    the administration. What is taken up or excreted meanwhile is not in it.
    """
    factor = _decay_to(frame, when)
    return sitk.Cast(frame.image * factor, sitk.sitkFloat32)


def activity_in_image_bq(frame: ActivityFrame, when: datetime | float | None = None) -> float:
    """Activity in the field of view in Bq at the frame's reference time, or decayed to `when`."""
    values = sitk.GetArrayViewFromImage(frame.image)
    at_reference_bq = float(values.sum(dtype=np.float64)) * frame.voxel_ml
    return at_reference_bq if when is None else at_reference_bq * _decay_to(frame, when)


def fraction_of_injected_in_fov(frame: ActivityFrame) -> float:
    """Activity in the field of view, decay corrected to the administration, as a fraction of what was administered.

    One less this is elsewhere: outside the field of view, or excreted. Raises `MissingFacts` naming what it needs.
    """
    net_bq = net_injected_bq(frame.acquisition)
    return activity_in_image_bq(frame, 0.0) / net_bq


def _decay_to(frame: ActivityFrame, when: datetime | float) -> float:
    elapsed_s = _elapsed_s(frame, when)
    if elapsed_s == 0:
        return 1.0
    frame.acquisition.require("half_life_s")
    return decay_factor(elapsed_s, frame.acquisition.half_life_s.value)


def _elapsed_s(frame: ActivityFrame, when: datetime | float) -> float:
    """Seconds from the frame's reference to `when`."""
    if isinstance(when, datetime):
        if frame.reference_at is None:
            raise _unknown_time(frame, "scan_start_at")
        return seconds_between(frame.reference_at, when)
    if frame.reference_s is None:
        raise _unknown_time(frame, "injected_at", "scan_start_at")
    return float(when) - frame.reference_s


def _unknown_time(frame: ActivityFrame, *names: str) -> MissingFacts:
    asked = frame.acquisition.missing("decay_correction", *names)
    return MissingFacts(asked or {name: EXPLANATIONS[name] for name in names})
