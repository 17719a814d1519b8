"""Long work of the window in short steps: the window is served between them, and whoever leaves ends it cleanly."""

import logging
import time

import pytest


@pytest.fixture
def steps(host):
    from organdose.panels.steps import Steps

    made = Steps()
    yield made
    made.stop()


def work_of(count, log, value=None):
    """Counts up, slowly enough to take several turns, and tells its end."""
    try:
        for step in range(count):
            time.sleep(0.005)
            log.append(step)
            yield step
        return value
    finally:
        log.append("closed")


def test_a_generator_runs_between_events_and_its_value_comes_back(steps, host):
    log, values = [], []
    steps.run(work_of(3, log, "all"), on_done=values.append)
    assert steps.is_busy and log == [], "nothing is done before the window has had its turn"
    host.wait_until(lambda: values, 10, "the end")
    assert values == ["all"] and log == [0, 1, 2, "closed"] and not steps.is_busy


def test_other_events_are_served_while_the_work_goes_on(steps, host, qt):
    log, served = [], []
    timer = qt.QTimer()
    timer.timeout.connect(lambda: served.append(len(log)))
    timer.start(0)
    steps.run(work_of(40, log))
    host.wait_until(lambda: not steps.is_busy, 20, "the end")
    timer.stop()
    assert len({count for count in served if 0 < count < 40}) >= 3


def test_on_step_gets_what_was_yielded_last_in_each_turn(steps, host):
    log, seen = [], []
    steps.run(work_of(40, log), on_step=seen.append)
    host.wait_until(lambda: not steps.is_busy, 20, "the end")
    assert 1 < len(seen) < 40 and seen == sorted(seen)


def test_an_error_reaches_on_error_and_the_window_lives_on(steps, host):
    def breaking():
        yield 1
        raise ValueError("no such slice")

    errors, values = [], []
    steps.run(breaking(), on_done=values.append, on_error=errors.append)
    host.wait_until(lambda: errors, 10, "the error")
    assert str(errors[0]) == "no such slice" and not steps.is_busy and not values
    steps.run(work_of(1, [], "next"), on_done=values.append)
    host.wait_until(lambda: values == ["next"], 10, "the next work")


def test_an_error_that_nobody_takes_is_logged(steps, host, caplog):
    def breaking():
        raise ValueError("no such slice")
        yield

    with caplog.at_level(logging.ERROR):
        steps.run(breaking())
        host.wait_until(lambda: not steps.is_busy, 10, "the end")
    assert "no such slice" in caplog.text


def test_a_new_work_replaces_the_old(steps, host):
    old, new, values = [], [], []
    steps.run(work := work_of(1000, old), on_done=lambda value: values.append("old"))
    host.wait_until(lambda: old, 10, "the first step")
    steps.run(work_of(2, new), on_done=lambda value: values.append("new"))
    assert old[-1] == "closed" and work.gi_frame is None
    count = len(old)
    host.wait_until(lambda: values, 10, "the end of the new work")
    assert values == ["new"] and len(old) == count


def test_stop_closes_the_generator_and_tells_nobody(steps, host):
    log, told = [], []
    steps.run(work := work_of(1000, log), on_step=told.append, on_done=told.append, on_error=told.append)
    host.wait_until(lambda: told, 10, "the first turn")
    told.clear()
    steps.stop()
    assert log[-1] == "closed" and work.gi_frame is None and not steps.is_busy
    host.process(0.05)
    assert not told


def test_a_step_that_lets_the_window_in_is_not_called_again_meanwhile(steps, host):
    errors, values = [], []

    def showing():
        yield 1
        host.process(0.03)  # as a progress dialog does, with the timer of the steps running
        yield 2
        return "whole"

    steps.run(showing(), on_done=values.append, on_error=errors.append)
    host.wait_until(lambda: values or errors, 10, "the end")
    assert values == ["whole"] and not errors


def test_work_stopped_by_what_its_own_step_shows_is_closed_after_that_step(steps, host):
    log, told = [], []

    def showing():
        try:
            yield 1
            steps.stop()  # the user closes the window while a step shows something
            log.append("step finished")
            yield 2
        finally:
            log.append("closed")

    steps.run(work := showing(), on_step=told.append, on_done=told.append, on_error=told.append)
    host.wait_until(lambda: "closed" in log, 10, "the generator to be closed")
    assert work.gi_frame is None, "closed, and not only forgotten"
    assert log == ["step finished", "closed"] and not told and not steps.is_busy


def test_work_that_ends_after_it_was_replaced_does_not_end_its_successor(steps, host):
    values = []

    def replacing():
        yield 1
        steps.run(work_of(2, [], "new"), on_done=values.append)
        return "old"

    steps.run(replacing(), on_done=values.append)
    host.wait_until(lambda: values, 10, "the end")
    host.process(0.05)
    assert values == ["new"]
