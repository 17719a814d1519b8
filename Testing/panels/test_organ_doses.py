"""The organ table on screen: sorted by number, copied and saved as people take it on, stale rows in grey."""

import csv
import math
from dataclasses import replace

import pytest

from organdose.assess.organ_dose import OrganDose
from organdose.errors import InputError

HEADINGS = ["Organ", "Mean\nmGy", "±\n%", "D98\nmGy", "D2\nmGy", "Max\nmGy", "Mass\ng", "In image\n%", "Mask"]
MEAN, UNCERTAINTY = 1, 2


def dose(organ, mean_mgy, uncertainty_percent=1.5, **more):
    row = OrganDose(organ, "1", 100.0, 105.25, mean_mgy, uncertainty_percent, 0.5, mean_mgy - 2, mean_mgy + 2,
                    mean_mgy - 1, mean_mgy, mean_mgy + 1, 97.5, "")
    return replace(row, **more)


ROWS = [dose("liver", 9.5), dose("kidney_left", 10.25, None), dose("pancreas", 100.0), dose("spleen", 2.0)]


@pytest.fixture
def doses(qt, show):
    from organdose.panels.organ_doses import OrganDoses

    return OrganDoses(show(qt.QTableWidget()))


@pytest.fixture
def table_node(host):
    from organdose.scene.organ_table_node import organ_table_node

    return organ_table_node(ROWS)


def column(doses, index=0):
    return [doses.table.item(row, index).text() for row in range(doses.table.rowCount)]


def clipboard(qt):
    return [line.split("\t") for line in qt.QApplication.clipboard().text().split("\n")]


