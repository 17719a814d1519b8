"""The generated study among Slicer's sample data."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from organdose.errors import Cancelled, InputError

QUICK = {"slice_mm": 20, "pixels": 64, "z_range_mm": (250, 450)}


@pytest.fixture
def sample(jobs, monkeypatch, tmp_path):
    """`organdose.panels.sample_data`, whose button makes a coarse study in a folder of the test."""
    import slicer

    from organdose.panels import sample_data

    before = slicer.app.temporaryPath
    slicer.app.temporaryPath = str(tmp_path)
    monkeypatch.setattr(sample_data, "_registered", [])
    monkeypatch.setattr(sample_data, "load_phantom_study", partial(sample_data.load_phantom_study, **QUICK))
    slicer.modules.sampleDataSources.pop("OrganDose", None)
    yield sample_data
    slicer.app.temporaryPath = before


@pytest.fixture
def cancel_at(qt):
    """Presses Cancel of the progress dialog once it says this; gives what it had said."""
    timer, said = qt.QTimer(), []

    def cancel(stage):
        def look():
            for dialog in progress_dialogs():
                said.append(dialog.labelText)
                if dialog.labelText == stage:
                    dialog.cancel()

        timer.timeout.connect(look)
        timer.start(2)
        return said

    yield cancel
    timer.stop()


@pytest.fixture
def stages(qt):
    """What progress dialogs said, looked at every few milliseconds."""
    said, timer = set(), qt.QTimer()
    timer.timeout.connect(lambda: said.update(dialog.labelText for dialog in progress_dialogs()))
    timer.start(5)
    yield said
    timer.stop()


def progress_dialogs():
    import slicer

    return [widget for widget in slicer.app.topLevelWidgets()
            if widget.inherits("QProgressDialog") and widget.visible]


def nodes(node_class):
    import slicer

    return list(slicer.util.getNodesByClass(node_class))


def test_the_study_is_registered_once_with_a_picture(sample):
    import slicer

    for _ in range(3):
        sample.register_sample_data()
    [source] = slicer.modules.sampleDataSources["OrganDose"]
    assert source.sampleName == sample.NAME and Path(source.thumbnailFileName).is_file()


def test_the_button_loads_ct_masks_and_pet(sample, host, tmp_path, stages):
    import slicer

    from organdose.scene.ct_facts import dicom_folder_of, fact_sheet_of
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node

    sample.register_sample_data()
    host.press_sample_button(sample.NAME)
    ct, pet = nodes("vtkMRMLScalarVolumeNode")
    [masks] = nodes("vtkMRMLSegmentationNode")
    assert (ct.GetName(), pet.GetName(), masks.GetName()) == ("Phantom CT", "Phantom PET", "Phantom organs")
    hu, activity = slicer.util.arrayFromVolume(ct), slicer.util.arrayFromVolume(pet)
    assert hu.shape[1:] == (64, 64) and hu.min() < -900 and hu.max() > 200 and activity.max() > 1000
    assert activity.dtype == np.float32, "slices of a PET have rescale slopes of their own"
    liver = masks_from_segmentation_node(masks, ct).mask("liver")
    assert 20 < np.median(hu[liver]) < 90
    facts = fact_sheet_of(ct).header
    assert facts["tube_voltage_kv"].value > 60 and "ctdivol_mgy" in facts
    assert dicom_folder_of(ct) == tmp_path / "OrganDosePhantom" / "study" / "ct" and dicom_folder_of(pet).is_dir()
    composite = nodes("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == ct.GetID()
    assert host.dialogs.shown == [] and not progress_dialogs()
    assert "Generating the phantom study" in stages and len(stages) > 2, "the dialog says what is being done"


@pytest.mark.parametrize("stage", ["Generating the phantom study", "phantom in voxels"])
def test_cancel_leaves_neither_nodes_nor_files(sample, host, tmp_path, cancel_at, stage):
    said = cancel_at(stage)
    sample.register_sample_data()
    host.press_sample_button(sample.NAME)
    assert said[-1] == stage
    assert nodes("vtkMRMLScalarVolumeNode") == [] and nodes("vtkMRMLSegmentationNode") == []
    assert not progress_dialogs() and host.dialogs.shown == []
    assert [path.name for path in tmp_path.rglob("*")] in ([], ["OrganDosePhantom"], ["OrganDosePhantom", "job"])


def test_cancel_is_an_exception_for_callers(sample, cancel_at):
    cancel_at("Generating the phantom study")
    with pytest.raises(Cancelled):
        sample.load_phantom_study()


def test_what_cannot_be_generated_is_one_line(sample, host):
    with pytest.raises(InputError) as caught:
        sample.load_phantom_study(region="left foot")
    assert "left foot" in str(caught.value) and "\n" not in str(caught.value)
    assert not progress_dialogs()


def test_a_failure_becomes_a_message_of_the_button(sample, host):
    import slicer

    from organdose.panels.window_jobs import INTERPRETER_SETTING

    slicer.app.settings().setValue(INTERPRETER_SETTING, "/no/such/environment")
    sample.register_sample_data()
    host.press_sample_button(sample.NAME)
    [message] = host.dialogs.shown
    assert message.kind == "message" and "/no/such/environment" in message.text
    assert not progress_dialogs() and nodes("vtkMRMLScalarVolumeNode") == []
