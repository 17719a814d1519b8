"""Scenes saved, closed and loaded, and nodes deleted by others, at rest and while a job runs."""

import pytest
import slicer

from organdose.scene.ct_dose_scene import find_results
from organdose.scene.isodose import isodose_models

PATIENCE_S = 120


def wait_for_job(host, job):
    host.wait_until(lambda: not job.is_busy, PATIENCE_S, "the end of the job")
    return job.status.text


def shown(window):
    """All that a person reads in the window of DoseEstimator."""
    ui, facts, organs = window.ui, window.ui.factsTable, window.ui.organTable
    return {
        "nodes": [selector.currentNode() and selector.currentNode().GetName()
                  for selector in (ui.ctSelector, ui.segmentationSelector, ui.resultSelector)],
        "facts": [[facts.item(row, column).text() for column in range(3)] for row in range(facts.rowCount)],
        "engine": (window.form.engine, window.form.values(), ui.voxelSpin.value),
        "reason": window.job.run_button.toolTip,
        "organs": [[organs.item(row, column).text() for column in range(organs.columnCount)]
                   for row in range(organs.rowCount)],
        "texts": (ui.descriptorsLabel.text, ui.staleLabel.text),
        "display": (ui.opacitySlider.value, ui.levelsEdit.text, ui.linesCheck.checked, ui.surfacesCheck.checked),
    }


def test_a_saved_scene_opens_with_the_same_window(host, computed, tmp_path):
    host.type_text(computed.ui.opacitySlider, "0.7")
    host.type_text(computed.ui.levelsEdit, "5, 8")
    host.click(computed.ui.linesCheck)
    host.type_text(computed.ui.voxelSpin, "12")  # stale
    before = shown(computed.window)
    assert before["texts"][1] == "Stale: dose voxel changed since this was computed."
    host.save_scene(tmp_path / "dose.mrb")
    host.close_scene()
    assert shown(computed.window)["nodes"] == [None, None, None]
    assert computed.ui.staleLabel.text == "No dose computed yet." and not computed.window.job.run_button.enabled
    host.load_scene(tmp_path / "dose.mrb")
    assert shown(computed.window) == before
    result, = find_results()
    assert [float(model.GetAttribute("OrganDose.IsodoseMGy")) for model in isodose_models(result.dose)] == [5.0, 8.0]
    host.type_text(computed.ui.voxelSpin, "10")
    assert not computed.ui.staleLabel.visible
    assert not computed.ui.saveButton.enabled and "since Slicer was started" in computed.ui.saveButton.toolTip
    host.click(computed.ui.reportButton)
    assert host.dialogs.shown[-1].kind == "url"


def test_a_saved_scene_opens_in_a_window_that_was_never_used(host, computed, tmp_path, open_module):
    before = shown(computed.window)
    host.save_scene(tmp_path / "dose.mrb")
    host.reset()
    window = open_module("DoseEstimator")
    host.load_scene(tmp_path / "dose.mrb")
    assert shown(window) == before


def test_another_scene_with_nodes_of_the_same_ids_shows_its_own_numbers(host, ready, tmp_path):
    host.save_scene(tmp_path / "before.mrb")
    organs, tables = [], []
    for ctdivol_mgy in ("10", "20"):
        host.load_scene(tmp_path / "before.mrb")
        ready.facts.write("CTDIvol", ctdivol_mgy)
        host.click(ready.window.job.run_button)
        assert wait_for_job(host, ready.window.job).startswith("Done")
        organs.append(shown(ready.window)["organs"])
        tables.append(ready.ui.resultSelector.currentNode().GetID())
        assert ready.ui.saveButton.enabled
        host.save_scene(tmp_path / f"{ctdivol_mgy} mGy.mrb")
    assert tables[0] == tables[1]
    assert float(organs[1][0][1]) == pytest.approx(2 * float(organs[0][0][1]), rel=0.02)
    host.load_scene(tmp_path / "10 mGy.mrb")
    assert shown(ready.window)["organs"] == organs[0]
    assert not ready.ui.saveButton.enabled, "the folder on disk is that of the other result"


def test_a_scene_closed_during_a_job_ends_it(host, ready, job_files):
    files = job_files()
    host.type_text(ready.window.form.editor("histories"), "900000000")
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: ready.window.job.bar.text.startswith("Monte Carlo"), PATIENCE_S, "the photons")
    host.close_scene()
    assert wait_for_job(host, ready.window.job) == "Cancelled. Nothing was changed."
    assert job_files() == files
    assert find_results() == []
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0


