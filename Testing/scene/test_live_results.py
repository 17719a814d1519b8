"""Organ table and DVH of a scene follow the edits of its segmentation."""

import dataclasses
import gc
import json

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.live_organ_table import BOUND_NOTE, EARLIER_MASK_NOTE, EMPTY_NOTE
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.scene import live_results, segment_edits
from organdose.scene.ct_dose_scene import add_ct_dose_result, build_ct_dose_scene, open_scene, save_scene
from organdose.scene.dvh_plot import dvh_plot_of_chart
from organdose.scene.live_results import SEX_ATTRIBUTE, LiveResult
from organdose.scene.organ_table_node import rows_from_table_node, rows_updating
from organdose.scene.segmentation_nodes import (
    BINARY_LABELMAP,
    masks_from_segmentation_node,
    segmentation_node_from_masks,
)
from organdose.scene.volume_nodes import ct_volume_node, image_from_volume_node

NUMBERS = [field.name for field in dataclasses.fields(OrganDose)
           if field.name not in ("organ", "snomed", "note", "mask", "uncertainty_percent")]


@pytest.fixture
def computed(scene, ct_image, dose_map, masks):
    """A scene as a job leaves it: numbers of its masks, an uncertainty for each organ, all rows."""
    density = schneider2000().density_g_cm3(sitk.GetArrayFromImage(ct_image))
    weights = organ_weights(masks, density, dose_map.dose_mgy)
    dose = dataclasses.replace(dose_map, organ_relative_uncertainty={name: 0.013 for name in weights.names})
    result = build_ct_dose_scene(ct_image, dose, masks, organ_table(dose, weights),
                                 dose_volume_histograms(dose, weights))
    result.organ_table.SetAttribute("OrganDose.Record", json.dumps({"job": {"organs": None}}))
    return result


@pytest.fixture
def live(computed):
    live = LiveResult.of(computed)
    _follow(live)
    return live


def _follow(live):
    steps = list(live.follow())
    assert all(0 <= step <= 1 for step in steps)
    return len(steps)


def _rows(result):
    return {row.organ: row for row in rows_from_table_node(result.organ_table)}


def _texts(result):
    """The rows in a form in which not-a-number equals itself."""
    return {name: repr(row) for name, row in _rows(result).items()}


def _curves(result):
    curves = {}
    for series in dvh_plot_of_chart(result.dvh.chart).series:
        organ = series.GetYColumnName().removesuffix(" volume_percent")
        curves[organ] = [slicer.util.arrayFromTableColumn(series.GetTableNode(), name).copy()
                         for name in (series.GetXColumnName(), series.GetYColumnName())]
    return curves


def _paint(result, segment_id, box, erase=False):
    """As the segment editor's brush does: `box` is k0, k1, j0, j1, i0, i1, ends excluded."""
    k0, k1, j0, j1, i0, i1 = box
    stroke = slicer.vtkOrientedImageData()
    stroke.SetExtent(i0, i1 - 1, j0, j1 - 1, k0, k1 - 1)
    stroke.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    label = result.segmentation.GetSegmentation().GetSegment(segment_id).GetLabelValue()
    stroke.GetPointData().GetScalars().Fill(0 if erase else label)
    result.ct.GetIJKToRASMatrix(matrix := vtk.vtkMatrix4x4())
    stroke.SetImageToWorldMatrix(matrix)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    mode = logic.MODE_MERGE_MIN if erase else logic.MODE_MERGE_MASK
    logic.SetBinaryLabelmapToSegment(stroke, result.segmentation, segment_id, mode)


def _assert_as_computed_anew(result):
    masks = masks_from_segmentation_node(result.segmentation, result.ct)
    ct, dose_mgy = image_from_volume_node(result.ct), image_from_volume_node(result.dose)
    dose = DoseMap(dose_mgy, np.ones(dose_mgy.GetSize()[::-1], np.float32), "test")
    masks = masks.kept([name for name in masks.names if masks.mask(name).any()])
    density = schneider2000().density_g_cm3(slicer.util.arrayFromVolume(result.ct))
    weights = organ_weights(dataclasses.replace(masks, reference=ct), density, dose_mgy)
    wanted, rows = organ_table(dose, weights), _rows(result)
    assert [name for name, row in rows.items() if EMPTY_NOTE not in row.note] == [row.organ for row in wanted]
    for row in wanted:
        for name in NUMBERS:
            assert getattr(rows[row.organ], name) == pytest.approx(getattr(row, name), rel=6e-6, nan_ok=True), name
    curves = _curves(result)
    histograms = dose_volume_histograms(dose, weights)
    assert sorted(curves) == sorted(histogram.organ for histogram in histograms)
    for histogram in histograms:
        assert curves[histogram.organ][0] == pytest.approx(histogram.dose_mgy, rel=1e-5)
        assert curves[histogram.organ][1] == pytest.approx(histogram.volume_percent, rel=1e-5, abs=1e-9)
    assert rows_updating(result.organ_table) == set()


