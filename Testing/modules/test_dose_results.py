"""DoseEstimator from Run to the result: progress, what comes into the scene, files, and when a result is stale."""

import csv
import json
import re
from pathlib import Path

import pytest
import slicer

from organdose.anatomy.organs import describe
from organdose.scene.ct_dose_scene import find_results
from organdose.scene.isodose import isodose_models
from organdose.scene.organ_table_node import rows_from_table_node

PATIENCE_S = 120


def run(host, window):
    host.click(window.job.run_button)
    host.wait_until(lambda: not window.job.is_busy, PATIENCE_S, "the dose")
    return window.job.status.text


def table_texts(table):
    """The cells of a QTableWidget: organ title to the texts beside it."""
    return {table.item(row, 0).text(): [table.item(row, column).text() for column in range(1, table.columnCount)]
            for row in range(table.rowCount)}


def test_a_run_shows_its_stage_percent_and_time_left(host, ready):
    job, seen = ready.window.job, set()
    host.type_text(ready.window.form.editor("histories"), "2000000")
    host.click(job.run_button)
    assert job.bar.visible and job.cancel_button.enabled and not job.run_button.enabled
    assert job.run_button.toolTip == "A job is running."

    def ended():
        seen.add(job.bar.text)
        return not job.is_busy

    host.wait_until(ended, PATIENCE_S, "the dose")
    assert any(re.fullmatch(r"Monte Carlo: \d+ %, \d+ s left", text) for text in seen), seen
    assert any(text.startswith("pictures: ") for text in seen), seen
    assert not job.bar.visible and not job.cancel_button.enabled and job.run_button.enabled


def test_the_first_job_waits_for_no_other(host, ready):
    host.click(ready.window.job.run_button)
    assert "before this one" not in ready.window.job.bar.text


def test_the_result_is_shown_in_the_scene_and_in_the_window(host, computed):
    ui, result = computed.ui, computed.result
    rows = {row.organ: row for row in rows_from_table_node(result.organ_table)}
    assert set(rows) >= {"body", "spinal_cord"}
    assert 5 < rows["spinal_cord"].mean_mgy < rows["body"].mean_mgy < 30
    assert ui.resultSelector.currentNode() is result.organ_table
    shown = table_texts(ui.organTable)
    assert float(shown["Spinal cord"][0]) == pytest.approx(rows["spinal_cord"].mean_mgy, rel=1e-3)
    assert len(shown) == len(rows)
    highest = max(row.mean_mgy for row in rows.values())
    assert computed.window.job.status.text.startswith(f"Done: {len(rows)} organs, highest mean dose {highest:.3g} mGy")
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(result.dose)
    assert legend is not None and legend.GetVisibility() and "mGy" in legend.GetTitleText()
    assert result.dose.GetVoxelValueUnits().GetCodeValue() == "mGy"
    assert max(result.dose.GetSpacing()) == pytest.approx(10)
    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceCompositeNode()
    assert red.GetBackgroundVolumeID() == computed.ct.GetID()
    assert red.GetForegroundVolumeID() == result.dose.GetID()
    assert {series.GetName() for series in result.dvh.series} >= {"Spinal cord"}
    assert result.segmentation is computed.masks


def test_the_descriptors_of_the_examination_have_their_units(opened):
    text = opened.ui.descriptorsLabel.text
    for words in ("CTDIvol 10 mGy (32 cm phantom)", "120 kV", "50,000 photons", "engine mc"):
        assert words in text
    dlp = float(re.search(r"DLP ([\d.]+) mGy cm", text)[1])
    assert dlp == pytest.approx(10 * 24, rel=0.01)  # 20 cm of slices, and half a rotation of 4 cm at each end


def test_the_report_opens_whole_in_the_browser(host, opened):
    host.click(opened.ui.reportButton)
    shown = host.dialogs.shown[-1]
    assert shown.kind == "url" and shown.text.startswith("file:///")
    report = Path(shown.text.removeprefix("file://")).read_text(encoding="utf-8")
    assert report.lstrip().lower().startswith("<!doctype html") and report.rstrip().endswith("</html>")
    assert "Spinal cord" in report and "data:image/png;base64," in report


