"""The organs an engine can draw: in groups, ticked and unticked, searched."""

import pytest

from organdose.anatomy.organs import organ
from organdose.segmentation.totalsegmentator_engine import ENGINE as TOTALSEGMENTATOR

ORGANS = ("liver", "lung_left", "lung_right", "bones")


@pytest.fixture
def changes():
    return []


@pytest.fixture
def organs(show, changes):
    from organdose.panels.organ_tree import OrganTree

    made = OrganTree(lambda: changes.append(made.ticked()))
    show(made.widget)
    return made


@pytest.fixture
def click(organs, host):
    """Presses the check mark of a group or an organ, by the beginning of its text."""
    from host.pythonqt import unwrap
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

    def press(text):
        native = unwrap(organs.tree)
        item, = native.findItems(text, Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive)
        place, option = native.visualItemRect(item), QStyleOptionViewItem()
        assert not place.isEmpty(), f"{text} is not to be seen"
        option.features = QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
        option.rect = place
        mark = native.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, native)
        QTest.mouseClick(native.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
                         QPoint(mark.center().x(), place.center().y()))
        host.process()

    return press


def rows(organs):
    """What a person sees: (text, mark) of groups, and below open ones of their organs."""
    seen = []
    for row in range(organs.tree.topLevelItemCount):
        group = organs.tree.topLevelItem(row)
        items = [group] + [group.child(index) for index in range(group.childCount()) if group.isExpanded()]
        seen += [(item.text(0), "-~x"[item.checkState(0)]) for item in items
                 if not group.isHidden() and not item.isHidden()]
    return seen


def test_organs_stand_in_groups_with_their_titles_and_colours(organs, qt):
    organs.show(ORGANS, ["lung_left"])
    assert rows(organs) == [("Airways and lungs (1 of 2)", "~"), ("Left lung", "x"), ("Right lung", "-"),
                            ("Digestive organs (0 of 1)", "-"), ("Liver", "-"),
                            ("Bones and marrow as a whole (0 of 1)", "-"), ("Bones", "-")]
    shown = qt.QIcon(organs.tree.topLevelItem(1).child(0).icon(0)).pixmap(12, 12).toImage().pixelColor(6, 6)
    assert (shown.red(), shown.green(), shown.blue()) == organ("liver").colour_rgb


def test_all_are_ticked_without_a_choice_and_the_chosen_with_one(organs):
    organs.show(ORGANS, None)
    assert organs.ticked() == list(ORGANS)
    organs.show(ORGANS, ["bones", "lung_left", "of another engine"])
    assert organs.ticked() == ["lung_left", "bones"]
    organs.show(ORGANS, [])
    assert organs.ticked() == []


def test_a_tick_is_told_once(organs, click, changes):
    organs.show(ORGANS, ["liver"])
    click("Left lung")
    assert changes == [["liver", "lung_left"]]
    click("Liver")
    assert changes[1:] == [["lung_left"]]


def test_a_group_is_ticked_whole_then_unticked_and_told_once(organs, click, changes):
    organs.show(ORGANS, ["lung_left"])
    click("Airways")
    assert changes == [["lung_left", "lung_right"]]
    click("Airways")
    assert changes[1:] == [[]]
    assert rows(organs)[0] == ("Airways and lungs (0 of 2)", "-")


def test_showing_and_searching_tell_nobody(organs, host, changes):
    organs.show(ORGANS, None)
    organs.show(ORGANS[:2], [])
    host.type_text(organs.search, "lung")
    assert changes == [] and organs.ticked() == []


def test_all_and_none_go_for_what_the_search_shows(organs, host, changes):
    organs.show(ORGANS, ["liver"])
    host.type_text(organs.search, "poumon")
    assert [text for text, _mark in rows(organs)] == ["Airways and lungs (0 of 2)", "Left lung", "Right lung"]
    host.click(organs.all_button)
    host.click(organs.none_button)
    host.type_text(organs.search, "nothing of the kind")
    host.click(organs.all_button)
    assert changes == [["liver", "lung_left", "lung_right"], ["liver"], ["liver"]]
    assert rows(organs) == []
    organs.search.text = ""
    assert len(rows(organs)) == 7


def test_a_group_that_is_searched_in_is_ticked_as_far_as_it_is_shown(organs, host, click, changes):
    organs.show(TOTALSEGMENTATOR.organs, [])
    host.type_text(organs.search, "vertebra t")
    click("Spine")
    assert changes == [[name for name in TOTALSEGMENTATOR.organs if name.startswith("vertebrae_T")]]
    host.type_text(organs.search, "spine")
    assert rows(organs)[0] == ("Spine (12 of 26)", "~")


def test_many_organs_start_with_closed_groups_that_count(organs):
    organs.show(TOTALSEGMENTATOR.organs, None)
    assert all(mark == "x" for _text, mark in rows(organs)) and len(rows(organs)) < 20
    assert organs.ticked() == list(TOTALSEGMENTATOR.organs) and len(organs.ticked()) == 117
    assert ("Ribs and sternum (26 of 26)", "x") in rows(organs)


def test_rows_stay_as_they_are_when_ticks_come_back_from_the_scene(organs):
    organs.show(TOTALSEGMENTATOR.organs, None)
    organs.tree.topLevelItem(0).setExpanded(True)
    before = len(rows(organs))
    organs.show(list(TOTALSEGMENTATOR.organs), ["liver"])
    assert len(rows(organs)) == before and organs.ticked() == ["liver"]


def test_an_engine_without_organs_shows_an_empty_tree(organs, changes):
    organs.show(ORGANS, None)
    organs.show((), None)
    organs.tick_all(True)
    assert organs.tree.topLevelItemCount == 0 and organs.ticked() == [] and changes == [[]]


def test_a_name_outside_the_vocabulary_is_shown_by_itself(organs):
    organs.show(("insert_3",), None)
    assert rows(organs) == [("Others (1 of 1)", "x"), ("Insert 3", "x")] and organs.ticked() == ["insert_3"]


def test_the_tree_is_as_high_as_its_rows_up_to_a_limit(organs):
    heights = []
    for count in (4, 8, 40, 80):
        organs.show([f"tumour_{number}" for number in range(1, count + 1)], None)
        heights.append(organs.tree.minimumHeight)
    assert heights[0] < heights[1] < heights[2] == heights[3]
