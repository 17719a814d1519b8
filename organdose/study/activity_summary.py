"""What of the administered activity each frame shows: at the scan, at the administration, and as a fraction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import SimpleITK as sitk

from organdose.errors import MissingFacts
from organdose.study.activity_study import (
    ActivityFrame,
    ActivityStudy,
    activity_in_image_bq,
    fraction_of_injected_in_fov,
)


@dataclass(frozen=True)
class FrameActivity:
    """One frame in numbers; None where a fact lacks that the number needs (see the study's questions).

    `at_scan_bq` is the activity in the field of view at the start of the frame, `at_administration_bq` the same decay
    corrected to the administration, `fraction` that over the net administered activity.
    """

    series_number: str
    start_s: float | None
    duration_s: float | None
    at_scan_bq: float | None
    at_administration_bq: float | None
    fraction: float | None
    largest_bq_per_ml: float


def frame_activities(study: ActivityStudy) -> tuple[FrameActivity, ...]:
    """One row for each frame, in the order of time."""
    return tuple(_row(frame) for frame in study.frames)


def _row(frame: ActivityFrame) -> FrameActivity:
    start = frame.start_s if frame.reference_s is not None and frame.start_s is not None else frame.start_at
    at_scan_bq = None if start is None else _known(activity_in_image_bq, frame, start)
    largest = float(sitk.GetArrayViewFromImage(frame.image).max())
    return FrameActivity(frame.series_number, frame.start_s, frame.duration_s, at_scan_bq,
                         _known(activity_in_image_bq, frame, 0.0), _known(fraction_of_injected_in_fov, frame), largest)


def _known(function: Callable[..., float], *arguments) -> float | None:
    try:
        return function(*arguments)
    except MissingFacts:
        return None
