"""Masks edited in OrganSegmenter's segment editor: the organ table, its node and the DVH of the dose follow."""

import numpy as np
import pytest
import slicer
from host.pythonqt import unwrap

from organdose.anatomy.organs import describe
from organdose.scene.ct_dose_scene import find_results
from organdose.scene.organ_table_node import rows_from_table_node

PATIENCE_S = 120
ON_THE_AXIS, IN_THE_CYLINDER = (0.0, 0.0, 100.0), (80.0, 0.0, 100.0)  # RAS, mm
TITLE = describe("spinal_cord").title


@pytest.fixture
def editing(host, opened, open_module, settled):
    """OrganSegmenter on the masks of a opened dose, ready to paint the spinal cord: `editor`, `rows`, `curve`."""
    opened.segmenter = open_module("OrganSegmenter")
    host.choose(opened.segmenter.ui.ctSelector, opened.ct)
    host.choose(opened.segmenter.ui.segmentationSelector, opened.masks)
    opened.editor = unwrap(opened.segmenter.editor.widget)
    opened.editor.setCurrentSegmentID("spinal_cord")
    settled()
    return opened


def row(result):
    return {each.organ: each for each in rows_from_table_node(result.organ_table)}["spinal_cord"]


def shown_mass_g(window):
    table = window.ui.organTable
    for index in range(table.rowCount):
        if table.item(index, 0).text() == TITLE:
            return float(table.item(index, 6).text())
    raise AssertionError("the organ is not in the table")


def curve(result):
    """Volume (%) of the organ's DVH."""
    series, = [each for each in result.dvh.series if each.GetName() == TITLE]
    return slicer.util.arrayFromTableColumn(series.GetTableNode(), series.GetYColumnName()).copy()


def paint(editing, effect, place_ras, diameter_mm):
    editing.editor.setActiveEffectByName(effect)
    editing.editor.paint_at(place_ras, diameter_mm)


def test_what_is_painted_is_in_the_table_and_the_dvh(host, editing, settled):
    before, volumes, shown = row(editing.result), curve(editing.result), shown_mass_g(editing.window)
    paint(editing, "Paint", IN_THE_CYLINDER, 60)
    settled()
    after = row(editing.result)
    sphere_ml = 4 / 3 * np.pi * 3**3
    assert after.volume_ml - before.volume_ml == pytest.approx(sphere_ml, rel=0.15)
    assert after.mass_g > before.mass_g and after.mean_mgy > before.mean_mgy, "nearer to the surface there is more dose"
    assert shown_mass_g(editing.window) == pytest.approx(after.mass_g, rel=1e-3) != shown
    assert not np.array_equal(curve(find_results()[0]), volumes)
    host.select("DoseEstimator")
    assert shown_mass_g(editing.window) == pytest.approx(after.mass_g, rel=1e-3)
    assert not editing.ui.staleLabel.visible


def test_a_fresh_result_is_not_taken_for_an_edited_one(computed, settled):
    before = [repr(each) for each in rows_from_table_node(computed.result.organ_table)]
    settled()
    assert [repr(each) for each in rows_from_table_node(computed.result.organ_table)] == before
    assert not any("edit" in text for text in before)


def test_undo_brings_the_numbers_back(host, editing, settled):
    before = row(editing.result)
    paint(editing, "Paint", IN_THE_CYLINDER, 60)
    settled()
    assert row(editing.result).mass_g != before.mass_g
    editing.editor.undo()
    settled()
    after = row(editing.result)
    assert (after.mass_g, after.mean_mgy) == (pytest.approx(before.mass_g, rel=1e-4),
                                              pytest.approx(before.mean_mgy, rel=1e-4))
    assert after.note == before.note


