"""OrganSegmenter's work on masks that are there: findings lead to places, organs are mended, people sign."""

import csv

import numpy as np
import pytest
import slicer
from host.pythonqt import unwrap

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import describe
from organdose.scene.mask_findings_node import FINDINGS_ROLE, mask_check_of, put_mask_check
from organdose.scene.segmentation_nodes import review_of_segment
from organdose.scene.views import go_to

PATIENCE_S = 120
BODY = describe("body").title
IN_THE_CYLINDER = (80.0, 0.0, 100.0)  # RAS, mm
PLACE_LPS_MM = (30.0, -20.0, 60.0)
BAD = Finding("spinal_cord", FindingKind.HOLES, "3 holes, 2.0 ml together (5.0 % of its volume)", PLACE_LPS_MM,
              Severity.BAD)
NOTE = Finding("spinal_cord", FindingKind.IMAGE_BORDER, "it reaches the last slice", (0.0, 0.0, 190.0), Severity.NOTE)


@pytest.fixture
def window(host, open_module, cylinder):
    """OrganSegmenter on the cylinder's masks (body, spinal cord)."""
    window = open_module("OrganSegmenter")
    host.choose(window.ui.ctSelector, cylinder.ct)
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    return window


@pytest.fixture
def settled(host, window):
    """Lets the window see the masks as they are now."""
    def wait():
        host.process(0.25)
        host.wait_until(lambda: not window.work.following.is_busy, PATIENCE_S, "the masks to be looked at")
        host.process()

    wait()
    return wait


@pytest.fixture
def checked(window, cylinder, settled):
    """The masks as if the quality control had found a bad and a harmless thing in the spinal cord."""
    def put(*findings):
        states = window.work.following.states
        put_mask_check(cylinder.masks, findings, {name: state.fingerprint for name, state in states.items()})
        window.work.show(cylinder.masks, cylinder.ct, None)

    put(NOTE, BAD)
    return put


def shown(table):
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def review_row(window, title):
    return next(row for row in shown(window.work.review.table) if row[0] == title)


def choose_organ(host, window, title):
    table = window.work.review.table
    row = [row[0] for row in shown(table)].index(title)
    table.selectRow(row)
    host.process()


def approve(host, window, settled, title="Spinal cord", who="A. Smith"):
    window.work.review.reviewer.text = who
    choose_organ(host, window, title)
    host.click(window.work.review.approve_button)
    settled()


def paint(window, effect, place_ras=IN_THE_CYLINDER, diameter_mm=40, segment="spinal_cord"):
    editor = unwrap(window.editor.widget)
    editor.setCurrentSegmentID(segment)
    editor.setActiveEffectByName(effect)
    editor.paint_at(place_ras, diameter_mm)


