"""DoseEstimator compares its dose with another map: what may be chosen, what comes out, and what can go wrong."""

import shutil
import time
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.jobs import job_queue
from organdose.panels import steps
from organdose.scene.ct_dose_scene import save_scene
from organdose.scene.dose_comparison_nodes import find_comparisons
from organdose.scene.dose_display import ABSORBED_DOSE_MGY, DOSE_VOLUME_ATTRIBUTE
from organdose.scene.volume_nodes import image_from_volume_node, say_units, volume_node_from_image

PATIENCE_S = 120


@pytest.fixture
def section(host, opened):
    """`opened` with the section unfolded; `panel` is what works in it."""
    host.click(opened.ui.compareButton)
    opened.panel = opened.window.comparison
    return opened


@pytest.fixture
def other_dose(section):
    """Puts a dose `factor` times the one shown, moved by `shift_mm`, into the scene; or gives its image."""
    def make(factor=1.0, shift_mm=0.0, stated=True, name="Other dose", into_scene=True):
        image = image_from_volume_node(section.result.dose) * factor
        image.SetOrigin(np.add(image.GetOrigin(), (shift_mm, 0, 0)).tolist())
        if not into_scene:
            return image
        node = volume_node_from_image(image, name)
        node.SetAttribute(DOSE_VOLUME_ATTRIBUTE, "1")
        if stated:
            say_units(node, *ABSORBED_DOSE_MGY)
        return node

    return make


def compare(host, panel):
    host.click(panel.job.run_button)
    host.wait_until(lambda: not panel.job.is_busy, PATIENCE_S, "the comparison")
    return panel.job.status.text


def figures(ui):
    table = ui.figuresTable
    return {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}


def test_the_section_is_folded_away_until_somebody_wants_it(opened):
    assert opened.ui.compareButton.collapsed and opened.ui.compareButton.enabled
    assert not opened.ui.referenceSelector.visible


def test_without_a_result_there_is_nothing_to_compare(host, open_module):
    window = open_module("DoseEstimator")
    host.click(window.ui.compareButton)
    assert not window.comparison.job.run_button.enabled
    assert "Compute a dose" in window.comparison.job.run_button.toolTip
    assert not window.ui.figuresTable.visible and not window.ui.removeComparisonButton.enabled


def test_a_reference_has_to_be_chosen_and_cannot_be_the_test_itself(host, section, other_dose):
    button = section.panel.job.run_button
    assert not button.enabled and "Choose the reference" in button.toolTip
    host.choose(section.ui.referenceSelector, section.result.dose)
    assert not button.enabled and "the test itself" in button.toolTip
    silent = other_dose(stated=False)
    host.choose(section.ui.referenceSelector, silent)
    assert not button.enabled and "does not say the unit" in button.toolTip
    host.choose(section.ui.unitBox, "Gy")
    assert button.enabled
    assert not {section.ct.GetName()} & {section.ui.referenceSelector.nodeFromIndex(index).GetName() for index in
                                         range(section.ui.referenceSelector.nodeCount())}, "a CT is no dose"


def test_the_reference_is_what_was_chosen_last(host, section, other_dose, tmp_path):
    node = other_dose()
    host.choose(section.ui.referenceSelector, node)
    host.type_text(section.ui.referencePath, str(tmp_path / "no-dose.nrrd"))
    assert section.ui.referenceSelector.currentNode() is None
    assert "no such file" in section.panel.job.run_button.toolTip
    host.choose(section.ui.referenceSelector, node)
    assert section.ui.referencePath.text == "" and section.panel.job.run_button.enabled


