"""What holds for every module: self-test, help, icon; loaded anew or ended while a job runs; settings left alone."""

import re

import pytest
import slicer
from host.pythonqt import unwrap
from PySide6.QtTest import QTest

from organdose.scene.ct_dose_scene import find_results

PATIENCE_S = 120
MODULES = ("OrganSegmenter", "DoseEstimator", "InternalDosimetry")


@pytest.fixture
def queue_of_its_own(monkeypatch):
    """As in a Slicer that has just been started."""
    from organdose.panels import window_jobs

    monkeypatch.setattr(window_jobs, "_shared", {})


@pytest.fixture
def files_before(job_files):
    return job_files()


@pytest.fixture
def running(host, ready):
    """DoseEstimator in the middle of a long computation."""
    host.type_text(ready.window.form.editor("histories"), "900000000")
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: ready.window.job.bar.text.startswith("Monte Carlo"), PATIENCE_S, "the photons")
    return ready


@pytest.mark.parametrize("name", MODULES)
def test_the_self_test_passes_and_leaves_no_files(host, open_module, job_files, name):
    files = job_files()
    open_module(name)
    slicer.selfTests[name](msec=1)
    assert job_files() == files


@pytest.mark.parametrize("name", MODULES)
def test_the_module_tells_what_it_is(open_module, name):
    open_module(name)
    module = getattr(slicer.modules, name.lower())
    assert list(module.categories) == ["Nuclear Medicine"]
    assert re.search(r'<a href="https://[^"]+\.md">', module.helpText)
    assert "Not a medical device" in module.helpText
    assert "Apache" in module.acknowledgementText and module.contributors
    assert not unwrap(module).icon.isNull()
    words = re.sub(r"(?<!^)([A-Z])", r" \1", name)
    assert module.title == words


@pytest.mark.parametrize("name", MODULES)
def test_the_research_warning_stands_in_the_window(open_module, name):
    label = open_module(name).ui.researchLabel
    assert label.visible and "Not for clinical decisions" in label.text


@pytest.fixture
def settings(host):
    """Every setting of the application as it is now."""
    stored = unwrap(slicer.app.settings())
    return lambda: {key: stored.value(key) for key in stored.allKeys()}


def test_using_the_modules_leaves_the_settings_alone(host, settings, ready, open_module):
    before = settings()
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
    for name in MODULES:
        open_module(name)
    assert settings() == before


def test_a_module_loaded_anew_shows_the_same_and_works(host, computed):
    mean = computed.ui.organTable.item(0, 1).text()
    slicer.util.reloadScriptedModule("DoseEstimator")
    host.select("Data")
    host.select("DoseEstimator")
    window = host.widget("DoseEstimator")
    assert window is not computed.window
    assert window.ui.ctSelector.currentNode() is computed.ct
    assert window.ui.resultSelector.currentNode() is computed.result.organ_table
    assert window.ui.organTable.item(0, 1).text() == mean
    assert not window.ui.staleLabel.visible and not window.ui.saveButton.enabled
    host.type_text(window.ui.voxelSpin, "20")
    host.click(window.job.run_button)
    host.wait_until(lambda: not window.job.is_busy, PATIENCE_S, "the dose")
    assert window.job.status.text.startswith("Done")
    assert len(find_results()) == 2


def test_a_module_loaded_anew_during_its_job_ends_the_job(host, files_before, running, job_files, caplog):
    slicer.util.reloadScriptedModule("DoseEstimator")
    host.process(0.5)
    assert job_files() == files_before and find_results() == []
    assert not caplog.records
    window = host.widget("DoseEstimator")
    host.select("Data")
    host.select("DoseEstimator")
    assert window.job.run_button.enabled and not window.job.is_busy
    host.type_text(window.form.editor("histories"), "50000")
    host.click(window.job.run_button)
    host.wait_until(lambda: not window.job.is_busy, PATIENCE_S, "the dose")
    assert window.job.status.text.startswith("Done")


def test_a_module_ended_during_its_job_ends_the_job(host, files_before, running, job_files, caplog):
    host.unload_module("DoseEstimator")
    host.process(0.5)
    assert job_files() == files_before and find_results() == []
    assert not caplog.records


def test_quitting_during_a_job_ends_it(host, queue_of_its_own, files_before, running, job_files):
    assert job_files() != files_before
    slicer.app.exit(0)
    assert job_files() == files_before


def test_a_job_goes_on_while_another_module_is_shown(host, ready):
    layout = host.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    host.click(ready.window.job.run_button)
    host.select("Data")
    before = layout.GetViewArrangement()
    host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
    assert len(find_results()) == 1
    assert layout.GetViewArrangement() == before, "somebody works in the views"
    host.select("DoseEstimator")
    assert ready.ui.organTable.visible and ready.window.job.status.text.startswith("Done")


def test_a_value_half_typed_when_the_module_is_left_breaks_nothing(host, ready, open_module):
    spin = unwrap(ready.window.form.editor("histories"))
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin, "70000")
    host.select("Data")
    spin.clearFocus()
    spin.interpretText()
    host.process()
    host.select("DoseEstimator")
    assert ready.window.form.values()["histories"] == spin.value() in (50000, 70000)


def test_all_three_modules_follow_a_scene_that_is_closed(host, opened, open_module):
    for name in MODULES:
        open_module(name)
    host.close_scene()
    for name in MODULES:
        host.select(name)
        window = host.widget(name)
        assert window.ui.ctSelector.currentNode() is None
        assert not window.job.run_button.enabled
