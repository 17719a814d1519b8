import copy
import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import Cancelled, InputError
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.rtstruct import write_rtstruct
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.progress import Progress
from organdose.segmentation.reading import read_masks
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


@pytest.fixture
def study(ct_image) -> CTStudy:
    return CTStudy(ct_image, CTAcquisition())


@pytest.fixture
def label_map(ct_image) -> sitk.Image:
    labels = np.zeros(ct_image.GetSize()[::-1], dtype=np.uint8)
    labels[2:6, 3:9, 4:12] = 1
    labels[10:15, 12:20, 20:30] = 7
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(ct_image)
    return image


def same(found: OrganMasks, expected: OrganMasks) -> None:
    assert set(found.names) == set(expected.names)
    for name in expected.names:
        assert np.array_equal(found.mask(name), expected.mask(name)), name


# Round trips


def test_seg_nrrd_comes_back_voxel_by_voxel(organ_masks, study, tmp_path):
    write_seg_nrrd(organ_masks, tmp_path / "organs.seg.nrrd")
    found = read_masks(tmp_path / "organs.seg.nrrd", study)
    same(found, organ_masks)
    assert found.origin == "test geometry"
    assert found.notes == {"insert_3": "not in the vocabulary: kept under its own name"}


@pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])
def test_dicom_comes_back_voxel_by_voxel(write, organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write(organ_masks, study, tmp_path / "masks.dcm")
    same(read_masks(tmp_path / "masks.dcm", study), organ_masks)


def test_a_folder_with_one_structure_set_is_read(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_rtstruct(organ_masks, study, tmp_path / "structures" / "rs.dcm")
    same(read_masks(tmp_path / "structures", study), organ_masks)


def test_masks_written_by_slicer_cropped_and_overlapping_are_read(ct_image, study, tmp_path):
    slicer = pytest.importorskip("slicer")
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import vtk_to_numpy

    scene, node = slicer.vtkMRMLScene(), slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    expected = OrganMasks(ct_image)
    for label, name, box in (("Segment_1", "liver", (4, 10, 12)), ("Left kidney", "kidney_left", (7, 12, 15))):
        mask = np.zeros(expected.shape, dtype=np.uint8)
        mask[box[0]:box[0] + 6, box[1]:box[1] + 8, box[2]:box[2] + 9] = 1
        expected.add(name, mask > 0)
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(*mask.shape[::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = mask.ravel()
        image.SetSpacing(*ct_image.GetSpacing())
        image.SetOrigin(40.0, 50.0, -600.0)
        to_ras = vtk.vtkMatrix4x4()
        to_ras.SetElement(0, 0, -1)
        to_ras.SetElement(1, 1, -1)
        image.SetDirectionMatrix(to_ras)
        node.AddSegmentFromBinaryLabelmapRepresentation(image, label, [1.0, 0.0, 0.0], label)
    node.GetSegmentation().GetSegment("Segment_1").SetTag(
        "TerminologyEntry", "Segmentation category and type - DICOM master list~SCT^123037004^Anatomical Structure~"
        "SCT^10200004^Liver~^^~Anatomic codes - DICOM master list~^^~^^")
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "drawn.seg.nrrd"))
    storage.SetCropToMinimumExtent(True)
    assert storage.WriteData(node) == 1
    assert sitk.ReadImage(str(tmp_path / "drawn.seg.nrrd")).GetSize() != ct_image.GetSize()
    same(read_masks(tmp_path / "drawn.seg.nrrd", study), expected)


# Label maps


@pytest.mark.parametrize("legend", [
    {"1": "Liver", "7": "Kidney_L"}, {"labels": {"1": "liver", "7": "kidney_left"}},
    {"labels": {"background": 0, "liver": 1, "kidney_left": 7}},
    {"labels": {"1": {"name": "Leber"}, "7": {"name": "Niere links"}}},
    [{"value": 1, "name": "liver"}, {"value": 7, "name": "kidney_left"}],
    {"1": "liver", "7": "kidney_left", "9": "spleen"},
])
@pytest.mark.parametrize("file_name", ["organs.nrrd", "organs.nii.gz"])
def test_label_maps_are_named_by_the_legend_beside_them(legend, file_name, label_map, study, tmp_path):
    sitk.WriteImage(label_map, str(tmp_path / file_name))
    (tmp_path / "labels.json").write_text(json.dumps(legend))
    found = read_masks(tmp_path / file_name, study)
    labels = sitk.GetArrayFromImage(label_map)
    assert found.names == ("liver", "kidney_left")
    assert np.array_equal(found.mask("liver"), labels == 1)
    assert np.array_equal(found.mask("kidney_left"), labels == 7)


def test_a_label_map_turned_to_ras_lies_where_it_was(label_map, study, tmp_path):
    sitk.WriteImage(sitk.DICOMOrient(label_map, "RAS"), str(tmp_path / "turned.nrrd"))
    (tmp_path / "legend.json").write_text('{"1": "liver", "7": "spleen"}')
    found = read_masks(tmp_path / "turned.nrrd", study, labels=tmp_path / "legend.json")
    assert np.array_equal(found.mask("spleen"), sitk.GetArrayFromImage(label_map) == 7)


def test_a_label_without_a_name_is_kept_and_noted(label_map, study, tmp_path):
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    (tmp_path / "labels.json").write_text('{"1": "liver"}')
    found = read_masks(tmp_path / "organs.nrrd", study)
    assert found.names == ("liver", "label_7")
    assert "not in the vocabulary" in found.notes["label_7"]


def test_a_second_mask_of_an_organ_is_kept_under_its_own_name(label_map, study, tmp_path):
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    (tmp_path / "labels.json").write_text('{"1": "liver", "7": "Leber"}')
    found = read_masks(tmp_path / "organs.nrrd", study)
    assert found.names == ("liver", "leber")
    assert found.notes["leber"].startswith("a second mask for liver")


def test_a_folder_of_one_mask_an_organ_is_read_with_overlaps(organ_masks, study, tmp_path):
    for name in organ_masks.names:
        image = sitk.GetImageFromArray(organ_masks.mask(name).astype(np.uint8))
        image.CopyInformation(study.image)
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    same(read_masks(tmp_path, study), organ_masks)


def test_an_empty_mask_is_left_out_and_noted(organ_masks, study, tmp_path):
    organ_masks.add("spleen", np.zeros(organ_masks.shape, dtype=bool))
    write_seg_nrrd(organ_masks, tmp_path / "organs.seg.nrrd")
    found = read_masks(tmp_path / "organs.seg.nrrd", study)
    assert "spleen" not in found.names
    assert found.notes["spleen"] == "empty in the file: left out"


def test_the_shared_label_maps_are_read_with_their_volumes(shared_data):
    from organdose.study import read_ct

    for folder in ("ts_abdomen_pelvis_3mm", "lu177_patient15_organs"):
        legend = json.loads((shared_data / folder / "labels.json").read_text())
        study = read_ct(shared_data / folder / "ct.nii.gz")
        found = read_masks(shared_data / folder / "labels.nii.gz", study)
        voxel_ml = float(np.prod(study.image.GetSpacing())) / 1000
        for name, volume_ml in legend["volume_ml"].items():
            assert found.mask(name).sum() * voxel_ml == pytest.approx(volume_ml, abs=0.02), name


def test_a_clinical_structure_set_gives_the_mask_another_program_made_of_it(shared_data):
    from organdose.study import read_ct

    folder = shared_data / "ibsi_petct_STS_007"
    study = read_ct(folder / "ct")
    ours = read_masks(folder / "rtstruct_gtv_ct.dcm", study)
    theirs = read_masks(folder / "labels.nii.gz", study)
    assert np.array_equal(ours.mask("tumour"), theirs.mask("tumour"))
    with pytest.raises(InputError, match="another series than this CT"):
        read_masks(folder / "rtstruct_gtv_pet.dcm", study)


# Refusals


def test_masks_on_another_grid_are_refused(label_map, study, tmp_path):
    label_map.SetSpacing((2.0, 2.5, 3.1))
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    (tmp_path / "labels.json").write_text('{"1": "liver"}')
    with pytest.raises(InputError, match=r"organs\.nrrd: masks on another grid: .*the CT has 40 x 30 x 20 voxels"):
        read_masks(tmp_path / "organs.nrrd", study)


def test_masks_moved_by_part_of_a_voxel_are_refused(label_map, study, tmp_path):
    label_map.SetOrigin((-40.7, -50.0, -600.0))
    sitk.WriteImage(label_map, str(tmp_path / "liver.nrrd"))
    with pytest.raises(InputError, match="another grid"):
        read_masks(tmp_path / "liver.nrrd", study)


def test_masks_that_reach_beyond_the_ct_are_refused_with_their_number(label_map, study, tmp_path):
    label_map.SetOrigin((-40.0, -50.0, -600.0 + 3 * 8))  # 8 slices up: label 7 leaves the CT by three
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    with pytest.raises(InputError, match="240 voxels of the masks lie outside the CT"):
        read_masks(tmp_path / "organs.nrrd", study)


def test_labels_without_names_are_refused(label_map, study, tmp_path):
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    with pytest.raises(InputError, match=r"nothing says which organ.*labels\.json"):
        read_masks(tmp_path / "organs.nrrd", study)


@pytest.mark.parametrize("content", ["{", "[]", "3", '{"liver": "spleen"}', '{"1": 2}'])
def test_a_legend_that_says_nothing_is_refused(content, label_map, study, tmp_path):
    sitk.WriteImage(label_map, str(tmp_path / "organs.nrrd"))
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(InputError, match=r"labels\.json"):
        read_masks(tmp_path / "organs.nrrd", study)


def test_masks_without_a_voxel_are_refused(ct_image, study, tmp_path):
    empty = ct_image * 0
    sitk.WriteImage(sitk.Cast(empty, sitk.sitkUInt8), str(tmp_path / "liver.nrrd"))
    with pytest.raises(InputError, match="holds no masks"):
        read_masks(tmp_path / "liver.nrrd", study)


def test_a_ct_given_as_masks_is_refused(ct_image, study, tmp_path):
    sitk.WriteImage(ct_image - 1000, str(tmp_path / "ct.nrrd"))
    with pytest.raises(InputError, match="no label numbers"):
        read_masks(tmp_path / "ct.nrrd", study)


def test_files_that_are_no_masks_are_refused(ct_image, dicom_ct, study, tmp_path):
    (tmp_path / "notes.txt").write_text("liver")
    (tmp_path / "broken.nrrd").write_text("NRRD0004\nsizes: 3")
    for path, why in ((tmp_path / "notes.txt", "no masks in a format"), (tmp_path / "broken.nrrd", "damaged"),
                      (tmp_path / "none.nrrd", "no such file"), (dicom_ct(ct_image).files[0], "no masks but CT")):
        with pytest.raises(InputError, match=why):
            read_masks(path, study)
    with pytest.raises(InputError, match="no masks here"):
        read_masks(tmp_path / "ct", study)


@pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])
@pytest.mark.parametrize(("attribute", "why"), [("series_uid", "another series"),
                                                ("frame_of_reference_uid", "another frame of reference")])
