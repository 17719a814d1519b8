"""Engine, parameters and organs of a segmentation, and whether it can run here."""

import sys

import pytest

from organdose.segmentation import res_u2net_engine
from organdose.segmentation.combined import CombinedParameters
from organdose.segmentation.engines import engine
from organdose.segmentation.res_u2net_engine import ResU2NetParameters


@pytest.fixture
def changes():
    return []


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The folder of the shipped network, empty as yet; all packages are there."""
    folder = tmp_path / "res-u2net"
    folder.mkdir()
    monkeypatch.setattr(res_u2net_engine, "resource_path", lambda *parts: folder)
    monkeypatch.setattr("organdose.panels.job_packages.find_spec", lambda module: object())
    return folder


@pytest.fixture
def choice(show, changes, shipped):
    from organdose.panels.segmentation_choice import SegmentationChoice

    made = SegmentationChoice(lambda: changes.append(made.state()))
    show(made.widget)
    made.show("analytic", {}, None)
    return made


def test_what_was_chosen_comes_back(choice, changes):
    for state in (("analytic", {"bone_low_hu": 200.0}, ["body", "bones"]), ("totalsegmentator", {"fast": True}, None),
                  ("nnunet", {"folds": ["0", "1"], "model": "/nets/one"}, ["liver"]),
                  ("combined", {"table": {"engines": {"analytic": {}}, "organs": {}, "fallback": True}}, [])):
        choice.show(*state)
        assert choice.state() == state
    assert changes == []


def test_our_network_is_the_one_to_begin_with_once_it_is_here(choice, shipped):
    choice.show("", {}, None)
    assert choice.form.engine == "analytic"
    (shipped / "weights.pt").write_bytes(b"")
    choice.show("", {}, None)
    assert choice.form.engine == "res-u2net" and choice.complaint() == ""


def test_another_engine_starts_with_all_its_organs(choice, host, changes):
    choice.show("analytic", {}, ["bones"])
    host.choose(choice.form.chooser, engine("totalsegmentator").title)
    assert changes == [("totalsegmentator", {}, None)]
    assert choice.organs.ticked() == list(engine("totalsegmentator").organs)
    assert choice.job() == {"engine": "totalsegmentator", "engine_parameters": {}}


def test_organs_ticked_go_into_the_job_all_of_them_by_leaving_them_out(choice, host, changes):
    host.click(choice.organs.none_button)
    assert changes[-1] == ("analytic", {}, []) and choice.complaint() == "Tick at least one organ."
    host.type_text(choice.organs.search, "airways")
    host.click(choice.organs.all_button)
    assert choice.job()["organs"] == choice.expected() == ["lung_left", "lung_right"] and choice.complaint() == ""
    choice.organs.search.text = ""
    host.click(choice.organs.all_button)
    assert changes[-1] == ("analytic", {}, None) and "organs" not in choice.job()
    assert choice.expected() == list(engine("analytic").organs)


def test_what_a_model_of_the_users_may_draw_is_not_expected(choice):
    choice.show("monai-bundle", {}, None)
    assert choice.expected() == []
    choice.show("monai-bundle", {}, ["liver"])
    assert choice.expected() == ["liver"]


def test_an_engine_says_what_it_is_and_why_it_cannot_run(choice, host, monkeypatch):
    assert not choice.obstacle.visible and choice.complaint() == ""
    assert "Licence: Apache-2.0" in choice.note.text and "1.7 GiB of memory" in choice.note.text
    choice.show("res-u2net", {}, None)
    assert choice.obstacle.visible and "weights.pt is missing" in choice.obstacle.text
    assert "weights.pt is missing" in choice.complaint()
    monkeypatch.setattr("organdose.panels.job_packages.find_spec", lambda module: None)
    choice.show("totalsegmentator", {}, None)
    assert "pip install TotalSegmentator" in choice.obstacle.text and "cuda" in choice.note.text
    choice.show("analytic", {}, None)
    assert not choice.obstacle.visible and choice.note.text.startswith("Licence")


def test_the_organs_follow_the_table_of_engines(choice, host, changes):
    choice.show("combined", {}, None)
    assert "Tick engines" in choice.complaint()
    choice.show("combined", {"table": {"engines": {"analytic": {}}, "fallback": False}}, None)
    assert choice.organs.ticked() == list(engine("analytic").organs) and choice.complaint() == ""
    table = choice.form.editor("table")
    assert table.inherits("QWidget") and "model" not in choice.form.values()


def test_wrong_parameters_are_said_and_all_organs_stay(choice):
    choice.show("analytic", {"bone_low_hu": 400.0}, None)
    assert "must be above" in choice.complaint() and not choice.obstacle.visible
    assert choice.organs.ticked() == list(engine("analytic").organs)


def test_organs_not_found_are_named_up_to_a_number():
    from organdose.panels.segmentation_choice import absent_line

    assert absent_line([]) == ""
    assert absent_line(["liver", "spleen"]) == "Not in this CT: Liver, Spleen."
    assert absent_line(engine("totalsegmentator").organs).endswith("and 109 more.")


# --- the editors


def test_devices_are_chosen_by_words(qt, show, host):
    from organdose.panels.segmentation_editors import DeviceEditor

    editor, told = DeviceEditor(ResU2NetParameters.model_fields["device"]), []
    show(editor.widget)
    editor.on_changed(lambda: told.append(editor.value()))
    assert editor.value() == "auto"
    for text in ("processor (cpu)", "graphics card (cuda)"):
        host.choose(editor.widget, text)
    assert told == ["cpu", "cuda"]
    editor.show("cuda:1")
    assert editor.value() == "cuda:1"


def test_paths_are_typed_or_chosen(qt, show, host, tmp_path):
    from organdose.panels.segmentation_editors import PathEditor

    editor, told = PathEditor(CombinedParameters.model_fields["model"], folder=True, file=True), []
    show(editor.widget)
    editor.on_changed(lambda: told.append(editor.value()))
    assert editor.value() is None and [button.text for button in editor.buttons] == ["Folder...", "File..."]
    host.type_text(editor.text, "/some/where")
    for button, answer in zip(editor.buttons, (tmp_path, tmp_path / "weights.ts")):
        host.dialogs.answer_file(answer)
        host.click(button)
    host.dialogs.answer_file("")
    host.click(editor.buttons[0])
    assert told == ["/some/where", str(tmp_path), str(tmp_path / "weights.ts")]
    editor.show(None)
    assert editor.value() is None


# --- the Python of the jobs


def test_packages_are_looked_for_in_the_python_that_runs_jobs(host, monkeypatch):
    import slicer

    from organdose.panels import job_packages
    from organdose.panels.window_jobs import INTERPRETER_SETTING

    monkeypatch.setattr(job_packages, "_known", {})
    monkeypatch.setattr(job_packages, "_MODULES", ("json", "no_such_module"))
    monkeypatch.setattr(job_packages, "find_spec", lambda module: None)
    assert not job_packages.installed_for_jobs("json"), "in this Python"
    slicer.app.settings().setValue(INTERPRETER_SETTING, sys.executable)
    assert job_packages.installed_for_jobs("json") and not job_packages.installed_for_jobs("no_such_module")
    job_packages.look_again()
    monkeypatch.setattr(job_packages.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(OSError()))
    assert job_packages.installed_for_jobs("no_such_module"), "the job will say what is missing"


@pytest.mark.parametrize(("name", "words"), [("res-u2net", "the shipped network"), ("nnunet", "none")])
def test_an_empty_path_says_what_it_stands_for(choice, name, words):
    from organdose.panels.segmentation_editors import PathEditor

    assert PathEditor(engine(name).parameters.model_fields["model"], folder=True).text.placeholderText == words
