"""What the views show: CT with the dose over it, slices through the dose maximum, and the layout."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.scene.dose_display import AIR_BELOW_G_CM3, window_top_mgy
from organdose.scene.headless import start_slicer
from organdose.scene.segmentation_nodes import BINARY_LABELMAP

DOSE_OPACITY = 0.45
_MARGINS = 1.3, 1.06  # across and upwards
_SEARCH_STEP = 4  # voxels


def show_in_slices(ct_node, dose_node, segmentation_node, opacity: float = DOSE_OPACITY) -> None:
    """CT, dose over it and the outlines of this segmentation alone in every slice view, fitted to the patient."""
    import slicer

    scene = start_slicer()
    show_only(segmentation_node)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(ct_node.GetID())
        composite.SetForegroundVolumeID(dose_node.GetID())
        composite.SetLabelVolumeID(None)
        composite.SetForegroundOpacity(opacity)
        composite.SetLinkedControl(True)
    corners = filled_corners_ras(segmentation_node)
    logics = slicer.app.applicationLogic().GetSliceLogics()
    for index in range(logics.GetNumberOfItems()):
        logic = logics.GetItemAsObject(index)
        if not hasattr(slicer.app, "layoutManager"):
            logic.GetSliceNode().SetDimensions(800, 600, 1)  # a window would have set its size
        fit_to(logic.GetSliceNode(), corners)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(dose_node)
    if legend is not None:
        legend.Modified()  # views that did not show the dose when it was added look again


def show_only(segmentation_node) -> None:
    """Show this segmentation and no other: two of one CT at once cannot be told apart."""
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", start_slicer()):
        if node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(node.GetID() == segmentation_node.GetID())


def show_ct_in_slices(ct_node, segmentation_node) -> None:
    """A CT with this segmentation alone in every slice view, through the middle of the segments."""
    import slicer

    show_only(segmentation_node)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", start_slicer()):
        composite.SetBackgroundVolumeID(ct_node.GetID())
        composite.SetForegroundVolumeID(None)
        composite.SetLabelVolumeID(None)
    corners = filled_corners_ras(segmentation_node)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", start_slicer()):
        fit_to(node, corners)
    if len(corners):
        go_to((corners.min(axis=0) + corners.max(axis=0)) / 2)


def set_dose_opacity(dose_node, opacity: float) -> None:
    """How much a dose covers the CT (0 to 1) in the slice views that show it."""
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", start_slicer()):
        if composite.GetForegroundVolumeID() == dose_node.GetID():
            composite.SetForegroundOpacity(opacity)


def fit_to(slice_node, corners: np.ndarray) -> None:
    """Centre a slice view on `filled_corners_ras` and show them whole, with room for the colour legend at the side."""
    if not len(corners):
        return  # no segment has a voxel
    low, high = corners.min(axis=0), corners.max(axis=0)
    axes = slice_node.GetSliceToRAS()
    width_mm, height_mm = (margin * sum(abs(axes.GetElement(row, column)) * (high - low)[row] for row in range(3))
                           for column, margin in enumerate(_MARGINS))
    pixels = slice_node.GetDimensions()
    mm_per_pixel = max(width_mm / max(1, pixels[0]), height_mm / max(1, pixels[1]))  # 0 for a view not yet laid out
    offset_mm = slice_node.GetSliceOffset()
    slice_node.JumpSliceByCentering(*((low + high) / 2))
    slice_node.SetSliceOffset(offset_mm)
    slice_node.SetSliceOrigin(0, 0, 0)
    slice_node.SetFieldOfView(mm_per_pixel * pixels[0], mm_per_pixel * pixels[1], slice_node.GetFieldOfView()[2])


def filled_corners_ras(segmentation_node) -> np.ndarray:
    """Corners (n, 3; RAS mm) of the boxes of voxels that belong to a segment, one box a label layer.

    To a few voxels, which is enough to look at: a large label map is searched in a hundredth of the time.
    """
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    segmentation, to_ras, corners = segmentation_node.GetSegmentation(), vtk.vtkMatrix4x4(), []
    for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        image = segmentation.GetLayerDataObject(layer, BINARY_LABELMAP)
        if image.GetPointData().GetScalars() is None:
            continue
        labels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(tuple(reversed(image.GetDimensions())))
        box = _coarse_box(labels)
        if box is not None:
            start = np.array(image.GetExtent()[0::2])
            image.GetImageToWorldMatrix(to_ras)
            corners += [to_ras.MultiplyPoint((*(start + index), 1.0))[:3] for index in itertools.product(*box)]
    return np.array(corners)


def _coarse_box(labels: np.ndarray) -> list[tuple[int, int]] | None:
    """First and last filled index along i, j, k of an array (k, j, i), looking at some voxels only; None if empty."""
    steps = [1 if size < 4 * _SEARCH_STEP else _SEARCH_STEP for size in labels.shape]
    filled = labels[tuple(slice(None, None, step) for step in steps)] != 0
    if not filled.any():
        steps, filled = [1, 1, 1], labels != 0  # what is smaller than the step
    box = []
    for axis in range(3):
        places = np.flatnonzero(filled.any(axis=tuple({0, 1, 2} - {axis})))
        if not places.size:
            return None
        box.append((int(places[0]) * steps[axis], min(int(places[-1]) * steps[axis] + 1, labels.shape[axis])))
    return box[::-1]


def go_to(position_ras) -> None:
    """Move every slice view to a point (RAS, mm), keeping it centred."""
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", start_slicer()):
        node.JumpSliceByOffsetting(*position_ras)


def dose_centre_ras(dose_map: DoseMap) -> np.ndarray:
    """The centre (RAS, mm) of the tissue that receives at least half of the top of the dose scale.

    A region is stable against the noise of single voxels, and air scores nothing worth looking at.
    """
    dose_mgy = sitk.GetArrayViewFromImage(dose_map.dose_mgy)
    irradiated = (dose_map.density_g_cm3 > AIR_BELOW_G_CM3) & (dose_mgy >= 0.5 * window_top_mgy(dose_map))
    centre = [float(np.average(np.arange(size), weights=irradiated.sum(axis=tuple({0, 1, 2} - {axis}))))
              for axis, size in enumerate(irradiated.shape)]
    left, posterior, superior = dose_map.dose_mgy.TransformContinuousIndexToPhysicalPoint(centre[::-1])
    return np.array([-left, -posterior, superior])


def show_chart(chart_node) -> None:
    """A chart in the plot view, in a layout that has one."""
    _with_chosen(chart_node, None)
    layout = start_slicer().GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout.GetViewArrangement() not in (layout.SlicerLayoutFourUpPlotTableView, layout.SlicerLayoutFourUpPlotView):
        layout.SetViewArrangement(layout.SlicerLayoutFourUpPlotView)
    _with_chosen(chart_node, None)  # the views of a layout exist once it is shown


def _with_chosen(chart_node, table_node) -> None:
    """Choose chart and table (None: leave) for the views that there are."""
    import slicer

    application = slicer.app.applicationLogic()
    selection = application.GetSelectionNode()
    if table_node is not None:
        selection.SetActiveTableID(table_node.GetID())
        application.PropagateTableSelection()
    if chart_node is not None:
        selection.SetActivePlotChartID(chart_node.GetID())
        application.PropagatePlotChartSelection()


def show_table_and_chart(table_node, chart_node) -> None:
    """The layout of four views with chart and table, and the nodes in them."""
    _with_chosen(chart_node, table_node)
    layout = start_slicer().GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpPlotTableView if chart_node is not None
                              else layout.SlicerLayoutFourUpTableView)
    _with_chosen(chart_node, table_node)  # the views of a layout exist once it is shown
