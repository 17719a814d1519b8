"""Jobs of a window: one after the other, prepared in small steps, and nothing of them stays."""

import os
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from organdose.errors import Cancelled, InputError, MissingFacts
from organdose.jobs.job_outcome import JobOutcome, JobState
from organdose.jobs.job_queue import JobQueue, QueuedJob
from organdose.progress import ProgressReport


@pytest.fixture
def queue(tmp_path, sample_interpreter):
    queue = JobQueue(sample_interpreter, below=tmp_path)
    yield queue
    queue.close()
    assert list(tmp_path.iterdir()) == []


@dataclass
class _Watched:
    """A job and what the queue told about it."""

    job: QueuedJob | None = None
    reports: list[ProgressReport] = field(default_factory=list)
    ends: list[JobOutcome] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def end(self, outcome, folder):
        self.ends.append(outcome)
        self.files = sorted(path.name for path in folder.iterdir())


@pytest.fixture
def submit(queue):
    def add(make_job=None, *, what="write", on_end=None, on_progress=None):
        watched = _Watched()
        watched.job = queue.submit("sample", make_job or (lambda folder: {"what": what}),
                                   on_progress or watched.reports.append, on_end or watched.end)
        return watched
    return add


@pytest.fixture
def finish(queue, wait_until):
    """Polls until nothing is left to do."""
    def poll():
        queue.poll()
        return not queue.is_busy
    return lambda patience_s=60.0: wait_until(poll, patience_s)


@pytest.fixture
def poll_until(queue, wait_until):
    def poll(condition, patience_s=60.0):
        wait_until(lambda: queue.poll() or condition(), patience_s)
    return poll


def test_two_jobs_run_one_after_the_other(queue, submit, finish, poll_until):
    first, second = submit(what="wait"), submit()
    poll_until(lambda: first.reports)
    assert (first.job.state, second.job.state) == (JobState.RUNNING, JobState.WAITING)
    assert queue.jobs == (first.job, second.job) and queue.is_busy
    queue.cancel(first.job)
    finish()
    assert [outcome.state for outcome in first.ends + second.ends] == [JobState.CANCELLED, JobState.DONE]
    assert (first.job.state, second.job.state) == (JobState.CANCELLED, JobState.DONE)
    assert second.job.outcome is second.ends[0]
    assert "out" in second.files and first.files == []
    assert not first.job.folder.exists() and not second.job.folder.exists()


def test_a_preparation_goes_on_in_small_steps_and_writes_the_input_of_its_job(queue, submit, finish):
    def prepare(folder):
        for step in range(10):
            time.sleep(0.01)
            (folder / f"{step}.dcm").write_text("slice")
            yield "writing the CT", step / 10
        return {"what": "write"}

    watched, costs_s = submit(prepare), []
    while watched.job.state in (JobState.WAITING, JobState.PREPARING):
        start_s = time.perf_counter()
        queue.poll()
        costs_s.append(time.perf_counter() - start_s)
    assert len(costs_s) >= 3 and sorted(costs_s)[len(costs_s) // 2] < 0.1
    assert watched.reports[0].stage == "writing the CT" and 0 < watched.reports[0].fraction < 1
    finish()
    assert watched.ends[0].state is JobState.DONE and {"0.dcm", "9.dcm", "out"} <= set(watched.files)


@pytest.mark.parametrize(("error", "state", "kind", "told"), [
    (InputError("no volume is chosen"), JobState.FAILED, "input", "no volume is chosen"),
    (MissingFacts({"pitch": "helical pitch"}), JobState.FAILED, "missing-facts", "pitch"),
    (Cancelled(), JobState.CANCELLED, "cancelled", "cancelled"),
    (MemoryError(), JobState.FAILED, "memory", "Not enough memory"),
    (KeyError("node"), JobState.FAILED, "crash", "Unexpected KeyError: 'node'. Log: ")])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_preparation_that_fails_ends_its_job_and_not_the_queue(submit, finish, error, state, kind, told, at_once):
    def prepare(folder):
        (folder / "half.dcm").write_text("half")
        yield "writing the CT", 0.0
        raise error

    def fail(folder):
        raise error

    failing, next_one = submit(fail if at_once else prepare), submit()
    finish()
    outcome, = failing.ends
    assert (outcome.state, outcome.kind) == (state, kind) and told in outcome.message
    assert failing.files == (["log.txt"] if kind in ("memory", "crash") else [])
    if outcome.log is not None:
        assert type(error).__name__ in outcome.log.read_text()  # still there: the message names it
    assert outcome.missing_facts == getattr(error, "facts", {})
    assert next_one.ends[0].state is JobState.DONE


def test_values_that_json_cannot_hold_are_a_failure_of_that_job(submit, finish):
    watched = submit(lambda folder: {"what": object()})
    finish()
    assert watched.ends[0].kind == "crash" and "TypeError" in watched.ends[0].message


def test_a_callback_that_fails_is_logged_and_the_queue_goes_on(submit, finish, caplog):
    def fail(*_):
        raise RuntimeError("the label is gone")
    failing, next_one = submit(on_end=fail, on_progress=fail), submit()
    finish()
    assert failing.job.state is JobState.DONE and not failing.job.folder.exists()
    assert next_one.ends[0].state is JobState.DONE
    assert "the label is gone" in caplog.text


def test_a_folder_can_be_kept_until_the_queue_closes(queue, finish, submit):
    watched = submit(on_end=lambda outcome, folder: watched.job.keep_folder())
    finish()
    assert (watched.job.folder / "out" / "result.txt").read_text() == "whole"
    queue.close()
    assert not watched.job.folder.exists()


def test_the_log_of_a_crash_stays_until_the_queue_closes(queue, submit, finish):
    watched = submit(what="divide")
    finish()
    assert "ZeroDivisionError" in watched.ends[0].log.read_text()
    queue.close()
    assert not watched.ends[0].log.exists()


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.PREPARING, JobState.RUNNING])
def test_a_job_is_cancelled_within_a_second_wherever_it_stands(queue, submit, poll_until, finish, state):
    closed = []

    def prepare(folder):
        try:
            (folder / "half.dcm").write_text("half")
            while state is not JobState.RUNNING:
                time.sleep(0.005)
                yield "writing the CT", 0.1
        finally:
            closed.append(True)
        return {"what": "deaf"}

    if state is JobState.WAITING:
        submit(what="deaf")
    watched = submit(prepare)
    if state is not JobState.WAITING:
        poll_until(lambda: watched.job.state is state and (watched.reports or state is not JobState.RUNNING))
    assert watched.job.state is state
    queue.cancel(watched.job)
    poll_until(lambda: watched.ends, 1)
    assert watched.ends[0].state is JobState.CANCELLED and not watched.job.folder.exists()
    assert len(closed) == (state is not JobState.WAITING)
    queue.cancel(watched.job)  # does nothing
    queue.cancel_all()
    finish()
    assert len(watched.ends) == 1


