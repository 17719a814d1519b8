"""A job in a child process: it reports, it can be stopped at any moment, and it never leaves half a result."""

import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from organdose.jobs.interpreter import Interpreter
from organdose.jobs.job_outcome import JobState
from organdose.jobs.job_process import LOG_NAME, JobProcess

_TINY_PHANTOM = {"out": "study", "slice_mm": 40, "pixels": 48, "z_range_mm": [300, 380]}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills and looks at processes as POSIX has them")


@pytest.fixture
def started(tmp_path, sample_interpreter):
    """Starts jobs, and ends those that a test left running."""
    jobs = []

    def start(task="sample", folder="job", interpreter=sample_interpreter, **values):
        (tmp_path / folder).mkdir(exist_ok=True)
        jobs.append(JobProcess(task, values, tmp_path / folder, interpreter))
        jobs[-1].start()
        return jobs[-1]
    yield start
    for job in jobs:
        job.close()


@pytest.fixture
def ended(wait_until):
    """Polls a job to its end; gives all it reported."""
    def end(job, patience_s=60.0):
        reports = []

        def poll():
            reports.extend(job.poll())
            return job.outcome
        wait_until(poll, patience_s)
        return reports
    return end


@pytest.fixture
def at_stage(wait_until):
    """Polls a job until it reports a stage; gives that report."""
    def reach(job, stage):
        return wait_until(lambda: next((report for report in job.poll() if report.stage == stage), None))
    return reach


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_job_reports_and_leaves_its_result(started, ended):
    job = started(what="write")
    assert job.outcome is None
    reports = ended(job)
    assert [(report.stage, report.fraction) for report in reports] == [("ready", 0.0), ("ready", 1.0)]
    assert reports[0].remaining_s is None and reports[1].remaining_s == 0
    assert job.outcome.state is JobState.DONE and job.outcome.log is None
    assert (job.folder / "out" / "result.txt").read_text() == "whole"
    assert not (job.folder / "tmp").exists()
    assert job.poll() == []


def test_temporary_files_lie_in_the_folder_of_the_job(started, at_stage):
    job = started(what="wait")
    at_stage(job, "ready")
    assert list((job.folder / "tmp").glob("*/large"))


def test_missing_facts_arrive_so_that_a_window_can_ask_for_them(started, ended):
    job = started(what="missing")
    ended(job)
    assert (job.outcome.state, job.outcome.kind) == (JobState.FAILED, "missing-facts")
    assert job.outcome.missing_facts == {"pitch": "helical pitch", "ctdivol_mgy": "CTDIvol in mGy"}
    assert job.outcome.log is None and _names(job.folder) == []


@pytest.mark.parametrize(("what", "kind", "told"), [
    ("divide", "crash", "Unexpected ZeroDivisionError: division by zero. Log: "),
    ("memory", "memory", "Not enough memory"),
    ("vanish", "crash", r"ended unexpectedly \(exit status 3\): libsomething: cannot go on. Log: "),
    ("segfault", "crash", r"The job crashed \(SIGSEGV\)")])
def test_a_crash_leaves_its_log_and_nothing_else(started, ended, what, kind, told):
    job = started(what=what)
    ended(job)
    assert (job.outcome.state, job.outcome.kind) == (JobState.FAILED, kind)
    assert re.search(told, job.outcome.message)
    assert "\n" not in job.outcome.message and job.outcome.message.endswith(str(job.outcome.log))
    assert _names(job.folder) == [LOG_NAME] and job.outcome.log == job.folder / LOG_NAME
    assert "the sample job says hello" in job.outcome.log.read_text()


def test_a_bad_value_is_told_in_one_line(started, ended):
    job = started("phantom", out="study", slice_mm=-1)
    ended(job)
    assert (job.outcome.state, job.outcome.kind) == (JobState.FAILED, "input")
    assert "--slice-mm" in job.outcome.message and _names(job.folder) == []


def test_a_python_that_is_not_there_is_told_at_once(started, tmp_path):
    job = started(interpreter=Interpreter(tmp_path / "python", {}, None), what="write")
    assert (job.outcome.state, job.outcome.kind) == (JobState.FAILED, "input")
    assert "could not be started" in job.outcome.message and _names(job.folder) == []