def test_a_scene_that_was_just_computed_is_left_as_it_is(computed):
    before, modified = _texts(computed), computed.organ_table.GetMTime()
    _follow(LiveResult.of(computed))
    assert computed.organ_table.GetMTime() == modified
    assert _texts(computed) == before


@pytest.mark.parametrize("erase", [False, True])
def test_an_edit_changes_the_rows_and_curves_of_what_it_reaches(computed, live, erase):
    before, curves = _texts(computed), _curves(computed)
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26), erase)
    _follow(live)
    after = _rows(computed)
    assert {name for name, text in _texts(computed).items() if text != before[name]} == {"liver", "remainder"}
    assert after["liver"].uncertainty_percent == pytest.approx(1.3)
    assert EARLIER_MASK_NOTE in after["liver"].note
    assert not np.array_equal(_curves(computed)["liver"][1], curves["liver"][1])
    assert np.array_equal(_curves(computed)["kidneys"][1], curves["kidneys"][1])
    _assert_as_computed_anew(computed)


def test_any_edits_of_the_segment_editor_are_followed(computed, live):
    random = np.random.default_rng(4)
    for _ in range(15):
        low = [int(random.integers(0, size - 12)) for size in (24, 48, 64)]
        high = [start + int(random.integers(2, 12)) for start in low]
        box = (low[0], high[0], low[1], high[1], low[2], high[2])
        _paint(computed, str(random.choice(["liver", "kidney_left", "body", "vertebrae_L1"])), box,
               bool(random.integers(2)))
        _follow(live)
        _assert_as_computed_anew(computed)


def test_a_segment_drawn_anew_gets_a_row_a_curve_in_its_colour_and_a_bound_of_its_uncertainty(computed, live):
    segment_id = computed.segmentation.GetSegmentation().AddEmptySegment("Segment_1", "Spleen", (0.2, 0.4, 0.6))
    _follow(live)
    assert "spleen" not in _rows(computed)
    _paint(computed, segment_id, (8, 14, 20, 26, 40, 46))
    _follow(live)
    row = _rows(computed)["spleen"]
    assert row.uncertainty_percent == pytest.approx(2.0)  # that of every voxel
    assert BOUND_NOTE in row.note
    _assert_as_computed_anew(computed)
    series = dvh_plot_of_chart(computed.dvh.chart).series[-1]
    assert series.GetName() == "Spleen"
    assert series.GetColor() == pytest.approx((0.2, 0.4, 0.6))


def test_a_removed_segment_takes_row_and_curve_with_it(computed, live):
    computed.segmentation.GetSegmentation().RemoveSegment("kidney_left")
    _follow(live)
    assert not {"kidney_left", "kidneys"} & _rows(computed).keys()
    _assert_as_computed_anew(computed)
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")]
    assert "Left kidney" not in names


def test_a_cleared_segment_keeps_its_row_and_says_that_it_is_empty(computed, live):
    computed.segmentation.GetSegmentation().ClearSegment("liver")
    _follow(live)
    row = _rows(computed)["liver"]
    assert row.note == EMPTY_NOTE and np.isnan(row.mean_mgy)
    _assert_as_computed_anew(computed)


def test_a_renamed_segment_has_the_row_of_its_new_name(computed, live):
    computed.segmentation.GetSegmentation().GetSegment("liver").SetName("Spleen")
    _follow(live)
    assert "spleen" in _rows(computed) and "liver" not in _rows(computed)
    _assert_as_computed_anew(computed)


def test_two_segments_of_one_name_do_not_stop_the_work(computed, live):
    segment_id = computed.segmentation.GetSegmentation().AddEmptySegment("Segment_1", "Liver")
    _paint(computed, segment_id, (8, 14, 20, 26, 40, 46))
    _follow(live)
    assert _rows(computed)["liver_2"].volume_ml == pytest.approx(6 * 6 * 6 * 4 * 4.5 * 9 / 1000)


