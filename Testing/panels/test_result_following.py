"""Organ tables and DVHs of the scene go with their masks, in whichever module these are edited."""

import math

import numpy as np
import pytest

PATIENCE_S = 30


@pytest.fixture
def following(host):
    """The service of this Slicer."""
    from organdose.panels.result_following import result_following

    return result_following()


@pytest.fixture
def told(following):
    """The tables that the service told its listeners of."""
    tables = []
    following.listen(tables.append)
    yield tables
    following.unlisten(tables.append)


@pytest.fixture
def settled(following, host):
    """Lets everything be followed to its end."""
    def settle():
        host.process(0.05)
        host.wait_until(lambda: not following.is_busy, PATIENCE_S, "the tables")

    return settle


@pytest.fixture
def result(new_result, settled):
    made = new_result()
    settled()
    return made


def row(result, organ="spinal_cord"):
    from organdose.scene.organ_table_node import rows_from_table_node

    return next((each for each in rows_from_table_node(result.organ_table) if each.organ == organ), None)


def redraw(cylinder, radius_mm, segment="spinal_cord"):
    """Draw a segment anew as a cylinder of this radius; gives its volume in ml."""
    import slicer

    place_mm = 5.0 * (np.arange(60) - 29.5)
    drawn = np.hypot(place_mm[:, None], place_mm[None, :]) < radius_mm
    labels = np.broadcast_to(drawn, (20, 60, 60)).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels, cylinder.masks, segment, cylinder.ct)
    return labels.sum() * 0.25


def curve(result, index=1):
    import slicer

    series = result.dvh.series[index]
    return slicer.util.arrayFromTableColumn(series.GetTableNode(), series.GetYColumnName()).copy()


def test_all_modules_ask_the_same_service(host):
    from organdose.panels.result_following import result_following

    assert result_following() is result_following()


def test_a_result_that_comes_is_followed_without_anybody_asking(new_result, told, settled, rows):
    made = new_result()
    settled()
    assert made.organ_table in told
    after = row(made)
    assert after.volume_ml == pytest.approx(np.pi * 20**2 * 200 / 1000, rel=0.1) and rows[1].volume_ml == 250
    assert 5 < after.mean_mgy < 8


def test_an_edit_is_in_the_table_and_the_dvh_and_is_told(result, cylinder, told, settled):
    before, volumes = row(result), curve(result)
    told.clear()
    volume_ml = redraw(cylinder, 60)
    settled()
    after = row(result)
    assert after.volume_ml == pytest.approx(volume_ml, rel=1e-3) and after.mean_mgy > before.mean_mgy
    assert not np.array_equal(curve(result), volumes)
    assert told and set(told) == {result.organ_table}


def test_an_event_that_changes_no_mask_changes_nothing(result, cylinder, told, settled):
    before = repr(row(result))
    told.clear()
    cylinder.masks.Modified()
    settled()
    assert told == [] and repr(row(result)) == before


def test_edits_in_a_row_end_with_the_last(result, cylinder, settled, host):
    for radius_mm in (30, 90, 50, 70):
        volume_ml = redraw(cylinder, radius_mm)
        host.process()
    settled()
    assert row(result).volume_ml == pytest.approx(volume_ml, rel=1e-3)


def test_several_results_of_one_segmentation_follow(result, new_result, cylinder, settled):
    other = new_result()
    settled()
    volume_ml = redraw(cylinder, 60)
    settled()
    assert [row(each).volume_ml for each in (result, other)] == [pytest.approx(volume_ml, rel=1e-3)] * 2


def test_the_window_is_served_while_a_table_is_followed(result, cylinder, following, host, qt):
    import time

    longest, last = [0.0], [time.monotonic()]

    def tick():
        now = time.monotonic()
        longest[0], last[0] = max(longest[0], now - last[0]), now

    timer = qt.QTimer()
    timer.timeout.connect(tick)
    redraw(cylinder, 60)
    last[0] = time.monotonic()
    timer.start(1)
    host.wait_until(lambda: row(result).volume_ml > 1000, PATIENCE_S, "the table")
    timer.stop()
    assert 0 < longest[0] < 1


