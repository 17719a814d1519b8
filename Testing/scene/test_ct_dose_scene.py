"""A CT dose result goes through a .mrb file and comes back with its values."""

import dataclasses
import os
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.errors import InputError
from organdose.scene import subject_hierarchy
from organdose.scene.ct_dose_scene import (
    add_ct_dose_result_steps,
    build_ct_dose_scene,
    find_results,
    open_scene,
    save_scene,
)
from organdose.scene.headless import clear_scene
from organdose.scene.organ_table_node import rows_from_table_node
from organdose.scene.segmentation_nodes import masks_from_segmentation_node, segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node, image_from_volume_node


@pytest.fixture
def reopened(result, tmp_path):
    save_scene(tmp_path / "scene.mrb")
    clear_scene()
    return open_scene(tmp_path / "scene.mrb")


def _same_image(node, image: sitk.Image) -> bool:
    back = image_from_volume_node(node)
    return (back.GetPixelID() == image.GetPixelID()
            and np.array_equal(sitk.GetArrayViewFromImage(back), sitk.GetArrayViewFromImage(image))
            and np.allclose(back.GetOrigin(), image.GetOrigin(), atol=1e-6)
            and np.allclose(back.GetSpacing(), image.GetSpacing(), atol=1e-9)
            and np.allclose(back.GetDirection(), image.GetDirection()))


def test_ct_and_dose_come_back_exactly(reopened, ct_image, dose_map):
    assert _same_image(reopened.ct, ct_image)
    assert _same_image(reopened.dose, dose_map.dose_mgy)
    assert _same_image(reopened.uncertainty, dose_map.relative_uncertainty)


def test_masks_come_back_exactly(reopened, masks):
    back = masks_from_segmentation_node(reopened.segmentation, reopened.ct)
    assert sorted(back.names) == sorted(masks.names)
    assert all(np.array_equal(back.mask(name), masks.mask(name)) for name in masks.names)
    assert (back.origin, back.notes, len(back.layers)) == (masks.origin, masks.notes, len(masks.layers))


def test_codes_and_colours_come_back(reopened):
    segment = reopened.segmentation.GetSegmentation().GetSegment("kidney_left")
    assert "SCT^64033007^Kidney~SCT^7771000^Left" in segment.GetTerminology()
    assert not reopened.segmentation.GetDisplayNode().GetSegmentVisibility3D("body")


def test_table_values_come_back_to_six_digits(reopened, rows):
    for row, back in zip(rows, rows_from_table_node(reopened.organ_table), strict=True):
        for field in dataclasses.fields(row):
            if field.name != "note":
                value = getattr(row, field.name)
                wanted = pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
                assert getattr(back, field.name) == wanted


def test_dose_attributes_colours_and_legend_come_back(reopened):
    assert reopened.dose.GetAttribute("DicomRtImport.DoseVolume") == "1"
    assert reopened.dose.GetAttribute("OrganDose.Engine") == "synthetic 1.0"
    assert reopened.dose.GetDisplayNode().GetColorNode().GetName() == "Dose wash"
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(reopened.dose)
    assert legend.GetTitleText() == "Absorbed dose (mGy)"
    study = subject_hierarchy.study_of(reopened.dose)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert hierarchy.GetItemAttribute(study, "DicomRtImport.DoseUnitName") == "mGy"


def test_the_chart_still_draws_its_histograms(reopened, dvhs):
    series = reopened.dvh.series[0]
    dose = slicer.util.arrayFromTableColumn(series.GetTableNode(), series.GetXColumnName())
    assert dose == pytest.approx(dvhs[0].dose_mgy, rel=1e-5)


def test_the_table_refers_to_what_it_was_computed_from(reopened):
    assert reopened.organ_table.GetNodeReference("OrganDose.Dose") is reopened.dose
    assert reopened.organ_table.GetNodeReference("OrganDose.Segmentation") is reopened.segmentation


def test_a_result_without_uncertainty_and_histograms_is_fine(scene, tmp_path, ct_image, dose_map, masks, rows):
    build_ct_dose_scene(ct_image, dataclasses.replace(dose_map, relative_uncertainty=None), masks, rows, [])
    save_scene(tmp_path / "s.mrb")
    back = open_scene(tmp_path / "s.mrb")
    assert back.uncertainty is None
    assert back.dvh is None


def test_one_scene_after_another_leaves_no_nodes_behind(scene, ct_image, dose_map, masks, rows, dvhs):
    counts = []
    for _ in range(3):
        build_ct_dose_scene(ct_image, dose_map, masks, rows, dvhs)
        clear_scene()
        counts.append(scene.GetNumberOfNodes())
    assert counts[0] == counts[1] == counts[2]
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0
    assert find_results() == []


