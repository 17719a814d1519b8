"""Actions on the mask of one segment in the scene: its voxels out of Slicer's label layers, mended, and back.

Only the segment's own box is touched. Slicer puts voxels that another segment of the same layer holds into a layer of
their own: no organ takes anything from another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from organdose.errors import InputError
from organdose.scene.segmentation_nodes import BINARY_LABELMAP, organ_of_segment
from organdose.segmentation import mask_actions
from organdose.segmentation.mask_actions import MaskChange
from organdose.segmentation.quality_limits import partner

_SLAB_VOXELS = 4_000_000


@dataclass(frozen=True)
class SegmentVoxels:
    """The voxels of a segment in a box of its label map: `mask` (k, j, i), which begins at `corner` (k, j, i)."""

    mask: np.ndarray
    corner: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]  # k, j, i
    image: object  # the vtkOrientedImageData it lies in

    @property
    def voxel_ml(self) -> float:
        return math.prod(self.spacing_mm) / 1000


def keep_largest(node, segment_id: str, before_change: Callable[[], None]) -> str:
    """Only the largest part of a segment stays. Gives the line that says what changed.

    `before_change` is called right before voxels change, for an undo state. Raises `InputError` where nothing can be
    done, and where the segment is empty.
    """
    voxels = segment_voxels(node, segment_id)
    return _applied(node, segment_id, voxels, mask_actions.largest_component(voxels.mask, voxels.voxel_ml),
                    before_change)


def fill_holes(node, segment_id: str, before_change: Callable[[], None]) -> str:
    """What a segment encloses becomes part of it; else as `keep_largest`."""
    voxels = segment_voxels(node, segment_id)
    return _applied(node, segment_id, voxels, mask_actions.fill_holes(voxels.mask, voxels.voxel_ml), before_change)


def smooth(node, segment_id: str, before_change: Callable[[], None], *, radius_mm: float,
           method: str = "median") -> str:
    """Smooth the surface of a segment by 'median' or 'closing'; else as `keep_largest`."""
    voxels = segment_voxels(node, segment_id, margin_mm=radius_mm)
    act = {"median": mask_actions.smoothed_by_median, "closing": mask_actions.closed}[method]
    return _applied(node, segment_id, voxels, act(voxels.mask, voxels.spacing_mm, radius_mm), before_change)


def empty(node, segment_id: str, before_change: Callable[[], None]) -> str:
    """All voxels of a segment go; the segment stays, to be drawn anew. Else as `keep_largest`."""
    voxels = segment_voxels(node, segment_id)
    lost_ml = np.count_nonzero(voxels.mask) * voxels.voxel_ml
    return _applied(node, segment_id, voxels, MaskChange(np.zeros_like(voxels.mask), f"emptied, {lost_ml:.1f} ml gone"),
                    before_change)


def remove(node, segment_id: str, before_change: Callable[[], None]) -> str:
    """Take a segment out of the segmentation. Else as `keep_largest`."""
    if node.GetSegmentation().GetSegment(segment_id) is None:
        raise InputError("no mask is chosen", mend="Choose an organ in the list of segments.")
    title = _title(node, segment_id)
    before_change()
    node.GetSegmentation().RemoveSegment(segment_id)
    return f"{title}: removed"


def swap_sides(node, segment_id: str, before_change: Callable[[], None]) -> str:
    """The voxels of a segment and of its partner of the other side change places, names and codes stay.

    Each keeps its segment, so that tables that refer to it go with it. Else as `keep_largest`; raises `InputError`
    too where the partner is not there.
    """
    other_id = partner_segment(node, segment_id)
    if other_id is None:
        raise InputError(f"{_title(node, segment_id)} has no partner of the other side here",
                         mend="Rename the segment, or draw the other one.")
    mine, other = segment_voxels(node, segment_id), segment_voxels(node, other_id)
    before_change()
    for each, voxels in ((segment_id, other), (other_id, mine)):
        replace_voxels(node, each, voxels)
    return f"{_title(node, segment_id)} and {_title(node, other_id)}: swapped"


def partner_segment(node, segment_id: str) -> str | None:
    """The segment of the organ of the other side; None where there is none."""
    segmentation = node.GetSegmentation()
    wanted = partner(organ_of_segment(segment_id, segmentation.GetSegment(segment_id)))
    return next((each for each in segmentation.GetSegmentIDs() if wanted
                 and organ_of_segment(each, segmentation.GetSegment(each)) == wanted), None)


def segment_voxels(node, segment_id: str, margin_mm: float = 0.0) -> SegmentVoxels:
    """The voxels of a segment in the box that holds them, with a margin as far as the reference image goes.

    Raises `InputError` when the segment is gone, has no label map, or is empty.
    """
    segment = node.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation(BINARY_LABELMAP) if segment is not None else None
    if image is None:
        raise InputError("no mask is chosen", mend="Choose an organ in the list of segments.")
    labels, corner = _labels(image)
    box = _box(labels, segment.GetLabelValue())
    if box is None:
        raise InputError(f"the mask of {segment.GetName()} is empty", mend="Draw it first.")
    spacing_mm = tuple(reversed(image.GetSpacing()))
    inner = [(start + side.start, start + side.stop) for start, side in zip(corner, box)]
    outer = [(max(min(low, start), start - math.ceil(margin_mm / step)),
              min(max(high, stop), stop + math.ceil(margin_mm / step)))
             for (start, stop), (low, high), step in zip(inner, _reference_range(node, image), spacing_mm)]
    mask = np.zeros([stop - start for start, stop in outer], bool)
    mask[tuple(slice(start - first, stop - first) for (start, stop), (first, _) in zip(inner, outer))] = \
        labels[box] == segment.GetLabelValue()
    return SegmentVoxels(mask, tuple(first for first, _ in outer), spacing_mm, image)


def replace_voxels(node, segment_id: str, voxels: SegmentVoxels) -> None:
    """Make `voxels` the whole mask of a segment, by Slicer's own hand."""
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    image, to_world = slicer.vtkOrientedImageData(), _matrix()
    image.SetExtent(*(bound for first, size in zip(reversed(voxels.corner), reversed(voxels.mask.shape))
                      for bound in (first, first + size - 1)))
    image.AllocateScalars(3, 1)  # VTK_UNSIGNED_CHAR
    voxels.image.GetImageToWorldMatrix(to_world)
    image.SetGeometryFromImageToWorldMatrix(to_world)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = voxels.mask.ravel()
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, node, segment_id)


