"""Doses of the scene as the files of a comparison."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.errors import InputError
from organdose.jobs.dose_map_input import read_dose_map
from organdose.scene.ct_dose_scene import add_ct_dose_result
from organdose.scene.dose_comparison_files import dose_map_file_steps
from organdose.scene.dose_display import dose_unit_of, dose_volume_node
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node


@pytest.fixture
def result(scene, ct_image, masks, dose_map, rows):
    ct = ct_volume_node(ct_image)
    return add_ct_dose_result(ct, segmentation_node_from_masks(masks, ct), dose_map, rows, [],
                              record={"job": {"engine_parameters": {"seed": 5}, "ct": "/secret"}})


def test_a_result_is_written_with_its_uncertainty_table_and_record(result, dose_map, rows, tmp_path):
    assert list(dose_map_file_steps(result.dose, "mGy", tmp_path / "test"))[-1] == 1.0
    read = read_dose_map(tmp_path / "test", "test")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read.image), sitk.GetArrayFromImage(dose_map.dose_mgy))
    assert read.image.GetOrigin() == pytest.approx(dose_map.dose_mgy.GetOrigin())
    assert sitk.GetArrayFromImage(read.relative_uncertainty).max() == pytest.approx(0.02)
    assert [row.organ for row in read.organs] == [row.organ for row in rows]
    assert read.record["job"]["engine_parameters"]["seed"] == 5 and "/secret" not in json.dumps(read.record)


def test_another_dose_is_written_alone_in_its_unit(scene, dose_map, tmp_path):
    node = dose_volume_node(dose_map)
    list(dose_map_file_steps(node, "Gy", tmp_path / "reference"))
    assert [path.name for path in (tmp_path / "reference").iterdir()] == ["dose.nrrd"]
    read = read_dose_map(tmp_path / "reference", "reference")
    assert sitk.GetArrayFromImage(read.image).max() == pytest.approx(
        1000 * sitk.GetArrayFromImage(dose_map.dose_mgy).max(), rel=1e-6)


def test_an_empty_volume_is_refused(scene, tmp_path):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    with pytest.raises(InputError, match="'Nothing' is empty"):
        list(dose_map_file_steps(empty, "mGy", tmp_path / "test"))


def test_the_unit_is_what_the_volume_states_itself(scene, dose_map):
    node = dose_volume_node(dose_map)
    assert dose_unit_of(node) == "mGy"
    silent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert dose_unit_of(silent) == ""
    silent.SetAttribute("DicomRtImport.DoseUnitName", "GY")
    assert dose_unit_of(silent) == "Gy"
    silent.SetAttribute("DicomRtImport.DoseUnitName", "RELATIVE")
    assert dose_unit_of(silent) == ""
