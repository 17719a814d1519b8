"""What a job in another process needs of the scene, written to files in steps short enough for a window to live on.

A CT of 512 x 512 x 400 is 200 MB: each function is a generator that writes a few slices and yields the fraction done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.scene.volume_nodes import ijk_to_ras

_STEP_BYTES = 8_000_000  # some milliseconds on a slow disk
_NRRD_TYPES = {"int8": "int8", "uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32",
               "uint32": "uint32", "float32": "float", "float64": "double"}


def ct_file_steps(ct_node, path: Path) -> Iterator[float]:
    """Write the voxels and geometry of a volume node as an uncompressed NRRD.

    Raises `InputError` for a node that is empty, stands under a transform, or has values that no CT has.
    """
    import slicer

    _check(ct_node)
    values = slicer.util.arrayFromVolume(ct_node)
    keep_alive = ct_node.GetImageData()  # the node may be deleted while this runs
    yield from _written_steps(path, _header(values, _lps_axes(ct_node)), values)
    del keep_alive


def masks_file_steps(masks: OrganMasks, path: Path) -> Iterator[float]:
    """Write masks as an uncompressed .seg.nrrd. Raises `InputError` when there is none."""
    from organdose.export.seg_nrrd import segmentation_header

    if not masks.segments:
        raise InputError("the segmentation has no segment", mend="Segment the CT, or draw the organs.")
    layers = masks.layers
    header = _header(layers[0], _axes_of(ijk_to_ras(masks.reference)), components=len(layers),
                     extra=segmentation_header(masks, whole_extents=True))
    yield from _written_steps(path, header, layers[0] if len(layers) == 1 else _Interleaved(layers))


class _Interleaved:
    """Several arrays (z, y, x) as one (z, y, x, component), joined slice by slice when asked for."""

    def __init__(self, arrays: list[np.ndarray]):
        self._arrays = arrays
        self.shape, self.dtype = (*arrays[0].shape, len(arrays)), arrays[0].dtype
        self.nbytes = sum(array.nbytes for array in arrays)

    def __getitem__(self, slices: slice) -> np.ndarray:
        return np.stack([array[slices] for array in self._arrays], axis=-1)


def _check(ct_node) -> None:
    if ct_node.GetImageData() is None:
        raise InputError(f"the volume {ct_node.GetName()!r} is empty", mend="Load it again.")
    if ct_node.GetParentTransformNode() is not None:
        raise InputError(f"the volume {ct_node.GetName()!r} stands under a transform",
                         mend="Harden the transform in the Data module.")


def _lps_axes(ct_node) -> tuple[np.ndarray, np.ndarray]:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    ct_node.GetIJKToRASMatrix(matrix)
    return _axes_of(matrix)


def _axes_of(ijk_to_ras_matrix) -> tuple[np.ndarray, np.ndarray]:
    """(steps (3, 3): one row an index axis, origin (3,)), LPS mm."""
    affine = np.array([[ijk_to_ras_matrix.GetElement(i, j) for j in range(4)] for i in range(3)])
    affine[:2] *= -1
    return affine[:, :3].T, affine[:, 3]


def _header(values: np.ndarray, axes: tuple[np.ndarray, np.ndarray], *, components: int = 1,
            extra: dict[str, str] | None = None) -> bytes:
    """A NRRD header (teem, NRRD0004): https://teem.sourceforge.net/nrrd/format.html."""
    if values.dtype.name not in _NRRD_TYPES:
        raise InputError(f"a volume of {values.dtype.name} values", mend="Cast it to short in Slicer.")
    steps_mm, origin_mm = axes
    directions = [_vector(step) for step in steps_mm]
    sizes, kinds = list(reversed(values.shape)), ["domain"] * 3
    if components > 1:
        sizes, kinds, directions = [components, *sizes], ["list", *kinds], ["none", *directions]
    lines = ["NRRD0004", f"type: {_NRRD_TYPES[values.dtype.name]}", f"dimension: {len(sizes)}",
             "space: left-posterior-superior", f"sizes: {' '.join(map(str, sizes))}",
             f"space directions: {' '.join(directions)}", f"kinds: {' '.join(kinds)}", f"endian: {sys.byteorder}",
             "encoding: raw", f"space origin: {_vector(origin_mm)}",
             *(f"{key}:={text}" for key, text in (extra or {}).items())]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def _vector(values: np.ndarray) -> str:
    return f"({','.join(f'{value:.12g}' for value in values)})"


def _written_steps(path: Path, header: bytes, values) -> Iterator[float]:
    slices = values.shape[0]
    at_once = max(1, _STEP_BYTES * slices // values.nbytes)
    try:
        with open(path, "wb") as file:
            file.write(header)
            for start in range(0, slices, at_once):
                file.write(np.ascontiguousarray(values[start:start + at_once]).data)
                yield min(1.0, (start + at_once) / slices)
    except OSError as error:
        raise InputError(f"the file could not be written ({error.strerror or error})", where=path,
                         mend="Make room on the disk.") from error
