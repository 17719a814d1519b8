"""What a NIfTI header promises, checked before ITK reads the file: ITK fills what is missing in silence.

ITK reads a truncated NIfTI as zeros, NaN as 0 and a spacing of zero as 1 mm. Layout: NIfTI-1 and NIfTI-2 data format
(nifti.nimh.nih.gov).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.errors import InputError
from organdose.progress import Progress

_CHUNK_BYTES = 4 << 20  # a multiple of every voxel's size
_FLOATS = {16: "f4", 64: "f8"}  # the datatype codes that can hold NaN


@dataclass(frozen=True)
class _Layout:
    """Byte offsets and struct codes of the fields used here."""

    header_bytes: int
    dim: tuple[int, str]
    datatype: int
    bitpix: int
    pixdim: tuple[int, str]
    vox_offset: tuple[int, str]
    xform_codes: tuple[int, str]


_NIFTI_1 = _Layout(348, (40, "8h"), 70, 72, (76, "8f"), (108, "f"), (252, "2h"))
_NIFTI_2 = _Layout(540, (16, "8q"), 12, 14, (104, "8d"), (168, "q"), (344, "2i"))


@dataclass(frozen=True)
class _Promise:
    """What the header says of the voxels: where they begin, their bytes in all, and their type if it can hold NaN."""

    offset: int
    voxel_bytes: int
    floats: np.dtype | None


def check_nifti(path: Path, progress: Progress) -> None:
    """Raises `InputError` for a NIfTI file that is truncated, without orientation, with spacing not positive, or with
    values that are no numbers."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            promised = _promised(file.read(540), path)
            file.seek(promised.offset)
            found_bytes = 0
            while chunk := file.read(_CHUNK_BYTES):
                _check_finite(chunk, promised, path)
                found_bytes += len(chunk)
                progress.report("checking the file", min(1.0, found_bytes / promised.voxel_bytes))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _truncated(path) from error
    except OSError as error:
        raise InputError("the file cannot be opened", where=path, mend="Check its permissions.") from error
    if found_bytes < promised.voxel_bytes:
        raise _truncated(path)


def _check_finite(chunk: bytes, promised: _Promise, path: Path) -> None:
    if promised.floats is None:
        return
    values = np.frombuffer(chunk, promised.floats, len(chunk) // promised.floats.itemsize)
    if not np.isfinite(values).all():
        raise InputError("the image holds values that are no numbers (NaN or infinite)", where=path,
                         mend="Export the image again without them.")


def _promised(header: bytes, path: Path) -> _Promise:
    layout, order = _layout(header, path)

    def read(field: tuple[int, str]) -> tuple:
        return struct.unpack_from(order + field[1], header, field[0])

    dim, pixdim = read(layout.dim), read(layout.pixdim)
    bitpix, = read((layout.bitpix, "h"))
    axes = dim[0]
    if not 1 <= axes <= 7 or any(extent < 1 for extent in dim[1:axes + 1]) or bitpix < 1:
        raise InputError("the NIfTI header is damaged", where=path, mend="Export the image again.")
    if not all(math.isfinite(step) and step > 0 for step in pixdim[1:min(axes, 3) + 1]):
        spacing = " x ".join(f"{step:g}" for step in pixdim[1:min(axes, 3) + 1])
        raise InputError(f"the voxel spacing is {spacing} mm; it must be positive", where=path,
                         mend="Export the image again.")
    if not any(code > 0 for code in read(layout.xform_codes)):
        raise InputError("the NIfTI header gives no orientation (qform and sform codes are 0), so left and right, "
                         "feet and head are unknown", where=path, mend="Export the image again with its orientation.")
    datatype, = read((layout.datatype, "h"))
    floats = np.dtype(order + _FLOATS[datatype]) if datatype in _FLOATS else None
    offset, = read(layout.vox_offset)
    if not math.isfinite(offset) or offset < layout.header_bytes:
        raise InputError("the NIfTI header is damaged", where=path, mend="Export the image again.")
    return _Promise(int(offset), math.prod(dim[1:axes + 1]) * bitpix // 8, floats)


def _layout(header: bytes, path: Path) -> tuple[_Layout, str]:
    """The version and byte order, told by the header's first field: its own size."""
    for layout in (_NIFTI_1, _NIFTI_2):
        for order in "<>":
            if len(header) >= layout.header_bytes and struct.unpack_from(f"{order}i", header)[0] == layout.header_bytes:
                return layout, order
    raise InputError("the file is truncated or is no NIfTI file", where=path, mend="Export the image again.")


def _truncated(path: Path) -> InputError:
    return InputError("the file is truncated or damaged", where=path, mend="Copy or export it again.")
