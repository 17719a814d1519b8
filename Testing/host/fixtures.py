"""The pytest fixture of the stand-in; a conftest imports it from here."""

import pytest


@pytest.fixture
def host():
    """The running host as after a fresh start. Fails the test when a slot failed or a prepared answer was not asked."""
    from host.slicer_host import SlicerHost

    running = SlicerHost.start()
    running.reset()
    yield running
    errors, unused = list(running.slot_errors), running.dialogs.unused_answers()
    running.reset()
    assert not errors, "errors that Slicer would only print:\n" + "\n".join(errors)
    assert not unused, f"{unused} prepared answers were never asked for"
