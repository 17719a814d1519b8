"""Which Python runs the jobs, what it has, and getting what it lacks."""

import platform
import sys
import venv
from dataclasses import replace

import pytest

from organdose.jobs.self_check import SelfCheck
from organdose.jobs.self_check_facts import probe


@pytest.fixture
def new_panel(jobs, show):
    from organdose.panels.settings_panel import SettingsPanel

    panels = []

    def make():
        panels.append(SettingsPanel())
        show(panels[-1].widget)
        return panels[-1]

    yield make
    for panel in panels:
        panel.stop()


@pytest.fixture
def panel(new_panel):
    return new_panel()


@pytest.fixture
def checks(monkeypatch):
    """Self-checks that find what the test says: `checks.append(found)` for each."""
    prepared = []

    class Run:
        def __init__(self):
            self.found, self.closed = prepared.pop(0), False

        def poll(self):
            return self.found

        def close(self):
            self.closed = True

    monkeypatch.setattr("organdose.jobs.self_check.start_self_check", lambda interpreter: Run())
    return prepared


def chosen():
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    return slicer.util.settingsValue(INTERPRETER_SETTING, "")


def choose(path):
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    slicer.app.settings().setValue(INTERPRETER_SETTING, str(path))


def lacking(*names):
    """What a self-check of this Python would find without some packages."""
    found = SelfCheck(**probe())
    packages = [each | {"found": None} if each["name"] in names else each for each in found.packages]
    return replace(found, packages=packages, memory={})


def check(panel, host):
    host.click(panel.check_button)
    host.wait_until(lambda: panel.check_button.enabled, 60, "the self-check")


def test_the_self_check_of_this_python_says_what_it_has(panel, host):
    host.click(panel.check_button)
    assert panel.report.text == "Looking ..." and not panel.check_button.enabled
    host.wait_until(lambda: panel.check_button.enabled, 60, "the self-check")
    first = panel.report.text.split("\n")[0]
    assert first.startswith(f"Jobs can run. Python {platform.python_version()}") and "GiB memory free" in first
    assert not panel.install_button.enabled
    assert panel.install_button.toolTip == "Nothing that every job needs is missing."


def test_the_self_check_of_a_python_without_packages_says_what_is_missing(panel, host, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    host.type_text(panel.path, str(tmp_path / "bare"))
    check(panel, host)
    assert panel.report.text.startswith("Jobs cannot run yet.")
    assert "• missing for everything:" in panel.report.text and "highdicom" in panel.report.text
    assert not panel.install_button.enabled and "by hand" in panel.install_button.toolTip


def test_a_nonsense_path_is_refused_in_one_line_and_the_choice_stays(panel, host):
    host.type_text(panel.path, "/no/such/environment")
    assert "/no/such/environment" in panel.report.text and "\n" not in panel.report.text
    assert panel.path.text == "" and chosen() == ""


def test_a_python_that_is_gone_since_is_said_by_the_self_check(new_panel, host):
    choose("/gone/environment")
    panel = new_panel()
    assert panel.path.text == "/gone/environment"
    host.click(panel.check_button)
    assert "/gone/environment" in panel.report.text and panel.check_button.enabled


def test_a_typed_environment_is_kept_as_the_setting(panel, host, new_panel):
    host.type_text(panel.path, sys.prefix)
    assert chosen() == sys.prefix and "self-check" in panel.report.text
    assert new_panel().path.text == sys.prefix
    panel.path.clear()
    host.type_text(panel.path, "")
    assert chosen() == ""


def test_an_environment_is_chosen_in_a_dialog(panel, host):
    host.dialogs.answer_file(sys.prefix)
    host.click(panel.browse)
    assert chosen() == sys.prefix and panel.path.text == sys.prefix
    host.click(panel.browse)  # left with Cancel
    assert chosen() == sys.prefix


def test_the_choice_is_the_same_in_every_module(new_panel, host):
    first, second = new_panel(), new_panel()
    host.type_text(first.path, sys.prefix)
    assert second.path.text == sys.prefix
    host.type_text(second.path, second.path.text)  # Return in a line where nothing was typed
    assert chosen() == sys.prefix


def test_windows_are_told_of_another_choice(new_panel, host, show):
    from organdose.panels.settings_panel import SettingsPanel

    told = []
    listening = SettingsPanel(lambda: told.append(chosen()))
    show(listening.widget)
    host.type_text(new_panel().path, sys.prefix)
    assert told == [sys.prefix]
    listening.stop()


def test_another_choice_ends_a_self_check_of_the_one_before(panel, host, checks):
    checks.append(None)
    host.click(panel.check_button)
    assert not panel.check_button.enabled
    run = panel._check
    host.type_text(panel.path, sys.prefix)
    assert run.closed and panel.check_button.enabled and panel.report.text.startswith("Chosen.")


def test_only_what_is_missing_is_installed_after_asking(panel, host, checks):
    checks += [lacking("highdicom", "torch"), lacking()]
    check(panel, host)
    assert panel.install_button.enabled and "highdicom>=0.24" in panel.install_button.toolTip
    assert "torch" not in panel.install_button.toolTip, "engines that need torch are not what every job needs"
    host.installations.pretend_missing.add("highdicom")
    host.dialogs.answer(True)
    host.click(panel.install_button)
    assert host.installations.wanted == [["highdicom>=0.24"]]
    host.wait_until(lambda: panel.check_button.enabled, 60, "the second self-check")
    assert panel.report.text.startswith("Jobs can run.") and not panel.install_button.enabled


def test_a_refused_installation_is_said_and_can_be_tried_again(panel, host, checks):
    checks.append(lacking("highdicom"))
    check(panel, host)
    host.installations.pretend_missing.add("highdicom")
    host.dialogs.answer(False)
    host.click(panel.install_button)
    assert host.installations.wanted == [] and "highdicom" in panel.report.text and "\n" not in panel.report.text
    assert panel.install_button.enabled


def test_a_failed_installation_is_said(panel, host, checks):
    checks.append(lacking("highdicom"))
    check(panel, host)
    host.installations.pretend_missing.add("highdicom")
    host.installations.failure = RuntimeError("no network")
    host.dialogs.answer(True)
    host.click(panel.install_button)
    assert "no network" in panel.report.text and panel.install_button.enabled


def test_what_is_wrong_but_stops_no_job_is_a_warning(panel, host, checks):
    checks.append(replace(lacking(), memory={"free_bytes": 1 << 30, "total_bytes": 2 << 30}))
    check(panel, host)
    lines = panel.report.text.split("\n")
    assert lines[0].startswith("Jobs can run.") and any("1.0 GiB of memory are free" in line for line in lines[1:])


def test_a_panel_that_goes_away_ends_its_self_check(panel, host, checks):
    checks.append(None)
    host.click(panel.check_button)
    run = panel._check
    panel.stop()
    assert run.closed
    host.process(0.15)