def test_masks_of_another_ct_are_refused(write, attribute, why, organ_masks, ct_image, dicom_ct, tmp_path):
    from dataclasses import replace

    study = dicom_ct(ct_image)
    write(organ_masks, study, tmp_path / "masks.dcm")
    with pytest.raises(InputError, match=why):
        read_masks(tmp_path / "masks.dcm", replace(study, **{attribute: "1.2.3.4"}))


def test_contours_outside_the_ct_are_refused_with_their_number(organ_masks, ct_image, dicom_ct, tmp_path):
    from dataclasses import replace

    study = dicom_ct(ct_image)
    write_rtstruct(organ_masks, study, tmp_path / "rs.dcm")
    with pytest.raises(InputError, match=r"6 of \d+ contours of 'body' reach outside the CT"):
        less = OrganMasks(ct_image)
        less.add("body", organ_masks.mask("body"))
        write_rtstruct(less, study, tmp_path / "rs.dcm")
        read_masks(tmp_path / "rs.dcm", replace(study, image=ct_image[:, :, 3:-3]))


def test_contours_between_slices_fill_the_nearest_slice(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_rtstruct(organ_masks, study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    for roi in structure_set.ROIContourSequence:
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3) + np.array([0, 0, 1.2])  # 0.4 of a slice
            contour.ContourData = [f"{value:.3f}" for value in points.ravel()]
    structure_set.save_as(tmp_path / "rs.dcm")
    same(read_masks(tmp_path / "rs.dcm", study), organ_masks)


def test_planes_closer_than_the_slices_do_not_cancel_each_other(ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    masks = OrganMasks(ct_image)
    liver = np.zeros(masks.shape, dtype=bool)
    liver[5:9, 5:15, 5:20] = True
    masks.add("liver", liver)
    write_rtstruct(masks, study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    sequence = structure_set.ROIContourSequence[0].ContourSequence
    for contour in list(sequence):
        twin = copy.deepcopy(contour)
        points = np.array(contour.ContourData, float).reshape(-1, 3) + np.array([0, 0, 1.0])
        twin.ContourData = [f"{value:.3f}" for value in points.ravel()]
        sequence.append(twin)
    structure_set.save_as(tmp_path / "rs.dcm")
    found = read_masks(tmp_path / "rs.dcm", study)
    assert np.array_equal(found.mask("liver"), liver)
    assert found.notes["liver"] == "4 contour planes between the slices of the CT were not used"


def test_missing_contours_between_the_ends_are_noted(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_rtstruct(organ_masks, study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    del structure_set.ROIContourSequence[2].ContourSequence[1]  # the kidney has one contour a slice
    structure_set.save_as(tmp_path / "rs.dcm")
    found = read_masks(tmp_path / "rs.dcm", study)
    assert found.notes["kidney_left"] == "1 slice between its ends without a contour"


def test_reading_can_be_cancelled(organ_masks, study, tmp_path):
    write_seg_nrrd(organ_masks, tmp_path / "organs.seg.nrrd")
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        read_masks(tmp_path / "organs.seg.nrrd", study, progress=progress)
