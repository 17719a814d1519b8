"""InternalDosimetry from facts to doses: live curves, engines side by side, results that follow edits, the total."""

import math
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.assess.organ_dose import OrganDose
from organdose.dose_map import DoseMap
from organdose.panels.frame_facts import FrameFacts
from organdose.scene.ct_dose_scene import add_ct_dose_result
from organdose.scene.internal_dose_scene import InternalDoseScene
from organdose.scene.organ_table_node import rows_from_table_node
from organdose.scene.volume_nodes import image_from_volume_node, volume_node_from_image

PATIENCE_S = 120
HALF_LIFE_S = 6586.2  # F-18, ICRP 107: 109.77 min
FACTS = {"Radionuclide": "F-18", "Activity given": "100", "Given at": "2025-01-15 09:00",
         "Scan start": "2025-01-15 10:00", "Frame duration": "2", "Unit of the image": "BQML",
         "Decay corrected to": "START"}
CORD_ML = 260  # of the mask: 13 voxels across, 20 slices


def water(ct, bq_per_ml, name):
    """10 mm voxels of an activity in the whole cylinder, and nothing outside."""
    inside = sitk.Cast(image_from_volume_node(ct) > -500, sitk.sitkFloat32) * bq_per_ml
    return volume_node_from_image(sitk.BinShrink(inside, (2, 2, 1)), name)


