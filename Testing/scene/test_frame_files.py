"""Which files a job gets of a PET frame: its DICOM files only while the scene shows what they hold."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.panels.frame_facts import FrameFacts
from organdose.panels.frame_input import frames_input_steps
from organdose.scene.at_once import at_once
from organdose.scene.ct_facts import FOLDER_ATTRIBUTE
from organdose.scene.frame_files import dicom_files_of_frame, frame_file_steps
from organdose.scene.nuclear_facts import fact_sheet_of_frame
from organdose.scene.volume_nodes import say_units, volume_node_from_image
from organdose.study.activity_reading import read_activity
from organdose.study.nuclear_fact_sheet import NuclearFactSheet


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    from organdose.jobs.phantom_study import write_phantom_study

    return write_phantom_study("adult-male", tmp_path_factory.mktemp("phantom") / "study", slice_mm=30, pixels=48)


@pytest.fixture
def frame(scene, paths):
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(paths.pet))
    node = volume_node_from_image(sitk.ReadImage(names, sitk.sitkFloat32), "PET")
    node.SetAttribute(FOLDER_ATTRIBUTE, str(paths.pet))
    return node


def test_an_untouched_frame_goes_to_the_job_as_its_dicom_files(frame, paths, tmp_path):
    path, is_dicom = at_once(frame_file_steps(frame, tmp_path, 1))
    assert is_dicom
    there, copied = read_activity(paths.pet).frames[0], read_activity(path).frames[0]
    assert np.array_equal(sitk.GetArrayFromImage(there.image), sitk.GetArrayFromImage(copied.image))
    assert copied.start_at == there.start_at


@pytest.mark.parametrize("change", ["scaled", "cropped"])
def test_a_frame_that_was_changed_in_the_scene_goes_as_it_is_shown(frame, tmp_path, change):
    values = slicer.util.arrayFromVolume(frame)
    slicer.util.updateVolumeFromArray(frame, values * 0.5 if change == "scaled" else values[2:].copy())
    assert dicom_files_of_frame(frame) == []
    path, is_dicom = at_once(frame_file_steps(frame, tmp_path, 1))
    assert not is_dicom
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert np.array_equal(written, slicer.util.arrayFromVolume(frame))


def test_a_volume_that_says_it_is_suv_is_not_taken_for_bq_ml(frame):
    assert fact_sheet_of_frame(frame).header["image_unit"].value == "BQML"
    say_units(frame, ("126400", "DCM", "Standardized Uptake Value"), ("{SUVbw}g/ml", "UCUM", "SUV body weight"))
    sheet = fact_sheet_of_frame(frame)
    assert (sheet.header["image_unit"].value, sheet.header["suv_type"].value) == ("GML", "BW")
    assert sheet.header["image_unit"].origin == "derived"


def test_each_file_of_several_has_its_times_under_its_name(frame, tmp_path):
    facts = {"nuclide": "F-18", "administered_mbq": "284", "administered_at": "2025-01-15 09:00", "image_unit": "BQML",
             "duration_s": "120", "decay_correction": "START"}
    sheets = []
    for start in ("2025-01-15 10:00", "2025-01-15 13:00"):
        sheets.append(NuclearFactSheet())
        for name, text in (facts | {"scan_start_at": start}).items():
            sheets[-1].write(name, text)
    values = slicer.util.arrayFromVolume(frame)
    slicer.util.updateVolumeFromArray(frame, values * 0.5)  # no longer that of its files
    paths, protocol = at_once(frames_input_steps(tmp_path, [frame, frame], FrameFacts(sheets), "Frame"))
    read = [read_activity(path, protocol=protocol) for path in paths]
    assert [study.frames[0].start_s for study in read] == [3600, 14400]
    assert {study.acquisition.injected_activity_bq.origin for study in read} == {"user"}
