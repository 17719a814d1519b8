"""The masks of a segmentation node as they are being edited, read without copying them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from organdose.anatomy.review import Review
from organdose.assess.boxes import common, corner_of, moved, seen_from, whole
from organdose.assess.mask_changes import KeptMasks
from organdose.assess.patient_grid import PatientGrid
from organdose.errors import InputError
from organdose.scene.mask_reviews import MaskReviews
from organdose.scene.segmentation_nodes import BINARY_LABELMAP, note_of_segment, organ_of_segment, review_of_segment
from organdose.scene.volume_nodes import check_usable, direction_of_volume_node

# Events of vtkSegmentation, which a segmentation node passes on.
_EVENTS = ("SourceRepresentationModified", "ContainedRepresentationNamesModified", "SegmentAdded", "SegmentRemoved",
           "SegmentModified")
_ALIGNED_VOXELS = 0.01  # two grids are one when their voxels are no farther apart than this, in voxels

_in_use: weakref.WeakSet[SegmentEdits] = weakref.WeakSet()


def patient_grid(volume_node, what: str) -> PatientGrid:
    """Where the voxels of a volume node lie; `what` names it in the `InputError` raised when it is empty, stands under
    a transform or is oblique."""
    check_usable(volume_node)
    directions = np.zeros((3, 3))
    volume_node.GetIJKToRASDirections(directions)
    to_lps = np.array((-1.0, -1.0, 1.0))
    return PatientGrid.of(to_lps * volume_node.GetOrigin(), volume_node.GetSpacing(), to_lps[:, None] * directions,
                          volume_node.GetImageData().GetDimensions(), what)


@dataclass
class SegmentDrawing:
    """The masks of a segmentation at one moment (an `assess.mask_changes.Drawing`), on the stored grid of a CT.

    `segment_ids` gives the segment of each organ, `reviews` what is said of it (see `MaskReviews`).
    """

    segments: dict[str, tuple[int, int]]
    notes: dict[str, str]
    reviews: dict[str, Review]
    segment_ids: dict[str, str]
    stamps: list[Hashable]
    ct_node: object
    _images: list = field(repr=False)
    _copies: dict[int, tuple[np.ndarray, tuple[int, int, int]]] = field(default_factory=dict, repr=False)

    def layer(self, index: int) -> tuple[np.ndarray, tuple[int, int, int]]:
        """Labels (k, j, i) of the CT's stored grid and the voxel they begin at: a view that VTK may replace at the next
        event, or a copy where the label map has another geometry or another type of labels."""
        if index not in self._copies:
            image = self._images[index]
            if image.GetPointData().GetScalars() is None or not image.GetNumberOfPoints():
                return np.zeros((0, 0, 0), dtype=np.uint8), (0, 0, 0)
            shift = _shift_voxels(image, self.ct_node)
            resampled = shift is None
            labels, corner = _labels(_resampled(image, self.ct_node) if resampled else image)
            placed = _cut_to(self.ct_node, labels, tuple(np.add(corner, shift or 0).tolist()))
            if not resampled and labels.dtype == np.uint8:
                return placed
            self._copies[index] = _as_bytes(placed[0]), placed[1]
        return self._copies[index]


class SegmentEdits:
    """Follows the edits of one segmentation on one CT; `kept` is the copy of its masks that finds them, `reviews` tells
    what they mean for the reviews.

    Raises `InputError` when the CT is empty, stands under a transform or is oblique.
    """

    def __init__(self, segmentation_node, ct_node):
        self.segmentation_node, self.ct_node = segmentation_node, ct_node
        self.grid = patient_grid(ct_node, "CT")
        self.kept = KeptMasks(self.grid.stored_shape)
        self.reviews = MaskReviews(self.kept, direction_of_volume_node(ct_node))

    @classmethod
    def of(cls, segmentation_node, ct_node) -> SegmentEdits:
        """Those in use for these nodes, so that several dose maps share one copy of the masks, or new ones."""
        grid = patient_grid(ct_node, "CT")
        for edits in _in_use:
            if (edits.segmentation_node, edits.ct_node, edits.grid) == (segmentation_node, ct_node, grid):
                return edits
        edits = cls(segmentation_node, ct_node)
        _in_use.add(edits)
        return edits

    def drawing(self) -> SegmentDrawing:
        """The masks as they are drawn now.

        Organs are named as by `masks_from_segmentation_node`; the second of two segments with one name gets a number.
        Raises `InputError` when the segmentation has no label maps or stands under a transform.
        """
        node, segmentation = self.segmentation_node, self.segmentation_node.GetSegmentation()
        if node.GetParentTransformNode() is not None:
            raise InputError(f"the segmentation {node.GetName()!r} stands under a transform",
                             mend="Harden the transform in the Data module.")
        if segmentation.GetNumberOfSegments() and not segmentation.ContainsRepresentation(BINARY_LABELMAP):
            raise InputError(f"the segmentation {node.GetName()!r} has no binary labelmap",
                             mend="Create it in the Segmentations module.")
        images = [segmentation.GetLayerDataObject(layer, BINARY_LABELMAP)
                  for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP))]
        layers = {segment_id: layer for layer in range(len(images))
                  for segment_id in segmentation.GetSegmentIDsForLayer(layer, BINARY_LABELMAP)}
        drawing = SegmentDrawing({}, {}, {}, {}, [_stamp(image) for image in images], self.ct_node, images)
        for segment_id in segmentation.GetSegmentIDs():
            if segment_id in layers:
                _add_segment(drawing, segment_id, segmentation.GetSegment(segment_id), layers[segment_id])
        return drawing


def observe_edits(segmentation_node, callback: Callable) -> list[int]:
    """`callback(...)` after every edit of a segmentation node; gives tags for `stop_observing`."""
    import slicer

    events = [getattr(slicer.vtkSegmentation, name) for name in _EVENTS]
    return [segmentation_node.AddObserver(event, callback) for event in (*events, "ModifiedEvent")]


def stop_observing(segmentation_node, tags: list[int]) -> None:
    for tag in tags:
        segmentation_node.RemoveObserver(tag)


def _add_segment(drawing: SegmentDrawing, segment_id: str, segment, layer: int) -> None:
    name = first = organ_of_segment(segment_id, segment)
    count = 1
    while name in drawing.segments:
        count += 1
        name = f"{first}_{count}"
    drawing.segments[name] = (layer, segment.GetLabelValue())
    drawing.segment_ids[name] = segment_id
    if note := note_of_segment(segment):
        drawing.notes[name] = note
    if review := review_of_segment(segment):
        drawing.reviews[name] = review


def _stamp(image) -> Hashable:
    """No two states of all VTK objects together have the same modification times."""
    scalars = image.GetPointData().GetScalars()
    return image.GetMTime(), scalars and scalars.GetMTime(), image.GetExtent()


def _shift_voxels(image, ct_node) -> tuple[int, int, int] | None:
    """How many voxels (k, j, i) the indices of an oriented image lag behind the CT's; None for another grid."""
    image.GetImageToWorldMatrix(to_ras := _matrix())
    ct_node.GetRASToIJKMatrix(from_ras := _matrix())
    affine = _as_array(from_ras) @ _as_array(to_ras)
    low_i, high_i, low_j, high_j, low_k, high_k = image.GetExtent()
    ends = np.array([(low_i, low_j, low_k), (high_i, low_j, low_k), (low_i, high_j, low_k), (low_i, low_j, high_k)])
    there = ends @ affine[:3, :3].T + affine[:3, 3]
    shift = np.rint(there[0] - ends[0])
    if np.abs(there - ends - shift).max() > _ALIGNED_VOXELS:
        return None
    return tuple(int(steps) for steps in shift[::-1])


