"""A Slicer scene that the edit benchmark paints in, as the segment editor would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_dose import OrganDose
from organdose.dose_map import DoseMap
from organdose.scene.dose_display import dose_volume_node
from organdose.scene.dvh_plot import dvh_plot
from organdose.scene.live_results import LiveResult
from organdose.scene.organ_table_node import organ_table_node, rows_from_table_node
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node


class SceneTarget:
    """CT, masks and dose as nodes of the scene, with an empty table and chart that a `LiveResult` fills.

    An `EditTarget` of `validation.edit_benchmark`.
    """

    title = "Slicer scene"

    def __init__(self, ct: sitk.Image, masks: OrganMasks, dose: DoseMap):
        self._ct = ct_volume_node(ct)
        self._segmentation = segmentation_node_from_masks(masks, self._ct)
        self._table = organ_table_node([])
        self._live = LiveResult(self._ct, self._segmentation, dose_volume_node(dose), None, self._table,
                                dvh_plot([]).chart)

    def paint(self, organ: str, mask: np.ndarray, corner: tuple[int, int, int], erase: bool) -> None:
        import slicer
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        segment = self._segmentation.GetSegmentation().GetSegment(organ)
        stroke = slicer.vtkOrientedImageData()
        stroke.SetExtent(*(bound for first, size in zip(corner[::-1], mask.shape[::-1])
                           for bound in (first, first + size - 1)))
        self._ct.GetIJKToRASMatrix(matrix := vtk.vtkMatrix4x4())
        stroke.SetImageToWorldMatrix(matrix)
        logic, value = slicer.vtkSlicerSegmentationsModuleLogic, segment.GetLabelValue()
        labels, mode = (np.where(mask, 0, 255), logic.MODE_MERGE_MIN) if erase else (
            np.where(mask, value, 0), logic.MODE_MERGE_MASK)
        stroke.GetPointData().SetScalars(numpy_to_vtk(labels.astype(np.uint8).ravel(), deep=True))
        logic.SetBinaryLabelmapToSegment(stroke, self._segmentation, organ, mode)

    def follow(self) -> Iterator[float]:
        return self._live.follow()

    def row(self, organ: str) -> OrganDose | None:
        found = next((row for row in rows_from_table_node(self._table) if row.organ == organ), None)
        return found and replace(found, mask="")  # the status of the mask comes at once, its numbers are what is timed
