"""The views show dose over CT through the centre of the dose."""

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


def test_the_centre_of_a_symmetric_dose_is_its_middle(dose_map):
    image = dose_map.dose_mgy  # 20 mGy in the middle, falling towards both ends
    left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    assert dose_centre_ras(dose_map) == pytest.approx([-left, -posterior, superior], abs=1.0)


def test_the_axial_slice_goes_through_the_centre_of_the_dose(result, dose_map):
    centre = dose_centre_ras(dose_map)
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    assert logic.GetSliceOffset() == pytest.approx(centre[2], abs=1e-6)


def test_the_slices_are_fitted_to_the_patient(result):
    # The ellipse is 220 mm wide and 160 mm deep.
    node = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceNode()
    width_mm, height_mm, _ = node.GetFieldOfView()
    assert width_mm >= 220
    assert height_mm >= 160
    assert height_mm <= 1.15 * 160 or width_mm <= 1.35 * 220
    assert width_mm / height_mm == pytest.approx(node.GetDimensions()[0] / node.GetDimensions()[1])


def test_table_and_chart_are_in_their_views(result):
    scene = slicer.mrmlScene
    assert scene.GetFirstNodeByClass("vtkMRMLTableViewNode").GetTableNode() is result.organ_table
    assert scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNode() is result.dvh.chart
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotTableView


def test_only_the_segmentation_of_the_result_is_shown(result, ct_image, masks):
    from organdose.scene.segmentation_nodes import segmentation_node_from_masks
    from organdose.scene.views import show_in_slices

    other = segmentation_node_from_masks(masks, result.ct, "another")
    show_in_slices(result.ct, result.dose, result.segmentation)
    assert result.segmentation.GetDisplayNode().GetVisibility()
    assert not other.GetDisplayNode().GetVisibility()
