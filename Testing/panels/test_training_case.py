"""The button that makes a training case of the CT and the masks in the scene."""

import json

import numpy as np
import pytest

from organdose.anatomy.review import approve, mark_drawn
from organdose.segmentation.training_cases import patient_hash


@pytest.fixture
def panel(jobs, show):
    from organdose.panels.training_case import TrainingCasePanel

    made = TrainingCasePanel()
    show(made.widget)
    yield made
    made.stop()


@pytest.fixture
def approved(cylinder):
    """The cylinder's masks in the scene, of which somebody approved the spinal cord."""
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node, segmentation_node_from_masks

    masks = masks_from_segmentation_node(cylinder.masks, cylinder.ct)
    mark_drawn(masks)
    approve(masks, "spinal_cord", "A. Smith")
    return segmentation_node_from_masks(masks, cylinder.ct, "Approved masks")


def add(panel, host, folder):
    host.dialogs.answer_file(str(folder))
    host.click(panel.button)
    host.wait_until(lambda: not panel.job.is_busy, 60, "the end of the job")


def test_the_button_says_what_it_needs(panel, cylinder, host):
    assert not panel.button.enabled and panel.button.toolTip == "Choose a CT."
    panel.show(cylinder.ct, None)
    assert panel.button.toolTip == "Choose the masks first." and panel.patient.visible
    panel.show(cylinder.ct, cylinder.masks)
    assert "any name for the patient" in panel.button.toolTip
    panel.patient.text = "Meier"
    assert panel.button.enabled
    host.click(panel.button)  # the folder dialog is left with Cancel
    assert not panel.job.is_busy


def test_a_press_adds_the_approved_masks_to_the_folder(panel, cylinder, approved, host, tmp_path):
    panel.show(cylinder.ct, approved)
    panel.patient.text = "Meier"
    add(panel, host, tmp_path / "set")
    case, = (tmp_path / "set").iterdir()
    assert panel.job.status.text == f"Added: {case.name} with 1 organs. Not approved and left out: body."
    facts = json.loads((case / "case.json").read_text())
    assert facts["patient_hash"] == patient_hash("Meier") and facts["organs"] == ["spinal_cord"]
    import SimpleITK as sitk

    assert np.array_equal(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(case / "ct.nrrd")))), [-1000, 0])
    assert panel.button.enabled


def test_the_same_ct_is_added_again_only_when_asked_for(panel, cylinder, approved, host, tmp_path):
    panel.show(cylinder.ct, approved)
    panel.patient.text = "Meier"
    add(panel, host, tmp_path)
    add(panel, host, tmp_path)
    assert "in the dataset already" in panel.job.status.text
    panel.replace.checked, panel.approved.checked = True, False
    add(panel, host, tmp_path)
    case, = tmp_path.iterdir()
    assert json.loads((case / "case.json").read_text())["organs"] == ["body", "spinal_cord"]


def test_masks_nobody_approved_are_refused_in_one_line(panel, cylinder, host, tmp_path):
    panel.show(cylinder.ct, cylinder.masks)
    panel.patient.text = "Meier"
    add(panel, host, tmp_path)
    assert "nobody has approved any of these masks" in panel.job.status.text and list(tmp_path.iterdir()) == []


def test_a_ct_from_dicom_knows_its_patient(panel, cylinder, tmp_path):
    from organdose.scene.ct_facts import FOLDER_ATTRIBUTE

    cylinder.ct.SetAttribute(FOLDER_ATTRIBUTE, str(tmp_path))
    panel.show(cylinder.ct, cylinder.masks)
    assert panel.button.enabled and not panel.patient.visible and not panel.patient_label.visible
