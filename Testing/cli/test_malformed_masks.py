"""Masks that do not belong to the CT, cannot be read or say nothing: refused in one line, nothing left."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.rtstruct import write_rtstruct
from organdose.study import read_ct


@pytest.fixture
def dose_refused(refused, tmp_path):
    def run(ct, masks, *options, words):
        return refused("ct-dose", ct, "-o", tmp_path / "result", "--voxel-mm", 10, "--histories", 2000,
                       "--segmentation", masks, *options, words=words)
    return run


@pytest.fixture
def dicom_masks(tmp_path):
    """Writes a liver on a CT as RTSTRUCT or SEG."""
    def write(ct, kind):
        study = read_ct(ct)
        masks = OrganMasks(study.image, origin="test")
        liver = np.zeros(masks.shape, bool)
        liver[2:6, 12:20, 8:14] = True
        masks.add("liver", liver)
        path = tmp_path / f"liver.{kind}.dcm"
        {"rtstruct": write_rtstruct, "seg": write_dicom_seg}[kind](masks, study, path)
        return path
    return write


def test_masks_on_another_grid_show_both_grids(tiny_ct, label_map, dose_refused):
    def coarser(image):
        image.SetSpacing((20, 20, 10))
        return image
    dose_refused(tiny_ct(), label_map(change=coarser),
                 words=("masks.nrrd", "32 x 32 x 8 voxels of 20 x 20 x 10 mm", "the CT has", "Resample"))


def test_masks_beside_the_ct_are_counted(tiny_ct, label_map, dose_refused):
    def beside(image):
        image.SetOrigin((image.GetOrigin()[0] + 200, *image.GetOrigin()[1:]))
        return image
    dose_refused(tiny_ct(), label_map(change=beside), words=("masks.nrrd", "lie outside the CT", "Give the"))


def test_a_label_map_without_names_asks_for_them(tiny_ct, label_map, dose_refused):
    dose_refused(tiny_ct(), label_map(legend=""), words=("which organ is which of its 2 labels", "labels.json"))


@pytest.mark.parametrize("legend", ['{"1": "liver"', "[]", '{"liver": "red"}', "7"])
def test_names_that_cannot_be_read_show_how_to_write_them(tiny_ct, label_map, dose_refused, legend):
    dose_refused(tiny_ct(), label_map(legend=legend), words=("labels.json", 'Write it as {"1": "liver"'))


def test_empty_masks_are_refused(tiny_ct, label_map, dose_refused):
    dose_refused(tiny_ct(), label_map(change=lambda image: image * 0), words=("masks.nrrd", "no masks", "Give"))


def test_a_ct_in_the_place_of_masks_is_recognised(tiny_ct, tiny_volume, dose_refused):
    dose_refused(tiny_ct(), tiny_volume(), words=("ct.nrrd", "no label numbers", "not a CT"))


def test_mask_values_that_are_no_numbers_are_refused(tiny_ct, label_map, dose_refused):
    def with_nan(image):
        image = sitk.Cast(image, sitk.sitkFloat32)
        image[3, 3, 3] = float("nan")
        return image
    dose_refused(tiny_ct(), label_map("masks.nii.gz", change=with_nan), words=("masks.nii.gz", "no numbers", "Export"))


def test_truncated_masks_are_refused(tiny_ct, label_map, dose_refused):
    masks = label_map()
    masks.write_bytes(masks.read_bytes()[:-200])
    dose_refused(tiny_ct(), masks, words=("masks.nrrd", "truncated", "Export"))


def test_masks_that_are_not_there_are_named(tiny_ct, tmp_path, dose_refused):
    dose_refused(tiny_ct(), tmp_path / "no.nrrd", words=("no.nrrd", "no such file", "Check the path of the masks"))


def test_another_kind_of_file_is_answered_with_the_kinds_that_work(tiny_ct, tmp_path, dose_refused):
    (tmp_path / "masks.stl").write_text("solid liver")
    dose_refused(tiny_ct(), tmp_path / "masks.stl", words=("masks.stl", "no masks", "DICOM SEG or RTSTRUCT"))


def test_a_ct_slice_in_the_place_of_a_structure_set_is_recognised(tiny_ct, dose_refused):
    ct = tiny_ct()
    dose_refused(ct, ct / "000.dcm", words=("holds no masks but CT", "RTSTRUCT"))


def test_a_folder_without_masks_is_refused(tiny_ct, dose_refused):
    ct = tiny_ct()
    dose_refused(ct, ct, words=("no masks here", "DICOM SEG or RTSTRUCT"))


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
def test_masks_of_another_frame_of_reference_are_refused(tiny_ct, dicom_masks, dose_refused, kind):
    def elsewhere(header, index):
        header.FrameOfReferenceUID, header.SeriesInstanceUID = "2.25.77", "2.25.78"
    masks = dicom_masks(tiny_ct("other", change=elsewhere), kind)
    dose_refused(tiny_ct(), masks, words=(masks.name, "another frame of reference", "Give the", "of this CT"))


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
@pytest.mark.parametrize("part", [0.4, 0.8, 0.97])
def test_dicom_masks_that_break_off_are_refused(tiny_ct, dicom_masks, dose_refused, kind, part):
    ct = tiny_ct()
    masks = dicom_masks(ct, kind)
    content = masks.read_bytes()
    masks.write_bytes(content[:int(part * len(content))])
    dose_refused(ct, masks, words=(masks.name, "Export"))


def test_contours_outside_the_ct_are_refused(tiny_ct, dicom_masks, dose_refused):
    ct = tiny_ct()
    masks = dicom_masks(ct, "rtstruct")
    structures = pydicom.dcmread(masks)
    for contour in structures.ROIContourSequence[0].ContourSequence:
        contour.ContourData = [value + 400 * (index % 3 == 0) for index, value in enumerate(contour.ContourData)]
    structures.save_as(masks)
    dose_refused(ct, masks, words=("of 'liver' reach outside the CT", "Give the whole CT"))


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
def test_the_good_masks_all_these_were_made_from_are_not_refused(organdose, tiny_ct, dicom_masks, label_map, tmp_path,
                                                                 kind):
    ct = tiny_ct()
    outcome = organdose("compare-masks", dicom_masks(ct, kind), label_map(), "-o", tmp_path / "out.csv", "--ct", ct)
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("liver,1,1,1,1,0,1,")


# --- compare-masks


def test_comparing_needs_a_grid(refused, tiny_ct, dicom_masks, label_map, tmp_path):
    structures = dicom_masks(tiny_ct(), "rtstruct")
    refused("compare-masks", label_map(), structures, "-o", tmp_path / "out.csv",
            words=("liver.rtstruct.dcm", "no grid of its own", "--ct"))


def test_comparing_with_a_file_that_is_not_there_names_it(refused, label_map, tmp_path):
    masks = label_map()
    refused("compare-masks", tmp_path / "no.nrrd", masks, "-o", tmp_path / "out.csv", words=("no.nrrd", "no such file"))
    refused("compare-masks", masks, tmp_path / "no.nrrd", "-o", tmp_path / "out.csv", words=("no.nrrd", "no such file"))