def test_what_is_erased_leaves_the_table(host, editing, settled):
    paint(editing, "Erase", ON_THE_AXIS, 600)
    settled()
    after = row(editing.result)
    assert after.volume_ml == 0 and np.isnan(after.mean_mgy) and after.note
    host.select("DoseEstimator")
    assert TITLE in [editing.ui.organTable.item(index, 0).text() for index in range(editing.ui.organTable.rowCount)]


def test_a_new_segment_becomes_a_row(host, editing, settled):
    segment_id = editing.masks.GetSegmentation().AddEmptySegment("", "Liver")
    editing.editor.setCurrentSegmentID(segment_id)
    paint(editing, "Paint", IN_THE_CYLINDER, 60)
    settled()
    rows = {each.organ: each for each in rows_from_table_node(editing.result.organ_table)}
    assert rows["liver"].mass_g > 0
    editing.masks.GetSegmentation().RemoveSegment(segment_id)
    settled()
    assert "liver" not in {each.organ for each in rows_from_table_node(editing.result.organ_table)}


def test_both_results_of_one_segmentation_follow(host, editing, settled):
    host.select("DoseEstimator")
    host.type_text(editing.ui.voxelSpin, "20")
    host.click(editing.window.job.run_button)
    host.wait_until(lambda: not editing.window.job.is_busy, PATIENCE_S, "the dose")
    settled()
    before = [row(result).mass_g for result in find_results()]
    host.select("OrganSegmenter")
    editing.editor.setCurrentSegmentID("spinal_cord")
    paint(editing, "Paint", IN_THE_CYLINDER, 60)
    settled()
    assert len(before) == 2
    for result, mass_g in zip(find_results(), before):
        assert row(result).mass_g > 1.2 * mass_g


def test_masks_of_another_segmentation_change_nothing(host, editing, settled):
    from organdose.panels.self_test import water_cylinder

    before = row(editing.result)
    _ct, others, _sheet = water_cylinder()
    host.choose(editing.segmenter.ui.segmentationSelector, others)
    editing.editor.setCurrentSegmentID("spinal_cord")
    paint(editing, "Paint", IN_THE_CYLINDER, 60)
    settled()
    assert repr(row(editing.result)) == repr(before)


def test_edits_are_followed_in_a_scene_that_was_saved_and_loaded(host, editing, settled, tmp_path):
    paint(editing, "Paint", IN_THE_CYLINDER, 40)
    settled()
    before = row(editing.result)
    host.save_scene(tmp_path / "dose.mrb")
    host.load_scene(tmp_path / "dose.mrb")  # the same IDs, other nodes
    settled()
    result, = find_results()
    assert row(result).mass_g == pytest.approx(before.mass_g, rel=1e-4)
    assert editing.segmenter.ui.segmentationSelector.currentNode() is result.segmentation
    editing.editor.setCurrentSegmentID("spinal_cord")
    paint(editing, "Erase", IN_THE_CYLINDER, 60)
    settled()
    assert row(result).mass_g < before.mass_g
    host.select("DoseEstimator")
    assert shown_mass_g(editing.window) == pytest.approx(row(result).mass_g, rel=1e-3)


def test_an_edit_during_the_run_is_in_the_table_that_comes(host, ready, open_module, settled):
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: ready.window.job.bar.text.startswith(("organ", "pict", "Monte")), PATIENCE_S, "the job")
    segmenter = open_module("OrganSegmenter")
    host.choose(segmenter.ui.ctSelector, ready.ct)
    host.choose(segmenter.ui.segmentationSelector, ready.masks)
    editor = unwrap(segmenter.editor.widget)
    editor.setCurrentSegmentID("spinal_cord")
    editor.setActiveEffectByName("Erase")
    editor.paint_at(ON_THE_AXIS, 600)
    host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
    settled()
    result, = find_results()
    assert row(result).volume_ml == 0


def test_a_stroke_into_a_slice_view_paints_only_while_the_module_is_shown(host, editing, settled):
    editing.editor.setActiveEffectByName("Paint")
    host.select("DoseEstimator")
    assert not editing.editor.activeEffect()
