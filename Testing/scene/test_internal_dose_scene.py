"""An internal dose of several engines in the scene: what is shown, what belongs together, and what follows edits."""

import dataclasses
import math

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.anatomy.tissues import schneider2000
from organdose.assess.internal_organ_dose import internal_organ_doses
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.nuclear.time_activity import time_activity_curves
from organdose.scene import subject_hierarchy
from organdose.scene.ct_dose_scene import CTDoseScene, add_ct_dose_result, save_scene
from organdose.scene.derived_tables import find_total, total_node, update_all, update_tables_of
from organdose.scene.headless import clear_scene
from organdose.scene.internal_dose_scene import (
    EngineDose,
    InternalDose,
    InternalDoseScene,
    build_internal_dose_scene,
    remove_run,
)
from organdose.scene.live_results import LiveResult, live_result
from organdose.scene.organ_table_node import rows_from_table_node, write_rows
from organdose.scene.result_attributes import MASKS_CHANGED_ATTRIBUTE

ADMINISTERED_MBQ = 284.0


@pytest.fixture
def internal(ct_image, dose_map, masks) -> InternalDose:
    """Two engines, the second with 90 % of the first one's dose; 0.5 MBq h in each ml of the liver."""
    weights = organ_weights(masks, schneider2000().density_g_cm3(sitk.GetArrayFromImage(ct_image)), dose_map.dose_mgy)
    tia = np.zeros(dose_map.density_g_cm3.shape, np.float32)
    indices, *_ = weights.row("liver")
    tia.ravel()[indices] = 0.5
    image = sitk.GetImageFromArray(tia)
    image.CopyInformation(dose_map.dose_mgy)
    decays = {name: 3.6e9 * float(tia.ravel()[row[0]] @ row[2]) for name in weights.names
              for row in [weights.row(name)]}
    other = dataclasses.replace(dose_map, dose_mgy=dose_map.dose_mgy * 0.9, engine="local 1.0",
                                relative_uncertainty=None)
    engines = tuple(EngineDose(name, title, dose, internal_organ_doses(
        organ_table(dose, weights), decays, ADMINISTERED_MBQ * 1e6, {})) for name, title, dose in (
            ("mc", "Monte Carlo", dose_map), ("local", "Local deposition", other)))
    times_s = np.array([1.0, 4.0]) * 3600
    curves = time_activity_curves(["liver"], times_s, np.array([[8e7], [6e7]]), math.log(2) / 6586, 2.84e8, "mono")
    return InternalDose(engines, image, curves, ADMINISTERED_MBQ)


@pytest.fixture
def shown(scene, ct_image, masks, internal):
    return build_internal_dose_scene(ct_image, masks, internal)


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def test_engines_stand_side_by_side_with_their_differences(shown):
    table = shown.comparison
    titles = [table.GetColumnTitle(table.GetColumnName(index)) for index in range(table.GetNumberOfColumns())]
    assert titles == ["Organ", "Monte Carlo (mGy)", "Local deposition (mGy)", "from Monte Carlo (%)"]
    assert column(table, "local_difference_percent") == pytest.approx(-10.0, abs=0.01)


def test_all_comes_back_from_a_file(shown, tmp_path):
    before = rows_from_table_node(shown.organ_table)
    save_scene(tmp_path / "scene.mrb")
    clear_scene()
    slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    first, second = InternalDoseScene.in_scene()
    assert first.tia is second.tia and first.activity is second.activity and first.comparison is second.comparison
    for row, back in zip(before, rows_from_table_node(first.organ_table), strict=True):
        assert back.tiac_h == pytest.approx(row.tiac_h, rel=1e-5)
    assert first.activity.GetYAxisTitle() == "Activity (MBq)"
    assert first.tia.GetVoxelValueUnits().GetCodeValue() == "MBq.h/mL"
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(first.tia)
    assert legend.GetTitleText() == "TIA (MBq h/ml)"


def test_everything_lies_in_one_folder_of_the_study(shown):
    folder = subject_hierarchy.parent_of(shown.dose)
    assert slicer.mrmlScene.GetSubjectHierarchyNode().GetItemName(folder) == "Internal dose"
    other = next(each for each in InternalDoseScene.in_scene() if each.dose is not shown.dose)
    parts = (shown.organ_table, shown.tia, shown.activity, shown.comparison, other.dose, other.organ_table)
    assert {subject_hierarchy.parent_of(node) for node in parts} == {folder}


