"""InternalDosimetry: frames are ticked, their facts read or asked for; the forms build themselves."""

import pytest
import SimpleITK as sitk
import slicer

from organdose.nuclear import engines as registry
from organdose.scene.ct_facts import FOLDER_ATTRIBUTE
from organdose.scene.volume_nodes import volume_node_from_image


@pytest.fixture
def window(open_module):
    return open_module("InternalDosimetry")


@pytest.fixture
def pet(host, phantom_study):
    """The PET frame of the generated study, with its DICOM files."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(phantom_study.pet))
    node = volume_node_from_image(sitk.ReadImage(names, sitk.sitkFloat32), "PET")
    node.SetAttribute(FOLDER_ATTRIBUTE, str(phantom_study.pet))
    return node


def frame_without_header(name="Frame"):
    return volume_node_from_image(sitk.Image((4, 4, 4), sitk.sitkFloat32), name)


def listed(window):
    return [window.ui.framesList.item(row).text() for row in range(window.ui.framesList.count)]


def test_what_lacks_is_said_one_after_the_other(host, window, cylinder, tick):
    button = window.job.run_button
    assert not button.enabled and button.toolTip == "Tick the PET or SPECT frames."
    tick(window.ui.framesList, "Water cylinder")
    assert button.toolTip == "Choose the CT."
    host.choose(window.ui.ctSelector, cylinder.ct)
    assert button.toolTip == "Choose the masks."
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    assert button.toolTip.startswith("Fill in: Radionuclide, Activity given, ")


def test_the_window_builds_itself_from_the_registry_of_engines(host, window):
    engines = window.forms.engines
    assert engines.form.chooser.currentText == "Monte Carlo" and not engines.ticks["mc"].visible
    for name, each in registry.engines().items():
        assert engines.ticks[name].text == each.title
    host.click(engines.ticks["vsv"])
    host.type_text(engines.form.editor("histories"), "5000")
    host.select("Data")
    host.select("InternalDosimetry")
    assert engines.beside() == ["vsv"] and engines.parameters() == {"mc": {"histories": 5000}}
    host.choose(engines.form.chooser, registry.engine("vsv").title)
    assert engines.ticks["mc"].visible and not engines.ticks["vsv"].visible and engines.beside() == []
    host.choose(engines.form.chooser, "Monte Carlo")
    assert engines.form.values() == {"histories": 5000}, "each engine keeps its own"


def test_facts_come_from_the_header_of_the_frame(window, pet, tick, facts):
    assert not window.ui.factsTable.visible and "Tick the frames" in window.ui.factsStatus.text
    tick(window.ui.framesList, "PET")
    sheet = facts(window)
    assert (sheet.value("Radionuclide"), sheet.origin("Radionuclide")) == ("F-18", "header")
    assert sheet.value("Unit of the image") == "BQML"
    assert sheet.value("Half-life").startswith("658")
    assert float(sheet.value("Activity given")) > 50
    assert sheet.value("Given at").startswith("2025-01-15")
    assert not window.ui.factsStatus.visible
    tick(window.ui.framesList, "PET")
    assert not window.ui.factsTable.visible


def test_what_a_frame_without_header_lacks_is_asked_for(window, tick, facts):
    frame_without_header()
    tick(window.ui.framesList, "Frame")
    sheet = facts(window)
    assert "no DICOM header" in window.ui.factsStatus.text
    asked = {"Radionuclide": "Lu-177", "Activity given": "7400", "Given at": "2025-03-14 09:30",
             "Scan start": "2025-03-15 09:30", "Frame duration": "600", "Unit of the image": "bqml",
             "Decay corrected to": "start"}
    assert set(sheet.titles()) == set(asked)
    for title, text in asked.items():
        assert sheet.origin(title) == "missing"
        sheet.write(title, text)
        assert sheet.origin(title) == "user"
    assert sheet.value("Unit of the image") == "BQML"
    assert sheet.value("Given at") == "2025-03-14 09:30:00"


@pytest.mark.parametrize("title, text, words", [
    ("Radionuclide", "fluorine", "no radionuclide"), ("Activity given", "-5", "cannot be"),
    ("Activity given", "much", "no number"), ("Given at", "yesterday", "no date with time"),
    ("Unit of the image", "SUV!", "not known")])
def test_a_wrong_fact_is_refused_in_one_line(window, tick, facts, title, text, words):
    frame_without_header()
    tick(window.ui.framesList, "Frame")
    sheet = facts(window)
    sheet.write(title, text)
    status = window.job.status
    assert status.visible and words in status.text and "\n" not in status.text
    assert sheet.value(title) == "" and sheet.origin(title) == "missing"


def test_volumes_of_the_scene_are_offered_as_they_come_and_go(host, window, cylinder):
    assert listed(window) == ["Water cylinder"]
    frame = frame_without_header("Frame 2")
    host.process()
    assert listed(window) == ["Water cylinder", "Frame 2"]
    host.scene.RemoveNode(frame)
    host.process()
    assert listed(window) == ["Water cylinder"]


def test_doses_are_no_frames(host, opened, open_module):
    window = open_module("InternalDosimetry")
    assert listed(window) == ["Water cylinder"]


def test_a_deleted_frame_leaves_the_ticked_ones(host, window, pet, tick, facts):
    other = frame_without_header()
    for name in ("Frame", "PET"):
        tick(window.ui.framesList, name)
    assert facts(window).value("Radionuclide") == "F-18", "the first in the list"
    host.scene.RemoveNode(pet)
    host.process()
    assert window.frames.ticked() == [other]
    assert facts(window).origin("Radionuclide") == "missing"
    host.scene.RemoveNode(other)
    host.process()
    assert window.frames.ticked() == [] and not window.ui.factsTable.visible


def test_a_ct_is_no_frame_with_activity(host, window, phantom_study, tick):
    frame_without_header("CT").SetAttribute(FOLDER_ATTRIBUTE, str(phantom_study.ct))
    tick(window.ui.framesList, "CT")
    assert "no PET or SPECT but CT" in window.ui.factsStatus.text and "\n" not in window.ui.factsStatus.text


def test_the_window_is_the_same_after_saving_and_loading(host, window, cylinder, pet, tick, facts, tmp_path):
    tick(window.ui.framesList, "PET")
    host.choose(window.ui.ctSelector, cylinder.ct)
    facts(window).write("Activity given", "123")
    host.save_scene(tmp_path / "study.mrb")
    host.close_scene()
    assert window.frames.ticked() == [] and not window.ui.factsTable.visible
    host.load_scene(tmp_path / "study.mrb")
    assert [node.GetName() for node in window.frames.ticked()] == ["PET"]
    assert window.ui.ctSelector.currentNode().GetName() == "Water cylinder"
    assert (facts(window).value("Activity given"), facts(window).origin("Activity given")) == ("123", "user")
    assert facts(window).origin("Radionuclide") == "header"


def test_other_volumes_can_be_chosen_while_a_frame_is_renamed(host, window, tick):
    frame = frame_without_header()
    tick(window.ui.framesList, "Frame")
    frame.SetName("Frame after 24 h")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Another")
    host.process()
    assert listed(window) == ["Frame after 24 h", "Another"]
    assert window.frames.ticked() == [frame]