def test_the_rows_of_the_node_are_shown_with_titles_and_rounded_numbers(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    write_rows(table_node, [dose("liver", 9.123456, 1.2345, mass_g=1543.21)])
    doses.show(table_node)
    assert [doses.table.horizontalHeaderItem(index).text() for index in range(doses.table.columnCount)] == HEADINGS
    assert [column(doses, index)[0] for index in range(8)] == ["Liver", "9.123", "1.2", "8.123", "10.12", "11.12",
                                                               "1543", "97.5"]


def test_organs_stand_in_the_order_of_the_table_until_somebody_sorts(doses, table_node):
    doses.show(table_node)
    assert column(doses) == ["Liver", "Left kidney", "Pancreas", "Spleen"]


def test_numbers_are_sorted_by_size_and_not_as_text(doses, table_node, qt):
    doses.show(table_node)
    doses.table.sortItems(MEAN, qt.Qt.AscendingOrder)
    assert column(doses, MEAN) == ["2", "9.5", "10.25", "100"]
    doses.table.sortItems(MEAN, qt.Qt.DescendingOrder)
    assert column(doses) == ["Pancreas", "Left kidney", "Liver", "Spleen"]


def test_rows_stay_whole_when_the_sorted_table_changes(doses, table_node, qt):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    doses.table.sortItems(MEAN, qt.Qt.AscendingOrder)
    write_rows(table_node, [replace(ROWS[0], mean_mgy=500.0, mass_g=1.0), *ROWS[1:]])
    doses.show(table_node)
    assert column(doses) == ["Spleen", "Left kidney", "Pancreas", "Liver"] and column(doses, 6)[-1] == "1"
    assert column(doses, MEAN) == ["2", "10.25", "100", "500"]


def test_organs_that_come_and_go_are_followed(doses, table_node, qt):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    doses.table.sortItems(MEAN, qt.Qt.AscendingOrder)
    write_rows(table_node, [ROWS[0], dose("stomach", 3.0)])
    doses.show(table_node)
    assert column(doses) == ["Stomach", "Liver"] and column(doses, MEAN) == ["3", "9.5"]


def test_a_number_nobody_states_is_an_empty_cell_that_sorting_takes(doses, table_node, qt):
    doses.show(table_node)
    doses.table.sortItems(UNCERTAINTY, qt.Qt.AscendingOrder)
    assert sorted(column(doses, UNCERTAINTY)) == ["", "1.5", "1.5", "1.5"]


def test_a_number_that_is_no_longer_stated_disappears(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    write_rows(table_node, [replace(ROWS[0], uncertainty_percent=None, in_image_percent=math.nan), *ROWS[1:]])
    doses.show(table_node)
    assert column(doses, UNCERTAINTY)[0] == "" and column(doses, 7)[0] == ""


def test_all_rows_are_copied_tab_separated(doses, table_node, qt):
    doses.show(table_node)
    doses.copy()
    lines = clipboard(qt)
    assert lines[0] == ["Organ", "Mean mGy", "± %", "D98 mGy", "D2 mGy", "Max mGy", "Mass g", "In image %", "Mask"]
    assert [line[0] for line in lines[1:]] == ["Liver", "Left kidney", "Pancreas", "Spleen"]
    assert lines[2][MEAN:3] == ["10.25", ""] and all(len(line) == 9 for line in lines)


def test_only_selected_rows_are_copied_as_they_stand(doses, table_node, qt):
    doses.show(table_node)
    doses.table.sortItems(MEAN, qt.Qt.AscendingOrder)
    doses.table.selectRow(1)
    doses.copy()
    assert [line[0] for line in clipboard(qt)] == ["Organ", "Liver"] and doses.selected() == ["liver"]


def test_the_csv_has_every_column_and_the_names_of_the_vocabulary(doses, table_node, tmp_path):
    from organdose.panels.organ_doses import save_csv

    path = tmp_path / "organs.csv"
    save_csv(table_node, str(path))
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["organ"] for line in lines] == ["liver", "kidney_left", "pancreas", "spleen"]
    assert (lines[0]["mean_mgy"], lines[1]["uncertainty_percent"], lines[0]["sd_mgy"]) == ("9.5", "", "0.5")


def test_a_csv_that_cannot_be_written_is_one_line(table_node, tmp_path):
    from organdose.panels.organ_doses import save_csv

    with pytest.raises(InputError, match="could not be written") as caught:
        save_csv(table_node, str(tmp_path / "no such folder" / "organs.csv"))
    assert "\n" not in str(caught.value)


def test_a_stale_row_is_grey_until_it_has_been_computed_again(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    plain = doses.table.item(1, MEAN).foreground().color().name()
    write_rows(table_node, ROWS, updating=["kidney_left"])
    doses.show(table_node)
    inks = [doses.table.item(row, MEAN).foreground().color().name() for row in range(4)]
    assert inks[1] != plain and inks[0] == inks[2] == inks[3] == plain
    assert "computed again" in doses.table.item(1, 0).toolTip()
    write_rows(table_node, ROWS)
    doses.show(table_node)
    assert doses.table.item(1, MEAN).foreground().color().name() == plain
    assert doses.table.item(1, 0).toolTip() == "Left kidney"


def test_only_rows_that_changed_are_written(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    written = set()
    doses.table.cellChanged.connect(lambda row, column: written.add(row))
    doses.show(table_node)
    assert written == set()
    write_rows(table_node, [*ROWS[:3], replace(ROWS[3], mean_mgy=2.5)])
    doses.show(table_node)
    assert written == {3}


def test_a_note_is_the_tooltip_of_its_row(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    write_rows(table_node, [dose("liver", 1.0, note="ends at the edge of the image")])
    doses.show(table_node)
    assert doses.table.item(0, MEAN).toolTip() == "ends at the edge of the image"


def test_an_empty_table_and_no_table_show_nothing(doses, table_node, qt):
    from organdose.scene.organ_table_node import organ_table_node

    doses.show(table_node)
    doses.show(organ_table_node([]))
    assert doses.table.rowCount == 0
    doses.show(table_node)
    doses.show(None)
    assert doses.table.rowCount == 0
    doses.copy()
    assert len(clipboard(qt)) == 1, "the headings only"
    assert doses.selected() == []


def test_a_table_of_an_older_version_lacks_a_column_and_is_shown_all_the_same(doses, table_node):
    table_node.GetTable().RemoveColumnByName("in_image_percent")
    doses.show(table_node)
    assert column(doses, MEAN)[0] == "9.5" and column(doses, 7) == [""] * 4


def test_the_numbers_cannot_be_edited(doses, table_node, host):
    from host.pythonqt import unwrap
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    doses.show(table_node)
    doses.table.setCurrentItem(doses.table.item(0, MEAN))
    for key in (Qt.Key.Key_F2, Qt.Key.Key_5):
        QTest.keyClick(unwrap(doses.table), key)
    host.process()
    assert not [line for line in doses.table.findChildren("QLineEdit") if line.visible]


def test_the_table_is_as_high_as_its_rows_up_to_a_limit(doses, table_node):
    from organdose.scene.organ_table_node import write_rows

    doses.show(table_node)
    low = doses.table.minimumHeight
    write_rows(table_node, [dose(f"tumour_{number}", 1.0) for number in range(1, 20)])
    doses.show(table_node)
    middle = doses.table.minimumHeight
    write_rows(table_node, [dose(f"tumour_{number}", 1.0) for number in range(1, 60)])
    doses.show(table_node)
    assert low < middle == doses.table.minimumHeight