def test_the_table_is_saved_as_csv_and_copied(host, opened, tmp_path):
    import qt

    host.dialogs.answer_file(tmp_path / "organs.csv")
    host.click(opened.ui.csvButton)
    with open(tmp_path / "organs.csv", encoding="utf-8", newline="") as file:
        saved = {row["organ"]: row for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    rows = {row.organ: row for row in rows_from_table_node(opened.result.organ_table)}
    assert saved.keys() == rows.keys()
    assert float(saved["body"]["mean_mgy"]) == pytest.approx(rows["body"].mean_mgy, rel=1e-3)
    host.click(opened.ui.copyButton)
    first, *lines = qt.QApplication.clipboard().text().splitlines()
    assert first.split("\t")[:2] == ["Organ", "Mean mGy"]
    assert len(lines) == len(rows)
    host.click(opened.ui.csvButton)  # nobody answers: the dialog is left with Cancel
    assert not [each for each in host.dialogs.shown if each.kind == "message"]


def test_a_table_that_cannot_be_written_is_told_in_a_message(host, opened, tmp_path):
    (tmp_path / "file").write_text("in the way")
    host.dialogs.answer_file(tmp_path / "file" / "organs.csv")
    host.click(opened.ui.csvButton)
    message = host.dialogs.shown[-1]
    assert message.kind == "message" and "the table could not be written" in message.text


def test_the_result_folder_is_saved_whole_under_a_free_name(host, computed, tmp_path):
    for _ in range(2):
        host.dialogs.answer_file(tmp_path)
        host.click(computed.ui.saveButton)
    for name in ("ct-dose", "ct-dose-2"):
        record = json.loads((tmp_path / name / "run.json").read_text(encoding="utf-8"))
        assert record["facts"]["histories"] == 50000
        assert (tmp_path / name / "report.html").is_file() and (tmp_path / name / "organs.csv").is_file()
    (tmp_path / "file").write_text("in the way")
    host.dialogs.answer_file(tmp_path / "file")
    host.click(computed.ui.saveButton)
    assert "the result could not be saved" in host.dialogs.shown[-1].text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct-dose", "ct-dose-2", "file"]


def test_removing_the_result_leaves_the_scene_as_before_the_run(host, ready, nodes, job_files):
    before, files = nodes(), job_files()
    run(host, ready.window)
    assert len(nodes()) > len(before) and job_files() != files
    host.click(ready.ui.linesCheck)
    host.click(ready.ui.removeButton)
    left = {host.scene.GetNodeByID(each).GetClassName() for each in nodes() - before}
    # Views of the layout, and the colours of the dose, which the next result uses again.
    assert left <= {"vtkMRMLTableViewNode", "vtkMRMLPlotViewNode", "vtkMRMLColorTableNode"}
    assert before <= nodes()
    assert job_files() == files
    assert ready.ui.resultSelector.currentNode() is None
    assert ready.ui.staleLabel.text == "No dose computed yet."
    assert not ready.ui.organTable.visible and not ready.ui.reportButton.enabled and not ready.ui.displayButton.enabled
    assert ready.window.job.run_button.enabled


def test_results_of_two_runs_are_shown_and_removed_one_by_one(host, opened):
    first = opened.result.organ_table
    host.type_text(opened.ui.voxelSpin, "20")
    assert run(host, opened.window).startswith("Done")
    second = opened.ui.resultSelector.currentNode()
    assert second is not first and len(find_results()) == 2
    spacing = {result.organ_table.GetID(): result.dose.GetSpacing()[0] for result in find_results()}
    assert (spacing[first.GetID()], spacing[second.GetID()]) == (pytest.approx(10), pytest.approx(20))
    host.choose(opened.ui.resultSelector, first)
    mean = {row.organ: row.mean_mgy for row in rows_from_table_node(first)}["body"]
    assert float(table_texts(opened.ui.organTable)[describe("body").title][0]) == pytest.approx(mean, rel=1e-3)
    assert opened.ui.staleLabel.text == "Stale: dose voxel changed since this was computed."
    host.click(opened.ui.removeButton)
    left, = find_results()
    assert left.organ_table is second
    host.choose(opened.ui.resultSelector, second)
    assert not opened.ui.staleLabel.visible
    host.click(opened.ui.reportButton)


def test_other_tables_are_no_results(host, opened):
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Somebody's table")
    opened.ui.resultSelector.setCurrentNode(other)
    assert opened.ui.resultSelector.currentNode() is not other


def test_a_result_is_stale_while_what_it_was_computed_from_is_changed(host, opened):
    ui, label = opened.ui, opened.ui.staleLabel
    photons = opened.window.form.editor("histories")
    changes = {"engine parameters": (lambda text: host.type_text(photons, text), "60000", "50000"),
               "dose voxel": (lambda text: host.type_text(ui.voxelSpin, text), "12", "10"),
               "acquisition facts": (lambda text: opened.facts.write("CTDIvol", text), "11", "10")}
    assert not label.visible
    for name, (change, other, before) in changes.items():
        change(other)
        assert label.visible and label.text == f"Stale: {name} changed since this was computed."
        change(before)
        assert not label.visible
    for change, other, _ in changes.values():
        change(other)
    assert label.text == "Stale: engine parameters, dose voxel, acquisition facts changed since this was computed."


def test_a_result_tells_when_other_images_are_chosen(host, opened):
    from organdose.panels.self_test import water_cylinder

    ct, masks, _ = water_cylinder()
    host.choose(opened.ui.segmentationSelector, masks)
    assert "masks" in opened.ui.staleLabel.text
    host.choose(opened.ui.segmentationSelector, opened.masks)
    assert not opened.ui.staleLabel.visible
    host.choose(opened.ui.ctSelector, ct)
    assert "CT" in opened.ui.staleLabel.text


def lines_and_surfaces(dose):
    return {(float(model.GetAttribute("OrganDose.IsodoseMGy")), bool(model.GetDisplayNode().GetVisibility2D()),
             bool(model.GetDisplayNode().GetVisibility3D())) for model in isodose_models(dose)}


def test_isodoses_follow_the_window(host, opened):
    ui, dose = opened.ui, opened.result.dose
    assert isodose_models(dose) == []
    host.click(ui.linesCheck)
    assert len(isodose_models(dose)) >= 4, "five levels are proposed"
    host.type_text(ui.levelsEdit, "5, 8")
    assert lines_and_surfaces(dose) == {(5.0, True, False), (8.0, True, False)}
    host.click(ui.surfacesCheck)
    assert lines_and_surfaces(dose) == {(5.0, True, True), (8.0, True, True)}
    host.click(ui.linesCheck)
    assert lines_and_surfaces(dose) == {(5.0, False, True), (8.0, False, True)}
    host.type_text(ui.levelsEdit, "8; 1000")
    assert lines_and_surfaces(dose) == {(8.0, False, True)}, "no surface above the highest dose"
    host.click(ui.surfacesCheck)
    assert isodose_models(dose) == []


def test_a_second_result_has_names_of_its_own_and_takes_the_isodoses_over(host, opened):
    host.click(opened.ui.linesCheck)
    first = opened.result
    host.type_text(opened.window.form.editor("histories"), "60000")
    assert run(host, opened.window).startswith("Done")
    second = next(result for result in find_results() if result.dose is not first.dose)
    assert first.dose.GetName() != second.dose.GetName()
    assert first.organ_table.GetName() != second.organ_table.GetName()
    assert isodose_models(second.dose) and not isodose_models(first.dose), "lines of two doses cannot be told apart"
    host.choose(opened.ui.resultSelector, first.organ_table)
    assert isodose_models(first.dose) and not isodose_models(second.dose)


def test_levels_that_are_no_doses_are_told_and_the_isodoses_can_be_put_off(host, opened):
    ui, dose = opened.ui, opened.result.dose
    for text in ("low, high", "-3, 5", "0", "nan"):
        host.type_text(ui.levelsEdit, "5")
        host.click(ui.linesCheck)
        assert lines_and_surfaces(dose) == {(5.0, True, False)} and not ui.displayStatus.visible
        host.type_text(ui.levelsEdit, text)
        assert ui.displayStatus.visible and "mGy, like 5, 10, 20" in ui.displayStatus.text
        host.type_text(ui.voxelSpin, "12" if ui.voxelSpin.value == 10 else "10")
        assert ui.displayStatus.visible, "the text is still wrong"
        host.click(ui.linesCheck)
        assert isodose_models(dose) == []


def test_the_opacity_of_the_dose_is_that_of_the_slider(host, opened):
    host.type_text(opened.ui.opacitySlider, "0.8")
    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceCompositeNode()
    assert red.GetForegroundOpacity() == pytest.approx(0.8)
    red.SetForegroundVolumeID(None)
    host.click(opened.ui.showButton)
    assert red.GetForegroundVolumeID() == opened.result.dose.GetID()
    assert red.GetForegroundOpacity() == pytest.approx(0.8)
