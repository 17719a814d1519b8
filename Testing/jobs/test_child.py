"""A job in a process of its own tells what happens, and how it ended, as lines of JSON."""

import json
import os
import signal
import subprocess
import sys
import types
import venv

import pytest
from pydantic import BaseModel

from organdose.errors import InputError, MissingFacts
from organdose.jobs import child
from organdose.jobs.child import EventFile, run
from organdose.jobs.job_outcome import DONE
from organdose.jobs.tasks import Task, describe
from organdose.progress import ProgressReport


class _Job(BaseModel):
    number: int = 0


@pytest.fixture
def events_of(tmp_path, monkeypatch):
    """Runs a function as a job in this process; gives the exit status and the events."""
    def told(function, **values):
        monkeypatch.setitem(sys.modules, "tasks_of_this_test", types.SimpleNamespace(model=_Job, run=function))
        (tmp_path / "d.json").write_text(json.dumps(describe("test", values)))
        tasks = {"test": Task("test", "tasks_of_this_test", "model", "run")}
        status = run(tmp_path / "d.json", tmp_path / "e.jsonl", tasks=tasks)
        return status, [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    return told


def _raising(error):
    def function(job, progress):
        raise error
    return function


def test_a_job_that_ends_well_says_so_last(events_of):
    def work(job, progress):
        progress.report("count", job.number / 10, "on")
    status, events = events_of(work, number=5)
    assert status == 0
    assert events[0] | {"remaining_s": None} == {"event": "progress", "stage": "count", "fraction": 0.5,
                                                 "remaining_s": None, "message": "on"}
    assert events[1:] == [{"event": "done"}]


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(("error", "kind", "told", "status"), [
    (InputError("no CT", where="ct"), "input", "ct: no CT", 2),
    (MemoryError(), "memory", "Not enough memory", 1),
    (OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"), "memory", "Not enough memory", 1),
    (RuntimeError("Exception: Failed to allocate memory for image."), "memory", "Not enough memory", 1),
    (KeyboardInterrupt(), "cancelled", "cancelled", 130),
    (ModuleNotFoundError("No module named 'highdicom'", name="highdicom"), "input", "highdicom cannot be loaded", 2),
    (ImportError("DLL load failed", name="SimpleITK._SimpleITK"), "input", "SimpleITK cannot be loaded", 2),
    (ImportError("cannot import name 'x'", name="organdose.ct"), "crash", "Unexpected ImportError: cannot", 1),
    (ZeroDivisionError("by\nzero"), "crash", "Unexpected ZeroDivisionError: by zero.", 1)])
def test_a_job_that_fails_says_of_what_kind_in_one_line(events_of, error, kind, told, status, capsys):
    got, events = events_of(_raising(error))
    assert got == status
    assert [event["event"] for event in events] == ["failed"]
    assert events[0]["kind"] == kind and events[0]["message"].startswith(told) and "\n" not in events[0]["message"]
    # What the message does not explain is in the log, and only that.
    assert ("Traceback" in capsys.readouterr().err) == (kind in ("memory", "crash") or "cannot be loaded" in told)


def test_missing_facts_are_told_with_their_explanations(events_of):
    _, events = events_of(_raising(MissingFacts({"pitch": "helical pitch"})))
    assert events[-1]["kind"] == "missing-facts" and events[-1]["facts"] == {"pitch": "helical pitch"}


def test_a_bad_value_is_bad_input(events_of):
    status, events = events_of(_raising(AssertionError), number="many")
    assert status == 2 and events[-1]["kind"] == "input" and "--number" in events[-1]["message"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_at_the_next_report(events_of, number):
    before = signal.getsignal(number)

    def work(job, progress):
        os.kill(os.getpid(), number)
        while True:
            progress.report("work", 0.5)
    status, events = events_of(work)
    assert status == 130 and events[-1]["kind"] == "cancelled"
    assert signal.getsignal(number) is before


def test_few_lines_are_written_but_always_the_first_and_last_of_a_stage(tmp_path, monkeypatch):
    clock = iter(0.001 * step for step in range(10_000_000))
    monkeypatch.setattr(child.time, "monotonic", lambda: next(clock))
    told = EventFile(tmp_path / "e.jsonl")
    for stage in ("read", "dose"):
        for step in range(1000):
            told.progress(ProgressReport(stage, step / 1000, None))
    told.end(DONE)
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    for stage in ("read", "dose"):
        fractions = [event["fraction"] for event in events if event.get("stage") == stage]
        assert (fractions[0], fractions[-1]) == (0.0, 0.999)
        assert 5 < len(fractions) < 30
    assert events[-1] == {"event": "done"}


def _run_child(interpreter, tmp_path, description, **keywords):
    (tmp_path / "d.json").write_text(json.dumps(description))
    (tmp_path / "e.jsonl").touch()
    command = [str(interpreter.executable), "-m", "organdose.jobs.child", "d.json", "e.jsonl"]
    ended = subprocess.run(command, cwd=tmp_path, env=interpreter.job_environment(), timeout=60, check=False,
                           stderr=subprocess.PIPE, text=True, **keywords)
    return ended, [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]


def test_it_can_be_run_by_hand_without_a_parent_that_watches(sample_interpreter, tmp_path):
    ended, events = _run_child(sample_interpreter, tmp_path, describe("sample", {"what": "write"}),
                               stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr
    assert events[-1] == {"event": "done"} and (tmp_path / "out" / "result.txt").read_text() == "whole"


def test_it_ends_at_once_when_its_input_closes(sample_interpreter, tmp_path):
    ended, events = _run_child(sample_interpreter, tmp_path, describe("sample", {"what": "deaf"}), input="")
    assert ended.returncode != 0
    assert not [event for event in events if event["event"] != "progress"]


def test_a_python_without_our_packages_says_which_is_missing(sample_interpreter, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    bare = type(sample_interpreter).existing(tmp_path / "bare", dict(os.environ))
    ended, events = _run_child(bare, tmp_path, describe("phantom", {"out": "study"}), stdin=subprocess.DEVNULL)
    assert ended.returncode == 2
    assert events[-1]["kind"] == "input"
    assert events[-1]["message"].startswith("pydantic cannot be loaded") and "self-check" in events[-1]["message"]


def test_wrong_usage_is_told(sample_interpreter):
    ended = subprocess.run([str(sample_interpreter.executable), "-m", "organdose.jobs.child"], capture_output=True,
                           env=sample_interpreter.job_environment(), stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == 1 and b"usage:" in ended.stderr
