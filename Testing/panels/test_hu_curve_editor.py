"""Choosing an HU curve: Schneider's, or the clinic's own."""

import json

import pytest
from pydantic import BaseModel, Field

SCHNEIDER, OTHER = "Schneider 2000", "From a file..."


class Parameters(BaseModel):
    hu_curve: str | None = Field(None, title="HU curve")


@pytest.fixture
def changes():
    return []


@pytest.fixture
def editor(host, show, changes):
    from organdose.panels.hu_curve_editor import HUCurveEditor

    made = HUCurveEditor(Parameters.model_fields["hu_curve"])
    made.show(None)
    made.on_changed(lambda: changes.append(made.value()))
    show(made.widget)
    return made


@pytest.fixture
def curve(tmp_path):
    path = tmp_path / "ours.json"
    path.write_text(json.dumps({"nodes": [[-1000, 0.0012], [0, 1.0], [3000, 2.8]]}), encoding="utf-8")
    return path


def test_schneider_is_what_nobody_chose(editor):
    assert editor.value() is None and editor.widget.currentText == SCHNEIDER


def test_a_file_is_shown_by_its_name_and_given_by_its_path(editor, host, curve, changes):
    host.dialogs.answer_file(curve)
    host.choose(editor.widget, OTHER)
    assert editor.value() == str(curve) and changes == [str(curve)]
    assert editor.widget.currentText == "ours.json"
    host.choose(editor.widget, SCHNEIDER)
    assert editor.value() is None and changes == [str(curve), None]


def test_a_curve_that_is_wrong_is_refused_in_words_and_the_choice_stays(editor, host, tmp_path, changes):
    path = tmp_path / "bad.json"
    path.write_text('{"nodes": [[0, 1.0], [0, 1.1]]}', encoding="utf-8")
    host.dialogs.answer_file(path)
    host.choose(editor.widget, OTHER)
    message = host.dialogs.shown[-1]
    assert message.kind == "message" and "must rise" in message.text and "\n" not in message.text
    assert editor.value() is None and editor.widget.currentText == SCHNEIDER and changes == []


def test_a_file_dialog_left_with_cancel_changes_nothing(editor, host, changes):
    host.choose(editor.widget, OTHER)
    assert editor.value() is None and editor.widget.currentText == SCHNEIDER and changes == []


def test_a_curve_saved_with_a_scene_is_shown_without_a_signal(editor, curve, changes):
    editor.show(str(curve))
    editor.show(str(curve))
    assert editor.value() == str(curve) and changes == []
    assert [editor.widget.itemText(k) for k in range(editor.widget.count)] == [SCHNEIDER, "ours.json", OTHER]


def test_couch_contrast_and_extension_stand_in_the_form_beside_it(host, show, curve):
    from organdose.ct.engines import engines
    from organdose.panels.engine_form import EngineForm
    from organdose.panels.hu_curve_editor import HUCurveEditor

    form = EngineForm(engines(), lambda: None, editors={"hu_curve": HUCurveEditor})
    show(form.widget)
    host.click(form.section("Patient"))
    host.choose(form.editor("couch"), "remove")
    host.choose(form.editor("contrast"), "yes")
    host.choose(form.editor("extend"), "none")
    host.dialogs.answer_file(curve)
    host.choose(form.editor("hu_curve"), OTHER)
    assert form.values() == {"couch": "remove", "contrast": "yes", "extend": "none", "hu_curve": str(curve)}
    assert form.complaint() == ""
