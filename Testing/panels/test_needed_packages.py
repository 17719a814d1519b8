"""The banner of a window in a Slicer that lacks packages, and its Install button."""

import importlib.util

import pytest


@pytest.fixture
def lacking(host, monkeypatch):
    """`lacking.add(name)`: a package that this Python does not find until it is installed."""
    missing, find_spec = host.installations.pretend_missing, importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, package=None: None if name in missing else find_spec(name, package))
    return missing


@pytest.fixture
def completed():
    return []


@pytest.fixture
def banner(host, show, completed):
    """Makes the banner and shows it in a window."""
    from organdose.panels.needed_packages import NeededPackages

    def make():
        made = NeededPackages(lambda: completed.append(1))
        show(made.widget)
        made.show()
        host.process()
        return made

    return make


def test_where_nothing_is_missing_there_is_no_banner(banner, completed):
    from organdose.panels.needed_packages import missing_packages

    assert missing_packages() == []
    assert not banner().widget.visible and completed == []


def test_what_is_missing_is_named(lacking, banner):
    from organdose.panels.needed_packages import missing_packages

    lacking.update({"numba", "pydicom"})
    assert missing_packages() == ["pydicom", "numba"]
    made = banner()
    assert made.widget.visible and "pydicom, numba" in made.text.text


def test_install_asks_gets_what_is_missing_and_the_window_is_completed(lacking, banner, host, completed):
    lacking.add("numba")
    made = banner()
    host.dialogs.answer(True)
    host.click(made.button)
    assert host.installations.wanted == [["numba>=0.60"]]
    assert completed == [1] and not made.widget.visible
    assert [dialog.kind for dialog in host.dialogs.shown] == ["message"]


def test_whoever_declines_keeps_the_banner(lacking, banner, host, completed):
    lacking.add("numba")
    made = banner()
    host.dialogs.answer(False)
    host.click(made.button)
    assert host.installations.wanted == [] and completed == [] and made.widget.visible
    message = host.dialogs.shown[-1].text
    assert "numba" in message and "\n" not in message


def test_an_installation_that_fails_is_said_and_can_be_tried_again(lacking, banner, host, completed):
    lacking.add("numba")
    made = banner()
    host.installations.failure = RuntimeError("no network")
    host.dialogs.answer(True)
    host.click(made.button)
    assert "no network" in host.dialogs.shown[-1].text and completed == [] and made.widget.visible
    host.installations.failure = None
    host.dialogs.answer(True)
    host.click(made.button)
    assert completed == [1]


def test_a_package_that_jobs_need_beside_the_window_comes_with_the_others(lacking, banner, host, completed):
    lacking.update({"pydantic", "highdicom"})
    made = banner()
    assert "highdicom" not in made.text.text
    host.dialogs.answer(True)
    host.click(made.button)
    assert host.installations.wanted == [["highdicom>=0.24", "pydantic>=2.6"]] and completed == [1]


def test_packages_that_came_from_elsewhere_complete_the_window_without_asking(lacking, banner, host, completed):
    lacking.add("numba")
    made = banner()
    lacking.clear()
    host.click(made.button)
    assert completed == [1] and not made.widget.visible and host.dialogs.shown == []
