"""The review of masks in the tables of the windows: approving or editing a segment shows without a computation."""

import csv
import dataclasses

import numpy as np
import pytest

PATIENCE_S = 30


@pytest.fixture
def settled(host):
    """Lets everything be followed to its end."""
    from organdose.panels.result_following import result_following

    def settle():
        host.process(0.05)
        host.wait_until(lambda: not result_following().is_busy, PATIENCE_S, "the tables")

    settle()
    return settle


@pytest.fixture
def result(new_result, cylinder, settled):
    """A dose on masks that an engine drew."""
    from organdose.anatomy.review import mark_drawn
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node, put_review

    masks = masks_from_segmentation_node(cylinder.masks, cylinder.ct)
    mark_drawn(masks)
    for name, review in masks.reviews.items():
        put_review(cylinder.masks.GetSegmentation().GetSegment(name), review)
    made = new_result()
    settled()
    return made


@pytest.fixture
def shown(result, qt, show):
    """The table on the screen as the module shows it: organ -> text in the column 'Mask'."""
    from organdose.panels.organ_doses import OrganDoses
    from organdose.panels.result_following import result_following

    doses = OrganDoses(show(qt.QTableWidget()))
    doses.show(result.organ_table)
    result_following().listen(doses.show)
    mask = doses.table.columnCount - 1
    yield lambda: {doses.table.item(row, 0).text(): doses.table.item(row, mask).text()
                   for row in range(doses.table.rowCount)}
    result_following().unlisten(doses.show)


def sign(cylinder, organ):
    from organdose.anatomy.review import approve
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node, put_review

    masks = masks_from_segmentation_node(cylinder.masks, cylinder.ct)
    review = dataclasses.replace(approve(masks, organ, "A. Smith"), approved_at="20261121T194418Z")
    put_review(cylinder.masks.GetSegmentation().GetSegment(organ), review)


def draw(cylinder, organ, radius_mm):
    import slicer

    place_mm = 5.0 * (np.arange(60) - 29.5)
    labels = np.broadcast_to(np.hypot(place_mm[:, None], place_mm[None, :]) < radius_mm, (20, 60, 60))
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels.astype(np.uint8), cylinder.masks, organ, cylinder.ct)


def test_an_approval_and_an_edit_are_on_the_screen(cylinder, shown, settled):
    assert shown() == {"Body (without couch)": "automatic", "Spinal cord": "automatic"}
    sign(cylinder, "spinal_cord")
    settled()
    assert shown()["Spinal cord"] == "approved by A. Smith on 2026-11-21 (automatic)"
    draw(cylinder, "spinal_cord", 60)
    settled()
    assert shown() == {"Body (without couch)": "automatic", "Spinal cord": "edited"}


def test_the_csv_that_is_saved_has_it(cylinder, result, settled, tmp_path):
    from organdose.panels.organ_doses import save_csv

    sign(cylinder, "spinal_cord")
    settled()
    save_csv(result.organ_table, str(tmp_path / "o.csv"))
    with open(tmp_path / "o.csv", newline="") as file:
        masks = {line["organ"]: line["mask"] for line in csv.DictReader(file)}
    assert masks == {"body": "automatic", "spinal_cord": "approved by A. Smith on 2026-11-21 (automatic)"}


def test_the_total_of_two_results_has_it_and_goes_with_it(cylinder, result, new_result, settled):
    from organdose.scene.derived_tables import total_node

    other = new_result()
    settled()
    total = total_node(result.organ_table, other.organ_table)
    masks = lambda: [total.GetTable().GetColumnByName("mask").GetValue(row) for row in range(2)]  # noqa: E731
    assert masks() == ["automatic", "automatic"]
    sign(cylinder, "spinal_cord")
    settled()
    assert masks() == ["automatic", "approved by A. Smith on 2026-11-21 (automatic)"]


def test_doses_are_not_computed_again_for_an_approval(cylinder, result, settled):
    from organdose.scene.organ_table_node import rows_from_table_node

    before = [repr(dataclasses.replace(row, mask="")) for row in rows_from_table_node(result.organ_table)]
    sign(cylinder, "body")
    settled()
    after = rows_from_table_node(result.organ_table)
    assert after[0].mask.startswith("approved") and [repr(dataclasses.replace(row, mask="")) for row in after] == before