def test_a_dose_of_the_scene_is_compared_and_maps_tables_and_figures_come_back(host, section, other_dose, nodes):
    reference = other_dose(1 / 1.02)
    host.choose(section.ui.referenceSelector, reference)
    host.type_text(section.ui.gammaPercentSpin, "3")
    host.type_text(section.ui.gammaMmSpin, "2")
    said = compare(host, section.panel)
    assert said.startswith("Done: 100 % pass gamma 3 %/2 mm global"), said
    shown = figures(section.ui)
    assert shown["RE"] == "2 %" and shown["RAE"] == "2 %"
    assert {"ME", "MAE", "SSIM", "PSNR", "z mean", "z SD", "explained by statistics"} <= shown.keys()
    found, = find_comparisons()
    assert section.ui.comparisonSelector.currentNode() is found.figure_table
    assert (found.test, found.reference, found.ct) == (section.result.dose, reference, section.ct)
    test = slicer.util.arrayFromVolume(section.result.dose)
    difference = slicer.util.arrayFromVolume(found.difference)
    drawn = difference > found.difference.GetDisplayNode().GetLowerThreshold()
    np.testing.assert_allclose(difference[drawn], (test - test / 1.02)[drawn], atol=1e-4)
    assert 0 < drawn.sum() < drawn.size, "the body alone is compared"
    organs = found.organ_table.GetTable().GetColumnByName("organ")
    assert {organs.GetValue(row) for row in range(organs.GetNumberOfValues())} >= {"body", "spinal_cord"}
    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceCompositeNode()
    assert red.GetForegroundVolumeID() == found.difference.GetID() and red.GetBackgroundVolumeID() == section.ct.GetID()
    host.click(section.ui.gammaButton)
    assert red.GetForegroundVolumeID() == found.gamma.GetID()
    host.click(section.ui.removeComparisonButton)
    assert not find_comparisons() and section.result.dose.GetScene() and reference.GetScene()
    assert not section.ui.figuresTable.visible and "no longer" not in section.ui.comparisonStatus.text


def test_a_file_without_a_unit_needs_one_and_its_path_stays_out_of_the_scene(host, section, other_dose, tmp_path):
    path = tmp_path / "MillerJane_dose.nrrd"
    sitk.WriteImage(other_dose(1e-3 / 1.05, into_scene=False), str(path))
    host.dialogs.answer_file(path)
    host.click(section.ui.referenceFileButton)
    assert section.ui.referencePath.text == str(path)
    assert "does not say the unit" in compare(host, section.panel)
    assert not find_comparisons()
    host.choose(section.ui.unitBox, "Gy")
    assert compare(host, section.panel).startswith("Done")
    assert figures(section.ui)["RE"] == "5 %"
    found, = find_comparisons()
    assert found.reference is None and found.figure_table.GetName() == "Comparison with a file"
    assert "only the test states an uncertainty" in section.ui.comparisonStatus.text.lower()
    save_scene(tmp_path / "compared.mrb")
    with zipfile.ZipFile(tmp_path / "compared.mrb") as bundle:
        assert not [name for name in bundle.namelist() if b"MillerJane" in name.encode() + bundle.read(name)]


def test_a_saved_comparison_is_shown_when_the_scene_is_opened_again(host, section, other_dose, tmp_path):
    host.choose(section.ui.referenceSelector, other_dose(1.1))
    compare(host, section.panel)
    shown, told = figures(section.ui), section.ui.comparisonStatus.text
    host.save_scene(tmp_path / "scene.mrb")
    host.close_scene()
    assert figures(section.ui) == {} and section.ui.comparisonStatus.text == ""
    host.load_scene(tmp_path / "scene.mrb")
    assert figures(section.ui) == shown
    assert not section.ui.saveComparisonButton.enabled, "its files are gone"
    assert section.ui.comparisonStatus.text == told


def test_edited_masks_make_the_comparison_stale(host, section, other_dose, settled):
    host.choose(section.ui.referenceSelector, other_dose(1.1))
    compare(host, section.panel)
    assert "Stale" not in section.ui.comparisonStatus.text
    segmentation = section.masks
    labels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "spinal_cord", section.ct)
    labels[:4] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels, segmentation, "spinal_cord", section.ct)
    settled()
    assert section.ui.comparisonStatus.text.startswith("Stale: the masks were edited")


def test_the_folder_of_a_comparison_is_saved_where_the_user_says(host, section, other_dose, tmp_path, job_files):
    host.choose(section.ui.referenceSelector, other_dose(1.1))
    compare(host, section.panel)
    assert not [path for path in job_files() if path.endswith("ct.nrrd")], "what the job was given is not kept"
    host.dialogs.answer_file(tmp_path)
    host.click(section.ui.saveComparisonButton)
    assert {"comparison.csv", "difference.nrrd", "gamma.nrrd", "organ_comparison.csv", "run.json"} <= {
        path.name for path in (tmp_path / "dose-comparison").iterdir()}


