"""DoseEstimator before a run: what is chosen, what is missing, what is refused."""

import shutil

import pydicom
import pytest
import SimpleITK as sitk
import slicer
import vtk

from organdose.scene.ct_facts import FOLDER_ATTRIBUTE
from organdose.scene.volume_nodes import ct_volume_node, volume_node_from_image
from organdose.study import read_ct

AXIAL = {"Tube voltage": "120", "Total collimation": "40", "CTDI phantom": "32", "CTDIvol": "10", "Scan kind": "axial"}
MISSING, CONTRADICTORY = "#ffd9d6", "#fff0c2"


@pytest.fixture
def window(open_module):
    return open_module("DoseEstimator")


@pytest.fixture
def with_header(host, phantom_study):
    """Adds the CT of a DICOM folder to the scene, as the sample data do."""
    def add(folder=phantom_study.ct):
        node = ct_volume_node(read_ct(folder).image, "CT with header")
        node.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return node

    return add


def _reason(window):
    assert window.job.run_button.enabled == (window.job.run_button.toolTip == "Start.")
    return window.job.run_button.toolTip


def test_run_says_what_is_missing_until_nothing_is(host, window, cylinder, facts):
    assert _reason(window) == "Choose a CT."
    host.choose(window.ui.ctSelector, cylinder.ct)
    assert _reason(window) == "Fill in: Tube voltage, Total collimation, CTDI phantom, Scan kind, CTDIvol."
    sheet = facts(window)
    for title, text in (("Tube voltage", "120"), ("Total collimation", "40"), ("CTDI phantom", "32"),
                        ("CTDIvol", "10"), ("Scan kind", "helical")):
        assert sheet.origin(title) == "missing"
        assert sheet.background(title) == MISSING
        sheet.write(title, text)
        assert (sheet.value(title), sheet.origin(title)) == (text, "user")
        assert sheet.background(title) != MISSING
    assert _reason(window) == "Fill in: Pitch."  # a helical scan has one
    sheet.write("Pitch", "1.2")
    assert _reason(window) == "Choose masks with at least one organ; OrganSegmenter makes them."
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    assert _reason(window) == "Start."


def test_an_axial_scan_needs_no_pitch(host, window, cylinder, facts):
    host.choose(window.ui.ctSelector, cylinder.ct)
    sheet = facts(window)
    sheet.write("Scan kind", "Axial")
    assert sheet.value("Scan kind") == "axial"
    assert "Pitch" not in sheet.titles()


@pytest.mark.parametrize("text, words", [("eighty", "'eighty' is no number"), ("-120", "-120.0: input should be"),
                                         ("120, 80", "2 values")])
def test_a_wrong_value_is_refused_in_one_line_and_the_old_one_stays(ready, text, words):
    ready.facts.write("Tube voltage", text)
    status = ready.window.job.status
    assert status.visible and words in status.text and "\n" not in status.text
    assert ready.facts.value("Tube voltage") == "120"
    assert _reason(ready.window) == "Start."
    ready.facts.write("Tube voltage", "100")
    assert not status.visible, "the complaint goes with a right value"
    assert ready.facts.value("Tube voltage") == "100"


def test_a_refused_value_leaves_all_facts_on_screen(host, ready):
    host.click(ready.ui.allFactsCheck)
    titles = ready.facts.titles()
    assert "Rotation time" in titles
    ready.facts.write("Rotation time", "soon")
    assert ready.facts.titles() == titles
    host.click(ready.ui.allFactsCheck)
    assert "Rotation time" not in ready.facts.titles()


def test_a_typed_value_replaces_that_of_the_header_until_it_is_emptied(host, window, with_header, facts):
    host.choose(window.ui.ctSelector, with_header())
    sheet = facts(window)
    told = sheet.value("Tube voltage")
    assert sheet.origin("Tube voltage") == "header"
    sheet.write("Tube voltage", "97")
    assert (sheet.value("Tube voltage"), sheet.origin("Tube voltage")) == ("97", "user")
    assert f"replaces {told} (header)" in sheet.tooltip("Tube voltage")
    sheet.write("Tube voltage", "")
    assert (sheet.value("Tube voltage"), sheet.origin("Tube voltage")) == (told, "header")
    sheet.write("Tube voltage", "97")
    host.click(window.ui.readHeaderButton)
    assert (sheet.value("Tube voltage"), sheet.origin("Tube voltage")) == (told, "header")


