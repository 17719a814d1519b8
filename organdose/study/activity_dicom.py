"""Activity from DICOM: series chosen, slices in order, values in Bq/ml, times of each frame."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.activity_scale import StoredScale, bq_per_ml_factor, stored_scale
from organdose.study.activity_series import MORE_TAGS, ActivitySeries, choose_activity_series, time_frames
from organdose.study.activity_study import ActivityFrame
from organdose.study.activity_volume import checked_activity
from organdose.study.ct_slices import CTSlice
from organdose.study.dicom_files import find_dicom_files
from organdose.study.dicom_nuclear import nuclear_facts, scan_start
from organdose.study.dicom_pixels import decoded_slices
from organdose.study.facts import Fact, Origin
from organdose.study.frame_timing import FrameTiming, frame_timing, slice_factors
from organdose.study.header_slices import HeaderSlices
from organdose.study.header_values import number, text
from organdose.study.moments import seconds_between
from organdose.study.nuclear_facts import NuclearAcquisition
from organdose.study.nuclear_protocol import NuclearProtocol, with_protocol
from organdose.study.slice_geometry import SliceStack, stack_slices

Complete = Callable[[NuclearAcquisition], NuclearAcquisition]


def read_dicom_frames(path: Path, wanted: str | None, protocol: NuclearProtocol | None, complete: Complete,
                      progress: Progress) -> tuple[list[ActivityFrame], list[str], list[str]]:
    """All frames under `path`, remarks on what was set aside, and assumptions. Raises as `read_activity` does."""
    with warnings.catch_warnings():
        # pydicom warns of every element that breaks the standard's form; its messages quote values of the header.
        warnings.simplefilter("ignore")
        files = find_dicom_files(path, progress, more_tags=MORE_TAGS, images="PET or SPECT slices")
        chosen, remarks = choose_activity_series(files, wanted, path)
        frames, assumptions = [], []
        for series in chosen:
            more, lines = _series_frames(series, protocol, complete, path, progress)
            frames += more
            assumptions += lines
    return frames, list(remarks), assumptions


def _series_frames(series: ActivitySeries, protocol: NuclearProtocol | None, complete: Complete, where: Path,
                   progress: Progress) -> tuple[list[ActivityFrame], list[str]]:
    groups = time_frames(series, where)
    stated = _stated(series, protocol, complete)
    frames, assumptions = [], []
    for slices in groups:
        if len(slices) < 2:
            raise InputError(f"series {series.described()} has one slice in a frame, a volume needs at least two",
                             where=where, mend="Give the folder that holds all slices of the series.")
        stack = stack_slices(slices, where)
        scale = stored_scale(stack.slices)
        header = _with_units(stated, scale)
        known = complete(with_protocol(header, protocol, series.number, series.uid))
        known = _counts_where_calibrated(known)
        frame, lines = _frame(series, stack, scale, known, header, where, progress)
        frames.append(frame)
        assumptions += lines
    return frames, assumptions


def _stated(series: ActivitySeries, protocol: NuclearProtocol | None, complete: Complete) -> NuclearAcquisition:
    """What the headers say; with a half-life from elsewhere they are read again, for it decides between moments."""
    headers = [each.header for each in series.slices]
    stated = nuclear_facts(headers, series.whole)
    half_life_s = complete(with_protocol(stated, protocol, series.number, series.uid)).value("half_life_s")
    if stated.half_life_s is None and half_life_s is not None:
        stated = nuclear_facts(headers, series.whole, half_life_s=half_life_s)
    return stated


def _with_units(stated: NuclearAcquisition, scale: StoredScale) -> NuclearAcquisition:
    if not scale.units:
        return stated
    note = "" if scale.source == "Units" else scale.source
    suv_type = Fact(scale.suv_type, Origin.header) if scale.suv_type else stated.suv_type
    return replace(stated, units=Fact(scale.units, Origin.header, note), suv_type=suv_type)


def _counts_where_calibrated(known: NuclearAcquisition) -> NuclearAcquisition:
    """A calibration factor says that the values are counts, where nobody said their unit."""
    calibrated = known.calibration_bq_ml_per_count is not None or known.sensitivity_cps_per_mbq is not None
    if known.units is not None or not calibrated:
        return known
    return replace(known, units=Fact("CNTS", Origin.derived, "a calibration of counts is given"))


def _frame(series: ActivitySeries, stack: SliceStack, scale: StoredScale, known: NuclearAcquisition,
           stated: NuclearAcquisition, where: Path, progress: Progress) -> tuple[ActivityFrame, list[str]]:
    timing = frame_timing(known, stack.slices, after_first_s=_after_first_s(series, stack.slices))
    voxel_ml = float(np.prod(stack.spacing_mm)) / 1000.0
    factor, lines = bq_per_ml_factor(known, stated, elapsed_s=_scanners_elapsed_s(stated, timing), voxel_ml=voxel_ml,
                                     where=where)
    is_suv = known.units.value in ("GML", "CM2ML")
    factors = [1.0] * len(stack.slices) if is_suv else slice_factors(known, stack.slices)
    notes = [*lines, *timing.notes]
    if any(each != 1.0 for each in factors):
        notes.append("not decay corrected slices of beds scanned one after the other are brought to the first bed's")
    if is_suv and known.value("decay_correction") == "NONE":
        notes.append("an SUV without decay correction is taken as divided by the activity at its own time")
    values = _values(stack, scale, [factor * each for each in factors], progress)
    image = checked_activity(_lps_image(stack, values), where)
    progress.report("reading PET or SPECT slices", 1.0)
    first = stack.slices[0]
    frame = ActivityFrame(image, known, timing.start_at, timing.start_s, timing.duration_s, timing.reference_at,
                          timing.reference_s, known.value("decay_correction") or "", series.number, series.uid,
                          text(first.source.header, "FrameOfReferenceUID"),
                          tuple(dict.fromkeys(each.file for each in stack.slices)))
    return frame, [f"series {series.number or 'without number'}: {line}" for line in notes]


def _after_first_s(series: ActivitySeries, slices: Sequence[CTSlice]) -> float:
    """How much later this frame began than the first of its series."""
    first, this = (scan_start(HeaderSlices([each.header for each in some])) for some in (series.slices, slices))
    return 0.0 if first is None or this is None else seconds_between(first, this)


def _scanners_elapsed_s(stated: NuclearAcquisition, timing: FrameTiming) -> float | None:
    """Time from the administration that the scanner knew to the reference of the frame."""
    injected_at = stated.value("injected_at")
    if timing.reference_s == 0.0 or injected_at is None or timing.reference_at is None:
        return timing.reference_s
    return seconds_between(injected_at, timing.reference_at)


def _values(stack: SliceStack, scale: StoredScale, factors: Sequence[float], progress: Progress) -> np.ndarray:
    """Bq/ml (slice, row, column), each slice by its own slope."""
    volume = np.empty((len(stack.slices), *stack.slices[0].matrix), dtype=np.float32)
    for index, pixels in decoded_slices(stack.slices):
        progress.report("reading PET or SPECT slices", index / len(stack.slices))
        if (stack.slices[index].header.get("SamplesPerPixel") or 1) != 1:
            raise InputError("the image is in colour", where=stack.slices[index].file, mend="Give the PET or SPECT.")
        # In double precision: 32767 times a slope of few digits is to be exact to float32.
        volume[index] = (pixels * scale.slopes[index] + scale.intercepts[index]) * factors[index]
        padding = number(stack.slices[index].header, "PixelPaddingValue")
        if padding is not None:
            volume[index][pixels == padding] = 0.0  # nothing was measured there
    return volume


def _lps_image(stack: SliceStack, volume: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(volume)
    image.SetOrigin(stack.origin_mm.tolist())
    image.SetSpacing(stack.spacing_mm.tolist())
    image.SetDirection(stack.direction.ravel().tolist())
    return image if (stack.direction.diagonal() == 1).all() else sitk.DICOMOrient(image, "LPS")
