"""What the views show: CT with the dose over it, slices through the dose maximum, and the layout."""

from __future__ import annotations

import numpy as np

from organdose.scene.headless import is_headless, start_slicer

DOSE_OPACITY = 0.45


def show_in_slices(ct_node, dose_node, opacity: float = DOSE_OPACITY) -> None:
    """CT in the background and dose in the foreground of every slice view, fitted to the CT."""
    import slicer

    scene = start_slicer()
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(ct_node.GetID())
        composite.SetForegroundVolumeID(dose_node.GetID())
        composite.SetLabelVolumeID(None)
        composite.SetForegroundOpacity(opacity)
        composite.SetLinkedControl(True)
    logics = slicer.app.applicationLogic().GetSliceLogics()
    for index in range(logics.GetNumberOfItems()):
        logic = logics.GetItemAsObject(index)
        if is_headless():
            logic.GetSliceNode().SetDimensions(800, 600, 1)  # a window would have set its size
        logic.FitSliceToBackground()


def go_to(position_ras) -> None:
    """Move every slice view to a point (RAS, mm), keeping it centred."""
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", start_slicer()):
        node.JumpSliceByOffsetting(*position_ras)


def dose_centre_ras(dose_node) -> np.ndarray:
    """The centre (RAS, mm) of the region that receives at least half of the highest dose: stable against noise."""
    import slicer
    import vtk

    dose_mgy = slicer.util.arrayFromVolume(dose_node)
    weights = dose_mgy * (dose_mgy >= 0.5 * np.percentile(dose_mgy[dose_mgy > 0], 99.5))
    indices = [float(np.average(np.arange(size), weights=weights.sum(axis=tuple({0, 1, 2} - {axis}))))
               for axis, size in enumerate(weights.shape)]
    matrix = vtk.vtkMatrix4x4()
    dose_node.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((*reversed(indices), 1.0))[:3])


def show_table_and_chart(table_node, chart_node) -> None:
    """The layout of four views with chart and table, and the nodes in them."""
    import slicer

    scene = start_slicer()
    application = slicer.app.applicationLogic()
    selection = application.GetSelectionNode()
    selection.SetActiveTableID(table_node.GetID())
    application.PropagateTableSelection()
    if chart_node is not None:
        selection.SetActivePlotChartID(chart_node.GetID())
        application.PropagatePlotChartSelection()
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpPlotTableView if chart_node is not None
                              else layout.SlicerLayoutFourUpTableView)
    # The views of a layout exist once it is shown: choose their content again.
    application.PropagateTableSelection()
    if chart_node is not None:
        application.PropagatePlotChartSelection()
