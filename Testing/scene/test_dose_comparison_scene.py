"""A comparison in Slicer's scene: maps, colours, tables, and what is saved of them."""

import dataclasses
import math

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.assess.dose_map_comparison import compare_dose_maps
from organdose.assess.dose_map_pair import dose_map_pair
from organdose.assess.organ_dose_comparison import OrganDoseDifference, organ_dose_differences
from organdose.errors import InputError
from organdose.export.dose_comparison_tables import comparison_figures
from organdose.scene.ct_dose_scene import save_scene
from organdose.scene.dose_comparison_scene import build_dose_comparison_scene


@pytest.fixture
def found(dose_map):
    reference = dose_map.dose_mgy
    values = 1.05 * sitk.GetArrayFromImage(reference)
    values[0, 0, 0] = np.nan
    test = sitk.GetImageFromArray(values)
    test.CopyInformation(reference)
    return compare_dose_maps(dose_map_pair(test, reference))


@pytest.fixture
def organs(found, masks):
    return organ_dose_differences(found.pair, masks, found.gamma_global.gamma)


@pytest.fixture
def comparison(scene, found, organs, ct_image, masks):
    return build_dose_comparison_scene(found, organs, ct=ct_image, masks=masks)


def test_the_maps_lie_where_they_belong_with_their_values(comparison, found):
    region = found.pair.region
    difference = slicer.util.arrayFromVolume(comparison.difference)
    np.testing.assert_allclose(difference[region], found.difference_mgy[region], atol=1e-6)
    np.testing.assert_allclose(slicer.util.arrayFromVolume(comparison.gamma)[np.isfinite(found.gamma_global.gamma)],
                               found.gamma_global.gamma[np.isfinite(found.gamma_global.gamma)])
    left, posterior, superior = found.pair.reference.GetOrigin()
    assert comparison.difference.GetOrigin() == pytest.approx((-left, -posterior, superior))
    assert comparison.reference.GetAttribute("DicomRtImport.DoseVolume") == "1"


def test_what_was_not_compared_is_marked_told_and_not_drawn(comparison, found):
    for node, mark in ((comparison.gamma, -1.0), (comparison.test, -1.0),
                       (comparison.difference, slicer.util.arrayFromVolume(comparison.difference).min())):
        values, display = slicer.util.arrayFromVolume(node), node.GetDisplayNode()
        assert np.isfinite(values).all() and values.min() == mark
        assert f"{mark:.6g}" in node.GetDescription()
        assert mark < display.GetLowerThreshold() and display.GetApplyThreshold()
    hidden = slicer.util.arrayFromVolume(comparison.difference)[~found.pair.region]
    assert (hidden < comparison.difference.GetDisplayNode().GetLowerThreshold()).all()
    shown = slicer.util.arrayFromVolume(comparison.difference)[found.pair.region]
    assert (shown > comparison.difference.GetDisplayNode().GetLowerThreshold()).all()


def test_the_difference_has_diverging_colours_about_zero(comparison):
    display = comparison.difference.GetDisplayNode()
    assert display.GetWindowLevelMin() == pytest.approx(-display.GetWindowLevelMax())
    table = display.GetColorNode().GetLookupTable()
    low, middle, high = (table.GetTableValue(index)[:3] for index in (0, 127, 255))
    assert low[2] > low[0] and high[0] > high[2] and min(middle) > 0.9
    assert comparison.gamma.GetDisplayNode().GetWindowLevelMin() == 0
    assert comparison.gamma.GetDisplayNode().GetWindowLevelMax() == 2


def test_the_tables_hold_every_figure_and_organ(comparison, found, organs):
    table = comparison.figure_table.GetTable()
    figures = comparison_figures(found)
    assert table.GetNumberOfRows() == len(figures)
    column = slicer.util.arrayFromTableColumn(comparison.figure_table, "value")
    np.testing.assert_allclose(column, [figure[1] for figure in figures])
    names = comparison.organ_table.GetTable().GetColumnByName("organ")
    assert [names.GetValue(row) for row in range(len(organs))] == [row.organ for row in organs]
    assert [comparison.organ_table.GetTable().GetColumnName(i) for i in range(13)] == [
        field.name for field in dataclasses.fields(OrganDoseDifference)]
    assert math.isnan(slicer.util.arrayFromTableColumn(comparison.organ_table, "z")[0])


def test_references_tie_the_nodes_together_and_the_ct_lies_below(comparison):
    table = comparison.figure_table
    assert table.GetNodeReference("OrganDose.Gamma").GetID() == comparison.gamma.GetID()
    assert table.GetNodeReference("OrganDose.CT").GetID() == comparison.ct.GetID()
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        assert composite.GetBackgroundVolumeID() == comparison.ct.GetID()
        assert composite.GetForegroundVolumeID() == comparison.difference.GetID()


def test_without_ct_and_masks_the_reference_lies_below(scene, found):
    comparison = build_dose_comparison_scene(found)
    assert comparison.ct is comparison.segmentation is comparison.organ_table is None
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == comparison.reference.GetID()


def test_a_saved_comparison_comes_back(comparison, scene, tmp_path):
    save_scene(tmp_path / "scene.mrb")
    scene.Clear(False)
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    table = next(node for node in slicer.util.getNodesByClass("vtkMRMLTableNode")
                 if node.GetAttribute("OrganDose.Result") == "dose-comparison")
    back = table.GetNodeReference("OrganDose.DoseDifference")
    assert back.GetDisplayNode().GetColorNode().GetName() == "Dose difference"
    assert table.GetNodeReference("OrganDose.OrganComparison").GetTable().GetNumberOfRows() > 0


def test_removed_it_leaves_the_scene_as_it_was(scene, found, organs, ct_image, masks):
    def count(kind):
        return len(slicer.util.getNodesByClass(kind))

    kinds = ("vtkMRMLScalarVolumeNode", "vtkMRMLTableNode", "vtkMRMLSegmentationNode")
    before = [count(kind) for kind in kinds]
    build_dose_comparison_scene(found, organs, ct=ct_image, masks=masks).remove()
    assert [count(kind) for kind in kinds] == before


def test_masks_of_another_ct_leave_nothing_behind(scene, found, ct_image, masks):
    other = ct_image[:, :, :10]
    with pytest.raises(InputError, match="another grid"):
        build_dose_comparison_scene(found, ct=other, masks=masks)
    assert not slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
