"""Progress on a screen and in a log."""

import io
import sys

import pytest

from organdose.errors import Cancelled
from organdose.terminal import progress_on_terminal


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def watched(monkeypatch):
    """Puts a log, or a screen, in the place of stderr (within the test: pytest changes stderr after the set-up)."""
    def begin(stream):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(sys, "stderr", stream)
        return stream
    return begin


def test_a_log_gets_a_line_at_each_stage_and_each_tenth_of_it(watched):
    log = watched(io.StringIO())
    progress, display = progress_on_terminal()
    with display as shown:
        assert shown is progress
        for step in range(101):
            progress.report("reading", step / 100)
        progress.report("masks", 0.0, "liver")
    lines = log.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[0] == "reading: 0 %" and lines[-1] == "masks: 0 % liver"
    assert all(f" {10 * tenth} %" in lines[tenth] for tenth in range(1, 11))


def test_a_stage_that_comes_again_is_shown_again(watched):
    log = watched(io.StringIO())
    progress, display = progress_on_terminal()
    with display:
        for stage in ("a", "b", "a"):
            progress.report(stage, 0.0)
    assert log.getvalue().splitlines() == ["a: 0 %", "b: 0 %", "a: 0 %"]


def test_time_left_is_in_minutes_and_seconds(watched, monkeypatch):
    log = watched(io.StringIO())
    clock = iter([0.0, 75.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    progress, display = progress_on_terminal()
    with display:
        progress.report("Monte Carlo", 0.0)
        progress.report("Monte Carlo", 0.5)
    assert log.getvalue().splitlines()[-1] == "Monte Carlo: 50 %, 1:15 left"


def test_a_log_holds_no_control_characters(watched):
    log = watched(io.StringIO())
    progress, display = progress_on_terminal()
    with display:
        progress.report("reading", 0.5)
    assert log.getvalue().replace("\n", "").isprintable()


def test_a_screen_gets_a_bar_for_each_stage(watched):
    screen = watched(Screen())
    progress, display = progress_on_terminal()
    with display:
        progress.report("reading", 0.0)
        progress.report("reading", 1.0)
        progress.report("Monte Carlo", 0.5, "1,000 histories")
    shown = screen.getvalue()
    assert "reading" in shown and "Monte Carlo" in shown and "1,000 histories" in shown
    assert "100 %" in shown and "50 %" in shown


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_the_display_ends_and_does_not_swallow_what_went_wrong(watched, stream):
    shown = watched(stream())
    progress, display = progress_on_terminal()
    with pytest.raises(Cancelled), display:
        progress.report("reading", 0.1)
        progress.cancel()
        progress.report("reading", 0.2)
    sys.stderr.write("after\n")
    assert sys.stderr is shown and shown.getvalue().endswith("after\n")
    assert "reading" in shown.getvalue()
