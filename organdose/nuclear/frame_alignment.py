"""All frames of a study on one grid, moved where asked, so that each voxel has its activity over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.nuclear.frame_on_grid import FrameOnGrid, frame_on_grid
from organdose.progress import Progress
from organdose.study.activity_study import ActivityFrame
from organdose.study.ct_study import CTStudy
from organdose.study.frame_registration import Registration, register
from organdose.study.frame_registration_parameters import RegistrationParameters

_WHOLE = 0.999
_TOLD_CHANGE_PERCENT = 5.0
_TOLD_UNSEEN_PERCENT = 1.0


@dataclass(frozen=True)
class AlignedFrame:
    """One frame on the target grid.

    `frame`: the given one with its new image (Bq/ml, float32); unit, times and facts are untouched. `registration`:
    None for the reference, and where nothing was registered; `compared`: 'ct' or 'activity', '' for nothing.
    `in_frame_bq`: activity of the whole frame; `on_target_bq`: on the target grid. `change_percent`: what interpolation
    and bending made of the activity that came onto the target (0 for boxes that overlap). `left_out_percent`: part of
    the frame's activity that lies beyond the target. `seen_percent`: part of the target that the frame covers; `whole`
    (bool, (z, y, x) of the target): the voxels that lie wholly in its field of view.
    """

    frame: ActivityFrame
    registration: Registration | None
    compared: str
    in_frame_bq: float
    on_target_bq: float
    change_percent: float
    left_out_percent: float
    seen_percent: float
    whole: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class FrameAlignment:
    """Frames on one grid. `seen` (uint8): the voxels that lie wholly in the field of view of every frame; elsewhere a
    frame has zeros that nobody measured. `warnings` ask for a look, `notes` are for the report."""

    frames: tuple[AlignedFrame, ...]
    seen: sitk.Image
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def align_frames(frames: Sequence[ActivityFrame], target: sitk.Image, parameters: RegistrationParameters | None = None,
                 *, cts: Sequence[CTStudy | None] | None = None, progress: Progress | None = None) -> FrameAlignment:
    """Bring `frames` onto the grid of `target` (only its geometry counts), which lies in the space of the reference.

    Frames that are not moved are averaged over the exact overlap of the voxels: their activity is kept. Moved frames
    are interpolated linearly in Bq/ml, in voxels no larger than their own. `cts`: the CT of each frame, or None.
    Raises `InputError` for frames without values, without activity or without a voxel on the target, `Cancelled`.
    """
    parameters, progress = parameters or RegistrationParameters(), progress or Progress()
    cts = list(cts) if cts is not None else [None] * len(frames)
    _check(frames, cts, parameters)
    warnings = _geometry_warnings(frames, cts, parameters)
    aligned, notes = [], []
    for number, frame in enumerate(frames, start=1):
        registration, compared, lines = _registration(frames, cts, number, parameters, progress)
        warnings += lines
        progress.report("frames onto one grid", (number - 1) / len(frames))
        placed = frame_on_grid(frame, target, registration, keep_total=parameters.keep_total, name=f"frame {number}")
        aligned.append(_aligned(frame, registration, compared, placed))
        told, more = _told(aligned[-1], number)
        notes += told
        warnings += more
    progress.report("frames onto one grid", 1.0)
    warnings += _fields_of_view(aligned)
    whole = np.logical_and.reduce([each.whole for each in aligned])
    seen = sitk.GetImageFromArray(whole.astype(np.uint8))
    seen.CopyInformation(target)
    if not whole.any():
        warnings.append("no voxel of the target lies in the field of view of every frame")
    return FrameAlignment(tuple(aligned), seen, tuple(dict.fromkeys(warnings)), tuple(notes))


def _check(frames: Sequence[ActivityFrame], cts: Sequence[CTStudy | None], parameters: RegistrationParameters) -> None:
    if not frames:
        raise InputError("no frames to bring together", mend="Give at least one PET or SPECT frame.")
    if len(cts) != len(frames):
        raise InputError(f"{len(cts)} CTs for {len(frames)} frames", mend="Give one for each frame, or None.")
    for number, frame in enumerate(frames, start=1):
        values = sitk.GetArrayViewFromImage(frame.image)
        if not np.isfinite(values).all():
            raise InputError(f"frame {number} holds values that are no numbers (NaN or infinite)",
                             mend="Export the image again without them.")
        if values.max() <= 0:
            raise InputError(f"frame {number} holds no activity: no value is above 0", mend="Leave it out.")
    if parameters.method == "none":
        return
    if parameters.reference > len(frames):
        raise InputError(f"frame {parameters.reference} is to be the reference, there are {len(frames)}",
                         mend="Choose one of them.")
    if parameters.on == "ct" and None in cts:
        raise InputError(f"frame {cts.index(None) + 1} has no CT to register",
                         mend="Give its CT, or compare the activity.")


def _geometry_warnings(frames: Sequence[ActivityFrame], cts: Sequence[CTStudy | None],
                       parameters: RegistrationParameters) -> list[str]:
    warnings = []
    reference = frames[parameters.reference - 1 if parameters.method != "none" else 0]
    for number, (frame, ct) in enumerate(zip(frames, cts), start=1):
        if parameters.method == "none" and _differ(frame.frame_of_reference_uid, reference.frame_of_reference_uid):
            warnings.append(f"frame {number} has another frame of reference than frame 1: without registration nothing "
                            "says how they lie to each other")
        if ct is not None and _differ(frame.frame_of_reference_uid, ct.frame_of_reference_uid):
            warnings.append(f"frame {number} and its CT have different frames of reference: whether they fit is not "
                            "said")
    return warnings


def _differ(first: str, second: str) -> bool:
    return bool(first and second and first != second)


def _registration(frames: Sequence[ActivityFrame], cts: Sequence[CTStudy | None], number: int,
                  parameters: RegistrationParameters, progress: Progress) -> tuple[Registration | None, str, list[str]]:
    """How frame `number` lies to the reference, the images that were compared, and warnings."""
    if parameters.method == "none" or number == parameters.reference:
        return None, "", []
    at, fixed_at = number - 1, parameters.reference - 1
    by_ct = parameters.on == "ct" or (parameters.on == "auto" and None not in (cts[at], cts[fixed_at]))
    if by_ct and _same_series(cts[at], cts[fixed_at]):
        return None, "", []  # one CT for both: it says that the patient lay still
    fixed, moving = ((cts[fixed_at].image, cts[at].image) if by_ct
                     else (frames[fixed_at].image, frames[at].image))
    kind = "ct" if by_ct else "activity"
    found = register(fixed, moving, parameters, kind=kind, progress=progress, stage=f"registering frame {number}")
    lines = [f"frame {number}: {line}" for line in found.warnings]
    if _differ(frames[at].frame_of_reference_uid, frames[fixed_at].frame_of_reference_uid) and found.method == "none":
        lines.append(f"frame {number} has another frame of reference than frame {parameters.reference} and is not "
                     "registered: nothing says how they lie to each other")
    return found, kind, lines


def _same_series(first: CTStudy, second: CTStudy) -> bool:
    return first is second or bool(first.series_uid and first.series_uid == second.series_uid)


def _aligned(frame: ActivityFrame, registration: Registration | None, compared: str,
             placed: FrameOnGrid) -> AlignedFrame:
    values = sitk.GetArrayViewFromImage(frame.image)
    in_frame_bq = float(values.sum(dtype=np.float64)) * frame.voxel_ml
    change = 100 * (placed.on_target_bq / placed.brought_bq - 1) if placed.brought_bq else 0.0
    left_out = 100 * (1 - placed.brought_bq / in_frame_bq) if in_frame_bq else 0.0
    return AlignedFrame(replace(frame, image=placed.image), registration, compared, in_frame_bq, placed.on_target_bq,
                        change, left_out, 100 * float(placed.covered.mean()), placed.covered > _WHOLE)


def _fields_of_view(aligned: Sequence[AlignedFrame]) -> list[str]:
    """Warnings of frames that do not show where others have activity: nobody knows what was there at their time."""
    said, by_any = [], np.logical_or.reduce([each.whole for each in aligned])
    for number, frame in enumerate(aligned, start=1):
        missed = by_any & ~frame.whole
        if not missed.any():
            continue
        percent = max(_percent_in(missed, other) for other in aligned if other is not frame)
        if percent > _TOLD_UNSEEN_PERCENT:
            said.append(f"frame {number} does not show the places of up to {percent:.0f} % of the activity that "
                        "another frame shows: it does not count there")
    return said


def _percent_in(places: np.ndarray, frame: AlignedFrame) -> float:
    """Part of a frame's activity on the target that lies in `places`."""
    values = sitk.GetArrayViewFromImage(frame.frame.image)
    total = float(values.sum(dtype=np.float64))
    return 100 * float(values[places & frame.whole].sum(dtype=np.float64)) / total if total > 0 else 0.0


def _told(aligned: AlignedFrame, number: int) -> tuple[list[str], list[str]]:
    """Notes and warnings of one frame."""
    found = aligned.registration
    if found is None or found.method == "none":
        how = "where its scanner says it is"
    else:
        how = (f"{found.method} registration of the {'CT' if aligned.compared == 'ct' else 'activity'}, moved by "
               f"{found.displacement.mean_mm:.1f} mm at the mean and {found.displacement.largest_mm:.1f} mm at most; "
               f"{found.measure.replace('_', ' ')} {found.before:.3f} before, {found.after:.3f} after")
    note = (f"frame {number}: {how}; activity changed by {aligned.change_percent:+.2f} %, "
            f"{aligned.left_out_percent:.1f} % of it lies beyond the grid")
    warnings = []
    if abs(aligned.change_percent) > _TOLD_CHANGE_PERCENT:
        warnings.append(f"frame {number}: the registration changed its activity by {aligned.change_percent:+.1f} %")
    return [note], warnings