def _matrix():
    import vtk

    return vtk.vtkMatrix4x4()


def _as_array(matrix) -> np.ndarray:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def _resampled(image, ct_node):
    """An oriented image on the grid of the CT: nearest voxel, 0 outside."""
    import slicer

    grid, resampled = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
    grid.SetExtent(*ct_node.GetImageData().GetExtent())
    ct_node.GetIJKToRASMatrix(matrix := _matrix())
    grid.SetGeometryFromImageToWorldMatrix(matrix)
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, grid, resampled)
    return resampled


def _labels(image) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The voxels (k, j, i) of an oriented image, over VTK's memory, and the index of the first."""
    from vtk.util.numpy_support import vtk_to_numpy

    low_i, high_i, low_j, high_j, low_k, high_k = image.GetExtent()
    shape = high_k - low_k + 1, high_j - low_j + 1, high_i - low_i + 1
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape), (low_k, low_j, low_i)


def _as_bytes(labels: np.ndarray) -> np.ndarray:
    """A copy of labels as uint8. Raises `InputError` when they do not fit."""
    if labels.size and not (labels.min() >= 0 and labels.max() <= 255):
        raise InputError("a segmentation with more than 255 organs in one layer is not supported")
    return labels.astype(np.uint8)


def _cut_to(ct_node, labels: np.ndarray, corner: tuple[int, int, int]) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The part of labels that lies in the CT."""
    extent = moved(whole(labels.shape), corner)
    inside = common(extent, whole(reversed(ct_node.GetImageData().GetDimensions())))
    if inside is None:
        return labels[:0, :0, :0], (0, 0, 0)
    return labels[seen_from(inside, corner)], corner_of(inside)