def test_label_maps_collapsed_or_copied_by_slicer_change_no_number(computed, live):
    segmentation = computed.segmentation.GetSegmentation()
    _paint(computed, "liver", (10, 14, 20, 36, 10, 50))  # over the kidney: liver and kidney part
    _follow(live)
    before = _texts(computed)
    saved = slicer.vtkSegmentation()
    saved.DeepCopy(segmentation)
    _paint(computed, "liver", (10, 14, 20, 36, 10, 50), erase=True)
    _follow(live)
    assert _texts(computed)["liver"] != before["liver"]
    segmentation.DeepCopy(saved)  # as undo does
    _follow(live)
    assert _texts(computed) == before
    segmentation.CollapseBinaryLabelmaps(False)
    modified = computed.organ_table.GetMTime()
    _follow(live)
    assert computed.organ_table.GetMTime() == modified


def test_rows_are_marked_while_they_are_computed_and_the_table_changes_once_a_step(computed, live, monkeypatch):
    monkeypatch.setattr(live_results, "_STEP_S", 0.0)
    _paint(computed, "body", (10, 14, 20, 30, 10, 50), erase=True)
    events, states = [], []
    computed.organ_table.AddObserver("ModifiedEvent", lambda *_: events.append(1))
    steps = 0
    for _ in live.follow():
        steps += 1
        states.append(rows_updating(computed.organ_table))
    assert {"body", "remainder"} in states
    assert {"remainder"} in states
    assert len(events) <= steps + 1
    assert rows_updating(computed.organ_table) == set()
    _assert_as_computed_anew(computed)


def test_work_left_at_any_step_is_finished_the_next_time(computed, live, monkeypatch):
    monkeypatch.setattr(live_results, "_STEP_S", 0.0)
    for steps in range(12):
        _paint(computed, "liver", (steps, steps + 2, 20, 30, 10 + steps, 30))
        work = live.follow()
        for _ in range(steps):
            next(work, None)
        work.close()
    _follow(live)
    _assert_as_computed_anew(computed)


def test_two_dose_maps_of_one_segmentation_follow_it_both(computed, dose_map, rows):
    twice = dataclasses.replace(dose_map, dose_mgy=dose_map.dose_mgy * 2)
    first = LiveResult.of(computed)
    _follow(first)
    rows = [dataclasses.replace(row, mean_mgy=2 * row.mean_mgy) for row in _rows(computed).values()]
    other = add_ct_dose_result(computed.ct, computed.segmentation, twice, rows, [])
    second = LiveResult.of(other)
    _follow(second)
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    for live in (first, second):
        _follow(live)
    assert first._edits is second._edits
    _assert_as_computed_anew(computed)
    one, two = _rows(computed), _rows(other)
    assert list(one) == list(two)
    assert all(two[name].mean_mgy == pytest.approx(2 * one[name].mean_mgy) for name in one)


def test_a_saved_scene_is_followed_after_it_was_opened(computed, live, tmp_path):
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    _follow(live)
    before = _rows(computed)
    save_scene(tmp_path / "edited.mrb")
    opened = open_scene(tmp_path / "edited.mrb")
    live = LiveResult.of(opened)
    _follow(live)
    after = _rows(opened)
    assert list(after) == list(before)
    assert EARLIER_MASK_NOTE in after["liver"].note and EARLIER_MASK_NOTE not in after["kidney_left"].note
    _paint(opened, "kidney_left", (8, 14, 30, 36, 40, 50))
    _follow(live)
    _assert_as_computed_anew(opened)
    assert _rows(opened)["kidney_left"].uncertainty_percent == pytest.approx(1.3)


def test_a_scene_edited_while_nobody_followed_is_mended_when_it_is_opened(computed):
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    before = _rows(computed)["liver"]
    _follow(LiveResult.of(computed))
    assert _rows(computed)["liver"].volume_ml > before.volume_ml
    _assert_as_computed_anew(computed)