def test_a_map_of_another_place_is_refused_with_the_reason(host, section, other_dose, nodes, job_files):
    host.choose(section.ui.referenceSelector, other_dose(shift_mm=3000))
    before, files = nodes(), job_files()
    said = compare(host, section.panel)
    assert "body does not meet the reference" in said or "no voxel in common" in said
    assert nodes() == before and job_files() == files


def test_a_reference_under_a_transform_is_refused_by_name(host, section, other_dose):
    node = other_dose()
    moved = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetAndObserveTransformNodeID(moved.GetID())
    host.choose(section.ui.referenceSelector, node)
    assert "'Other dose' stands under a transform" in compare(host, section.panel)


def test_a_result_folder_typed_in_brings_its_uncertainty_along(host, section, other_dose, tmp_path):
    folder = tmp_path / "ct-dose"
    folder.mkdir()
    for name, node in (("dose", section.result.dose), ("uncertainty", section.result.uncertainty)):
        image = image_from_volume_node(node)
        image.SetMetaData("units", "mGy")
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"))
    (folder / "run.json").write_text("{}", encoding="utf-8")
    host.type_text(section.ui.referencePath, str(folder))
    assert compare(host, section.panel).startswith("Done: 100 % pass")
    assert figures(section.ui)["z SD"] == "0", "the same dose twice"
    assert "only the test states" not in section.ui.comparisonStatus.text
    shutil.rmtree(folder)


STAGES = {
    "just pressed": lambda host, bar: True,
    "the doses are written": lambda host, bar: bar.text.startswith("Writing the doses"),
    "gamma is sought": lambda host, bar: bar.text.startswith("Gamma"),
    "the difference is in the scene": lambda host, bar: host.scene.GetFirstNodeByName("Dose difference") is not None
    and host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") > 4,
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_comparison_leaves_nothing_behind(host, section, other_dose, nodes, job_files, monkeypatch, stage):
    monkeypatch.setattr(job_queue, "_PREPARE_S", 0.0)  # one step at a time
    monkeypatch.setattr(steps, "_TURN_S", 5e-4)
    host.choose(section.ui.referenceSelector, other_dose(1.1))
    job, before, files = section.panel.job, nodes(), job_files()
    host.click(job.run_button)
    end_s = time.monotonic() + PATIENCE_S
    while job.is_busy and not STAGES[stage](host, job.bar):
        assert time.monotonic() < end_s, f"waited in vain until {stage}"
        host.process()
    assert job.is_busy, f"it ended before {stage}: {job.status.text}"
    host.click(job.cancel_button)
    host.wait_until(lambda: not job.is_busy, PATIENCE_S, "the end of the job")
    assert job.status.text == "Cancelled. Nothing was changed."
    left = {host.scene.GetNodeByID(each).GetClassName() for each in nodes() - before}
    assert left <= {"vtkMRMLColorTableNode"}, "colours, which the next comparison uses again"
    assert job_files() == files and section.ui.comparisonSelector.currentNode() is None
    assert job.run_button.enabled


def test_a_reference_deleted_meanwhile_is_told(host, section, other_dose):
    node = other_dose(1.1)
    host.choose(section.ui.referenceSelector, node)
    host.click(section.panel.job.run_button)
    host.wait_until(lambda: section.panel.job.bar.text.startswith("Gamma"), PATIENCE_S, "gamma")
    host.scene.RemoveNode(node)
    host.wait_until(lambda: not section.panel.job.is_busy, PATIENCE_S, "the end")
    assert "the reference was deleted" in section.panel.job.status.text
    assert not find_comparisons()


def test_the_panel_stays_as_narrow_as_before_when_long_lines_come(host, section, other_dose):
    section.panel.job.say("A reason that is told at great length " * 8, "bad")
    section.ui.comparisonStatus.text = "A warning that has much to say about many things " * 8
    section.ui.comparisonStatus.visible = True
    host.process()
    assert section.window.parent.minimumSizeHint.width() <= 400
