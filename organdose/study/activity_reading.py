"""The front door to activity: a DICOM folder or file, NRRD or NIfTI in, one `ActivityStudy` out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.activity_dicom import read_dicom_frames
from organdose.study.activity_study import ActivityFrame, ActivityStudy, fraction_of_injected_in_fov, net_injected_bq
from organdose.study.activity_volume import read_volume_frame
from organdose.study.facts import Fact, Origin
from organdose.study.moments import seconds_between, shown_moment
from organdose.study.nuclear_facts import NuclearAcquisition
from organdose.study.nuclear_protocol import NuclearProtocol, read_nuclear_protocol
from organdose.study.volume_file import is_volume_file

HalfLifeOf = Callable[[str], float | None]

# Two statements of one administration may differ by a minute of a clock; hours are another administration.
_SAME_ADMINISTRATION_S = 3600.0
_SAME_CLOCK_S = 60.0
_HALF_LIFE_TOLERANCE = 0.01
_COMMON_PART = 0.5
# Calibration of camera and dose calibrator agree within some percent; more than all of the activity is a mistake.
_MOST_IN_FOV = 1.1


def read_activity(path: Path, *, protocol: Path | NuclearProtocol | None = None, series: str | None = None,
                  half_life_of: HalfLifeOf | None = None, progress: Progress | None = None) -> ActivityStudy:
    """Read PET or SPECT as activity concentration.

    `path` is a DICOM folder (searched through its sub-folders), one DICOM file (NM or enhanced PET), or one NRRD or
    NIfTI file. `protocol`: facts under the names in `nuclear_facts.EXPLANATIONS`, or a JSON file of them; they win over
    the header's and the difference becomes a warning. `series` chooses one DICOM series by number or UID; without it
    all are read, as time points. `half_life_of` gives the half-life in s of a radionuclide ('F-18'), or None: it fills
    in what the header lacks and is compared with what it says.

    Returns frames in Bq/ml, each at its reference time. Raises `MissingFacts` for facts without which there are no
    Bq/ml, `InputError` for what cannot be read faithfully, `Cancelled`. What else lacks is in the study's `questions`.
    """
    path, progress = Path(path), progress or Progress()
    given = protocol
    if given is not None and not isinstance(given, NuclearProtocol):
        given = read_nuclear_protocol(Path(given))
    if not os.path.exists(path):
        raise InputError("there is no such file or folder", where=path, mend="Check the path of the PET or SPECT.")

    def complete(acquisition: NuclearAcquisition) -> NuclearAcquisition:
        return with_half_life(acquisition, half_life_of)

    if path.is_dir() or not is_volume_file(path):
        frames, remarks, assumptions = read_dicom_frames(path, series, given, complete, progress)
    elif series is not None:
        raise InputError(f"a {path.suffix} file holds no DICOM series to choose from", where=path,
                         mend="Leave --series away.")
    else:
        frames, remarks, assumptions = read_volume_frame(path, given or NuclearProtocol(), complete, progress)
    return _study(frames, remarks, assumptions, path)


def join_studies(studies: Sequence[ActivityStudy]) -> ActivityStudy:
    """Studies of one administration that were read one by one (a folder or file for each time point) as one.

    Raises `InputError` for another radionuclide or administration, and for two frames of the same time.
    """
    frames = tuple(frame for study in studies for frame in study.frames)
    assumptions = [line for study in studies for line in study.assumptions]
    remarks = [line for study in studies for line in study.warnings]
    return _study(frames, remarks, assumptions, None)


def with_half_life(acquisition: NuclearAcquisition, half_life_of: HalfLifeOf | None) -> NuclearAcquisition:
    """`acquisition` with the half-life of its radionuclide, or a warning where its own is another."""
    name = acquisition.value("radionuclide")
    known_s = half_life_of(name) if half_life_of is not None and name is not None else None
    if known_s is None:
        return acquisition
    if acquisition.half_life_s is None:
        return replace(acquisition, half_life_s=Fact(known_s, Origin.derived, f"half-life of {name}"))
    told_s = acquisition.half_life_s.value
    if abs(told_s - known_s) <= _HALF_LIFE_TOLERANCE * known_s:
        return acquisition
    line = f"the half-life is given as {told_s:g} s, that of {name} is {known_s:g} s: the first is used"
    return replace(acquisition, warnings=(*acquisition.warnings, line))


def _study(frames: Sequence[ActivityFrame], remarks: Sequence[str], assumptions: Sequence[str],
           where: Path | None) -> ActivityStudy:
    frames = _in_time(frames)
    _check_one_administration(frames, where)
    _check_times(frames, where)
    warnings = [*remarks, *(line for frame in frames for line in frame.acquisition.warnings), *_doubts(frames)]
    if frames[0].acquisition.residual_bq is None:
        assumptions = [*assumptions, "no residual activity is stated: all of the activity reached the patient"]
    return ActivityStudy(frames, frames[0].acquisition, tuple(dict.fromkeys(warnings)),
                         tuple(dict.fromkeys(assumptions)))


def _in_time(frames: Sequence[ActivityFrame]) -> tuple[ActivityFrame, ...]:
    """In the order of time where it is known of all, else as they came."""
    if all(frame.start_s is not None for frame in frames):
        return tuple(sorted(frames, key=lambda frame: frame.start_s))
    if all(frame.start_at is not None for frame in frames):
        return tuple(sorted(frames, key=lambda frame: seconds_between(frames[0].start_at, frame.start_at)))
    return tuple(frames)


def _check_one_administration(frames: Sequence[ActivityFrame], where: Path | None) -> None:
    nuclides = {name for frame in frames if (name := frame.acquisition.value("radionuclide"))}
    if len(nuclides) > 1:
        raise InputError(f"the series are of different radionuclides: {', '.join(sorted(nuclides))}", where=where,
                         mend="Read each with --series.")
    given = [at for frame in frames if (at := frame.acquisition.value("injected_at")) is not None]
    apart = [at for at in given if abs(seconds_between(given[0], at)) > _SAME_ADMINISTRATION_S]
    if apart:
        raise InputError(f"the series belong to two administrations, at {shown_moment(given[0])} and at "
                         f"{shown_moment(apart[0])}", where=where,
                         mend="Read each with --series, or give injected_at in a protocol file.")


def _check_times(frames: Sequence[ActivityFrame], where: Path | None) -> None:
    """Two images of one time are two reconstructions of it, and would count its activity twice."""
    times = [frame.start_s if frame.start_s is not None else frame.start_at for frame in frames]
    if len(frames) > 1 and None in times:
        raise InputError(f"there are {len(frames)} frames, but not the times of all", where=where,
                         mend="Choose one with --series, or give scan_start_at for each series in a protocol file.")
    if len(set(times)) < len(times):
        numbers = sorted({frame.series_number for frame in frames} - {""})
        if not numbers:
            raise InputError("two images are of the same time", where=where,
                             mend="Give scan_start_s for each file, under its name among the protocol's series.")
        raise InputError(f"two images are of the same time (series {', '.join(numbers)})", where=where,
                         mend="Choose one with --series NUMBER (or its SeriesInstanceUID).")


def _places_apart(frames: Sequence[ActivityFrame]) -> list[str]:
    """Frames of different parts of the body are beds, or scans that cannot be followed over time."""
    ranges = [(low := frame.image.GetOrigin()[2], low + frame.image.GetSpacing()[2] * frame.image.GetDepth())
              for frame in frames]
    common_mm = min(high for _, high in ranges) - max(low for low, _ in ranges)
    shortest_mm = min(high - low for low, high in ranges)
    if common_mm >= _COMMON_PART * shortest_mm:
        return []
    return [f"the frames share {max(common_mm, 0.0):g} mm of the body's length, the shortest has {shortest_mm:g} mm: "
            "beds of one scan are not joined, and organs may lie in some of the frames only"]


def _doubts(frames: Sequence[ActivityFrame]) -> list[str]:
    """What the numbers themselves say against the facts."""
    lines = _places_apart(frames)
    for frame in frames:
        facts = frame.acquisition
        if frame.start_s is not None and frame.start_s < 0:
            lines.append(f"the scan starts {-frame.start_s:g} s before the administration")
        injected_at = facts.value("injected_at")
        if None not in (frame.start_at, frame.start_s, injected_at):
            by_clock_s = seconds_between(injected_at, frame.start_at)
            if abs(by_clock_s - frame.start_s) > _SAME_CLOCK_S:
                lines.append(f"the scan starts {frame.start_s:g} s after the administration as scan_start_s says, by "
                             f"the clock {by_clock_s:g} s: the first is used")
        known = None not in (facts.injected_activity_bq, facts.half_life_s, frame.reference_s)
        if known and (fraction := fraction_of_injected_in_fov(frame)) > _MOST_IN_FOV:
            lines.append(f"the image holds {100 * fraction:.0f} % of the {net_injected_bq(facts):g} Bq administered: "
                         "check units, calibration and activity")
    return lines