def test_rows_that_were_not_asked_for_stay_away(result):
    """The table of this scene has three rows, and no record says that others were wanted."""
    live = LiveResult.of(result)
    _follow(live)
    assert list(_rows(result)) == ["liver", "kidney_left", "vertebrae_L1"]
    segment_id = result.segmentation.GetSegmentation().AddEmptySegment("Segment_1", "Spleen")
    _paint(result, segment_id, (8, 14, 20, 26, 40, 46))
    _follow(live)
    assert set(_rows(result)) == {"liver", "kidney_left", "vertebrae_L1", "spleen"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_ct_stored_with_turned_axes_gives_the_same_table(computed, dose_map, masks, order):
    """As feet-first, NIfTI or sagittal images lie in Slicer: x and z run backwards, then the axes change places."""
    turned = OrganMasks(_turned(masks.reference, order), notes=masks.notes)
    for name in masks.names:
        mask = sitk.GetImageFromArray(masks.mask(name).astype(np.uint8))
        turned.add(name, sitk.GetArrayFromImage(_turned(mask, order)) > 0)
    ct_node = ct_volume_node(turned.reference)
    segmentation = segmentation_node_from_masks(turned, ct_node)
    wanted = _rows(computed)
    rows = [dataclasses.replace(row, mean_mgy=0.5) for row in wanted.values()]
    other = add_ct_dose_result(ct_node, segmentation, dose_map, rows, [])
    live = LiveResult.of(other)
    _follow(live)
    for name, row in _rows(other).items():
        assert [getattr(row, key) for key in NUMBERS] == pytest.approx([getattr(wanted[name], key) for key in NUMBERS],
                                                                       rel=1e-9, nan_ok=True)


def _turned(image, order):
    return sitk.PermuteAxes(sitk.Flip(image, (True, False, True)), order)


@pytest.mark.parametrize("which", ["dose", "segmentation", "ct", "organ_table"])
def test_when_a_node_is_deleted_it_stops_quietly(computed, live, scene, monkeypatch, which):
    monkeypatch.setattr(live_results, "_STEP_S", 0.0)
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    work = live.follow()
    next(work)
    scene.RemoveNode(getattr(computed, which))
    assert list(work) == []
    assert list(live.follow()) == []


def test_without_its_chart_the_table_is_followed(computed, live, scene):
    scene.RemoveNode(computed.dvh.chart)
    before = _rows(computed)["liver"]
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    _follow(live)
    assert _rows(computed)["liver"].volume_ml > before.volume_ml


def test_another_dose_in_the_same_node_is_followed(computed, live):
    slicer.util.arrayFromVolume(computed.dose)[:] *= 3
    slicer.util.arrayFromVolumeModified(computed.dose)
    _follow(live)
    _assert_as_computed_anew(computed)


def test_a_dose_under_a_transform_is_refused(computed, live, scene):
    computed.dose.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="stands under a transform"):
        list(live.follow())


def test_uncertainties_of_another_grid_are_refused(computed):
    computed.uncertainty.SetOrigin(0, 0, 0)
    with pytest.raises(InputError, match="another grid than the dose"):
        list(LiveResult.of(computed).follow())


def test_without_its_uncertainties_a_result_is_followed(computed, scene):
    scene.RemoveNode(computed.uncertainty)
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    _follow(LiveResult.of(computed))
    _assert_as_computed_anew(computed)


def test_a_segmentation_that_could_not_be_loaded_empties_no_table(computed):
    computed.segmentation.GetSegmentation().RemoveAllSegments()
    before = _texts(computed)
    with pytest.raises(InputError, match="holds no organ"):
        list(LiveResult.of(computed).follow())
    assert _texts(computed) == before


def test_when_all_segments_are_deleted_by_hand_no_row_is_left(computed, live):
    computed.segmentation.GetSegmentation().RemoveAllSegments()
    _follow(live)
    assert _rows(computed) == {} and not dvh_plot_of_chart(computed.dvh.chart).series
    segment_id = computed.segmentation.GetSegmentation().AddEmptySegment("Segment_1", "Spleen")
    _paint(computed, segment_id, (8, 14, 20, 26, 40, 46))
    _follow(live)
    assert list(_rows(computed)) == ["spleen"]


def test_the_sex_comes_from_the_table(computed):
    computed.organ_table.SetAttribute(SEX_ATTRIBUTE, "F")
    live = LiveResult.of(computed)
    _follow(live)
    _paint(computed, "liver", (0, 24, 20, 30, 10, 26))  # to the first and last slice
    _follow(live)
    row = _rows(computed)["liver"]
    assert row.in_image_percent == pytest.approx(100 * row.mass_g / 1400)  # ICRP 89, female


def test_edits_are_told_until_nobody_listens(computed, live):
    told = []
    tags = live.observe_edits(lambda *_: told.append(1))
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26))
    assert told
    live.stop_observing(tags)
    told.clear()
    _paint(computed, "liver", (10, 14, 20, 30, 10, 26), erase=True)
    assert not told


def test_it_keeps_no_copy_of_masks_that_nobody_follows(computed):
    gc.collect()  # what other tests have left
    before = len(segment_edits._in_use)
    live = LiveResult.of(computed)
    _follow(live)
    assert len(segment_edits._in_use) == before + 1
    del live
    gc.collect()
    assert len(segment_edits._in_use) == before


def test_the_layers_are_read_where_they_lie(computed, live):
    assert computed.segmentation.GetSegmentation().GetNumberOfLayers(BINARY_LABELMAP) == 2
    labels, _ = live._edits.drawing().layer(0)
    assert not labels.flags.owndata
