"""The organs an engine can draw, ticked and unticked."""

import pytest

from organdose.anatomy.organs import organ

ORGANS = ("liver", "lung_left", "lung_right", "bones")


@pytest.fixture
def changes():
    return []


@pytest.fixture
def organs(qt, show, changes):
    from organdose.panels.organ_list import OrganList

    made = OrganList(show(qt.QListWidget()), lambda: changes.append(made.ticked()))
    return made


def click_mark(organs, host, row):
    """Press the check mark of a row."""
    from host.pythonqt import unwrap
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    native = unwrap(organs.widget)
    place = native.visualItemRect(native.item(row))
    QTest.mouseClick(native.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
                     QPoint(place.left() + 8, place.center().y()))
    host.process()


def test_organs_stand_with_their_titles_and_colours(organs, qt):
    organs.show(ORGANS, None)
    items = [organs.widget.item(row) for row in range(organs.widget.count)]
    assert [item.text() for item in items] == ["Liver", "Left lung", "Right lung", "Bones"]
    for item, name in zip(items, ORGANS):
        shown = qt.QIcon(item.icon()).pixmap(12, 12).toImage().pixelColor(6, 6)
        assert (shown.red(), shown.green(), shown.blue()) == organ(name).colour_rgb


def test_all_are_ticked_without_a_choice_and_the_chosen_with_one(organs):
    organs.show(ORGANS, None)
    assert organs.ticked() == list(ORGANS)
    organs.show(ORGANS, ["bones", "lung_left", "of another engine"])
    assert organs.ticked() == ["lung_left", "bones"]
    organs.show(ORGANS, [])
    assert organs.ticked() == []


def test_a_tick_is_told(organs, host, changes):
    organs.show(ORGANS, ["liver"])
    click_mark(organs, host, 1)
    assert changes == [["liver", "lung_left"]]
    click_mark(organs, host, 0)
    assert changes[-1] == ["lung_left"]


def test_showing_tells_nobody(organs, changes):
    organs.show(ORGANS, None)
    organs.show(ORGANS[:2], [])
    assert changes == [] and organs.widget.count == 2


def test_all_and_none_are_told_once(organs, changes):
    organs.show(ORGANS, ["liver"])
    organs.tick_all(True)
    organs.tick_all(False)
    assert changes == [list(ORGANS), []]


def test_an_engine_without_organs_shows_an_empty_list(organs, changes):
    organs.show(ORGANS, None)
    organs.show((), None)
    organs.tick_all(True)
    assert organs.widget.count == 0 and organs.ticked() == []


def test_a_name_outside_the_vocabulary_is_shown_by_itself(organs):
    organs.show(("insert_3",), None)
    assert organs.widget.item(0).text() == "Insert 3" and organs.ticked() == ["insert_3"]


def test_the_list_is_as_high_as_its_rows_up_to_a_limit(organs):
    heights = []
    for count in (1, 4, 40, 80):
        organs.show([f"tumour_{number}" for number in range(1, count + 1)], None)
        heights.append(organs.widget.minimumHeight)
    assert heights[0] < heights[1] < heights[2] == heights[3]
