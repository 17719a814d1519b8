"""The PET and SPECT series among DICOM files, and the frames (volumes in time) within a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import (
    EnhancedPETImageStorage,
    LegacyConvertedEnhancedPETImageStorage,
    NuclearMedicineImageStorage,
    PositronEmissionTomographyImageStorage,
)

from organdose.errors import InputError
from organdose.study.ct_slices import CTSlice
from organdose.study.dicom_files import DicomFile
from organdose.study.enhanced_ct import frame_headers
from organdose.study.header_values import number, text, texts
from organdose.study.spect_frames import described_kind, is_reconstructed, nm_slices

_ENHANCED = {EnhancedPETImageStorage, LegacyConvertedEnhancedPETImageStorage}
_SINGLE = {PositronEmissionTomographyImageStorage}
_PRIVATE_BLOCKS = range(0x10, 0x14)
# Read beside the tags of a CT: what was given and when, units and corrections. Of the private tags only those that GE
# and Philips document in their conformance statements.
MORE_TAGS = [
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "TimezoneOffsetFromUTC",
    "PatientWeight", "PatientSize", "RadiopharmaceuticalInformationSequence", "Units", "SUVType", "DecayCorrection",
    "DecayFactor", "CorrectedImage", "FrameReferenceTime", "ActualFrameDuration", "SeriesType", "NumberOfTimeSlices",
    "NumberOfSlices", "ImageIndex", "CountsSource", "DetectorInformationSequence", "RotationInformationSequence",
    "SliceVector", "EnergyWindowVector", "DetectorVector", "TimeSlotVector", "RRIntervalVector",
    "SpacingBetweenSlices", "RealWorldValueMappingSequence",
    "DecayCorrected", "DecayCorrectionDateTime", "AttenuationCorrected",
    *[0x00090000 + block for block in _PRIVATE_BLOCKS], *[0x00090000 + 256 * block + 0x0D for block in _PRIVATE_BLOCKS],
    *[0x70530000 + block for block in _PRIVATE_BLOCKS],
    *[0x70530000 + 256 * block + element for block in _PRIVATE_BLOCKS for element in (0x00, 0x09)],
]


@dataclass(frozen=True)
class ActivitySeries:
    """The slices of one series in no particular order; `whole` is the header of one of its files."""

    uid: str
    number: str
    slices: tuple[CTSlice, ...]

    @property
    def whole(self) -> Dataset:
        return self.slices[0].source.header

    @property
    def modality(self) -> str:
        return text(self.whole, "Modality").upper()

    def described(self) -> str:
        """Number, kind and size: enough to choose by, and nothing of the patient."""
        return f"{self.number or 'without number'} ({self.modality}, {len(self.slices)} slices)"


def choose_activity_series(files: Sequence[DicomFile], wanted: str | None,
                           where: Path) -> tuple[list[ActivitySeries], tuple[str, ...]]:
    """The series to read and remarks on those set aside.

    `wanted` is a SeriesNumber or SeriesInstanceUID; without it all series are read, but of an image with and one
    without attenuation correction only the first. Raises `InputError` when there is none.
    """
    every = _activity_series(files, where)
    if wanted is not None:
        matching = [each for each in every if wanted.strip() and wanted.strip() in (each.uid, each.number)]
        if len(matching) != 1:
            raise InputError(f"{len(matching) or 'no'} PET or SPECT series have the number or UID {wanted!r}; there "
                             f"are {_listed(every)}", where=where, mend="Choose one with --series SeriesInstanceUID.")
        return matching, ()
    corrected = [each for each in every if _attenuation_corrected(each)]
    if corrected and len(corrected) < len(every):
        aside = [each for each in every if each not in corrected]
        return corrected, tuple(f"set aside series {each.described()}, which is not corrected for attenuation"
                                for each in aside)
    return every, ()


def time_frames(series: ActivitySeries, where: Path) -> list[tuple[CTSlice, ...]]:
    """The slices of each frame of a series, in the order of time.

    A series whose slices each have a place of their own is one frame, whole-body scans of several beds among them.
    Raises `InputError` for gated series and for repeated places without a time that tells them apart.
    """
    kinds = texts(series.whole, "SeriesType")
    if "GATED" in kinds or "REPROJECTION" in kinds:
        raise InputError(f"series {series.described()} is {' and '.join(kinds).lower()}", where=where,
                         mend="Give the ungated slices of the scan.")
    places = {tuple(each.position_mm.round(2)) for each in series.slices}
    if len(places) == len(series.slices):
        return [series.slices]
    for key in (_time_slice, _time_key):
        groups: dict[object, list[CTSlice]] = {}
        for each in series.slices:
            groups.setdefault(key(each), []).append(each)
        if None not in groups and all(len(group) == len(places) for group in groups.values()):
            return [tuple(groups[moment]) for moment in sorted(groups)]
    raise InputError(f"series {series.described()} has several slices at the same places, and neither Image Index nor "
                     "times tell complete frames apart", where=where,
                     mend="Export the series again, complete, or one frame of it.")


def _activity_series(files: Sequence[DicomFile], where: Path) -> list[ActivitySeries]:
    members: dict[tuple[str, str], list[CTSlice]] = {}
    others = set()
    for file in files:
        slices = _slices_of(file)
        if slices is None:
            others.add(described_kind(file.header) if text(file.header, "Modality").upper() == "NM"
                       else text(file.header, "Modality").upper()[:16] or "files without a modality")
            continue
        value = number(file.header, "SeriesNumber")
        key = (text(file.header, "SeriesInstanceUID"), "" if value is None else str(int(value)))
        if file.sop_class_uid in (*_ENHANCED, NuclearMedicineImageStorage):
            key = (*key, file.sop_instance_uid)  # each multi-frame file is a whole volume, or several
        members.setdefault(key, []).extend(slices)
    if not members:
        raise InputError(f"no reconstructed PET or SPECT slices here, only {', '.join(sorted(others))}", where=where,
                         mend="Give the folder of the PET or SPECT series.")
    series = [ActivitySeries(key[0], key[1], tuple(slices)) for key, slices in members.items()]
    return sorted(series, key=lambda each: (len(each.number), each.number, each.uid))


def _slices_of(file: DicomFile) -> list[CTSlice] | None:
    """The slices of a PET or SPECT file, None for any other."""
    modality = text(file.header, "Modality").upper()
    if "Rows" not in file.header:
        return None
    if file.sop_class_uid in _ENHANCED:
        return [CTSlice(file, index, header) for index, header in enumerate(frame_headers(file.header, file.path))]
    if text(file.header, "CountsSource").upper() == "TRANSMISSION":
        return None
    if modality == "PT" and (file.sop_class_uid in _SINGLE or not file.sop_class_uid):
        return [CTSlice(file, None, file.header)]
    if modality == "NM" and is_reconstructed(file.header):
        return nm_slices(file)
    return None


def _attenuation_corrected(series: ActivitySeries) -> bool:
    return "ATTN" in texts(series.whole, "CorrectedImage") or text(series.whole, "AttenuationCorrected") == "YES"


def _time_slice(each: CTSlice) -> int | None:
    """Number of the time slice from Image Index (PS3.3 C.8.9.4.1.9)."""
    index, slices = number(each.header, "ImageIndex"), number(each.header, "NumberOfSlices")
    return None if not index or not slices else int(index - 1) // int(slices)


def _time_key(each: CTSlice) -> tuple[str, str, float] | None:
    """Date, time and offset of the frame; strings of one form in one series, so that they sort as the times do."""
    together = text(each.header, "FrameAcquisitionDateTime") or text(each.header, "AcquisitionDateTime")
    date, time = text(each.header, "AcquisitionDate"), text(each.header, "AcquisitionTime")
    offset_ms = number(each.header, "FrameReferenceTime")
    if not (together or time or offset_ms is not None):
        return None
    return together or date, "" if together else time, offset_ms or 0.0


def _listed(every: Sequence[ActivitySeries]) -> str:
    return "; ".join(each.described() for each in every[:12]) + ("; and more" if len(every) > 12 else "")