def _applied(node, segment_id: str, voxels: SegmentVoxels, change: MaskChange, before_change: Callable) -> str:
    if change.mask is not voxels.mask and not np.array_equal(change.mask, voxels.mask):
        before_change()
        replace_voxels(node, segment_id, SegmentVoxels(change.mask, voxels.corner, voxels.spacing_mm, voxels.image))
    return f"{_title(node, segment_id)}: {change.line}"


def _title(node, segment_id: str) -> str:
    return node.GetSegmentation().GetSegment(segment_id).GetName()


def _labels(image) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The voxels (k, j, i) of an oriented image, over VTK's memory, and the index of the first."""
    from vtk.util.numpy_support import vtk_to_numpy

    scalars = image.GetPointData().GetScalars()
    low_i, high_i, low_j, high_j, low_k, high_k = image.GetExtent()
    shape = max(0, high_k - low_k + 1), max(0, high_j - low_j + 1), max(0, high_i - low_i + 1)
    labels = np.zeros(shape, np.uint8) if scalars is None else vtk_to_numpy(scalars).reshape(shape)
    return labels, (low_k, low_j, low_i)


def _box(labels: np.ndarray, value: int) -> tuple[slice, slice, slice] | None:
    """The bounding box of a label value, found slab by slab: a boolean copy of the whole layer would be 150 MB."""
    found = []
    thick = max(1, _SLAB_VOXELS // max(1, labels[:1].size))
    for first in range(0, len(labels), thick):
        inside = labels[first:first + thick] == value
        if inside.any():
            (planes, rows, columns), = ndimage.find_objects(inside.view(np.uint8))
            found.append((slice(planes.start + first, planes.stop + first), rows, columns))
    return tuple(slice(min(side.start for side in sides), max(side.stop for side in sides))
                 for sides in zip(*found)) or None


def _reference_range(node, image) -> list[tuple[int, int]]:
    """First and last-but-one index (k, j, i) of the segmentation's reference image, or of `image` where their voxels
    are others."""
    import slicer

    reference = slicer.vtkOrientedImageData()
    text = node.GetSegmentation().GetConversionParameter(
        slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName())
    wide = image
    if text and slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, reference, False) and \
            slicer.vtkOrientedImageDataResample.DoGeometriesMatchIgnoreOrigin(reference, image):
        to_reference, to_image = _matrix(), _matrix()
        reference.GetImageToWorldMatrix(to_reference)
        image.GetImageToWorldMatrix(to_image)
        if all(abs(to_reference.GetElement(row, 3) - to_image.GetElement(row, 3)) < 1e-3 for row in range(3)):
            wide = reference
    low_i, high_i, low_j, high_j, low_k, high_k = wide.GetExtent()
    return [(low_k, high_k + 1), (low_j, high_j + 1), (low_i, high_i + 1)]


def _matrix():
    import vtk

    return vtk.vtkMatrix4x4()
