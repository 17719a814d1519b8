"""Choosing a scanner: one that OrganDose knows, or the user's own definition."""

import json

import pytest
from pydantic import BaseModel, Field

from organdose.ct.scanner import load_scanner, scanner_names
from organdose.resources import resource_path


class Parameters(BaseModel):
    scanner: str = Field("generic", title="Scanner")


@pytest.fixture
def changes():
    return []


@pytest.fixture
def editor(host, show, changes):
    from organdose.panels.scanner_editor import ScannerEditor

    made = ScannerEditor(Parameters.model_fields["scanner"])
    made.show("generic")
    made.on_changed(lambda: changes.append(made.value()))
    show(made.widget)
    return made


@pytest.fixture
def own_scanner(tmp_path):
    """A definition of the user's own."""
    content = json.loads(resource_path("scanners", "generic.json").read_text(encoding="utf-8"))
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(content | {"name": "ours", "title": "Our scanner"}), encoding="utf-8")
    return path


def texts(editor):
    return [editor.widget.itemText(index) for index in range(editor.widget.count)]


def test_the_scanners_there_are_stand_by_their_titles_and_a_file_comes_last(editor):
    titles = [load_scanner(name).title for name in scanner_names()]
    assert texts(editor) == ["After the header", *titles, "From a file..."]
    assert editor.value() == "generic" and editor.widget.currentText == load_scanner("generic").title


def test_a_known_scanner_is_told_by_its_name(editor, host, changes, own_scanner):
    editor.show(str(own_scanner))
    host.choose(editor.widget, load_scanner("generic").title)
    assert editor.value() == "generic" and changes == ["generic"]


def test_a_file_is_told_by_its_path_and_stays_in_the_list(editor, host, own_scanner, changes):
    host.dialogs.answer_file(own_scanner)
    host.choose(editor.widget, "From a file...")
    assert editor.value() == str(own_scanner) and changes == [str(own_scanner)]
    assert editor.widget.currentText == str(own_scanner) and texts(editor)[-1] == "From a file..."
    assert load_scanner(editor.value()).title == "Our scanner"


@pytest.mark.parametrize("content", ["this is no JSON", '{"name": "half"}', None])
def test_a_file_that_is_none_is_refused_in_words_and_the_scanner_stays(editor, host, tmp_path, changes, content):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    host.dialogs.answer_file(path)
    host.choose(editor.widget, "From a file...")
    message = host.dialogs.shown[-1]
    assert message.kind == "message" and str(path) in message.text and "\n" not in message.text
    assert editor.value() == "generic" and editor.widget.currentText == load_scanner("generic").title
    assert changes == [] and str(path) not in texts(editor)


def test_a_file_dialog_left_with_cancel_changes_nothing(editor, host, changes):
    host.choose(editor.widget, "From a file...")
    assert [dialog.kind for dialog in host.dialogs.shown] == ["file"]
    assert editor.value() == "generic" and editor.widget.currentText != "From a file..." and changes == []


def test_a_file_saved_with_a_scene_is_shown_without_a_signal(editor, changes, own_scanner):
    editor.show(str(own_scanner))
    editor.show(str(own_scanner))
    assert editor.value() == str(own_scanner) and texts(editor).count(str(own_scanner)) == 1 and changes == []


def test_it_stands_in_the_form_of_the_dose_engine(host, show, own_scanner):
    from organdose.ct.engines import engines
    from organdose.panels.engine_form import EngineForm
    from organdose.panels.scanner_editor import ScannerEditor

    changes = []
    form = EngineForm(engines(), lambda: changes.append(form.values()), editors={"scanner": ScannerEditor})
    show(form.widget)
    assert form.values() == {}
    host.dialogs.answer_file(own_scanner)
    host.choose(form.editor("scanner"), "From a file...")
    assert changes == [{"scanner": str(own_scanner)}]
    form.show("mc", {})
    assert form.values() == {} and form.editor("scanner").currentText == "After the header"