def test_a_header_that_contradicts_itself_is_marked(host, window, with_header, facts, phantom_study, tmp_path):
    shutil.copytree(phantom_study.ct, tmp_path / "ct")
    for path in (tmp_path / "ct").iterdir():
        dataset = pydicom.dcmread(path)
        dataset.Exposure = 4 * float(dataset.Exposure)
        dataset.save_as(path)
    host.choose(window.ui.ctSelector, with_header(tmp_path / "ct"))
    sheet = facts(window)
    assert sheet.background("Effective exposure") == CONTRADICTORY
    assert "mAs where" in sheet.tooltip("Effective exposure")
    assert "Exposure contradicts the rest of the header" in window.ui.factsStatus.text
    assert sheet.background("Tube voltage") not in (CONTRADICTORY, MISSING)


def test_facts_belong_to_their_ct(host, ready, with_header):
    other = with_header()
    host.choose(ready.ui.ctSelector, other)
    assert ready.facts.origin("Tube voltage") == "header"
    host.choose(ready.ui.ctSelector, ready.ct)
    assert ready.facts.origin("Tube voltage") == "missing"


def test_without_a_ct_there_are_no_facts(host, ready):
    host.choose(ready.ui.ctSelector, None)
    assert ready.facts.titles() == []
    assert _reason(ready.window) == "Choose a CT."


def test_masks_without_an_organ_do_not_do(host, ready):
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Empty")
    host.choose(ready.ui.segmentationSelector, empty)
    assert "at least one organ" in _reason(ready.window)


def test_a_parameter_out_of_its_limits_cannot_be_typed(host, ready):
    host.type_text(ready.window.form.editor("histories"), "5")
    assert ready.window.form.values()["histories"] >= 1000
    host.type_text(ready.ui.voxelSpin, "0.1")
    assert ready.ui.voxelSpin.value >= 0.5


def _pet(phantom_study):
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(phantom_study.pet))
    node = volume_node_from_image(sitk.ReadImage(names, sitk.sitkFloat32), "PET")
    node.SetAttribute(FOLDER_ATTRIBUTE, str(phantom_study.pet))
    return node


def _without_voxels(kind):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    if kind == "no values":
        node.SetAndObserveImageData(vtk.vtkImageData())
    return node


@pytest.mark.parametrize("kind", ["no image", "no values"])
def test_an_empty_volume_is_no_ct(host, ready, kind):
    host.choose(ready.ui.ctSelector, _without_voxels(kind))
    assert not ready.window.job.run_button.enabled
    assert "empty" in _reason(ready.window)


def test_a_volume_under_a_transform_is_refused_before_the_run(host, ready):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Shift")
    ready.ct.SetAndObserveTransformNodeID(transform.GetID())
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: not ready.window.job.is_busy, 60, "the refusal")
    status = ready.window.job.status.text
    assert "under a transform" in status and "Harden" in status and "\n" not in status
    assert ready.window.job.run_button.enabled


def test_a_pet_in_becquerels_is_refused_in_one_line(host, ready, phantom_study):
    host.choose(ready.ui.ctSelector, _pet(phantom_study))
    assert "no CT images here, only PT" in ready.ui.factsStatus.text
    for title, text in AXIAL.items():
        ready.facts.write(title, text)
    host.click(ready.window.job.run_button)
    host.wait_until(lambda: not ready.window.job.is_busy, 60, "the refusal")
    status = ready.window.job.status.text
    assert status.startswith("ct.nrrd: the values go from 0 to") and "too large for HU" in status
    assert "\n" not in status
    assert ready.window.job.run_button.enabled
