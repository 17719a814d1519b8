"""OrganSegmenter's import and export: masks of others come in, corrected ones go out and can be read back."""

import shutil

import numpy as np
import pytest

from organdose.scene.ct_facts import FOLDER_ATTRIBUTE
from organdose.scene.segmentation_nodes import masks_from_segmentation_node
from organdose.scene.volume_nodes import ct_volume_node
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct

PATIENCE_S = 120


@pytest.fixture(scope="module")
def study(phantom_study):
    return read_ct(phantom_study.ct)


@pytest.fixture
def truth(phantom_study, study):
    return read_masks(phantom_study.dicom_seg, study)


@pytest.fixture
def window(host, open_module, phantom_study, study):
    """OrganSegmenter with a CT that has its DICOM files."""
    window = open_module("OrganSegmenter")
    ct = ct_volume_node(study.image, "Phantom CT")
    ct.SetAttribute(FOLDER_ATTRIBUTE, str(phantom_study.ct))
    host.choose(window.ui.ctSelector, ct)
    return window


def masks_shown(window):
    ui = window.ui
    return masks_from_segmentation_node(ui.segmentationSelector.currentNode(), ui.ctSelector.currentNode())


@pytest.fixture
def bring_in(host, window):
    def press(path, button="importButton"):
        host.dialogs.answer_file(path)
        host.click(getattr(window.ui, button))
        host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the import")
        return window.filesJob.status.text

    return press


@pytest.fixture
def write_out(host, window):
    def press(path):
        host.dialogs.answer_file(path)
        host.click(window.ui.exportButton)
        host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the export")
        return window.filesJob.status.text

    return press


def assert_same(masks, others):
    assert set(masks.segments) == set(others.segments)
    for name in masks.segments:
        assert np.array_equal(masks.mask(name), others.mask(name)), name


@pytest.mark.parametrize("kind", ["seg_nrrd", "dicom_seg"])
def test_masks_of_a_file_come_in_as_they_are(window, bring_in, phantom_study, study, kind, job_files):
    files = job_files()
    path = getattr(phantom_study, kind)
    line = bring_in(path)
    masks = masks_shown(window)
    assert line.startswith(f"Done: {len(masks.segments)} organs")
    assert_same(masks, read_masks(path, study))
    name = window.ui.segmentationSelector.currentNode().GetName()
    assert name == "Organs (imported)"  # clinics name files after patients
    assert job_files() == files


def test_contours_come_in_as_masks(window, bring_in, phantom_study, truth):
    assert bring_in(phantom_study.rtstruct).startswith("Done")
    masks = masks_shown(window)
    assert set(masks.segments) >= {"liver", "spleen"}
    drawn, known = masks.mask("liver"), truth.mask("liver")
    assert 2 * (drawn & known).sum() / (drawn.sum() + known.sum()) > 0.95


def test_a_folder_with_one_structure_set_comes_in(window, bring_in, phantom_study, tmp_path):
    shutil.copy(phantom_study.rtstruct, tmp_path / "masks.dcm")
    assert bring_in(tmp_path, "importFolderButton").startswith("Done")
    assert "liver" in masks_shown(window).segments


@pytest.mark.parametrize("content, words", [(b"no masks at all", "no masks in a format that can be read"),
                                            (b"", "no masks in a format that can be read"), (None, "no such file")])
def test_a_file_without_masks_is_told_in_one_line(host, window, bring_in, tmp_path, nodes, content, words):
    path = tmp_path / "nonsense.dcm"
    if content is not None:
        path.write_bytes(content)
    before = nodes()
    line = bring_in(path)
    assert words in line and "nonsense.dcm" in line and "\n" not in line
    assert nodes() == before
    assert window.ui.importButton.enabled


def test_masks_of_another_ct_are_refused(host, window, bring_in, phantom_study, cylinder, nodes):
    host.choose(window.ui.ctSelector, cylinder.ct)
    before = nodes()
    line = bring_in(phantom_study.dicom_seg)
    assert line and not line.startswith("Done") and "\n" not in line
    assert nodes() == before


def test_a_dialog_that_is_left_starts_nothing(host, window):
    for button in (window.ui.importButton, window.ui.importFolderButton):
        host.click(button)
        assert not window.filesJob.is_busy and not window.filesJob.status.visible


@pytest.mark.parametrize("name", ["out.seg.nrrd", "out.seg.dcm", "out.rtstruct.dcm"])
def test_masks_go_out_and_can_be_read_back(window, bring_in, write_out, phantom_study, study, tmp_path, job_files,
                                           name):
    bring_in(phantom_study.seg_nrrd)
    files = job_files()
    assert write_out(tmp_path / name) == f"Written: {tmp_path / name}"
    back, wanted = read_masks(tmp_path / name, study), masks_shown(window)
    if "rtstruct" in name:  # contours run between voxels
        assert set(back.segments) == set(wanted.segments)
        for organ in ("liver", "spleen"):
            drawn, known = back.mask(organ), wanted.mask(organ)
            assert 2 * (drawn & known).sum() / (drawn.sum() + known.sum()) > 0.95
    else:
        assert_same(back, wanted)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert job_files() == files


def test_a_label_map_goes_out_with_its_legend(window, bring_in, write_out, phantom_study, study, tmp_path):
    bring_in(phantom_study.seg_nrrd)
    line = write_out(tmp_path / "case.nii.gz")
    assert line.startswith(f"Written: {tmp_path / 'case.nii.gz'} with case.json. Voxels of several organs")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.json", "case.nii.gz"]
    back, wanted = read_masks(tmp_path / "case.nii.gz", study), masks_shown(window)
    assert np.array_equal(back.mask("spleen"), wanted.mask("spleen")) and set(back.names) == set(wanted.names)