def position_ras():
    """Where the planes of the sagittal, coronal and axial view lie."""
    planes = {node.GetOrientation(): node.GetSliceToRAS() for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")}
    return tuple(planes[name].GetElement(row, 3) for row, name in enumerate(("Sagittal", "Coronal", "Axial")))


# Findings

def test_masks_that_nobody_checked_say_so(host, window, settled):
    assert "not checked yet" in window.work.headline.text
    assert not window.work.findings.widget.visible and window.work.check_job.run_button.enabled


def test_the_worst_finding_comes_first_and_is_counted(checked, window):
    rows = shown(window.work.findings.widget)
    assert [row[:2] for row in rows] == [["Spinal cord", "bad"], ["Spinal cord", "note"]]
    assert "3 holes" in rows[0][2] and window.work.headline.text.endswith("1 bad, 1 to note.")


def test_a_finding_leads_to_its_place_and_its_organ(host, checked, window):
    go_to((0.0, 0.0, 0.0))
    unwrap(window.editor.widget).setCurrentSegmentID("body")
    window.work.findings.widget.setCurrentCell(0, 0)
    host.process()
    assert position_ras() == pytest.approx((-30.0, 20.0, 60.0)), "LPS in files, RAS in the scene"
    assert window.editor.segment_id == "spinal_cord"
    assert window.work.actions.title.text == "Chosen organ: Spinal cord"


def test_a_finding_on_an_edited_organ_is_stale(host, checked, window, settled):
    paint(window, "Paint")
    settled()
    assert all("Edited since" in row[2] for row in shown(window.work.findings.widget))
    assert "1 organ was edited since: check again" in window.work.headline.text
    unwrap(window.editor.widget).undo()
    settled()
    assert not any("Edited since" in row[2] for row in shown(window.work.findings.widget)), "it is as it was checked"


def test_findings_are_saved_with_the_scene(host, checked, window, cylinder, settled, tmp_path):
    cylinder.masks.SetName("renamed 'masks'; of: somebody")  # tied by references, not by names
    paint(window, "Paint", segment="body", place_ras=(0.0, 0.0, 100.0), diameter_mm=300)
    settled()
    before, headline = shown(window.work.findings.widget), window.work.headline.text
    host.save_scene(tmp_path / "masks.mrb")
    host.close_scene()
    host.load_scene(tmp_path / "masks.mrb")
    settled()
    assert shown(window.work.findings.widget) == before and window.work.headline.text == headline
    node = window.ui.segmentationSelector.currentNode()
    assert node is not cylinder.masks and mask_check_of(node).findings == (NOTE, BAD)


def test_checking_again_finds_what_is_there_now(host, window, settled, cylinder):
    paint(window, "Paint", place_ras=(80.0, 0.0, 100.0), diameter_mm=30)  # an island of the spinal cord
    settled()
    host.click(window.work.check_job.run_button)
    host.wait_until(lambda: not window.work.check_job.is_busy, PATIENCE_S, "the check")
    settled()
    assert not window.work.check_job.status.visible, window.work.check_job.status.text
    rows = shown(window.work.findings.widget)
    assert any(row[0] == "Spinal cord" and "2 separate parts" in row[2] for row in rows), rows
    assert "edited since" not in window.work.headline.text
    place = next(found.place_mm for found in mask_check_of(cylinder.masks).findings
                 if found.kind is FindingKind.SEVERAL_PARTS)
    assert np.linalg.norm(np.subtract(place, (-80.0, 0.0, 100.0))) < 20, "at the island, LPS"


def test_an_empty_mask_is_found_though_files_leave_it_out(host, window, settled, cylinder):
    paint(window, "Erase", place_ras=(0.0, 0.0, 100.0), diameter_mm=600)
    settled()
    host.click(window.work.check_job.run_button)
    host.wait_until(lambda: not window.work.check_job.is_busy, PATIENCE_S, "the check")
    assert FindingKind.EMPTY in {found.kind for found in mask_check_of(cylinder.masks).findings}


def test_an_edit_during_the_check_makes_its_findings_stale(host, window, settled):
    host.click(window.work.check_job.run_button)
    host.wait_until(lambda: not window.work.check_job.bar.text.startswith(("Starting", "Waiting", "Copying")),
                    PATIENCE_S, "the masks to be on their way")
    assert window.work.check_job.is_busy
    paint(window, "Paint")
    host.wait_until(lambda: not window.work.check_job.is_busy, PATIENCE_S, "the check")
    settled()
    assert "edited since" in window.work.headline.text


def test_a_run_brings_its_findings(host, window, settled):
    host.click(window.job.run_button)
    host.wait_until(lambda: not window.job.is_busy, PATIENCE_S, "the masks")
    settled()
    node = window.ui.segmentationSelector.currentNode()
    assert node.GetNodeReference(FINDINGS_ROLE) is not None
    assert window.work.headline.text.startswith("Checked ") and "edited since" not in window.work.headline.text
    assert {row[2] for row in shown(window.work.review.table)} == {"automatic"}


# Review

def test_the_review_says_who_answers_for_what(host, window, settled, cylinder):
    assert review_row(window, "Spinal cord")[2:] == ["unknown", ""]
    assert float(review_row(window, "Spinal cord")[1]) == pytest.approx(np.pi * 20**2 * 200 / 1000, rel=0.1)
    approve(host, window, settled)
    row = review_row(window, "Spinal cord")
    assert row[2] == "approved" and row[3].startswith("A. Smith, 20")
    review = review_of_segment(cylinder.masks.GetSegmentation().GetSegment("spinal_cord"))
    assert review.approved_by == "A. Smith"
    assert window.work.review.status.text == "Spinal cord approved by A. Smith."


def test_without_a_name_nobody_approves(host, window, settled):
    review = window.work.review
    choose_organ(host, window, "Spinal cord")
    assert review.reviewer.text == ""
    for button in (review.approve_button, review.approve_all_button):
        assert not button.enabled and "Type your name" in button.toolTip
    review.reviewer.text = "   "
    assert not review.approve_button.enabled


def test_the_name_is_remembered(host, window, settled, open_module):
    approve(host, window, settled, who="  A.   Smith ")
    host.unload_module("OrganSegmenter")
    assert open_module("OrganSegmenter").work.review.reviewer.text == "A. Smith"


def test_a_bad_finding_speaks_against_an_approval(host, checked, window, settled):
    choose_organ(host, window, "Spinal cord")
    warning = window.work.review.warning
    assert warning.visible and "\n" not in warning.text
    assert warning.text.startswith("Spinal cord has a bad finding: 3 holes")
    choose_organ(host, window, BODY)
    assert not warning.visible
    approve(host, window, settled)
    assert "has a bad finding" in window.work.review.status.text
    assert review_row(window, "Spinal cord")[2] == "approved", "who answers decides"


def test_all_without_findings_are_approved_at_once(host, checked, window, settled):
    window.work.review.reviewer.text = "A. Smith"
    host.click(window.work.review.approve_all_button)
    settled()
    assert review_row(window, BODY)[2] == "approved" and review_row(window, "Spinal cord")[2] == "unknown"
    assert window.work.review.status.text.startswith(f"{BODY} approved by A. Smith. Spinal cord left")
    assert not window.work.review.approve_all_button.enabled


def test_what_was_edited_since_the_check_is_not_without_findings(host, checked, window, settled):
    checked()  # nothing found
    paint(window, "Paint", segment="body", place_ras=(0.0, 0.0, 100.0), diameter_mm=300)
    settled()
    window.work.review.reviewer.text = "A. Smith"
    host.click(window.work.review.approve_all_button)
    settled()
    assert review_row(window, BODY)[2] == "edited" and review_row(window, "Spinal cord")[2] == "approved"


def test_masks_that_were_never_checked_are_not_without_findings(window, settled):
    window.work.review.reviewer.text = "A. Smith"
    assert not window.work.review.approve_all_button.enabled


def test_an_edit_takes_the_approval_of_that_organ_alone(host, window, settled, cylinder):
    for title in ("Spinal cord", BODY):
        approve(host, window, settled, title)
    paint(window, "Paint")
    settled()
    assert review_row(window, "Spinal cord")[2:] == ["edited", ""] and review_row(window, BODY)[2] == "approved"
    assert "no longer approved: Spinal cord" in window.work.review.status.text
    review = review_of_segment(cylinder.masks.GetSegmentation().GetSegment("spinal_cord"))
    assert not review.approved_by


def test_edits_by_other_means_take_it_too(host, window, settled, cylinder):
    approve(host, window, settled)
    host.select("Data")
    empty = np.zeros((20, 60, 60), np.uint8)
    empty[3:6, 20:30, 20:30] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(empty, cylinder.masks, "spinal_cord", cylinder.ct)
    host.select("OrganSegmenter")
    settled()
    assert review_row(window, "Spinal cord")[2] == "edited"


def test_undo_brings_mask_and_approval_back_together(host, window, settled):
    approve(host, window, settled)
    paint(window, "Paint")
    settled()
    unwrap(window.editor.widget).undo()
    settled()
    assert review_row(window, "Spinal cord")[2] == "approved"
    unwrap(window.editor.widget).undo()
    settled()
    assert review_row(window, "Spinal cord")[2] == "unknown", "the approval was a step of its own"


def test_an_approval_can_be_withdrawn(host, window, settled):
    approve(host, window, settled)
    choose_organ(host, window, "Spinal cord")
    host.click(window.work.review.withdraw_button)
    settled()
    assert review_row(window, "Spinal cord")[2:] == ["edited", ""], "nobody knows how it was drawn"
    assert not window.work.review.withdraw_button.enabled


def test_a_mask_without_voxels_cannot_be_approved(host, window, settled):
    paint(window, "Erase", place_ras=(0.0, 0.0, 100.0), diameter_mm=600)
    settled()
    window.work.review.reviewer.text = "A. Smith"
    choose_organ(host, window, "Spinal cord")
    assert "without voxels" in window.work.review.approve_button.toolTip


def test_reviews_are_saved_with_the_scene(host, window, settled, tmp_path):
    approve(host, window, settled, who="Änne O'Brien: \"Dr.\" | <a>")
    before = review_row(window, "Spinal cord")
    host.save_scene(tmp_path / "masks.mrb")
    host.close_scene()
    assert window.work.review.table.rowCount == 0
    host.load_scene(tmp_path / "masks.mrb")
    settled()
    assert review_row(window, "Spinal cord") == before


# Actions

def act(host, window, settled, name, segment="spinal_cord"):
    unwrap(window.editor.widget).setCurrentSegmentID(segment)
    host.process()
    host.click(getattr(window.work.actions, f"{name}_button"))
    settled()
    return window.work.actions.status.text


def test_an_island_goes_in_one_undo_step(host, window, settled):
    paint(window, "Paint", diameter_mm=30)
    settled()
    before = float(review_row(window, "Spinal cord")[1])
    line = act(host, window, settled, "largest")
    assert line.startswith("Spinal cord: 1 piece of ") and line.endswith(" ml removed")
    assert float(review_row(window, "Spinal cord")[1]) < before
    unwrap(window.editor.widget).undo()
    settled()
    assert float(review_row(window, "Spinal cord")[1]) == before


@pytest.mark.parametrize("name, words", [("fill", "no holes"), ("smooth", "smoothed: |nothing to change"),
                                         ("empty", "emptied, "), ("remove", "removed")])
def test_actions_say_what_they_did(host, window, settled, name, words):
    import re

    host.type_text(window.work.actions.radius, "5")
    line = act(host, window, settled, name)
    assert line.startswith("Spinal cord: ") and re.search(words, line)
    if name in ("empty", "remove"):
        unwrap(window.editor.widget).undo()
        settled()
        assert float(review_row(window, "Spinal cord")[1]) > 100


def test_an_organ_without_other_side_has_no_side_to_check(host, window, settled):
    unwrap(window.editor.widget).setCurrentSegmentID("spinal_cord")
    host.process()
    for button in (window.work.actions.mirror_button, window.work.actions.swap_button):
        assert not button.enabled and "other side" in button.toolTip


def test_swapped_kidneys_are_seen_and_mended(host, window, settled, cylinder):
    labels = np.zeros((20, 60, 60), np.uint8)
    for title, columns in (("Left kidney", slice(15, 20)), ("Right kidney", slice(40, 45))):  # the patient's left is +x
        labels[:] = 0
        labels[8:12, 28:32, columns] = 1
        segment_id = cylinder.masks.GetSegmentation().AddEmptySegment("", title)
        slicer.util.updateSegmentBinaryLabelmapFromArray(labels, cylinder.masks, segment_id, cylinder.ct)
    settled()
    line = act(host, window, settled, "mirror", segment_id)
    assert line.startswith("Right kidney: left and right are swapped")
    assert act(host, window, settled, "swap", segment_id) == "Right kidney and Left kidney: swapped"
    assert act(host, window, settled, "mirror", segment_id) == "Right kidney: on its side of the body."


def test_with_no_masks_nothing_can_be_pressed(host, window, settled):
    host.choose(window.ui.segmentationSelector, None)
    work = window.work
    buttons = [work.actions.largest_button, work.actions.smooth_button, work.review.approve_button,
               work.review.withdraw_button, work.check_job.run_button, work.comparison.job.run_button]
    for button in buttons:
        assert not button.enabled and button.toolTip
    assert not work.headline.visible and not work.review.table.visible and not work.findings.widget.visible


# Comparison

def test_masks_are_compared_with_a_reference(host, window, settled, cylinder, tmp_path):
    from organdose.panels.self_test import water_cylinder

    _ct, reference, _sheet = water_cylinder()
    reference.SetName("Expert")
    host.click(window.ui.compareButton)
    assert window.work.comparison.job.run_button.toolTip == "Choose the reference segmentation."
    host.choose(window.ui.referenceSelector, cylinder.masks)
    assert "the masks themselves" in window.work.comparison.job.run_button.toolTip
    host.choose(window.ui.referenceSelector, reference)
    paint(window, "Paint", diameter_mm=40)
    settled()
    host.click(window.work.comparison.job.run_button)
    host.wait_until(lambda: not window.work.comparison.job.is_busy, PATIENCE_S, "the comparison")
    settled()
    comparison = window.work.comparison
    assert comparison.job.status.text.startswith("Done: 2 organs in both, mean Dice 0.9")
    rows = {row[0]: row for row in shown(comparison.table)}
    cord_ml, known_ml = (float(rows["Spinal cord"][column]) for column in (4, 5))
    assert float(rows[BODY][1]) == 1
    assert float(rows["Spinal cord"][1]) == pytest.approx(2 * known_ml / (cord_ml + known_ml), abs=2e-3)
    host.dialogs.answer_file(tmp_path / "table.csv")
    host.click(comparison.save_button)
    with open(tmp_path / "table.csv", encoding="utf-8") as file:
        written = {row["organ"]: row for row in csv.DictReader(file)}
    assert float(written["spinal_cord"]["recall"]) == 1
    assert not comparison.note.visible
    paint(window, "Erase", diameter_mm=40)
    settled()
    assert comparison.note.visible and "compare again" in comparison.note.text


def test_a_comparison_is_saved_with_the_scene(host, window, settled, cylinder, tmp_path):
    from organdose.assess.mask_comparison import MaskAgreement
    from organdose.panels.self_test import water_cylinder
    from organdose.scene.mask_comparison_node import mask_comparison_node

    _ct, reference, _sheet = water_cylinder()
    states = window.work.following.states
    mask_comparison_node([MaskAgreement("body", 0.9, 0.8, 0.7, 0.6, 5.0, 0.5, 100.0, float("nan"))], cylinder.masks,
                         reference, {name: state.fingerprint for name, state in states.items()})
    host.click(window.ui.compareButton)
    host.choose(window.ui.referenceSelector, reference)
    before = shown(window.work.comparison.table)
    assert before == [[BODY, "0.9", "0.5", "5", "100", "", "0.7", "0.6", "0.8"]]
    host.save_scene(tmp_path / "masks.mrb")
    host.load_scene(tmp_path / "masks.mrb")
    settled()
    assert shown(window.work.comparison.table) == before and not window.work.comparison.note.visible
