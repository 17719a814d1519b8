"""The pixels of CT slices decoded, in any transfer syntax pydicom has a decoder for, and rescaled to HU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from pydicom.pixels import iter_pixels, pixel_array

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_slices import CTSlice
from organdose.study.header_values import number, text
from organdose.study.hounsfield import AIR_HU, check_hounsfield, outside_becomes_air

# RescaleType (PS3.3 C.11.1.1.2): Hounsfield units, or not said. 'US' means unspecified.
_HU_TYPES = {"", "HU", "US"}
# A padding value in this range could be tissue: then the corners of the image must confirm that it is padding.
_COULD_BE_TISSUE_HU = (-900.0, 20000.0)


def read_hounsfield(slices: Sequence[CTSlice], where: Path, progress: Progress) -> np.ndarray:
    """HU (slice, row, column) of the slices: int16 where slopes and intercepts are whole numbers, else float32.

    Padding and what lies outside the reconstruction circle becomes air (-1024 HU). Raises `InputError` for colour
    images, units that are not HU, values that cannot be HU, and pixels that cannot be decoded.
    """
    scales = [_rescale(each) for each in slices]
    whole = all(value.is_integer() for scale in scales for value in scale)
    volume = np.empty((len(slices), *slices[0].matrix), dtype=np.int16 if whole else np.float32)
    smallest, largest = np.inf, -np.inf
    for index, pixels in decoded_slices(slices):
        progress.report("reading CT slices", index / len(slices))
        hu = _to_hounsfield(pixels, slices[index], *scales[index], whole=whole)
        smallest, largest = min(smallest, float(hu.min())), max(largest, float(hu.max()))
        if largest > np.iinfo(np.int16).max:
            check_hounsfield(smallest, largest, slices[index].file)
        volume[index] = hu
    check_hounsfield(smallest, largest, where)
    return volume


def _rescale(each: CTSlice) -> tuple[float, float]:
    """Slope and intercept of one slice."""
    mend = "Give a CT in Hounsfield units (air -1000, water 0)."
    if (each.header.get("SamplesPerPixel") or 1) != 1:
        raise InputError("the image is in colour", where=each.file, mend=mend)
    units = text(each.header, "RescaleType").upper()
    if units not in _HU_TYPES:
        raise InputError(f"the pixel values are {units[:16]}, not Hounsfield units", where=each.file, mend=mend)
    slope, intercept = number(each.header, "RescaleSlope"), number(each.header, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        raise InputError("the header has no usable rescale slope and intercept, so the pixel values cannot be turned "
                         "into HU", where=each.file, mend=mend)
    return slope, intercept


def decoded_slices(slices: Sequence[CTSlice]) -> Iterator[tuple[int, np.ndarray]]:
    """(index, stored pixel values) slice by slice, each file opened once."""
    for _, group in groupby(enumerate(slices), key=lambda item: item[1].file):
        members = list(group)
        frames = _frames([each for _, each in members])
        for index, each in members:
            try:
                pixels = next(frames)
            except (MemoryError, KeyboardInterrupt):
                raise
            except Exception as error:  # decoders raise whatever their C libraries make of damaged data
                raise _undecodable(each) from error
            if pixels.shape != each.matrix:
                raise _undecodable(each)
            yield index, pixels


def _frames(members: list[CTSlice]) -> Iterator[np.ndarray]:
    dataset = members[0].source.with_pixels()
    if members[0].frame is None:
        yield pixel_array(dataset, raw=True)
    else:
        yield from iter_pixels(dataset, indices=[each.frame for each in members], raw=True)


def _undecodable(each: CTSlice) -> InputError:
    syntax = each.source.transfer_syntax_uid
    name = syntax.name if syntax else "not named"
    return InputError(f"the pixels are truncated or cannot be decoded (transfer syntax: {name})", where=each.file,
                      mend="Export the study again.")


def _to_hounsfield(pixels: np.ndarray, each: CTSlice, slope: float, intercept: float, *, whole: bool) -> np.ndarray:
    """int32 or float32 HU of one slice, padding replaced by air."""
    hu = (pixels.astype(np.int32) * int(slope) + int(intercept) if whole
          else pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept))
    padding = _padding(pixels, each, slope, intercept)
    if padding is not None:
        hu[padding] = AIR_HU
    outside_becomes_air(hu)
    return hu


def _padding(pixels: np.ndarray, each: CTSlice, slope: float, intercept: float) -> np.ndarray | None:
    """Mask of the pixels the header calls padding (PS3.3 C.7.5.1.1.2).

    Some scanners declare 0 as padding in images where 0 is water: a value that could be tissue counts only if a
    corner of the image has it, where the filling around the reconstruction circle lies.
    """
    first = number(each.header, "PixelPaddingValue")
    if first is None:
        return None
    last = number(each.header, "PixelPaddingRangeLimit")
    low, high = sorted(_as_stored(value, pixels.dtype) for value in (first, first if last is None else last))
    lowest_hu, highest_hu = _COULD_BE_TISSUE_HU
    if any(lowest_hu < slope * value + intercept < highest_hu for value in (low, high)):
        corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
        if not ((corners >= low) & (corners <= high)).any():
            return None
    return (pixels >= low) & (pixels <= high)


def _as_stored(value: float, dtype: np.dtype) -> int:
    """A padding value written with the wrong sign (63536 for -2000) as the pixels hold it."""
    bits = 8 * dtype.itemsize
    wrapped = int(value) % (1 << bits)
    return wrapped - (1 << bits) if dtype.kind == "i" and wrapped >= 1 << (bits - 1) else wrapped