@pytest.fixture
def study(host, open_module, cylinder, tick, facts):
    """The window with one frame of F-18 in water, its CT and masks chosen and its facts filled in."""
    window = open_module("InternalDosimetry")
    frame = water(cylinder.ct, 1e4, "Activity")
    host.process()
    tick(window.ui.framesList, "Activity")
    host.choose(window.ui.ctSelector, cylinder.ct)
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    sheet = facts(window)
    for title, text in FACTS.items():
        sheet.write(title, text)
    curves_ready(host, window)
    return SimpleNamespace(window=window, ui=window.ui, frame=frame, ct=cylinder.ct, masks=cylinder.masks, facts=sheet)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Where the scene of the first `computed` is kept: what needs no run need not wait for one."""
    return tmp_path_factory.mktemp("scene") / "internal.mrb"


@pytest.fixture
def computed(host, request, open_module, facts, saved):
    """The study after a run of two engines: `result` is that of the chosen one."""
    if not saved.is_file():
        ready = request.getfixturevalue("study")
        host.type_text(ready.window.forms.engines.form.editor("histories"), "20000")
        host.click(ready.window.forms.engines.ticks["local"])
        host.click(ready.window.job.run_button)
        host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
        assert ready.window.job.status.text.startswith("Done: 3 organs"), ready.window.job.status.text
        host.save_scene(saved)
        host.reset()
    window = open_module("InternalDosimetry")
    host.load_scene(saved)
    curves_ready(host, window)
    result = InternalDoseScene.of_table(window.ui.resultSelector.currentNode())
    return SimpleNamespace(window=window, ui=window.ui, ct=result.ct, masks=result.segmentation, result=result,
                           facts=facts(window))


def curves_ready(host, window):
    host.process(0.05)
    host.wait_until(lambda: not window.curves.is_busy, PATIENCE_S, "the curves")


def column(node, name):
    return slicer.util.arrayFromTableColumn(node, name)


def cells(table, row):
    return [table.item(row, index).text() for index in range(table.columnCount)]


def rows_of(result):
    return {row.organ: row for row in rows_from_table_node(result.organ_table)}


def curve_of(window, organ):
    return next(curve for curve in window.curves.curves if curve.organ == organ)


def test_the_frame_table_says_what_is_in_the_field_of_view(study):
    volume_ml = float(slicer.util.arrayFromVolume(study.frame).sum()) / 1e4 * 1.0  # voxels of 1 ml
    at_scan_mbq = 1e4 * volume_ml / 1e6
    shown = [float(cell) for cell in cells(study.ui.framesTable, 0)[1:]]
    corrected = at_scan_mbq * 2 ** (3600 / HALF_LIFE_S)
    assert shown == pytest.approx([1, at_scan_mbq, corrected, corrected], rel=1e-3)
    study.facts.write("Activity given", "200")
    assert float(cells(study.ui.framesTable, 0)[4]) == pytest.approx(corrected / 2, rel=1e-3)


def test_curves_are_there_before_any_dose_and_follow_facts_and_masks(host, study):
    cord = curve_of(study.window, "spinal_cord")
    at_start_bq = 1e4 * 2 ** (3600 / HALF_LIFE_S) * CORD_ML
    assert cord.integral_bq_s == pytest.approx(at_start_bq * HALF_LIFE_S / math.log(2), rel=2e-3)
    study.facts.write("Scan start", "2025-01-15 11:00")
    assert curve_of(study.window, "spinal_cord").integral_bq_s == pytest.approx(
        cord.integral_bq_s * 2 ** (3600 / HALF_LIFE_S), rel=1e-6)
    half = slicer.util.arrayFromSegmentBinaryLabelmap(study.masks, "spinal_cord", study.ct)
    half[10:] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(half, study.masks, "spinal_cord", study.ct)
    curves_ready(host, study.window)
    assert curve_of(study.window, "spinal_cord").integral_bq_s == pytest.approx(
        cord.integral_bq_s * 2 ** (3600 / HALF_LIFE_S) / 2, rel=1e-6)
    host.click(study.ui.curvesButton)
    chart = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().GetPlotChartNode()
    assert chart.GetYAxisTitle() == "Activity (MBq)" and chart.GetNumberOfPlotSeriesNodes() >= 2


def test_two_frames_have_times_of_their_own_and_one_administration(host, study, tick, facts):
    water(study.ct, 1e4 * 2 ** (-7200 / 10000), "Later")  # an effective half-life of 10000 s would be too long
    host.process()
    tick(study.ui.framesList, "Later")
    assert study.window.forms.time.engine == "mono" and study.ui.registrationPlace.visible
    assert study.window.job.run_button.toolTip == "Fill in: Scan start, Unit of the image, Decay corrected to, " \
                                                  "Frame duration."
    study.ui.framesTable.selectRow(1)
    host.process()
    sheet = facts(study.window)
    assert sheet.value("Radionuclide") == "F-18" and "Facts of Later" in study.ui.factsOfLabel.text
    for title, text in (FACTS | {"Scan start": "2025-01-15 12:00"}).items():
        if sheet.origin(title) == "missing":
            sheet.write(title, text)
    curves_ready(host, study.window)
    assert study.window.job.run_button.enabled
    assert curve_of(study.window, "body").times_s == pytest.approx([3601, 10801])
    sheet.write("Activity given", "200")
    frames = FrameFacts.from_json(study.window._parameterNode.frameFacts)
    assert [each.user["administered_mbq"].value for each in frames.sheets] == [200, 200]
    _whole, own = frames.protocols(typed_only=[False, False])
    assert [each["scan_start_at"] for each in own] == ["2025-01-15 10:00:00", "2025-01-15 12:00:00"]
    host.choose(study.window.forms.time.chooser, "Two exponentials")
    assert study.window.job.run_button.toolTip.startswith("Two exponentials needs 4 frames, not 2")


def test_the_dose_of_two_engines_stands_in_scene_and_window(host, computed):
    result, mc = computed.result, rows_of(computed.result)
    in_voxels_bq_s = 1e4 * 2 ** (3600 / HALF_LIFE_S) * CORD_ML * HALF_LIFE_S / math.log(2)
    assert mc["spinal_cord"].tia_mbq_h == pytest.approx(in_voxels_bq_s / 3.6e9, rel=2e-3)
    assert mc["spinal_cord"].tiac_h == pytest.approx(in_voxels_bq_s / 3.6e9 / 100, rel=2e-3)
    local = next(each for each in InternalDoseScene.in_scene() if each.dose is not result.dose)
    assert rows_of(local)["spinal_cord"].mean_mgy < mc["spinal_cord"].mean_mgy, "photons from outside are not in it"
    difference = column(result.comparison, "local_difference_percent")
    assert np.all(difference < -20)
    shown = cells(computed.ui.organTable, 0)
    assert float(shown[3]) == pytest.approx(mc["body"].mean_mgy_per_mbq, rel=5e-3), "three digits"
    text = computed.ui.descriptorsLabel.text
    assert text.startswith("F-18, engine mc") and "administered 100 MBq, decays in the patient 347.7 MBq h" in text
    host.choose(computed.ui.overlayBox, "Time-integrated activity")
    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceCompositeNode()
    assert red.GetForegroundVolumeID() == result.tia.GetID()
    host.choose(computed.ui.tableBox, "Engines compared")
    assert slicer.app.layoutManager().tableWidget(0).mrmlTableViewNode().GetTableNode() is result.comparison


def test_rows_and_engines_follow_an_edit_and_the_window_says_what_is_stale(host, computed, settled):
    settled()
    before = rows_of(computed.result)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(computed.masks, "spinal_cord", computed.ct)
    mask[10:] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, computed.masks, "spinal_cord", computed.ct)
    settled()
    after = rows_of(computed.result)["spinal_cord"]
    assert after.tia_mbq_h == pytest.approx(before["spinal_cord"].tia_mbq_h / 2, rel=1e-4)
    organs = [computed.result.comparison.GetCellText(row, 0) for row in range(3)]
    assert column(computed.result.comparison, "mc_mgy")[organs.index("Spinal cord")] == pytest.approx(
        after.mean_mgy, rel=1e-3)
    assert computed.ui.staleLabel.text == ""
    computed.facts.write("Activity given", "50")
    assert computed.ui.staleLabel.text == "Stale: facts of the radiopharmaceutical changed since this was computed."


def test_the_total_adds_the_dose_of_the_ct(host, computed, settled):
    ct_mgy = image_from_volume_node(computed.result.dose) * 0 + 2.0
    internal = rows_of(computed.result)
    ct = add_ct_dose_result(computed.ct, computed.masks,
                            DoseMap(ct_mgy, np.ones(ct_mgy.GetSize()[::-1], np.float32), "flat 1"),
                            [OrganDose(**{each.name: getattr(row, each.name) for each in fields(OrganDose)})
                             for row in internal.values()], [])
    settled()  # the rows become those of its own dose
    host.click(computed.ui.totalButton)
    host.choose(computed.ui.ctResultSelector, ct.organ_table)
    table = computed.ui.totalTable
    shown = {table.item(row, 0).text(): cells(table, row) for row in range(table.rowCount)}
    total, _, from_ct, inside, share, _ = (float(cell or "nan") for cell in shown["Spinal cord"][1:7])
    assert (from_ct, inside) == (pytest.approx(2, rel=1e-3), pytest.approx(internal["spinal_cord"].mean_mgy, rel=1e-3))
    assert total == pytest.approx(from_ct + inside, rel=1e-3)
    assert share == pytest.approx(100 * from_ct / total, rel=1e-2)
    ct.remove(inputs=False)
    host.process(0.1)
    assert not table.visible and computed.ui.totalStatus.text.startswith("Choose the CT dose")