def test_a_python_without_organdose_is_a_crash_that_says_so(started, ended, sample_interpreter):
    job = started(interpreter=Interpreter(Path("/usr/bin/env"), sample_interpreter.environment, None), what="write")
    ended(job)
    assert job.outcome.kind == "crash" and "exit status" in job.outcome.message and "env" in job.outcome.message


def test_a_job_cancelled_at_its_very_start_leaves_nothing(started, ended):
    job = started(what="write")
    job.cancel()
    ended(job, 1)
    assert job.outcome.state is JobState.CANCELLED and _names(job.folder) == []


@pytest.mark.parametrize("what", ["wait", "deaf"])
def test_a_running_job_is_cancelled_within_a_second(started, ended, at_stage, is_running, what):
    job = started(what=what)
    at_stage(job, "ready")
    job.cancel()
    ended(job, 1)
    assert job.outcome.state is JobState.CANCELLED and job.outcome.kind == "cancelled"
    assert not is_running(job._process.pid) and _names(job.folder) == []


@pytest.mark.parametrize("stage", ["phantom in voxels", "writing CT", "writing PET", "writing RTSTRUCT",
                                   "writing DICOM SEG"])
def test_a_real_job_is_cancelled_within_a_second_at_every_stage(started, ended, at_stage, stage):
    job = started("phantom", **_TINY_PHANTOM)
    at_stage(job, stage)
    job.cancel()
    ended(job, 1)
    assert job.outcome.state is JobState.CANCELLED and _names(job.folder) == []


def _pids(report):
    return [int(pid) for pid in report.message.split()]


def test_cancelling_ends_what_the_job_started_even_what_left_its_group(started, ended, at_stage, is_running):
    job = started(what="processes_and_wait")
    pids = _pids(at_stage(job, "started"))
    assert all(is_running(pid) for pid in pids)
    job.cancel()
    ended(job, 1)
    assert not any(is_running(pid) for pid in pids) and _names(job.folder) == []


def test_a_job_that_is_done_leaves_no_process_running(started, ended, is_running):
    job = started(what="processes")
    reports = ended(job)
    assert job.outcome.state is JobState.DONE
    assert not any(is_running(pid) for report in reports if report.stage == "started" for pid in _pids(report))


def test_a_thread_that_does_not_end_does_not_keep_a_job_that_is_done(started, ended, is_running):
    job = started(what="linger")
    ended(job, 20)
    assert job.outcome.state is JobState.DONE and (job.folder / "out").is_dir()
    assert not is_running(job._process.pid)


def test_closing_ends_a_job_and_waits_for_it(started, at_stage, is_running):
    job = started(what="deaf")
    at_stage(job, "ready")
    job.close()
    assert job.outcome.state is JobState.CANCELLED
    assert not is_running(job._process.pid) and _names(job.folder) == []


def test_a_job_that_is_forgotten_ends(started, at_stage, tmp_path, sample_interpreter, is_running):
    folder = tmp_path / "forgotten"
    folder.mkdir()
    job = JobProcess("sample", {"what": "deaf"}, folder, sample_interpreter)
    job.start()
    at_stage(job, "ready")
    pid = job._process.pid
    del job
    assert not is_running(pid)


def test_jobs_killed_from_outside_at_random_moments_leave_their_log_and_nothing_else(started, ended, is_running):
    moments_s = random.Random(5)
    for batch in range(4):
        jobs = [started("phantom", folder=f"{batch}-{each}", **_TINY_PHANTOM) for each in range(5)]
        for job in jobs:
            time.sleep(moments_s.uniform(0, 0.6))
            job.poll()
            if job.outcome is None and is_running(job._process.pid):
                os.kill(job._process.pid, signal.SIGKILL)
        for job in jobs:
            ended(job)
            assert not is_running(job._process.pid)
            if job.outcome.state is not JobState.DONE:  # a fast machine may finish before it is killed
                assert job.outcome.message == ("The job was ended from outside (signal 9): perhaps the machine ran "
                                               f"out of memory. Log: {job.folder / LOG_NAME}")
                assert _names(job.folder) == [LOG_NAME]
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and is_running(int(pid))
                and str(job.folder.parent) in _environment(pid)]


