"""The dose node shows the map as a planning system would, and carries what SlicerRT looks for."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.scene.dose_display import (
    dose_colour_node,
    dose_volume_node,
    uncertainty_volume_node,
    window_top_mgy,
)


def _map_of(dose) -> DoseMap:
    array = np.asarray(dose, np.float32)
    return DoseMap(sitk.GetImageFromArray(array), np.ones_like(array), "test")


def test_slicerrt_recognises_the_dose(scene, dose_map):
    # Names and meaning: SlicerRT, SlicerRtCommon/vtkSlicerRtCommon.cxx.
    node = dose_volume_node(dose_map)
    assert node.GetAttribute("DicomRtImport.DoseVolume") == "1"
    assert node.GetAttribute("DicomRtImport.DoseUnitName") == "mGy"
    assert node.GetAttribute("DicomRtImport.DoseUnitValue") == "1"
    assert node.GetVoxelValueUnits().GetCodeValue() == "mGy"


def test_the_window_runs_from_zero_to_a_round_dose_and_hardly_irradiated_voxels_are_clear(scene, dose_map):
    display = dose_volume_node(dose_map).GetDisplayNode()
    top = window_top_mgy(dose_map)
    assert display.GetWindowLevelMin() == 0
    assert display.GetWindowLevelMax() == pytest.approx(top) == 25
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == pytest.approx(0.03 * top)


@pytest.mark.parametrize(("dose_mgy", "top"), [(17.3, 20), (0.0041, 0.005), (118.0, 120), (250.0, 250), (9.9, 10)])
def test_the_top_of_the_scale_is_the_next_round_figure(dose_mgy, top):
    assert window_top_mgy(_map_of(np.full((4, 4, 4), dose_mgy))) == pytest.approx(top)


def test_one_noisy_voxel_does_not_darken_the_scale():
    dose = np.full((10, 20, 20), 8.0, np.float32)
    dose[5, 5, 5] = 100.0
    assert window_top_mgy(_map_of(dose)) == pytest.approx(8)


def test_air_that_scores_a_thousand_times_the_dose_does_not_darken_the_scale():
    dose, density_g_cm3 = np.full((10, 20, 20), 8.0, np.float32), np.ones((10, 20, 20), np.float32)
    dose[:, :5], density_g_cm3[:, :5] = 4000.0, 0.0012
    assert window_top_mgy(DoseMap(sitk.GetImageFromArray(dose), density_g_cm3, "test")) == pytest.approx(8)


def test_the_legend_says_what_and_in_which_unit(scene, dose_map):
    node = dose_volume_node(dose_map)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    assert legend.GetTitleText() == "Absorbed dose (mGy)"
    assert legend.GetVisibility()


@pytest.mark.parametrize(("dose_mgy", "label"), [(0.0041, "0.005"), (17.3, "20.0")])
def test_the_legend_of_a_small_dose_has_the_digits_it_needs(scene, dose_mgy, label):
    node = dose_volume_node(_map_of(np.full((4, 4, 4), dose_mgy)))
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    assert legend.GetLabelFormat() % node.GetDisplayNode().GetWindowLevelMax() == label


def test_the_colours_run_from_blue_to_red_and_are_made_once(scene):
    node = dose_colour_node()
    low, high = [0.0] * 4, [0.0] * 4
    node.GetColor(0, low)
    node.GetColor(node.GetNumberOfColors() - 1, high)
    assert low[2] > low[0] == 0
    assert high[0] > high[2] == 0
    assert dose_colour_node() is node


def test_the_uncertainty_is_a_volume_of_its_own(scene, dose_map):
    node = uncertainty_volume_node(dose_map.relative_uncertainty)
    assert node.GetAttribute("DicomRtImport.DoseVolume") is None
    assert slicer.util.arrayFromVolume(node).max() == pytest.approx(0.02)


@pytest.mark.parametrize(("dose", "said"), [(np.zeros((3, 3, 3)), "zero everywhere"),
                                            (np.full((3, 3, 3), np.nan), "not a number"),
                                            (np.full((3, 3, 3), np.inf), "not a number"),
                                            (np.full((3, 3, 3), -1.0), "negative")])
def test_a_map_without_dose_is_refused_and_leaves_no_node(scene, dose, said):
    with pytest.raises(InputError, match=said):
        dose_volume_node(_map_of(dose))
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
