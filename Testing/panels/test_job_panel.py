"""Run and Cancel with the queue behind them: how far a job is, how it ended, and that cancelling leaves nothing."""

from pathlib import Path

import pytest

from organdose.errors import InputError
from organdose.progress import ProgressReport

CANCELLED = "Cancelled. Nothing was changed."


def brought_in(folder):
    """Brings in what the sample job wrote."""
    yield 0.5
    return f"Done: {(folder / 'out' / 'result.txt').read_text()}."


@pytest.fixture
def new_panel(jobs, show):
    from organdose.panels.job_panel import JobPanel

    panels = []

    def make(run_text="Compute", on_run=lambda: None):
        ends = []
        panel = JobPanel(run_text, on_run, ends.append)
        panels.append(panel)
        show(panel.widget)
        return panel, ends

    yield make
    for panel in panels:
        panel.stop()


@pytest.fixture
def panel_and_ends(new_panel):
    return new_panel()


@pytest.fixture
def panel(panel_and_ends):
    return panel_and_ends[0]


@pytest.fixture
def ends(panel_and_ends):
    return panel_and_ends[1]


def run(panel, what="write", take=brought_in, prepare=None):
    """Put a sample job in the queue; gives the folder it gets."""
    folders = []

    def make_job(folder):
        folders.append(Path(folder))
        if prepare is not None:
            yield from prepare(folder)
        return {"what": what}

    panel.run("sample", make_job, take)
    return folders


def wait_for(panel, host, text):
    host.wait_until(lambda: text in panel.bar.format, 60, f"'{text}' in the bar, which says '{panel.bar.format}'")


def wait_for_end(panel, host):
    host.wait_until(lambda: not panel.is_busy, 60, "the end of the job")


def test_run_is_pressed_by_the_user(new_panel, host):
    pressed = []
    panel, _ = new_panel("Compute dose", lambda: pressed.append(1))
    assert panel.run_button.text == "Compute dose" and panel.run_button.toolTip == "Start."
    assert not panel.cancel_button.enabled and not panel.bar.visible and not panel.status.visible
    host.click(panel.run_button)
    assert pressed == [1]


def test_a_reason_against_running_disables_the_button_and_is_its_tooltip(panel):
    panel.refuse("Choose a CT.")
    assert not panel.run_button.enabled and panel.run_button.toolTip == "Choose a CT."
    panel.refuse("")
    assert panel.run_button.enabled and panel.run_button.toolTip == "Start."


def test_a_job_runs_to_its_end_and_says_what_came_out(panel, ends, host):
    folders = run(panel)
    assert panel.is_busy and panel.bar.format == "Starting" and panel.bar.visible
    assert not panel.run_button.enabled and panel.run_button.toolTip == "A job is running."
    assert panel.cancel_button.enabled
    wait_for_end(panel, host)
    assert panel.status.text == "Done: whole." and panel.status.visible and "#dff3e3" in panel.status.styleSheet
    assert [outcome.state.name for outcome in ends] == ["DONE"]
    assert panel.run_button.enabled and not panel.cancel_button.enabled and not panel.bar.visible
    assert (folders[0] / "out" / "result.txt").is_file(), "whoever took the result may use its files"


def test_the_bar_says_the_stage_the_percent_and_how_long_it_will_take(panel, host):
    run(panel, "wait")
    wait_for(panel, host, "left")
    assert panel.bar.format.startswith("waiting: %p %, ") and panel.bar.text.startswith("waiting: 0 %, ")
    assert panel.bar.toolTip.startswith("step ")


@pytest.mark.parametrize(("remaining_s", "text"), [
    (None, "transport: 25 %"), (12.4, "transport: 25 %, 12 s left"), (89.0, "transport: 25 %, 89 s left"),
    (600.0, "transport: 25 %, 10 min left")])
def test_the_remaining_time_is_told_in_seconds_or_minutes(panel, monkeypatch, remaining_s, text):
    from organdose.panels import window_jobs

    submit, listeners = window_jobs.submit, []
    monkeypatch.setattr(window_jobs, "submit",
                        lambda *arguments: listeners.append(arguments[2]) or submit(*arguments))
    run(panel, "wait")
    listeners[0](ProgressReport("transport", 0.25, remaining_s, "batch 3"))
    assert panel.bar.text == text and panel.bar.toolTip == "batch 3"


def test_cancel_while_the_job_waits(new_panel, host):
    (first, _), (second, ends) = new_panel(), new_panel()
    run(first, "wait")
    wait_for(first, host, "waiting")
    folders = run(second)
    assert second.bar.format == "Waiting for the jobs before this one"
    host.click(second.cancel_button)
    assert second.status.text == CANCELLED and not second.is_busy and first.is_busy
    assert [outcome.state.name for outcome in ends] == ["CANCELLED"] and folders == []


def test_cancel_while_the_job_is_prepared(panel, ends, host):
    closed = []

    def prepare(folder):
        try:
            while True:
                (folder / "ct.nrrd").write_bytes(bytes(100))
                yield "Writing the CT", 0.25
        finally:
            closed.append(1)

    folders = run(panel, prepare=prepare)
    wait_for(panel, host, "Writing the CT")
    assert panel.bar.text == "Writing the CT: 25 %"
    host.click(panel.cancel_button)
    assert panel.status.text == CANCELLED and closed == [1]
    assert [outcome.state.name for outcome in ends] == ["CANCELLED"]
    assert not folders[0].exists()


