"""Which engine draws which organ, chosen in a table."""

import json

import pytest

from organdose.errors import InputError
from organdose.segmentation.combined import CombinedParameters, EngineTable, read_engine_table
from organdose.segmentation.engines import engine

TABLE = {"engines": {"totalsegmentator": {"fast": True}, "res-u2net": {}, "analytic": {}},
         "organs": {"liver": ["res-u2net"], "lung_left": ["analytic", "res-u2net"]}, "fallback": False}


@pytest.fixture
def changes():
    return []


@pytest.fixture
def editor(show, changes):
    from organdose.panels.engine_table_editor import EngineTableEditor

    made = EngineTableEditor(CombinedParameters.model_fields["table"])
    made.on_changed(lambda: changes.append(made.value()))
    show(made.widget)
    return made


def rows(editor):
    table = editor.organs.table
    return {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)
            if not table.isRowHidden(row)}


def tick(editor, host, name, on=True):
    """Ticks an engine as a click on its mark does."""
    import qt

    row = next(row for row in range(editor.list.count) if editor.list.item(row).text() == engine(name).title)
    editor.list.setCurrentRow(row)
    editor.list.item(row).setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)
    host.process()


def select(editor, host, *titles):
    table = editor.organs.table
    table.clearSelection()
    for row in range(table.rowCount):
        if table.item(row, 0).text() in titles:
            for column in (0, 1):
                table.item(row, column).setSelected(True)
    host.process()


def test_without_an_engine_there_is_no_table(editor):
    assert editor.value() is None and not editor.organs.table.visible and not editor.place.visible


def test_a_table_comes_back_as_it_was_given(editor, changes):
    editor.show(TABLE)
    assert editor.value() == TABLE and changes == []
    assert EngineTable(**editor.value()) == EngineTable(**TABLE)
    editor.show(EngineTable(**TABLE))
    assert editor.value() == TABLE
    editor.show(None)
    assert editor.value() is None


def test_ticked_engines_with_their_parameters_are_the_table(editor, host, changes):
    tick(editor, host, "totalsegmentator")
    assert changes == [{"engines": {"totalsegmentator": {}}, "organs": {}, "fallback": True}]
    assert editor.organs.summary.text.startswith("117 organs, each drawn by one") and not editor.organs.table.visible
    host.click(editor.form("totalsegmentator").editor("fast"))
    assert changes[-1]["engines"] == {"totalsegmentator": {"fast": True}}
    tick(editor, host, "res-u2net")
    assert list(changes[-1]["engines"]) == ["res-u2net", "totalsegmentator"], "in the order of the list"
    assert editor.form("res-u2net").widget.visible and not editor.form("totalsegmentator").widget.visible


def test_organs_that_several_engines_draw_are_listed_with_the_first(editor, host):
    tick(editor, host, "totalsegmentator")
    tick(editor, host, "res-u2net")
    both = set(engine("totalsegmentator").organs) & set(engine("res-u2net").organs)
    assert len(rows(editor)) == len(both) and rows(editor)["Spleen"] == "res-u2net (first)"
    assert editor.organs.summary.text.startswith(f"{len(both)} organs are drawn by several of them")
    host.click(editor.up)
    host.click(editor.down)
    editor.list.setCurrentRow(1)
    host.click(editor.down)
    assert rows(editor)["Spleen"] == "totalsegmentator (first)"
    host.type_text(editor.organs.search, "milz")
    assert list(rows(editor)) == ["Spleen"]


def test_selected_organs_are_taken_from_another_engine_at_once(editor, host, changes):
    editor.show({"engines": {"totalsegmentator": {}, "res-u2net": {}}})
    assert not editor.organs.source.enabled and "Select organs" in editor.organs.source.toolTip
    select(editor, host, "Spleen", "Liver")
    host.choose(editor.organs.source, "res-u2net")
    assert changes == [{"engines": {"totalsegmentator": {}, "res-u2net": {}},
                        "organs": {"spleen": ["res-u2net"], "liver": ["res-u2net"]}, "fallback": True}]
    assert rows(editor)["Liver"] == "res-u2net" and rows(editor)["Pancreas"] == "totalsegmentator (first)"
    assert editor.organs.source.currentText == "res-u2net"
    select(editor, host, "Liver")
    host.choose(editor.organs.source, "the first that draws it")
    assert changes[-1]["organs"] == {"spleen": ["res-u2net"]}


def test_only_engines_that_draw_all_selected_organs_are_offered(editor, host):
    editor.show(TABLE)
    assert rows(editor)["Left lung"] == "analytic, then res-u2net"
    for titles, offered in ((("Spleen",), ["totalsegmentator", "res-u2net"]), (("Spleen", "Left lung"), ["res-u2net"]),
                            (("Left lung",), ["res-u2net", "analytic"])):
        select(editor, host, *titles)
        source = editor.organs.source
        assert [source.itemText(index) for index in range(source.count)][1:] == offered


def test_choices_for_an_engine_come_back_with_it(editor, host, changes):
    editor.show(TABLE)
    tick(editor, host, "res-u2net", on=False)
    assert changes[-1]["organs"] == {"lung_left": ["analytic"]}
    tick(editor, host, "res-u2net")
    assert changes[-1] == TABLE


def test_a_table_is_saved_and_loaded_as_the_file_of_the_command_line(editor, changes, tmp_path):
    editor.show(TABLE)
    editor.save(tmp_path / "engines.json")
    assert json.loads((tmp_path / "engines.json").read_text(encoding="utf-8")) == TABLE
    assert read_engine_table(tmp_path / "engines.json") == EngineTable(**TABLE)
    editor.show(None)
    editor.load(tmp_path / "engines.json")
    assert changes == [TABLE]


def test_what_is_no_table_is_refused_and_the_one_shown_stays(editor, changes, tmp_path):
    with pytest.raises(InputError, match="no engine is ticked"):
        editor.save(tmp_path / "empty.json")
    editor.show(TABLE)
    (tmp_path / "wrong.json").write_text('{"engines": {"magic": {}}}', encoding="utf-8")
    with pytest.raises(InputError, match="unknown engine 'magic'"):
        editor.load(tmp_path / "wrong.json")
    with pytest.raises(ValueError):
        editor.show({"engines": {}})
    assert editor.value() == TABLE and changes == [] and not (tmp_path / "empty.json").exists()


def test_the_dialogs_say_what_is_wrong_with_a_file(editor, host, changes, monkeypatch, tmp_path):
    import slicer

    told = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *_, **__: told.append(text))
    (tmp_path / "wrong.json").write_text("[]", encoding="utf-8")
    for name in ("wrong.json", "missing.json", ""):
        host.dialogs.answer_file(tmp_path / name if name else "")
        host.click(editor.load_button)
    assert len(told) == 2 and all(name in text for name, text in zip(("wrong.json", "missing.json"), told))
    assert changes == []
