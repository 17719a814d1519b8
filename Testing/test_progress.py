"""Long work says where it stands and stops when asked."""

import threading
import time

import pytest

from organdose.errors import Cancelled
from organdose.progress import Progress


def test_a_listener_hears_stage_fraction_and_message():
    heard = []
    progress = Progress(heard.append)
    progress.report("reading", 0.25, "slice 5")
    assert (heard[0].stage, heard[0].fraction, heard[0].message) == ("reading", 0.25, "slice 5")


def test_nobody_needs_to_listen():
    Progress().report("reading", 0.5)


def test_time_left_follows_from_the_time_the_stage_has_taken(monkeypatch):
    clock = iter([100.0, 103.0, 110.0, 112.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    heard = []
    progress = Progress(heard.append)
    for stage, fraction in (("a", 0.0), ("a", 0.25), ("b", 0.0), ("b", 0.5)):
        progress.report(stage, fraction)
    assert [report.remaining_s for report in heard] == [None, pytest.approx(9.0), None, pytest.approx(2.0)]


def test_the_next_report_after_cancelling_raises_and_says_where():
    heard = []
    progress = Progress(heard.append)
    progress.report("reading", 0.1)
    assert not progress.cancelled
    progress.cancel()
    assert progress.cancelled
    with pytest.raises(Cancelled, match="reading"):
        progress.report("reading", 0.2)
    assert len(heard) == 1


def test_another_thread_may_cancel():
    progress = Progress()
    thread = threading.Timer(0.05, progress.cancel)
    thread.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        while time.monotonic() - started < 10:
            progress.report("working", 0.5)
            time.sleep(0.01)
    thread.join()


def test_a_listener_may_cancel_from_within_its_report():
    progress = Progress(lambda report: progress.cancel())
    progress.report("working", 0.0)
    with pytest.raises(Cancelled):
        progress.report("working", 0.1)
