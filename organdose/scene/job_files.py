"""CT and masks between the scene and a job in another process, in steps short enough for a window to live on.

A CT of 512 x 512 x 400 is 200 MB: each function is a generator that moves a few slices and yields the fraction done.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import review_from_tags
from organdose.errors import InputError
from organdose.scene.volume_nodes import check_usable, grid_of_volume_node, ijk_to_ras

_STEP_BYTES = 8_000_000  # some milliseconds on a slow disk
_NRRD_TYPES = {"int8": "int8", "uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32",
               "uint32": "uint32", "float32": "float", "float64": "double"}


def staged(stage: str, steps: Generator) -> Generator:
    """The steps under the name of their stage, as `JobQueue.submit` takes them; returns what they return."""
    while True:
        try:
            fraction = next(steps)
        except StopIteration as end:
            return end.value
        yield stage, fraction


def ct_file_steps(ct_node, path: Path) -> Iterator[float]:
    """Write the voxels and geometry of a volume node as an uncompressed NRRD: `volume_file_steps` without more."""
    return volume_file_steps(ct_node, path)


def volume_file_steps(node, path: Path, **header: str) -> Iterator[float]:
    """Write the voxels and geometry of a volume node, and the texts `header`, as an uncompressed NRRD.

    Raises `InputError` for a node that is empty, stands under a transform, or has values of an unusual type.
    """
    import slicer

    check_usable(node)
    values = slicer.util.arrayFromVolume(node)
    keep_alive = node.GetImageData()  # the node may be deleted while this runs
    yield from _written_steps(path, _header(values, _lps_axes(node), extra=header), values)
    del keep_alive


def masks_of_node_steps(segmentation_node, ct_node) -> Generator[float, None, OrganMasks]:
    """Copy the masks of a segmentation node on the grid of a CT; returns them as they are at the end.

    Raises `InputError` for nodes that cannot be used (see `segment_edits`).
    """
    from organdose.scene.segment_edits import SegmentEdits
    from organdose.scene.segmentation_nodes import ORIGIN_ATTRIBUTE, review_of_segment

    edits, grid = SegmentEdits(segmentation_node, ct_node), grid_of_volume_node(ct_node)
    shape, drawing, layers = tuple(reversed(grid.GetSize())), None, []
    # Somebody may go on drawing meanwhile: layers of different moments do not belong together.
    while drawing is None or drawing.stamps != edits.drawing().stamps:
        drawing = edits.drawing()
        layers = [np.zeros(shape, np.uint8) for _ in drawing.stamps]
        for index, layer in enumerate(layers):
            for fraction in _copied_steps(drawing, index, layer):
                yield (index + fraction) / len(layers)
    origin = segmentation_node.GetAttribute(ORIGIN_ATTRIBUTE) or "drawn in Slicer"
    segmentation = segmentation_node.GetSegmentation()
    reviews = {name: review for name, segment_id in drawing.segment_ids.items()
               if (review := review_of_segment(segmentation.GetSegment(segment_id)))}
    return OrganMasks(grid, layers, dict(drawing.segments), origin, dict(drawing.notes), reviews)


def _copied_steps(drawing, index: int, layer: np.ndarray) -> Iterator[float]:
    """Copy one layer of a drawing a few slices at a time, without holding on to VTK's memory in between."""
    at_once = max(1, _STEP_BYTES // max(1, layer[0].size))
    for first in range(0, layer.shape[0], at_once):
        labels, (k, j, i) = drawing.layer(index)
        some = labels[max(0, first - k):max(0, first + at_once - k)]
        start = max(first, k)
        layer[start:start + some.shape[0], j:j + labels.shape[1], i:i + labels.shape[2]] = some
        yield min(1.0, (first + at_once) / layer.shape[0])


def masks_file_steps(masks: OrganMasks, path: Path) -> Iterator[float]:
    """Write masks as an uncompressed .seg.nrrd. Raises `InputError` when there is none."""
    from organdose.export.seg_nrrd import segmentation_header

    if not masks.segments:
        raise InputError("the segmentation has no segment", mend="Segment the CT, or draw the organs.")
    layers = masks.layers
    header = _header(layers[0], _axes_of(ijk_to_ras(masks.reference)), components=len(layers),
                     extra=segmentation_header(masks, whole_extents=True))
    yield from _written_steps(path, header, layers[0] if len(layers) == 1 else _Interleaved(layers))


def masks_from_file_steps(path: Path, ct_node) -> Generator[float, None, OrganMasks]:
    """Read the uncompressed .seg.nrrd that a job made of a CT of the scene; returns the masks on the CT's grid.

    Raises `InputError` for a file that is not whole or lies on another grid.
    """
    grid = grid_of_volume_node(ct_node)
    fields, start = _read_header(path)
    sizes = [int(size) for size in fields["sizes"].split()]
    components = sizes[0] if len(sizes) == 4 else 1
    turn = _turn_to(fields, grid, path)
    shape = tuple(reversed(sizes[-3:]))
    layers = [np.empty(shape, np.uint8) for _ in range(components)]
    at_once = max(1, _STEP_BYTES // (shape[1] * shape[2] * components))
    with open(path, "rb") as file:
        file.seek(start)
        for first in range(0, shape[0], at_once):
            last = min(first + at_once, shape[0])
            voxels = np.fromfile(file, np.uint8, (last - first) * shape[1] * shape[2] * components)
            if voxels.size != (last - first) * shape[1] * shape[2] * components:
                raise InputError("the masks end too early", where=path, mend="Run the job again.")
            voxels = voxels.reshape(last - first, shape[1], shape[2], components)
            for index, layer in enumerate(layers):
                layer[first:last] = voxels[..., index]
            yield last / shape[0]
    masks = OrganMasks(grid, [turn(layer) for layer in layers])
    _take_segments(masks, fields)
    return masks


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """The fields of a NRRD header and where the voxels begin."""
    with open(path, "rb") as file:
        content = file.read(1 << 22)
    end = content.find(b"\n\n")
    fields = {}
    for line in content[:max(end, 0)].decode("utf-8").splitlines()[1:]:
        key, found, value = line.partition(":=") if ":=" in line else line.partition(": ")
        if found:
            fields[key] = value
    if fields.get("encoding") != "raw" or fields.get("type") not in ("uint8", "unsigned char") or "sizes" not in fields:
        raise InputError("this is no uncompressed label map", where=path, mend="Run the job again.")
    return fields, end + 2


def _turn_to(fields: dict[str, str], grid: sitk.Image, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """What turns an array of the file to the axes of `grid`: jobs work on a CT turned to the patient's axes."""
    steps = [np.array([float(each) for each in vector.split(",")]) for vector in
             re.findall(r"\(([^)]*)\)", fields["space directions"])]
    direction = np.reshape(grid.GetDirection(), (3, 3))
    if not np.allclose(np.abs(direction), np.rint(np.abs(direction)), atol=2e-3):
        raise InputError("the CT's axes are oblique to the patient's", where=path, mend="Resample it to axial slices.")
    axes, flips = [], []
    for k in range(3):  # index axis of the grid -> index axis of the file along the same line
        along = [float(np.dot(step / np.linalg.norm(step), direction[:, k])) for step in steps]
        axes.append(int(np.argmax(np.abs(along))))
        flips.append(along[axes[-1]] < 0)
    order = [2 - axes[2 - axis] for axis in range(3)]  # numpy's axes run the other way
    backwards = tuple(slice(None, None, -1 if flips[2 - axis] else 1) for axis in range(3))

    def turn(array: np.ndarray) -> np.ndarray:
        turned = np.ascontiguousarray(array.transpose(order)[backwards])
        if turned.shape != tuple(reversed(grid.GetSize())):
            raise InputError("the masks lie on another grid than the CT", where=path, mend="Run the job again.")
        return turned

    return turn


def _take_segments(masks: OrganMasks, fields: dict[str, str]) -> None:
    number = 0
    while (name := fields.get(f"Segment{number}_ID")) is not None:
        masks.segments[name] = int(fields[f"Segment{number}_Layer"]), int(fields[f"Segment{number}_LabelValue"])
        tags = dict(tag.split(":", 1) for tag in fields.get(f"Segment{number}_Tags", "").split("|") if ":" in tag)
        masks.origin = tags.get("OrganDose.Origin", masks.origin)
        if review := review_from_tags(tags):
            masks.reviews[name] = review
        number += 1


class _Interleaved:
    """Several arrays (z, y, x) as one (z, y, x, component), joined slice by slice when asked for."""

    def __init__(self, arrays: list[np.ndarray]):
        self._arrays = arrays
        self.shape, self.dtype = (*arrays[0].shape, len(arrays)), arrays[0].dtype
        self.nbytes = sum(array.nbytes for array in arrays)

    def __getitem__(self, slices: slice) -> np.ndarray:
        return np.stack([array[slices] for array in self._arrays], axis=-1)


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