def test_a_removed_result_is_left_alone(result, cylinder, told, settled, host):
    result.remove(inputs=False)
    settled()
    told.clear()
    before = row(result)
    redraw(cylinder, 60)
    settled()
    assert repr(row(result)) == repr(before) and told == []


def test_a_result_removed_in_the_middle_of_the_work_breaks_nothing(result, cylinder, following, settled, host):
    redraw(cylinder, 60)
    host.wait_until(lambda: following.is_busy, PATIENCE_S, "the work")
    result.remove(inputs=False)
    settled()
    assert not following.is_busy


def test_a_scene_closed_in_the_middle_of_the_work_breaks_nothing(result, cylinder, following, told, settled, host):
    redraw(cylinder, 60)
    host.wait_until(lambda: following.is_busy, PATIENCE_S, "the work")
    host.close_scene()
    told.clear()
    settled()
    assert told == []


def test_a_result_of_the_next_scene_is_followed_although_its_table_has_the_same_id(
        result, dose_map, rows, histograms, settled):
    from types import SimpleNamespace

    import slicer

    from organdose.panels.self_test import water_cylinder
    from organdose.scene.ct_dose_scene import add_ct_dose_result

    before = result.organ_table.GetID()
    slicer.mrmlScene.Clear(False)  # and at once the next: nobody looked at the scene between them
    ct, masks, _sheet = water_cylinder()
    other = add_ct_dose_result(ct, masks, dose_map, rows, histograms)
    assert other.organ_table.GetID() == before
    settled()
    volume_ml = redraw(SimpleNamespace(ct=ct, masks=masks), 60)
    settled()
    assert row(other).volume_ml == pytest.approx(volume_ml, rel=1e-3)


def test_what_cannot_be_followed_is_said_until_it_can(result, cylinder, told, settled, host, caplog):
    import slicer

    from organdose.panels.result_following import STALE_ATTRIBUTE

    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    cylinder.masks.SetAndObserveTransformNodeID(transform.GetID())
    told.clear()
    redraw(cylinder, 60)
    settled()
    assert "transform" in caplog.text
    assert "transform" in result.organ_table.GetAttribute(STALE_ATTRIBUTE)
    assert result.organ_table in told
    cylinder.masks.SetAndObserveTransformNodeID(None)
    volume_ml = redraw(cylinder, 50)
    settled()
    assert result.organ_table.GetAttribute(STALE_ATTRIBUTE) is None
    assert row(result).volume_ml == pytest.approx(volume_ml, rel=1e-3)


def test_one_windows_trouble_is_not_the_others(result, cylinder, following, settled, caplog):
    def broken(table):
        raise RuntimeError("this window is gone")

    last = []
    following.listen(broken)
    following.listen(last.append)
    try:
        redraw(cylinder, 60)
        settled()
    finally:
        following.unlisten(broken)
        following.unlisten(last.append)
    assert "this window is gone" in caplog.text and result.organ_table in last


def test_who_no_longer_listens_is_not_told(result, cylinder, following, settled):
    left = []
    following.listen(left.append)
    following.unlisten(left.append)
    following.unlisten(left.append)
    redraw(cylinder, 60)
    settled()
    assert left == []


def test_an_organ_that_is_erased_keeps_its_row_and_says_so(result, cylinder, settled):
    redraw(cylinder, 0)
    settled()
    assert row(result).volume_ml == 0 and math.isnan(row(result).mean_mgy) and row(result).note


def test_a_result_whose_ct_got_other_values_says_so(result, following, told, settled):
    import slicer

    result.ct.GetDisplayNode().SetWindowLevel(100, 10)  # looking at it differently is no change
    settled()
    assert not result.organ_table.GetAttribute("OrganDose.CTChanged")
    slicer.util.arrayFromVolume(result.ct)[:] += 20
    slicer.util.arrayFromVolumeModified(result.ct)
    settled()
    assert "CT" in (result.organ_table.GetAttribute("OrganDose.CTChanged") or "")
    assert result.organ_table in told
