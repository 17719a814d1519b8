"""When a frame was acquired and which moment its values refer to, on the clock and in seconds after administration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from organdose.study.ct_slices import CTSlice
from organdose.study.decay_correction import decay_factor, mean_activity_offset_s
from organdose.study.dicom_nuclear import slice_duration_s, slice_start
from organdose.study.facts import Fact, Origin
from organdose.study.moments import seconds_between, shown_moment
from organdose.study.nuclear_facts import NuclearAcquisition


@dataclass(frozen=True)
class FrameTiming:
    """Start and reference of a frame; None while nobody has said what they follow from. `notes` say how they did."""

    start_at: datetime | None = None
    start_s: float | None = None
    duration_s: float | None = None
    reference_at: datetime | None = None
    reference_s: float | None = None
    notes: tuple[str, ...] = field(default=())


def frame_timing(known: NuclearAcquisition, slices: Sequence[CTSlice] = (), *,
                 after_first_s: float = 0.0) -> FrameTiming:
    """Times of one frame of the series that `known` describes; `after_first_s` is how much later it began than the
    first frame of the series. Without `slices` (NIfTI, NRRD) the facts alone count.
    """
    start_at, start_s = _start(known, after_first_s)
    duration_s = _duration_s(known, slices)
    correction = known.value("decay_correction")
    if correction == "ADMIN":
        return FrameTiming(start_at, start_s, duration_s, known.value("injected_at"), 0.0,
                           ("corrected to the administration",))
    if correction == "START":
        return _corrected_to_start(known, start_at, start_s, duration_s)
    if correction == "NONE":
        return _not_corrected(known, start_at, start_s, duration_s)
    return FrameTiming(start_at, start_s, duration_s)


def slice_factors(known: NuclearAcquisition, slices: Sequence[CTSlice]) -> list[float]:
    """What brings slices that are not decay corrected, of beds scanned one after the other, to the time of the first.

    All 1 where decay was corrected or the slices were acquired together. Raises `MissingFacts` without half-life.
    """
    starts = [slice_start(each.header) for each in slices]
    if known.value("decay_correction") != "NONE" or None in starts or len(set(starts)) < 2:
        return [1.0] * len(slices)
    known.require("half_life_s")
    half_life_s = known.half_life_s.value
    means_s = [seconds_between(starts[0], start)
               + mean_activity_offset_s(slice_duration_s(each.header) or 0.0, half_life_s)
               for start, each in zip(starts, slices, strict=True)]
    return [decay_factor(min(means_s) - mean_s, half_life_s) for mean_s in means_s]


def _start(known: NuclearAcquisition, after_first_s: float) -> tuple[datetime | None, float | None]:
    """Start on the clock and after the administration: each from the other where one is not said."""
    first_at, first_s, injected_at = (known.value(name) for name in ("scan_start_at", "scan_start_s", "injected_at"))
    if first_at is not None and injected_at is not None and not _is_told(known.scan_start_s):
        first_s = seconds_between(injected_at, first_at)
    elif first_s is not None and injected_at is not None and first_at is None:
        first_at = injected_at + timedelta(seconds=first_s)
    return (None if first_at is None else first_at + timedelta(seconds=after_first_s),
            None if first_s is None else first_s + after_first_s)


def _is_told(fact: Fact | None) -> bool:
    return fact is not None and fact.origin in (Origin.protocol, Origin.user)


def _duration_s(known: NuclearAcquisition, slices: Sequence[CTSlice]) -> float | None:
    told = known.duration_s
    if told is not None and told.origin is not Origin.header:
        return told.value
    found = [duration for each in slices if (duration := slice_duration_s(each.header)) is not None]
    return max(found) if found and told is not None else known.value("duration_s")


def _corrected_to_start(known: NuclearAcquisition, start_at: datetime | None, start_s: float | None,
                        duration_s: float | None) -> FrameTiming:
    """All frames of a series refer to one moment, told or the start of the first."""
    fact, injected_at = known.reference_at, known.value("injected_at")
    first_at, first_s = _start(known, 0.0)
    told = _is_told(known.scan_start_at) or _is_told(known.scan_start_s)
    if fact is None or (told and not _is_told(fact)):  # who corrects the start corrects what refers to it
        return FrameTiming(start_at, start_s, duration_s, first_at, first_s, ("corrected to the start of the scan",))
    reference_s = None if injected_at is None else seconds_between(injected_at, fact.value)
    if reference_s is None and first_s is not None and first_at is not None:
        reference_s = first_s + seconds_between(first_at, fact.value)
    note = f"corrected to {shown_moment(fact.value)}: {fact.note or fact.origin.value}"
    return FrameTiming(start_at, start_s, duration_s, fact.value, reference_s, (note,))


def _not_corrected(known: NuclearAcquisition, start_at: datetime | None, start_s: float | None,
                   duration_s: float | None) -> FrameTiming:
    """Values are means over the frame: those of the moment when the decaying activity equals its mean."""
    half_life_s = known.value("half_life_s")
    if duration_s is None or half_life_s is None:
        offset_s, note = 0.0, ("not decay corrected, and duration or half-life are not known: the values are taken as "
                               "those of the start of the frame")
    else:
        offset_s = mean_activity_offset_s(duration_s, half_life_s)
        note = f"not decay corrected: the values are those of {offset_s:.1f} s after the start of the frame"
    reference_at = None if start_at is None else start_at + timedelta(seconds=offset_s)
    return FrameTiming(start_at, start_s, duration_s, reference_at, None if start_s is None else start_s + offset_s,
                       (note,))
