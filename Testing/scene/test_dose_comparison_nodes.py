"""A finished comparison brought in beside the nodes that were compared, in steps, and taken out again."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.scene.at_once import at_once
from organdose.scene.dose_comparison_nodes import add_dose_comparison_steps, find_comparisons, show_over_ct
from organdose.scene.dose_display import dose_volume_node
from organdose.scene.volume_nodes import ct_volume_node

FIGURES = [{"quantity": "ME", "value": 0.5, "unit": "mGy", "definition": "mean"},
           {"quantity": "SSIM", "value": float("nan"), "unit": "1", "definition": ""}]
ORGANS = [{"organ": "liver", "volume_ml": 1500.0, "in_summary": True}]


@pytest.fixture
def compared(scene, dose_map, ct_image):
    """CT, test and reference in the scene, and the steps that add their comparison."""
    ct, test, reference = ct_volume_node(ct_image), dose_volume_node(dose_map), dose_volume_node(dose_map, "Other")
    dose = dose_map.dose_mgy
    region = sitk.Cast(dose > 10, sitk.sitkUInt8)
    gamma = sitk.Mask(dose / 20, region, float("nan"))

    def steps(**more):
        more = {"test": test, "reference": reference, "ct": ct, "segmentation": None, **more}
        return add_dose_comparison_steps(dose * 0.1, region, gamma, "1 %/1 mm global", FIGURES, ORGANS, **more)

    steps.test, steps.reference, steps.ct, steps.region = test, reference, ct, region
    return steps


def nodes(scene):
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_it_is_found_again_with_the_nodes_it_belongs_to(compared):
    made = at_once(compared())
    assert find_comparisons() == [made]
    assert (made.test, made.reference, made.ct) == (compared.test, compared.reference, compared.ct)
    title = made.organ_table.GetColumnTitle("volume_ml")
    assert title == "Volume (mL)" and made.organ_table.GetTable().GetColumnByName("in_summary").GetValue(0) == "yes"
    assert np.isnan(slicer.util.arrayFromTableColumn(made.figure_table, "value")[1])


def test_voxels_outside_the_region_are_not_drawn(compared):
    made = at_once(compared())
    drawn = slicer.util.arrayFromVolume(made.difference) > made.difference.GetDisplayNode().GetLowerThreshold()
    np.testing.assert_array_equal(drawn, sitk.GetArrayFromImage(compared.region) != 0)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(made.gamma) >= 0, drawn)


def test_the_legend_names_the_middle_and_small_doses_too(compared):
    made = at_once(compared())
    for node in (made.difference, made.gamma):
        legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
        assert legend.GetNumberOfLabels() % 2 == 1 and legend.GetLabelFormat() % 0.0125 == "0.0125"


def test_a_file_as_reference_is_no_node_and_the_record_has_no_path(compared):
    made = at_once(compared(reference=None, record={"job": {"reference": "/data/Miller/dose.nrrd", "gamma_mm": 1.0},
                                                    "facts": {"warnings": ["negative"]}}))
    found, = find_comparisons()
    assert found.reference is None and found.record == {"job": {"gamma_mm": 1.0}, "facts": {"warnings": ["negative"]}}
    show_over_ct(made, made.gamma)
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == compared.ct.GetID()
    assert composite.GetForegroundVolumeID() == made.gamma.GetID()


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_not_taken_to_its_end_it_leaves_the_scene_as_it_was(compared, scene, taken):
    at_once(compared()).remove(inputs=False)  # the colours stay for the next one
    before = nodes(scene)
    steps = compared()
    for _ in range(taken):
        next(steps)
    assert nodes(scene) > before
    steps.close()
    assert nodes(scene) == before


def test_removed_it_leaves_both_doses_and_the_ct(compared, scene):
    at_once(compared()).remove(inputs=False)
    assert not find_comparisons()
    assert all(node.GetScene() is not None for node in (compared.test, compared.reference, compared.ct))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert not hierarchy.GetItemByName("Dose comparison")


def test_a_second_comparison_has_a_name_of_its_own(compared):
    first, second = at_once(compared()), at_once(compared())
    assert first.figure_table.GetName() != second.figure_table.GetName()


def test_without_its_test_it_is_no_comparison_any_more(compared, scene):
    at_once(compared())
    scene.RemoveNode(compared.test)
    assert find_comparisons() == []
