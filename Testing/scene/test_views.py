"""The views show dose over CT through the centre of the dose."""

import numpy as np
import pytest
import slicer

from organdose.scene.views import dose_centre_ras


def test_every_slice_view_has_the_dose_over_the_ct(result):
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert len(composites) == 3
    for composite in composites:
        assert composite.GetBackgroundVolumeID() == result.ct.GetID()
        assert composite.GetForegroundVolumeID() == result.dose.GetID()
        assert 0.4 <= composite.GetForegroundOpacity() <= 0.5


def test_the_centre_of_a_symmetric_dose_is_its_middle(result, dose_map):
    image = dose_map.dose_mgy
    left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    assert dose_centre_ras(result.dose) == pytest.approx([-left, -posterior, superior], abs=1.0)


def test_the_axial_slice_goes_through_the_centre_of_the_dose(result):
    centre = dose_centre_ras(result.dose)
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    assert logic.GetSliceOffset() == pytest.approx(centre[2], abs=1e-6)


def test_the_slices_are_fitted_to_the_ct(result):
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    width_mm, height_mm, _ = logic.GetSliceNode().GetFieldOfView()
    size_mm = np.multiply(result.ct.GetImageData().GetDimensions(), result.ct.GetSpacing())
    assert size_mm[0] <= width_mm + 1e-6
    assert size_mm[1] <= height_mm + 1e-6


def test_table_and_chart_are_in_their_views(result):
    scene = slicer.mrmlScene
    assert scene.GetFirstNodeByClass("vtkMRMLTableViewNode").GetTableNode() is result.organ_table
    assert scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNode() is result.dvh.chart
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotTableView
