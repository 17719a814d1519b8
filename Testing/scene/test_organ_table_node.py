"""The organ table keeps types, units and values."""

import dataclasses
import math

import pytest
import slicer

from organdose.assess.internal_organ_dose import InternalOrganDose, with_activity
from organdose.assess.organ_dose import OrganDose
from organdose.errors import InputError
from organdose.scene.organ_table_node import (
    COLUMNS,
    organ_table_node,
    rows_from_table_node,
    rows_updating,
    write_rows,
)


def test_numbers_are_numbers_and_names_are_names(scene, rows):
    table = organ_table_node(rows).GetTable()
    kinds = {table.GetColumnName(index): table.GetColumn(index).GetClassName()
             for index in range(table.GetNumberOfColumns())}
    assert kinds["mean_mgy"] == kinds["mass_g"] == kinds["uncertainty_percent"] == "vtkDoubleArray"
    assert kinds["organ"] == kinds["snomed"] == kinds["note"] == "vtkStringArray"
    assert list(kinds) == [field.name for field in dataclasses.fields(OrganDose)]
    assert list(COLUMNS) == [field.name for field in dataclasses.fields(InternalOrganDose)]


def test_rows_come_back(scene, rows):
    back = rows_from_table_node(organ_table_node(rows))
    assert [dataclasses.replace(row, note="") for row in back] == [dataclasses.replace(row, note="") for row in rows]


def test_an_uncertainty_that_is_not_stated_is_no_number_and_never_zero(scene, rows):
    node = organ_table_node(rows)
    assert math.isnan(slicer.util.arrayFromTableColumn(node, "uncertainty_percent")[1])
    assert rows_from_table_node(node)[1].uncertainty_percent is None


def test_titles_carry_the_unit(scene, rows):
    node = organ_table_node(rows)
    assert node.GetColumnTitle("mean_mgy") == "Mean dose (mGy)"
    assert node.GetColumnUnitLabel("mean_mgy") == "mGy"
    assert node.GetUseColumnTitleAsColumnHeader()


def test_notes_lose_the_signs_that_break_table_files_but_not_their_words(scene, rows):
    assert rows_from_table_node(organ_table_node(rows))[1].note == "called 'left' by the drawer"


def test_a_table_without_rows_keeps_its_columns(scene):
    node = organ_table_node([])
    assert (node.GetNumberOfRows(), node.GetNumberOfColumns()) == (0, len(dataclasses.fields(OrganDose)))
    assert rows_from_table_node(node) == []


def test_a_table_without_the_mean_is_refused(scene, rows):
    node = organ_table_node(rows)
    node.RemoveColumn(4)
    with pytest.raises(InputError, match="mean_mgy"):
        rows_from_table_node(node)


def test_rows_are_replaced_with_one_event(scene, rows):
    node = organ_table_node(rows)
    events = []
    node.AddObserver("ModifiedEvent", lambda *_: events.append(1))
    other = [dataclasses.replace(rows[2], mean_mgy=3.5), dataclasses.replace(rows[0], organ="spleen")]
    write_rows(node, other)
    assert rows_from_table_node(node) == other
    assert len(events) == 1


def test_rows_being_computed_are_marked_and_the_mark_is_no_part_of_the_row(scene, rows):
    node = organ_table_node(rows)
    assert rows_updating(node) == set()
    write_rows(node, rows, {"liver", "nowhere"})
    assert rows_updating(node) == {"liver"}
    assert node.GetColumnTitle("state") == "State"
    write_rows(node, rows[1:])
    assert rows_updating(node) == set()
    assert len(rows_from_table_node(node)) == 2


def test_a_table_loaded_without_states_gets_them_when_the_first_row_needs_one(scene, rows):
    node = organ_table_node(rows)
    write_rows(node, rows)
    assert node.GetTable().GetColumnByName("state") is None


def test_rows_of_internal_dose_keep_their_activity(scene, rows):
    with_activities = [with_activity(row, 12.5, 284.0) for row in rows]
    node = organ_table_node(with_activities)
    back = rows_from_table_node(node)
    assert [row.tiac_h for row in back] == pytest.approx([12.5 / 284] * len(rows))
    assert back[0].mean_mgy_per_mbq == pytest.approx(rows[0].mean_mgy / 284)
    assert node.GetColumnTitle("mean_mgy_per_mbq") == "Mean dose per activity (mGy/MBq)"
