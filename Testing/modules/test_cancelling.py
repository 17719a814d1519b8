"""Cancel at every stage of a job: nothing of it stays, and the next run works."""

import time

import pytest

from organdose.jobs import job_queue
from organdose.panels import steps
from organdose.scene.ct_dose_scene import find_results

PATIENCE_S = 120


@pytest.fixture
def one_step_at_a_time(monkeypatch):
    """What the window does itself goes slowly, so that there is something to cancel in the middle of it."""
    monkeypatch.setattr(job_queue, "_PREPARE_S", 0.0)
    monkeypatch.setattr(steps, "_TURN_S", 5e-4)


def reach(host, condition, what):
    """Let the window work turn by turn until the condition holds."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        host.process()


def volumes(host):
    return host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")


def tables(host):
    return host.scene.GetNumberOfNodesByClass("vtkMRMLTableNode")


STAGES = {
    "just pressed": lambda host, bar: True,
    "the CT is written": lambda host, bar: bar.text.startswith("Writing the CT"),
    "the masks are written": lambda host, bar: bar.text.startswith("Writing the masks"),
    "photons are followed": lambda host, bar: bar.text.startswith("Monte Carlo"),
    "pictures are drawn": lambda host, bar: bar.text.startswith("pictures"),
    "the dose is in the scene": lambda host, bar: volumes(host) == 2,
    "the tables are in the scene": lambda host, bar: tables(host) == 2,
    "the result is complete": lambda host, bar: bool(find_results()),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_dose_leaves_nothing_behind(host, ready, one_step_at_a_time, nodes, job_files, stage):
    job, before, files = ready.window.job, nodes(), job_files()
    layout = host.scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()
    if stage == "photons are followed":
        host.type_text(ready.window.form.editor("histories"), "900000000")
    host.click(job.run_button)
    reach(host, lambda: STAGES[stage](host, job.bar) or not job.is_busy, stage)
    assert job.is_busy, f"the job ended before {stage}: {job.status.text}"
    host.click(job.cancel_button)
    reach(host, lambda: not job.is_busy, "the end of the job")
    assert job.status.text == "Cancelled. Nothing was changed."
    left = {host.scene.GetNodeByID(each).GetClassName() for each in nodes() - before}
    assert left <= {"vtkMRMLColorTableNode"}  # the colours of a dose, which the next result uses again
    assert before <= nodes()
    assert job_files() == files
    assert host.scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement() == layout
    assert job.run_button.enabled and not job.cancel_button.enabled and not job.bar.visible
    assert ready.ui.resultSelector.currentNode() is None
    assert ready.masks.GetSegmentation().GetNumberOfSegments() == 2


def test_the_next_run_after_a_cancelled_one_works(host, ready):
    job = ready.window.job
    host.type_text(ready.window.form.editor("histories"), "900000000")
    host.click(job.run_button)
    reach(host, lambda: job.bar.text.startswith("Monte Carlo"), "the photons")
    host.click(job.cancel_button)
    reach(host, lambda: not job.is_busy, "the end of the job")
    host.type_text(ready.window.form.editor("histories"), "50000")
    host.click(job.run_button)
    host.wait_until(lambda: not job.is_busy, PATIENCE_S, "the dose")
    assert job.status.text.startswith("Done")
    assert len(find_results()) == 1


def test_a_body_outline_that_the_job_drew_goes_with_a_cancelled_result(host, ready, one_step_at_a_time):
    job, segmentation = ready.window.job, ready.masks.GetSegmentation()
    segmentation.RemoveSegment("body")
    host.click(job.run_button)
    reach(host, lambda: segmentation.GetSegment("body") is not None, "the outline")
    host.click(job.cancel_button)
    assert segmentation.GetSegment("body") is None
    assert segmentation.GetSegment("spinal_cord") is not None


def test_two_modules_jobs_run_one_after_the_other_and_one_can_be_cancelled(host, ready, open_module):
    host.click(ready.window.job.run_button)
    segmenter = open_module("OrganSegmenter")
    host.choose(segmenter.ui.ctSelector, ready.ct)
    host.click(segmenter.job.run_button)
    assert segmenter.job.bar.text == "Waiting for the jobs before this one"
    host.click(segmenter.job.cancel_button)
    assert segmenter.job.status.text == "Cancelled. Nothing was changed."
    host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
    assert ready.window.job.status.text.startswith("Done")
    host.select("DoseEstimator")
    assert ready.ui.resultSelector.currentNode() is not None, "it came while another module was shown"
    assert ready.ui.organTable.rowCount >= 2