def test_cancel_while_the_job_runs_leaves_no_files(panel, ends, host):
    folders = run(panel, "wait")
    wait_for(panel, host, "waiting")
    assert (folders[0] / "out" / "half.nrrd").exists()
    host.click(panel.cancel_button)
    wait_for_end(panel, host)
    assert panel.status.text == CANCELLED and panel.status.styleSheet == "" and not folders[0].exists()
    assert [outcome.state.name for outcome in ends] == ["CANCELLED"]


def test_cancel_while_the_result_is_brought_in(panel, ends, host):
    begun, closed = [], []

    def endless(folder):
        begun.append(1)
        try:
            while True:
                yield 0.5
        finally:
            closed.append(1)

    folders = run(panel, take=endless)
    host.wait_until(lambda: begun, 60, "the first step")
    assert panel.bar.format == "Bringing in the result"
    host.click(panel.cancel_button)
    assert closed == [1] and panel.status.text == CANCELLED and not panel.is_busy and not folders[0].exists()
    assert [outcome.state.name for outcome in ends] == ["CANCELLED"]


def test_after_cancel_the_next_job_can_run(panel, host):
    run(panel, "wait")
    wait_for(panel, host, "waiting")
    host.click(panel.cancel_button)
    wait_for_end(panel, host)
    run(panel)
    assert panel.status.text == ""
    wait_for_end(panel, host)
    assert panel.status.text == "Done: whole."


def test_what_a_job_misses_is_said_and_handed_on(panel, ends, host):
    run(panel, "missing")
    wait_for_end(panel, host)
    assert "CTDIvol" in panel.status.text and "#ffd9d6" in panel.status.styleSheet
    assert set(ends[0].missing_facts) == {"pitch", "ctdivol_mgy"}


def test_a_crash_is_one_line_that_names_its_log(panel, ends, host):
    run(panel, "divide")
    wait_for_end(panel, host)
    assert "ZeroDivisionError" in panel.status.text and "\n" not in panel.status.text
    log = ends[0].log
    assert str(log) in panel.status.text and "the sample job says hello" in log.read_text()


def test_a_preparation_that_is_refused_says_why(panel, ends, host):
    def prepare(folder):
        yield "Writing the CT", 0.0
        raise InputError("the CT stands under a transform", mend="Harden it.")

    folders = run(panel, prepare=prepare)
    wait_for_end(panel, host)
    assert panel.status.text == "the CT stands under a transform. Harden it."
    assert [outcome.kind for outcome in ends] == ["input"] and not folders[0].exists()


@pytest.mark.parametrize(("error", "line"), [
    (InputError("the CT was deleted meanwhile"), "the CT was deleted meanwhile"),
    (KeyError("dose"), "The result could not be brought in (KeyError): 'dose'")])
def test_a_result_that_cannot_be_brought_in_says_why_and_leaves_no_files(panel, ends, host, error, line):
    def failing(folder):
        yield 0.1
        raise error

    folders = run(panel, take=failing)
    wait_for_end(panel, host)
    assert panel.status.text == line
    assert "#ffd9d6" in panel.status.styleSheet and len(ends) == 1 and not folders[0].exists()


def test_a_second_run_is_ignored_while_one_goes_on(panel, jobs, host):
    run(panel, "wait")
    run(panel)
    assert len(jobs.job_queue().jobs) == 1


def test_a_python_for_jobs_that_is_none_is_said_and_nothing_waits(panel, ends, host):
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    slicer.app.settings().setValue(INTERPRETER_SETTING, "/no/such/environment")
    run(panel)
    assert "/no/such/environment" in panel.status.text and "#ffd9d6" in panel.status.styleSheet
    assert not panel.is_busy and panel.run_button.enabled and ends == []


def test_closing_the_scene_cancels_what_runs(panel, ends, host):
    run(panel, "wait")
    wait_for(panel, host, "waiting")
    host.close_scene()
    wait_for_end(panel, host)
    assert panel.status.text == CANCELLED and [outcome.state.name for outcome in ends] == ["CANCELLED"]


def test_a_panel_without_run_appears_with_its_job_and_stays_with_its_line(new_panel, host):
    panel, _ = new_panel(run_text="")
    assert not panel.widget.visible
    run(panel)
    assert panel.widget.visible and not panel.run_button.visible and panel.cancel_button.visible
    wait_for_end(panel, host)
    assert panel.widget.visible and panel.status.text == "Done: whole."
    panel.say("")
    assert not panel.widget.visible


def test_a_window_that_goes_away_ends_its_job_without_being_called(panel, ends, jobs, host):
    folders = run(panel, "wait")
    wait_for(panel, host, "waiting")
    panel.stop()
    host.wait_until(lambda: not jobs.job_queue().is_busy, 30, "the end of the job")
    assert ends == [] and not folders[0].exists()


@pytest.mark.parametrize("kind", ["good", "bad", "stale"])
def test_banners_can_be_read_in_a_light_and_a_dark_slicer(kind):
    from organdose.panels.job_panel import banner_style

    assert "background:" in banner_style(kind) and " color:" in banner_style(kind), "both, or neither"
    assert banner_style("") == ""
