"""The acquisition facts as a form: what is missing stands first, what is typed is taken or refused in words."""

import pytest

from organdose.study.ct_fact_sheet import TITLES, CTFactSheet
from organdose.study.facts import Fact, Origin

FACT, VALUE, FROM = range(3)


@pytest.fixture
def sheet():
    """Voltage known, CTDIvol contradictory, pitch missing, the rest nobody asks for."""
    return CTFactSheet(
        header={"tube_voltage_kv": Fact(120.0, Origin.header),
                "ctdivol_mgy": Fact((8.0,), Origin.header, "the dose report says 9")},
        missing={"pitch": "table feed per rotation, asked for by the engine"})


@pytest.fixture
def told():
    return {"changed": 0, "refused": []}


@pytest.fixture
def facts(host, qt, show, told):
    from organdose.panels.facts_table import FactsTable

    def changed():
        told["changed"] += 1

    return FactsTable(show(qt.QTableWidget()), changed, told["refused"].append)


def column(facts, index):
    return [facts.table.item(row, index).text() for row in range(facts.table.rowCount)]


def row_of(facts, name):
    title, unit = TITLES[name]
    return column(facts, FACT).index(f"{title} ({unit})" if unit else title)


def type_into(facts, host, name, text):
    """Double-click a value, type and press Return."""
    item = facts.table.item(row_of(facts, name), VALUE)
    facts.table.setCurrentItem(item)
    facts.table.editItem(item)
    [line] = [each for each in facts.table.findChildren("QLineEdit") if each.visible]
    line.clear()
    host.type_text(line, text)


def test_what_is_missing_stands_first_and_is_marked(facts, sheet):
    facts.show(sheet)
    assert column(facts, FACT) == ["Pitch", "Tube voltage (kV)", "CTDIvol (mGy)"]
    assert column(facts, VALUE) == ["", "120", "8"] and column(facts, FROM) == ["missing", "header", "header"]
    first = facts.table.item(0, VALUE)
    assert first.toolTip() == "Pitch: table feed per rotation, asked for by the engine"


def test_missing_and_contradictory_rows_are_coloured_and_the_known_are_not(facts, sheet, qt):
    facts.show(sheet)
    colours = [facts.table.item(row, FACT).background().color().name() for row in range(3)]
    plain = qt.QTableWidgetItem("x").background().color().name()
    assert colours[1] == plain and len(set(colours)) == 3
    assert "the dose report says 9" in facts.table.item(2, FACT).toolTip()


def test_all_facts_are_shown_when_asked_for(facts, sheet):
    facts.show(sheet, everything=True)
    assert facts.table.rowCount == len(TITLES) and column(facts, FACT)[0] == "Pitch"
    facts.show(sheet)
    assert facts.table.rowCount == 3


def test_a_typed_value_goes_into_the_sheet(facts, sheet, host, told):
    facts.show(sheet)
    type_into(facts, host, "pitch", "0.9")
    assert sheet.user["pitch"] == Fact(0.9, Origin.user)
    assert told == {"changed": 1, "refused": [""]}
    type_into(facts, host, "tube_voltage_kv", "100")
    assert sheet.user["tube_voltage_kv"].value == 100 and sheet.user["tube_voltage_kv"].note == "replaces 120 (header)"


def test_an_emptied_value_goes_back_to_the_header(facts, sheet, host):
    sheet.write("tube_voltage_kv", "100")
    facts.show(sheet)
    assert column(facts, VALUE)[row_of(facts, "tube_voltage_kv")] == "100"
    type_into(facts, host, "tube_voltage_kv", "")
    assert sheet.user == {}
    assert column(facts, VALUE)[row_of(facts, "tube_voltage_kv")] == "120"


@pytest.mark.parametrize(("name", "text"), [("pitch", "fast"), ("tube_voltage_kv", "12,3"),
                                            ("tube_voltage_kv", "-5")])
def test_a_refused_value_is_said_in_one_line_and_the_one_before_comes_back(facts, sheet, host, told, name, text):
    facts.show(sheet)
    before = column(facts, VALUE)
    type_into(facts, host, name, text)
    assert told["changed"] == 0 and sheet.user == {}
    [message] = told["refused"]
    assert message and "\n" not in message
    assert column(facts, VALUE) == before


def test_an_accepted_value_is_shown_as_it_was_understood(facts, sheet, host):
    facts.show(sheet, everything=True)
    type_into(facts, host, "scan_kind", "Helical")
    type_into(facts, host, "exposure_mas", "100;120;  110")
    assert column(facts, VALUE)[row_of(facts, "scan_kind")] == "helical"
    assert column(facts, VALUE)[row_of(facts, "exposure_mas")] == "100 to 120"
    assert column(facts, FROM)[row_of(facts, "scan_kind")] == "user" and facts.table.rowCount == len(TITLES)


def test_a_refusal_leaves_all_facts_on_show(facts, sheet, host, told):
    facts.show(sheet, everything=True)
    type_into(facts, host, "rotation_time_s", "quick")
    assert told["refused"][0] and facts.table.rowCount == len(TITLES)


def test_a_mended_value_takes_the_refusal_back(facts, sheet, host, told):
    facts.show(sheet)
    type_into(facts, host, "pitch", "fast")
    type_into(facts, host, "pitch", "1.2")
    assert told["refused"][-1] == "" and told["changed"] == 1


def test_only_values_can_be_edited(facts, sheet, qt):
    facts.show(sheet)
    editable = [bool(facts.table.item(0, index).flags() & qt.Qt.ItemIsEditable) for index in range(3)]
    assert editable == [False, True, False]


def test_showing_tells_nobody(facts, sheet, told):
    facts.show(sheet)
    facts.show(sheet, everything=True)
    assert told == {"changed": 0, "refused": []}


def test_the_table_is_as_high_as_its_rows(facts, sheet, host):
    facts.show(sheet)
    low = facts.table.height
    facts.show(sheet, everything=True)
    host.process()
    assert facts.table.height > low and not facts.table.verticalScrollBar().visible


def test_nuclear_facts_are_shown_by_the_same_form(facts):
    from organdose.study.nuclear_fact_sheet import NuclearFactSheet

    facts.show(NuclearFactSheet(), everything=True)
    assert facts.table.rowCount == len(NuclearFactSheet.titles)
    facts.show(NuclearFactSheet())
    assert facts.table.rowCount == 0
