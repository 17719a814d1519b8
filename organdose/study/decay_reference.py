"""The moment that a decay correction of START refers to, which headers say in several ways.

The standard (PS3.3 C.8.9.1.1.5) names the acquisition start and lets it follow from Decay Factor, Frame Reference Time
and the series' date and time. What to trust when they differ follows the vendor-neutral SUV pseudo-code of the QIBA
FDG-PET/CT profile: the time of the series where no slice began before it; else GE's private date of the scan; else what
Frame Reference Time gives; else the earliest acquisition.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from organdose.study.decay_correction import decay_constant_per_s, mean_activity_offset_s
from organdose.study.facts import Fact, Origin
from organdose.study.header_slices import HeaderSlices
from organdose.study.header_values import number, text
from organdose.study.moments import moment_of, parsed_datetime, seconds_between, shown_moment, with_offset

# GE's conformance statements: PET scan date and time.
GE_CREATOR, GE_SCAN_GROUP, GE_SCAN_ELEMENT = "GEMS_PETD_01", 0x0009, 0x0D
# Decay Factor and Frame Reference Time are written with few digits; beyond 1 % of activity two moments contradict.
_TOLERANCE = 0.01


def start_reference(slices: HeaderSlices, whole: Dataset, half_life_s: float | None) -> Fact[datetime] | None:
    """The moment, with the reason as its note; None where the headers have no time at all."""
    enhanced = with_offset(parsed_datetime(text(whole, "DecayCorrectionDateTime")), whole)
    if enhanced is not None:
        return Fact(enhanced, Origin.header, "Decay Correction DateTime")
    series_at = moment_of(whole, "Series") if text(whole, "Modality").upper() != "NM" else None
    started = [(at, header) for header in slices.headers if (at := moment_of(header, "Acquisition")) is not None]
    if not started:
        return None if series_at is None else Fact(series_at, Origin.header, "time of the series; no acquisition time")
    first_at, first = min(started, key=lambda pair: seconds_between(started[0][0], pair[0]))
    fact = _chosen(series_at, first_at, first, whole, half_life_s)
    _tell_contradictions(fact, series_at, first_at, first, half_life_s, slices)
    return fact


def _chosen(series_at: datetime | None, first_at: datetime, first: Dataset, whole: Dataset,
            half_life_s: float | None) -> Fact[datetime]:
    if series_at is None:
        return Fact(first_at, Origin.header, "earliest acquisition")
    if seconds_between(series_at, first_at) >= 0:
        return Fact(series_at, Origin.header, "time of the series, which no acquisition precedes")
    after = "the series' time lies after the acquisition (a later processing)"
    ge_at = _ge_scan_time(whole)
    if ge_at is not None:
        return Fact(ge_at, Origin.header, f"GE's date of the scan; {after}")
    counted_back = _by_frame_reference_time(first_at, first, half_life_s)
    if counted_back is not None:
        return Fact(counted_back, Origin.derived, f"acquisition and Frame Reference Time; {after}")
    return Fact(first_at, Origin.header, f"earliest acquisition; {after}")


def check_administration(slices: HeaderSlices, injected_at: datetime | None, half_life_s: float | None) -> None:
    """Tells where images corrected to the administration have a Decay Factor that corrects to another moment."""
    first = slices.headers[0]
    acquired_at = moment_of(first, "Acquisition")
    if injected_at is None or acquired_at is None:
        return
    other = decay_factor_reference(acquired_at, first, half_life_s)
    fraction = 0.0 if other is None else differs(injected_at, other, half_life_s)
    if fraction:
        slices.warn(f"the images are taken as decay corrected to the administration at {shown_moment(injected_at)} "
                    f"(Decay Correction ADMIN); Decay Factor gives {shown_moment(other)}, {100 * fraction:.1f} % of "
                    "the activity apart")


def _ge_scan_time(whole: Dataset) -> datetime | None:
    try:
        block = whole.private_block(GE_SCAN_GROUP, GE_CREATOR)
        return with_offset(parsed_datetime(str(block[GE_SCAN_ELEMENT].value)), whole)
    except KeyError:
        return None


def _by_frame_reference_time(acquired_at: datetime, header: Dataset, half_life_s: float | None) -> datetime | None:
    """Frame Reference Time (ms) leads from the reference to the moment of the frame's mean count rate."""
    reference_ms, duration_ms = number(header, "FrameReferenceTime"), number(header, "ActualFrameDuration")
    if half_life_s is None or not reference_ms or not duration_ms or reference_ms < 0 or duration_ms < 0:
        return None
    mean_s = mean_activity_offset_s(duration_ms / 1000, half_life_s)
    return acquired_at + timedelta(seconds=mean_s - reference_ms / 1000)


def decay_factor_reference(acquired_at: datetime, header: Dataset, half_life_s: float | None) -> datetime | None:
    """The moment Decay Factor (0054,1321) corrects to: ln(factor) / lambda before the frame's mean count rate."""
    factor = number(header, "DecayFactor")
    if factor is None or factor <= 0 or half_life_s is None:
        return None
    duration_ms = number(header, "ActualFrameDuration") or 0.0
    mean_s = mean_activity_offset_s(duration_ms / 1000, half_life_s) if duration_ms > 0 else 0.0
    return acquired_at + timedelta(seconds=mean_s - math.log(factor) / decay_constant_per_s(half_life_s))


def differs(one: datetime, other: datetime, half_life_s: float | None) -> float:
    """By what fraction of the activity two moments differ; 0 where that is within the digits of headers."""
    if half_life_s is None:
        return 0.0
    fraction = math.expm1(decay_constant_per_s(half_life_s) * abs(seconds_between(one, other)))
    return fraction if fraction > _TOLERANCE else 0.0


def _tell_contradictions(fact: Fact[datetime], series_at: datetime | None, first_at: datetime, first: Dataset,
                         half_life_s: float | None, slices: HeaderSlices) -> None:
    others = {"the time of the series": series_at, "the earliest acquisition": first_at,
              "Decay Factor": decay_factor_reference(first_at, first, half_life_s)}
    for name, other in others.items():
        fraction = 0.0 if other is None else differs(fact.value, other, half_life_s)
        if fraction:
            slices.warn(f"the images are taken as decay corrected to {shown_moment(fact.value)} ({fact.note}); "
                        f"{name} gives {shown_moment(other)}, {100 * fraction:.1f} % of the activity apart")
