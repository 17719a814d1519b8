"""The box of a scene in which an organ is drawn again: put around it, read, and what was drawn put back."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.scene.headless import start_slicer
from organdose.scene.mask_actions import SegmentVoxels, replace_voxels
from organdose.scene.segment_edits import SegmentEdits
from organdose.scene.volume_nodes import grid_of_volume_node
from organdose.segmentation.region import RegionMm, voxels_of_region

REGION_ATTRIBUTE = "OrganDose.Region"  # of the box: which it is, among the user's own
AROUND_MM = 10.0  # between an organ and the box first put around it
_NAME = "Region to draw again"


def region_box():
    """The vtkMRMLMarkupsROINode of this scene that says where to draw again; None without one."""
    scene = start_slicer()
    boxes = (scene.GetNthNodeByClass(index, "vtkMRMLMarkupsROINode")
             for index in range(scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode")))
    return next((box for box in boxes if box.GetAttribute(REGION_ATTRIBUTE)), None)


def box_around(segmentation_node, segment_id: str, ct_node):
    """Put the box of the scene (a new one where there is none) around a segment; around the CT's middle for one without
    voxels. Raises `InputError` for nodes that cannot be used."""
    low, high = _voxels_around(segmentation_node, segment_id, ct_node)
    grid = grid_of_volume_node(ct_node)
    corners = np.array([grid.TransformContinuousIndexToPhysicalPoint(tuple(map(float, corner)))
                        for corner in (low - 0.5, high + 0.5)]) * (-1, -1, 1)
    box = region_box() or start_slicer().AddNewNodeByClass("vtkMRMLMarkupsROINode", _NAME)
    box.SetAttribute(REGION_ATTRIBUTE, "1")
    box.SetAndObserveTransformNodeID(None)
    box.SetCenterWorld(*corners.mean(axis=0).tolist())
    box.SetSizeWorld(*(np.abs(corners[1] - corners[0]) + 2 * AROUND_MM).tolist())
    box.CreateDefaultDisplayNodes()
    box.SetDisplayVisibility(True)
    return box


def region_of(box) -> RegionMm:
    """Two corners of a box in LPS mm; of what encloses one that was turned."""
    bounds_mm = [0.0] * 6
    box.GetRASBounds(bounds_mm)
    x0, x1, y0, y1, z0, z1 = bounds_mm
    return (-x1, -y1, z0), (-x0, -y0, z1)


def put_region(segmentation_node, segment_id: str, ct_node, drawn: np.ndarray, region_mm: RegionMm
               ) -> tuple[float, float]:
    """In a box the segment gets the voxels of `drawn` (bool, the CT's stored grid), outside it keeps its own.

    Returns its volume before and after in ml. Raises `InputError` for a region outside the CT and for nodes that cannot
    be used.
    """
    grid = grid_of_volume_node(ct_node)
    box = voxels_of_region(grid, region_mm)
    mask = _mask_on_ct(segmentation_node, segment_id, ct_node)
    before = np.count_nonzero(mask)
    mask[box] = drawn[box]
    place = (ndimage.find_objects(mask.view(np.uint8)) or [box])[0]
    spacing_mm = tuple(reversed(grid.GetSpacing()))
    voxels = SegmentVoxels(mask[place], tuple(side.start for side in place), spacing_mm, _oriented(ct_node))
    replace_voxels(segmentation_node, segment_id, voxels)
    return before * voxels.voxel_ml, np.count_nonzero(mask) * voxels.voxel_ml


def drawn_steps(masks_steps: Generator, organ: str) -> Generator[float, None, np.ndarray]:
    """The mask of one organ from steps that read the masks of a job; raises `InputError` when it is not there."""
    masks: OrganMasks = yield from masks_steps
    if organ not in masks.segments:
        raise InputError(f"{organ} was not drawn", mend="Choose another engine, or a larger box.")
    return masks.mask(organ)


def _voxels_around(segmentation_node, segment_id: str, ct_node) -> tuple[np.ndarray, np.ndarray]:
    """First and last voxel index (i, j, k) of a segment on the CT."""
    found = ndimage.find_objects(_mask_on_ct(segmentation_node, segment_id, ct_node).view(np.uint8))
    if found:
        return (np.array([side.start for side in found[0]][::-1]), np.array([side.stop for side in found[0]][::-1]) - 1)
    middle = np.array(ct_node.GetImageData().GetDimensions()) / 2
    return middle - 1, middle


def _mask_on_ct(segmentation_node, segment_id: str, ct_node) -> np.ndarray:
    """The voxels of a segment (bool, the CT's stored grid): a copy."""
    drawing = SegmentEdits(segmentation_node, ct_node).drawing()
    mask = np.zeros(tuple(reversed(ct_node.GetImageData().GetDimensions())), bool)
    organ = next((name for name, each in drawing.segment_ids.items() if each == segment_id), None)
    if organ is not None:
        index, value = drawing.segments[organ]
        labels, corner = drawing.layer(index)
        mask[tuple(slice(start, start + size) for start, size in zip(corner, labels.shape))] = labels == value
    return mask


def _oriented(ct_node):
    """An empty vtkOrientedImageData with the geometry of the CT."""
    import slicer
    import vtk

    image, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
    ct_node.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    return image
