"""Facts of a PET or SPECT series out of its headers, and what the headers contradict themselves in.

Attributes: PS3.3 C.8.9.1 (PET Series), C.8.9.2 (PET Isotope), C.8.9.4 (PET Image), C.8.4.10 (NM Isotope), C.8.4.12 (NM
Detector), C.8.22 (Enhanced PET).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from organdose.study.decay_reference import check_administration, start_reference
from organdose.study.facts import Fact, Origin
from organdose.study.header_slices import HeaderSlices
from organdose.study.header_values import number, text, texts
from organdose.study.moments import (
    combined,
    moment_of,
    parsed_datetime,
    seconds_between,
    shown_moment,
    with_offset,
)
from organdose.study.nuclear_facts import DECAY_CORRECTIONS, UNITS, NuclearAcquisition
from organdose.study.radionuclide_name import radionuclide_of
from organdose.study.suv import KINDS

# Nobody is given 100 GBq, and no image is made of 10 kBq: beyond these the value is in the other unit.
_HIGHEST_BQ, _LOWEST_BQ = 1e11, 1e4
# With a longer half-life images are made on later days, and a time of day does not say which.
_SAME_DAY_HALF_LIFE_S = 12 * 3600.0
_DAY = timedelta(days=1)


def nuclear_facts(headers: Sequence[Dataset], whole: Dataset, *,
                  half_life_s: float | None = None) -> NuclearAcquisition:
    """What the headers of one series say.

    `headers` are those of the slices with the attributes of single-frame images, `whole` is the header of one file,
    with its sequences. What they do not say stays None. `half_life_s` is what others know where the header does not: it
    decides between moments, and does not become a fact of the header.
    """
    slices = HeaderSlices(headers)
    items = whole.get("RadiopharmaceuticalInformationSequence") or [Dataset()]
    if len(items) > 1:
        slices.warn(f"the header names {len(items)} radiopharmaceuticals: the first is used")
    given = items[0]
    start_at = scan_start(slices)
    told_s = _positive(given, "RadionuclideHalfLife")
    half_life_s = told_s or half_life_s
    injected_at = _injected_at(given, whole, start_at, half_life_s, slices)
    decay = _decay_correction(slices, whole)
    reference_at = None
    if decay is not None and decay.value == "START":
        reference_at = start_reference(slices, whole, half_life_s)
    elif decay is not None and decay.value == "ADMIN":
        check_administration(slices, None if injected_at is None else injected_at.value, half_life_s)
    return NuclearAcquisition(
        radionuclide=_header(radionuclide_of(given)),
        radiopharmaceutical=_header(text(given, "Radiopharmaceutical")[:64] or None),
        half_life_s=_header(told_s),
        injected_activity_bq=_injected_bq(given, text(whole, "Modality").upper(), slices),
        injected_at=injected_at,
        patient_mass_kg=slices.one("PatientWeight", "kg"),
        patient_height_m=_height(slices),
        patient_sex=_header(_sex(whole)),
        units=_word(slices, "Units", UNITS),
        suv_type=_word(slices, "SUVType", KINDS),
        decay_correction=decay,
        scan_start_at=_header(start_at),
        reference_at=reference_at,
        duration_s=_duration(whole, slices),
        attenuation_corrected=_attenuation(slices, whole),
        warnings=tuple(slices.warnings),
    )


def slice_start(header: Dataset) -> datetime | None:
    """When the acquisition of one slice began."""
    return (with_offset(parsed_datetime(text(header, "FrameAcquisitionDateTime")), header)
            or moment_of(header, "Acquisition"))


def slice_duration_s(header: Dataset) -> float | None:
    """Frame Acquisition Duration (enhanced) or Actual Frame Duration in s, None without; both are in ms."""
    duration_ms = number(header, "FrameAcquisitionDuration") or number(header, "ActualFrameDuration")
    return duration_ms / 1000 if duration_ms and duration_ms > 0 else None


def scan_start(slices: HeaderSlices) -> datetime | None:
    """The earliest start of a slice; where no slice says it, that of the series."""
    starts = [start for start in map(slice_start, slices.headers) if start is not None]
    if not starts:
        return moment_of(slices.headers[0], "Series")
    return min(starts, key=lambda start: seconds_between(starts[0], start))


def _header(value: object) -> Fact | None:
    return None if value is None else Fact(value, Origin.header)


def _positive(header: Dataset, keyword: str) -> float | None:
    """A positive number; scanners and anonymisers write 0 for what they do not know."""
    value = number(header, keyword)
    return value if value is not None and value > 0 else None


def _injected_bq(given: Dataset, modality: str, slices: HeaderSlices) -> Fact[float] | None:
    """Radionuclide Total Dose: Bq in PET (C.8.9.2), MBq in NM (C.8.4.10); not every writer knows that."""
    told = _positive(given, "RadionuclideTotalDose")
    if told is None:
        return None
    by_standard, other = (told * 1e6, told) if modality == "NM" else (told, told * 1e6)
    if _LOWEST_BQ <= by_standard <= _HIGHEST_BQ:
        return Fact(by_standard, Origin.header)
    unit, other_unit = ("MBq", "Bq") if modality == "NM" else ("Bq", "MBq")
    if _LOWEST_BQ <= other <= _HIGHEST_BQ:
        line = f"the administered activity is {told:g}, by the standard in {unit}: taken as {other_unit}, {other:g} Bq"
        slices.warn(line)
        return Fact(other, Origin.derived, line)
    slices.warn(f"the administered activity is {told:g} {unit}, which cannot be: not used")
    return None


def _injected_at(given: Dataset, whole: Dataset, scan_at: datetime | None, half_life_s: float | None,
                 slices: HeaderSlices) -> Fact[datetime] | None:
    """The full date and time, or the time of day put on the last day that lies before the scan."""
    told = with_offset(parsed_datetime(text(given, "RadiopharmaceuticalStartDateTime")), whole)
    clock = text(given, "RadiopharmaceuticalStartTime")
    if told is not None and (scan_at is None or seconds_between(told, scan_at) >= 0):
        of_clock = with_offset(combined(f"{told:%Y%m%d}", clock), whole)
        if of_clock is not None and abs(seconds_between(of_clock, told)) >= 1:
            slices.warn(f"the administration is at {shown_moment(told)} (Radiopharmaceutical Start DateTime) and at "
                        f"{of_clock:%H:%M:%S} (Radiopharmaceutical Start Time): the first is used")
        return Fact(told, Origin.header)
    if told is not None:
        slices.warn(f"the administration at {shown_moment(told)} lies after the start of the scan at "
                    f"{shown_moment(scan_at)}: its date is not used")
    if not clock or scan_at is None:
        return None
    return _on_the_last_day(clock, whole, scan_at, half_life_s, slices)


def _on_the_last_day(clock: str, whole: Dataset, scan_at: datetime, half_life_s: float | None,
                     slices: HeaderSlices) -> Fact[datetime] | None:
    same_day = combined(f"{scan_at:%Y%m%d}", clock)
    if same_day is None:
        return None
    if half_life_s is None or half_life_s > _SAME_DAY_HALF_LIFE_S:
        slices.warn(f"the header has the time of administration ({same_day:%H:%M:%S}) but not its date, and the "
                    "radionuclide may have been given days before the scan: give injected_at")
        return None
    same_day = same_day.replace(tzinfo=scan_at.tzinfo)
    if same_day <= scan_at:
        return Fact(same_day, Origin.derived, "time of day from the header, on the day of the scan")
    note = f"{same_day:%H:%M:%S} is later than the scan at {scan_at:%H:%M:%S}: taken as the day before"
    slices.warn(f"the time of administration {note}")
    return Fact(same_day - _DAY, Origin.derived, note)


def _decay_correction(slices: HeaderSlices, whole: Dataset) -> Fact[str] | None:
    """Decay Correction, else what Corrected Image leaves no doubt of: without DECY there was none."""
    told = _word(slices, "DecayCorrection", DECAY_CORRECTIONS)
    corrections = texts(slices.headers[0], "CorrectedImage")
    if told is not None:
        if corrections and (told.value == "NONE") == ("DECY" in corrections):
            slices.warn(f"Decay Correction is {told.value}, but Corrected Image names "
                        f"{'DECY' if 'DECY' in corrections else 'no DECY'}: the first is used")
        return told
    enhanced = text(whole, "DecayCorrected").upper()
    if enhanced in ("YES", "NO"):
        return Fact("START" if enhanced == "YES" else "NONE", Origin.header)
    if corrections and "DECY" not in corrections:
        return Fact("NONE", Origin.derived, "Corrected Image does not name DECY")
    return None


def _word(slices: HeaderSlices, keyword: str, known: Sequence[str]) -> Fact[str] | None:
    fact = slices.common(keyword, lambda header: text(header, keyword).upper())
    if fact is not None and fact.value not in known:
        slices.warn(f"{keyword} is {fact.value[:16]!r}, which is not used here: it is one of {', '.join(known)}")
        return None
    return fact


def _height(slices: HeaderSlices) -> Fact[float] | None:
    height = slices.one("PatientSize", "m")
    if height is None or height.value <= 3:
        return height
    line = f"Patient's Size is {height.value:g}, by the standard in m: taken as cm"
    slices.warn(line)
    return Fact(height.value / 100, Origin.derived, line)


def _sex(header: Dataset) -> str | None:
    sex = text(header, "PatientSex").upper()
    return sex if sex in ("M", "F") else None


def _duration(whole: Dataset, slices: HeaderSlices) -> Fact[float] | None:
    """Duration of a frame; of a SPECT its angular views times their duration."""
    rotations = whole.get("RotationInformationSequence") or []
    views = [(number(turn, "NumberOfFramesInRotation"), slice_duration_s(turn)) for turn in rotations]
    if views and all(count and each_s for count, each_s in views):
        return Fact(sum(count * each_s for count, each_s in views), Origin.derived,
                    "views of the rotation times their duration")
    if text(whole, "Modality").upper() == "NM":
        return None
    found = {slice_duration_s(header) for header in slices.headers} - {None}
    return Fact(max(found), Origin.header) if found else None


def _attenuation(slices: HeaderSlices, whole: Dataset) -> Fact[str] | None:
    enhanced = text(whole, "AttenuationCorrected").upper()
    corrections = texts(slices.headers[0], "CorrectedImage")
    if enhanced not in ("YES", "NO") and not corrections:
        return None
    corrected = enhanced == "YES" or "ATTN" in corrections
    if not corrected:
        slices.warn("the image is not corrected for attenuation: its values are no activity in a patient")
    return Fact("yes" if corrected else "no", Origin.header)