def test_cancelling_all_ends_all(queue, submit, finish):
    watched = [submit(what="deaf") for _ in range(3)]
    queue.poll()
    queue.cancel_all()
    finish(2)
    assert [each.job.state for each in watched] == [JobState.CANCELLED] * 3


def test_closing_ends_everything_without_calling_back_and_the_queue_can_be_used_again(
        queue, submit, poll_until, finish, tmp_path, is_running):
    running, waiting = submit(what="deaf"), submit()
    poll_until(lambda: running.reports)
    pid = running.job._process._process.pid
    queue.close()
    assert not is_running(pid) and list(tmp_path.iterdir()) == [] and not queue.is_busy
    assert running.ends == waiting.ends == [] and running.job.state is waiting.job.state is JobState.CANCELLED
    again = submit()
    finish()
    assert again.ends[0].state is JobState.DONE


def test_a_window_that_shows_something_may_poll_again_meanwhile(queue, submit, finish):
    """A callback or a step of a preparation that lets the window live calls `poll` from within."""
    def prepare(folder):
        queue.poll()
        yield "writing the CT", 0.0
        queue.poll()
        return {"what": "write"}

    def end(outcome, folder):
        ends.append(outcome)
        queue.poll()

    def at_once(folder):
        queue.poll()
        made.append(folder)
        return {"what": "write"}

    ends, made = [], []
    for make_job in (prepare, at_once):
        submit(make_job, on_end=end, on_progress=lambda report: queue.poll())
    finish()
    assert [outcome.state for outcome in ends] == [JobState.DONE, JobState.DONE] and len(made) == 1


def test_cancelling_and_closing_from_within_a_preparation(queue, submit, finish):
    def cancel(folder):
        queue.cancel(watched.job)
        yield "writing the CT", 0.5
        return {"what": "write"}

    def close(folder):
        queue.close()
        yield "writing the CT", 0.5
        (folder / "x").write_text("the folder is gone")

    watched = submit(cancel)
    finish()
    assert watched.ends[0].state is JobState.CANCELLED
    closing = submit(close)
    finish()
    assert closing.ends == [] and not queue.is_busy


def test_a_job_can_submit_the_next_at_its_end(submit, finish):
    seconds = []
    submit(on_end=lambda outcome, folder: seconds.append(submit()))
    finish()
    assert seconds[0].ends[0].state is JobState.DONE


def test_a_root_that_the_system_tidied_away_is_made_again(submit, finish, tmp_path):
    submit()
    finish()
    root, = tmp_path.iterdir()
    shutil.rmtree(root)
    watched = submit()
    finish()
    assert watched.ends[0].state is JobState.DONE


def test_folders_are_private(queue, submit, tmp_path):
    root, = (submit(), tmp_path.iterdir())[1]
    assert root.name.startswith("organdose-") and f"-{os.getpid()}-" in root.name
    if os.name != "nt":
        assert root.stat().st_mode & 0o777 == 0o700
        assert next(root.iterdir()).stat().st_mode & 0o777 == 0o700


def _leave_a_folder(below, *, killed):
    """A queue in another process, which ends with its job still there."""
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from organdose.jobs.interpreter import Interpreter
        from organdose.jobs.job_queue import JobQueue
        queue = JobQueue(Interpreter.own(), Path(sys.argv[1]))
        queue.submit("phantom", lambda folder: {"out": "study"}, print, print)
        queue.poll()
        if sys.argv[2] == "killed":
            os._exit(9)
        """)
    subprocess.run([sys.executable, "-c", script, str(below), "killed" if killed else "ends"], check=False, timeout=60)


def test_what_a_dead_window_left_is_removed_by_the_next_and_nothing_else(queue, submit, tmp_path):
    _leave_a_folder(tmp_path, killed=True)
    left, = tmp_path.iterdir()
    living = tmp_path / left.name.replace(left.name.split("-")[-2], str(os.getppid()))
    living.mkdir()
    others = tmp_path / "organdose-results"
    others.mkdir()
    submit()
    assert not left.exists() and living.exists() and others.exists()
    living.rmdir()
    others.rmdir()


def test_a_queue_that_nobody_closes_is_closed_when_python_ends(tmp_path):
    _leave_a_folder(tmp_path, killed=False)
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written_is_an_error_at_once(sample_interpreter, tmp_path):
    queue = JobQueue(sample_interpreter, below=Path(tmp_path / "none"))
    with pytest.raises(InputError, match="no folder for a job can be made"):
        queue.submit("sample", dict, print, print)
    assert not queue.is_busy