def test_a_folder_goes_out_beside_what_is_there(host, window, bring_in, phantom_study, study, tmp_path, job_files):
    bring_in(phantom_study.seg_nrrd)
    (tmp_path / "masks").mkdir()
    files = job_files()
    host.dialogs.answer_file(tmp_path)
    host.click(window.ui.exportFolderButton)
    host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the export")
    wanted = masks_shown(window)
    assert window.filesJob.status.text == f"Written: {len(wanted.names)} files in {tmp_path / 'masks-2'}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["masks", "masks-2"]
    assert_same(read_masks(tmp_path / "masks-2", study), wanted)
    assert job_files() == files


@pytest.mark.parametrize("name", ["out.seg.nrrd", "out.seg.dcm"])
def test_a_review_goes_out_and_comes_back(host, window, bring_in, write_out, phantom_study, tmp_path, name):
    """Approved in the window, exported, imported again: still approved, by whom and when; an edit ends it."""
    bring_in(phantom_study.seg_nrrd)
    host.wait_until(lambda: not window.work.following.is_busy, PATIENCE_S, "the masks to be looked at")
    masks = window.work.following.masks
    masks.approve(["liver"], "A. Smith")
    before = {organ: state.review for organ, state in masks.states.items()}
    write_out(tmp_path / name)
    node = window.ui.segmentationSelector.currentNode()
    bring_in(tmp_path / name)
    host.process(0.3)
    host.wait_until(lambda: not window.work.following.is_busy, PATIENCE_S, "the masks to be looked at")
    assert window.ui.segmentationSelector.currentNode() is not node
    after = {organ: state.review for organ, state in window.work.following.states.items()}
    assert after["liver"] == before["liver"] and after["liver"].approved_by == "A. Smith"
    assert {organ: review for organ, review in after.items() if review} == \
        {organ: review for organ, review in before.items() if review}


def test_imported_masks_are_checked(window, bring_in, phantom_study):
    bring_in(phantom_study.seg_nrrd)
    assert window.work.headline.text.startswith("Checked ")


def test_a_correction_is_in_what_goes_out(host, window, bring_in, write_out, phantom_study, study, tmp_path):
    bring_in(phantom_study.seg_nrrd)
    node = window.ui.segmentationSelector.currentNode()
    node.GetSegmentation().RemoveSegment("spleen")
    write_out(tmp_path / "out.seg.dcm")
    assert "spleen" not in read_masks(tmp_path / "out.seg.dcm", study).segments


def test_a_ct_without_dicom_files_goes_out_as_seg_nrrd_only(host, window, cylinder, write_out, tmp_path):
    host.choose(window.ui.ctSelector, cylinder.ct)
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    line = write_out(tmp_path / "out.seg.dcm")
    assert "does not say in which format" in line and ".seg.nrrd" in line and "\n" not in line
    assert list(tmp_path.iterdir()) == []
    assert write_out(tmp_path / "out.seg.nrrd").startswith("Written")
    assert (tmp_path / "out.seg.nrrd").is_file()


def test_an_export_that_cannot_be_written_is_told_in_one_line(window, bring_in, write_out, phantom_study, tmp_path):
    bring_in(phantom_study.seg_nrrd)
    (tmp_path / "file").write_text("in the way")
    line = write_out(tmp_path / "file" / "out.seg.nrrd")
    assert not line.startswith("Written") and line and "\n" not in line


@pytest.mark.parametrize("name", ["out.seg.nrrd", "out.seg.dcm"])
def test_a_cancelled_export_leaves_nothing_in_the_users_folder(host, window, bring_in, phantom_study, tmp_path, name,
                                                               monkeypatch):
    from organdose.panels import masks_to_file, steps

    bring_in(phantom_study.seg_nrrd)
    monkeypatch.setattr(steps, "_TURN_S", 5e-4)
    monkeypatch.setattr(masks_to_file, "_STEP_BYTES", 1000)
    for stage in ("Writing the masks", "Bringing"):
        host.dialogs.answer_file(tmp_path / name)
        host.click(window.ui.exportButton)
        while not window.filesJob.bar.text.startswith(stage):
            assert window.filesJob.is_busy, window.filesJob.status.text
            host.process()
        host.click(window.filesJob.cancel_button)
        host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the end")
        assert window.filesJob.status.text == "Cancelled. Nothing was changed."
        assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_stays_when_its_replacement_is_cancelled(host, window, bring_in, phantom_study, tmp_path):
    bring_in(phantom_study.seg_nrrd)
    (tmp_path / "out.seg.nrrd").write_text("earlier")
    host.dialogs.answer_file(tmp_path / "out.seg.nrrd")
    host.click(window.ui.exportButton)
    host.click(window.filesJob.cancel_button)
    host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the end")
    assert (tmp_path / "out.seg.nrrd").read_text() == "earlier"


def test_an_import_can_be_cancelled(host, window, phantom_study, nodes, job_files):
    before, files = nodes(), job_files()
    host.dialogs.answer_file(phantom_study.rtstruct)
    host.click(window.ui.importButton)
    host.process(0.2)
    host.click(window.filesJob.cancel_button)
    host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the end")
    assert window.filesJob.status.text == "Cancelled. Nothing was changed."
    assert nodes() == before and job_files() == files


def test_files_wait_while_one_is_being_read_or_written(host, window, phantom_study):
    host.dialogs.answer_file(phantom_study.seg_nrrd)
    host.click(window.ui.importButton)
    assert window.filesJob.is_busy
    for button in (window.ui.importButton, window.ui.importFolderButton, window.ui.exportButton):
        assert not button.enabled and button.toolTip
    host.wait_until(lambda: not window.filesJob.is_busy, PATIENCE_S, "the import")
    assert window.ui.importButton.enabled and window.ui.exportButton.enabled