def test_removing_one_engine_leaves_what_the_other_needs(scene, shown):
    other = next(each for each in InternalDoseScene.in_scene() if each.dose is not shown.dose)
    shown.remove(inputs=False)
    assert other.tia.GetScene() is scene and other.comparison.GetScene() is scene
    update_all()
    assert column(other.comparison, "local_mgy").size and other.comparison.GetNumberOfColumns() == 2
    remove_run(other)
    for name in ("vtkMRMLVolumeNode", "vtkMRMLTableNode", "vtkMRMLPlotSeriesNode", "vtkMRMLSegmentationNode"):
        assert scene.GetNumberOfNodesByClass(name) == 0


def test_the_total_of_an_examination_follows_both_parts(scene, shown, dose_map, rows):
    ct_dose = add_ct_dose_result(shown.ct, shown.segmentation, dose_map, rows, [])
    total = total_node(ct_dose.organ_table, shown.organ_table)
    assert find_total(ct_dose.organ_table, shown.organ_table) is total
    internal = {row.organ: row.mean_mgy for row in rows_from_table_node(shown.organ_table)}
    organs = [total.GetCellText(row, 0) for row in range(total.GetNumberOfRows())]
    liver = organs.index("Liver")
    assert column(total, "total_mgy")[liver] == pytest.approx(rows[0].mean_mgy + internal["liver"], rel=1e-3)
    assert column(total, "part1_percent")[liver] + column(total, "part2_percent")[liver] == pytest.approx(100, abs=0.2)
    write_rows(ct_dose.organ_table, [dataclasses.replace(rows[0], mean_mgy=100.0)])
    update_tables_of(ct_dose.organ_table)
    assert column(total, "total_mgy")[0] == pytest.approx(100 + internal["liver"], rel=1e-3)
    CTDoseScene.of_table(ct_dose.organ_table).remove(inputs=False)
    update_all()
    assert total.GetScene() is None


def test_activity_and_dose_per_activity_follow_an_edit(shown, ct_image):
    list(LiveResult.of(shown).follow())
    live = LiveResult.of(shown)
    before = {row.organ: row for row in rows_from_table_node(shown.organ_table)}
    half = slicer.util.arrayFromSegmentBinaryLabelmap(shown.segmentation, "liver", shown.ct)
    half[:, :, half.shape[2] // 2 - 14:] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(half, shown.segmentation, "liver", shown.ct)
    list(live.follow())
    after = {row.organ: row for row in rows_from_table_node(shown.organ_table)}["liver"]
    kept_ml = half.sum() * np.prod(ct_image.GetSpacing()) / 1000
    assert 0 < kept_ml < 0.8 * before["liver"].volume_ml
    assert after.tia_mbq_h == pytest.approx(0.5 * kept_ml, rel=1e-4)
    assert after.tiac_h == pytest.approx(after.tia_mbq_h / ADMINISTERED_MBQ)
    assert after.mean_mgy_per_mbq == pytest.approx(after.mean_mgy / ADMINISTERED_MBQ)


def test_doses_by_organs_are_not_followed_but_told_to_be_stale(scene, ct_image, masks, internal):
    by_organ = dataclasses.replace(internal.engines[0].dose, quantity="organ mean absorbed dose")
    organ_level = dataclasses.replace(internal.engines[0], dose=by_organ)
    shown = build_internal_dose_scene(ct_image, masks, dataclasses.replace(internal, engines=(organ_level,)))
    live = live_result(shown)
    for _ in range(2):
        list(live.follow())
        assert shown.organ_table.GetAttribute(MASKS_CHANGED_ATTRIBUTE) is None, "nobody has drawn anything"
    before = rows_from_table_node(shown.organ_table)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(shown.segmentation, "liver", shown.ct)
    mask[:12] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, shown.segmentation, "liver", shown.ct)
    list(live.follow())
    assert "masks changed" in shown.organ_table.GetAttribute(MASKS_CHANGED_ATTRIBUTE)
    assert repr(rows_from_table_node(shown.organ_table)) == repr(before)
