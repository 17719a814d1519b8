"""What tables say of masks: drawn masks, groups joined from them, what nobody knows of."""

import pytest

from organdose.anatomy.mask_status import mask_status, row_status
from organdose.anatomy.review import Drawn, Review

SIGNED = Review(Drawn.EDITED, "0" * 32, "A. Smith", "20261121T194418Z")


@pytest.mark.parametrize("drawn", list(Drawn))
def test_a_mask_nobody_approved_says_how_it_was_drawn(drawn):
    assert mask_status(Review(drawn, "0" * 32)) == drawn.value


def test_an_approved_mask_says_by_whom_and_when():
    assert mask_status(SIGNED) == "approved by A. Smith on 2026-11-21 (edited)"


def test_of_a_mask_without_a_review_nothing_is_said():
    assert mask_status(None) == ""
    assert row_status("liver", {"liver": ""}) == ""


def test_a_group_has_the_status_its_members_agree_on():
    assert row_status("kidneys", {"kidney_left": "automatic", "kidney_right": "automatic", "liver": "edited"}) == (
        "automatic")


def test_a_group_with_one_approved_member_is_not_approved():
    said = row_status("kidneys", {"kidney_left": "automatic", "kidney_right": mask_status(SIGNED)})
    assert said == "automatic (1 of 2); approved by A. Smith on 2026-11-21 (edited) (1 of 2)"
    assert row_status("kidneys", {"kidney_left": "", "kidney_right": "edited"}) == "unknown (1 of 2); edited (1 of 2)"


def test_a_group_drawn_itself_has_its_own_status():
    assert row_status("kidneys", {"kidneys": "edited", "kidney_left": "automatic"}) == "edited"


def test_the_remainder_and_foreign_names_have_none():
    assert row_status("remainder", {"body": "automatic", "liver": "edited"}) == ""
    assert row_status("insert_7", {"body": "automatic"}) == ""
