"""The one queue of jobs that the modules share: in whichever Python the user chose, ending with scene and Slicer."""

import sys
from pathlib import Path

import pytest

from organdose.errors import InputError


class Submitted:
    """One job of the task 'sample' and what was told about it."""

    def __init__(self, jobs, what="write"):
        self.reports, self.ends = [], []
        self.job = jobs.submit("sample", lambda folder: {"what": what}, self.reports.append,
                               lambda outcome, folder: self.ends.append((outcome, self._files(folder))))

    @staticmethod
    def _files(folder):
        return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())

    @property
    def ended(self):
        return self.ends[0][0].state.name if self.ends else ""

    def is_in(self, stage):
        return any(report.stage == stage for report in self.reports)


def choose(path):
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    slicer.app.settings().setValue(INTERPRETER_SETTING, str(path))


def test_a_job_runs_by_the_timer_and_its_end_is_told_with_its_folder(jobs, host):
    one = Submitted(jobs)
    host.wait_until(lambda: one.ends, 60, "the job")
    outcome, files = one.ends[0]
    assert outcome.state.name == "DONE" and "out/result.txt" in files and one.is_in("ready")


def test_jobs_of_two_panels_run_one_after_the_other(jobs, host):
    first, second = Submitted(jobs, "wait"), Submitted(jobs)
    host.wait_until(lambda: first.is_in("waiting"), 60, "the first job")
    assert second.job.state.name == "WAITING" and not second.reports
    jobs.cancel(first.job)
    host.wait_until(lambda: second.ends, 60, "the second job")
    assert (first.ended, second.ended) == ("CANCELLED", "DONE")


def test_a_waiting_job_is_cancelled_at_once(jobs, host):
    first, second = Submitted(jobs, "wait"), Submitted(jobs)
    jobs.cancel(second.job)
    assert second.ended == "CANCELLED" and not first.ends
    assert jobs.job_queue().jobs == (first.job,)


def test_a_running_job_is_cancelled_with_everything_it_wrote(jobs, host):
    one = Submitted(jobs, "wait")
    host.wait_until(lambda: one.is_in("waiting"), 60, "the job")
    jobs.cancel(one.job)
    host.wait_until(lambda: one.ends, 30, "the end")
    assert one.ended == "CANCELLED" and one.ends[0][1] == [] and not one.job.folder.exists()


def test_closing_the_scene_ends_the_running_and_the_waiting(jobs, host):
    first, second = Submitted(jobs, "wait"), Submitted(jobs)
    host.wait_until(lambda: first.is_in("waiting"), 60, "the first job")
    host.close_scene()
    host.wait_until(lambda: first.ends and second.ends, 30, "the ends")
    assert (first.ended, second.ended) == ("CANCELLED", "CANCELLED") and not jobs.job_queue().is_busy
    third = Submitted(jobs)
    host.wait_until(lambda: third.ends, 60, "a job of the new scene")
    assert third.ended == "DONE"


def test_quitting_slicer_ends_jobs_without_calling_the_window(jobs, host):
    import slicer

    one = Submitted(jobs, "wait")
    host.wait_until(lambda: one.is_in("waiting"), 60, "the job")
    slicer.app.exit(0)
    assert not one.ends and one.job.state.name == "CANCELLED" and not one.job.folder.exists()


def test_all_ask_the_same_queue(jobs):
    assert jobs.job_queue() is jobs.job_queue()


def test_jobs_run_in_slicers_own_python_unless_another_is_chosen(jobs, host):
    from organdose.jobs.interpreter import Interpreter

    assert jobs.job_interpreter().executable == Interpreter.own().executable
    choose(sys.prefix)
    assert jobs.job_interpreter().executable.is_relative_to(sys.prefix)
    one = Submitted(jobs)
    assert jobs.job_queue().interpreter.executable.is_relative_to(sys.prefix)
    jobs.cancel(one.job)
    choose("")
    assert jobs.job_interpreter().executable == Interpreter.own().executable


def test_the_chosen_python_is_looked_at_once(jobs, monkeypatch):
    from organdose.jobs.interpreter import Interpreter

    looked, existing = [], Interpreter.existing
    monkeypatch.setattr(Interpreter, "existing", lambda *arguments: looked.append(1) or existing(*arguments))
    choose(sys.prefix)
    assert jobs.job_interpreter() is jobs.job_interpreter() and len(looked) == 1


@pytest.mark.parametrize("path", ["/no/such/environment", __file__])
def test_a_chosen_python_that_is_none_is_one_line(jobs, path):
    choose(path)
    with pytest.raises(InputError) as caught:
        Submitted(jobs)
    assert path in str(caught.value) and "\n" not in str(caught.value)


def test_a_python_that_disappears_stops_no_job_that_runs_and_starts_none(jobs, host):
    first = Submitted(jobs, "wait")
    host.wait_until(lambda: first.is_in("waiting"), 60, "the job")
    choose("/no/such/environment")
    with pytest.raises(InputError):
        Submitted(jobs)
    assert jobs.job_queue().jobs == (first.job,) and first.job.state.name == "RUNNING"
    choose("")
    second = Submitted(jobs)
    jobs.cancel(first.job)
    host.wait_until(lambda: second.ended == "DONE", 60, "the next job")