def test_removing_a_result_spares_the_rest_of_the_scene(scene, ct_image, dose_map, masks, rows, dvhs, tmp_path):
    mine = scene.AddNewNodeByClass("vtkMRMLTableNode", "mine")
    first = build_ct_dose_scene(ct_image, dose_map, masks, rows, dvhs, title="first")
    second = build_ct_dose_scene(ct_image, dose_map, masks, rows, dvhs, title="second")
    save_scene(tmp_path / "both.mrb")
    first.remove()
    assert find_results() == [second]
    assert mine.GetScene() is scene
    second.remove()
    left = [scene.GetNumberOfNodesByClass(name) for name in (
        "vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLPlotSeriesNode", "vtkMRMLPlotChartNode",
        "vtkMRMLColorLegendDisplayNode", "vtkMRMLVolumeDisplayNode", "vtkMRMLVolumeArchetypeStorageNode")]
    assert left == [0] * len(left)
    assert scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 1


@pytest.mark.parametrize("broken", ["dose", "masks"])
def test_bad_input_leaves_the_scene_as_it_was(scene, ct_image, dose_map, masks, rows, dvhs, broken):
    if broken == "dose":
        dose_map = dataclasses.replace(dose_map, dose_mgy=dose_map.dose_mgy * 0)
    else:
        masks.reference = sitk.Image(ct_image)
        masks.reference.SetOrigin((1, 2, 3))
    with pytest.raises(InputError):
        build_ct_dose_scene(ct_image, dose_map, masks, rows, dvhs)
    for name in ("vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLTableNode", "vtkMRMLVolumeDisplayNode"):
        assert scene.GetNumberOfNodesByClass(name) == 0


def test_a_result_that_is_not_taken_to_its_end_leaves_the_scene_as_it_was(scene, ct_image, dose_map, masks, rows, dvhs):
    ct_node = ct_volume_node(ct_image)
    segmentation = segmentation_node_from_masks(masks, ct_node)
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode")}
    for steps_taken in range(1, 5):
        steps = add_ct_dose_result_steps(ct_node, segmentation, dose_map, rows, dvhs * 10, report_html="<p>")
        for _ in range(steps_taken):
            next(steps)
        steps.close()
        left = {node for node in slicer.util.getNodesByClass("vtkMRMLNode") if node.GetID() not in before}
        assert {node.GetName() for node in left} <= {"Dose wash", "SubjectHierarchy"}


def test_saving_replaces_the_file_whole_and_leaves_nothing_else(result, tmp_path):
    path = tmp_path / "scene.mrb"
    path.write_text("old")
    save_scene(path)
    assert zipfile.is_zipfile(path)
    assert os.listdir(tmp_path) == ["scene.mrb"]


def test_saving_where_no_folder_is_is_refused_in_one_line(result, tmp_path):
    with pytest.raises(InputError, match="could not be written") as refused:
        save_scene(tmp_path / "missing" / "scene.mrb")
    assert "\n" not in str(refused.value)


def test_another_ending_is_refused(result, tmp_path):
    with pytest.raises(InputError, match=r"\.mrb"):
        save_scene(tmp_path / "scene.zip")


@pytest.mark.parametrize("content", ["absent", "text", "truncated", "other zip"])
def test_an_unreadable_bundle_is_refused_and_the_scene_stays(result, tmp_path, capfd, content):
    path = tmp_path / "scene.mrb"
    if content == "text":
        path.write_text("no zip file at all")
    elif content == "truncated":
        save_scene(path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif content == "other zip":
        with zipfile.ZipFile(path, "w") as bundle:
            bundle.writestr("letter.txt", "hello")
    with pytest.raises(InputError, match=r"scene\.mrb") as refused:
        open_scene(path)
    assert "\n" not in str(refused.value)
    assert find_results() == [result]
    assert capfd.readouterr().err == ""


def test_a_scene_of_something_else_is_refused(scene, tmp_path):
    slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), np.int16))
    save_scene(tmp_path / "other.mrb")
    with pytest.raises(InputError, match="no CT dose result"):
        open_scene(tmp_path / "other.mrb")


def test_the_bundle_says_it_is_slicers(result, tmp_path):
    save_scene(tmp_path / "scene.mrb")
    with zipfile.ZipFile(tmp_path / "scene.mrb") as bundle:
        mrml = next(name for name in bundle.namelist() if name.endswith(".mrml"))
        assert b'<MRML version="Slicer 5.' in bundle.read(mrml)


def test_a_bundle_is_written_and_read_by_a_relative_path_too(result, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    save_scene("results/scene.mrb")
    clear_scene()
    assert len(rows_from_table_node(open_scene("results/scene.mrb").organ_table)) > 0