def test_a_scene_closed_while_the_result_comes_in_stays_empty(host, ready, job_files, monkeypatch):
    from organdose.panels import steps

    monkeypatch.setattr(steps, "_TURN_S", 5e-4)
    files = job_files()
    host.click(ready.window.job.run_button)
    while not find_results():
        assert ready.window.job.is_busy
        host.process()
    host.close_scene()
    assert not ready.window.job.is_busy and ready.window.job.status.text == "Cancelled. Nothing was changed."
    assert job_files() == files
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0


@pytest.mark.parametrize("what, words", [("ct", "Choose a CT."), ("masks", "Choose masks")])
def test_deleted_inputs_are_missed_at_once(host, ready, what, words):
    host.scene.RemoveNode(getattr(ready, what))
    host.process()
    assert not ready.window.job.run_button.enabled
    assert ready.window.job.run_button.toolTip.startswith(words)
    if what == "ct":
        assert ready.facts.titles() == [], "facts of a CT that is gone"


@pytest.mark.parametrize("what", ["ct", "masks", "dose"])
def test_a_result_that_lost_a_part_says_so(host, opened, what):
    node = opened.result.dose if what == "dose" else getattr(opened, what)
    host.click(opened.ui.linesCheck)
    host.scene.RemoveNode(node)
    host.process()
    assert "no longer in the scene" in opened.ui.staleLabel.text
    assert not opened.ui.showButton.enabled and not opened.ui.csvButton.enabled
    assert not opened.ui.organTable.visible
    host.type_text(opened.ui.voxelSpin, "12")  # nothing breaks


def test_a_deleted_table_is_no_result_any_more(host, opened):
    host.scene.RemoveNode(opened.result.organ_table)
    host.process()
    assert opened.ui.resultSelector.currentNode() is None
    assert opened.ui.staleLabel.text == "No dose computed yet."
    assert not opened.ui.csvButton.enabled


@pytest.mark.parametrize("part", ["chart", "report", "uncertainty"])
def test_a_result_lives_on_without_its_lesser_parts(host, opened, part):
    node = opened.result.dvh.chart if part == "chart" else getattr(opened.result, part)
    host.scene.RemoveNode(node)
    host.process()
    assert opened.ui.organTable.visible and opened.ui.csvButton.enabled
    assert opened.ui.reportButton.enabled == (part != "report")
    host.click(opened.ui.showButton)
    host.click(opened.ui.removeButton)
    assert find_results() == []


@pytest.mark.parametrize("what, name", [("ct", "CT"), ("masks", "segmentation")])
def test_an_input_deleted_during_the_run_is_told_in_one_line(host, ready, nodes, job_files, what, name):
    files = job_files()
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: ready.window.job.bar.text.startswith(("Monte", "organ", "pictures")), PATIENCE_S, "the job")
    host.scene.RemoveNode(getattr(ready, what))
    before = nodes()
    line = wait_for_job(host, ready.window.job)
    assert f"the {name} was deleted while its dose was computed" in line and "\n" not in line
    assert nodes() == before
    assert job_files() == files


@pytest.mark.parametrize("what", ["ct", "masks"])
def test_an_input_deleted_while_it_is_written_breaks_nothing(host, ready, monkeypatch, what):
    from organdose.jobs import job_queue

    monkeypatch.setattr(job_queue, "_PREPARE_S", 0.0)
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: ready.window.job.bar.text.startswith("Writing the CT"), PATIENCE_S, "the CT to be written")
    host.scene.RemoveNode(getattr(ready, what))
    line = wait_for_job(host, ready.window.job)
    assert "deleted" in line and "\n" not in line
    assert find_results() == []


def test_a_result_deleted_while_the_next_is_computed_does_no_harm(host, opened):
    host.click(opened.window.job.run_button)
    host.wait_until(lambda: opened.window.job.bar.text.startswith(("organ", "pict")), PATIENCE_S, "the job")
    host.scene.RemoveNode(opened.result.dose)
    host.scene.RemoveNode(opened.result.organ_table)
    assert wait_for_job(host, opened.window.job).startswith("Done")
    result, = find_results()
    assert opened.ui.resultSelector.currentNode() is result.organ_table
    assert not opened.ui.staleLabel.visible


def test_the_window_shows_what_was_chosen_after_a_look_at_another_module(host, opened):
    before = shown(opened.window)
    host.select("Data")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Another")
    host.select("DoseEstimator")
    assert shown(opened.window) == before