def _environment(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""


def test_a_killed_jobs_processes_end_too(started, ended, at_stage, is_running):
    job = started(what="processes_and_wait")
    pids = _pids(at_stage(job, "started"))
    os.kill(job._process.pid, signal.SIGKILL)
    ended(job)
    assert job.outcome.state is JobState.FAILED and not any(is_running(pid) for pid in pids)


def test_a_polite_end_from_outside_is_a_cancelled_job(started, ended, at_stage):
    job = started(what="wait")
    at_stage(job, "waiting")
    os.kill(job._process.pid, signal.SIGTERM)
    ended(job)
    assert job.outcome.state is JobState.CANCELLED and _names(job.folder) == []


def test_a_job_ends_with_its_window_even_when_that_is_killed(tmp_path, sample_interpreter, wait_until, is_running):
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from organdose.jobs.interpreter import Interpreter
        from organdose.jobs.job_process import JobProcess
        job = JobProcess("sample", {"what": "processes_and_wait"}, Path(sys.argv[1]), Interpreter.own())
        job.start()
        while True:
            for report in job.poll():
                if report.stage == "started":
                    print(job._process.pid, report.message, flush=True)
            time.sleep(0.01)
        """)
    window = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True,
                              env=sample_interpreter.job_environment())
    pids = [int(pid) for pid in window.stdout.readline().split()]
    assert len(pids) == 3 and all(is_running(pid) for pid in pids)
    window.kill()
    window.wait()
    window.stdout.close()
    wait_until(lambda: not any(is_running(pid) for pid in pids), 10)


def test_half_a_line_waits_for_its_other_half_and_nonsense_is_passed_over(started, wait_until, caplog):
    job = started(what="deaf")
    with open(job.folder / "events.jsonl", "ab", buffering=0) as events:
        wait_until(lambda: job.poll())
        events.write(b'{"event": "progress", "stage": "dose", "fraction": 0.5, "rem')
        assert job.poll() == []
        events.write(b'aining_s": 7.5, "message": "mid"}\nnonsense\n{"event": "dance"}\n[1]\n{"event": "progress"}\n')
        report, = job.poll()
    assert (report.stage, report.fraction, report.remaining_s, report.message) == ("dose", 0.5, 7.5, "mid")
    assert caplog.text.count("Not an event of a job") == 4 and job.outcome is None


def test_polling_costs_next_to_nothing_when_nothing_is_new(started, at_stage):
    job = started(what="deaf")
    at_stage(job, "ready")
    costs_s = []
    for _ in range(200):
        start_s = time.perf_counter()
        job.poll()
        costs_s.append(time.perf_counter() - start_s)
    assert sorted(costs_s)[100] < 0.001


def test_a_window_starts_jobs_without_the_packages_that_jobs_need(tmp_path, sample_interpreter):
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        for name in ("pydantic", "numba", "scipy", "SimpleITK", "pydicom", "numpy"):
            sys.modules[name] = None
        from organdose.jobs import install, job_queue, self_check
        from organdose.jobs.interpreter import Interpreter
        queue, ends = job_queue.JobQueue(Interpreter.own(), Path(sys.argv[1])), []
        queue.submit("sample", lambda folder: {"what": "write"}, print, lambda outcome, folder: ends.append(outcome))
        while queue.is_busy:
            queue.poll()
            time.sleep(0.01)
        queue.close()
        print(ends[0].state.value)
        """)
    output = subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(tmp_path)], capture_output=True,
                            text=True, env=sample_interpreter.job_environment(PYTHONPATH=str(
                                sample_interpreter.package_path) + os.pathsep + str(
                                    Path(__file__).parent / "sample_job")), timeout=60, check=False)
    assert output.stdout.splitlines()[-1] == "done", output.stderr
    assert list(tmp_path.iterdir()) == []
