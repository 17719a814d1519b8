import json

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.rtstruct import write_rtstruct
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.segmentation.network_input import windows, working_image
from organdose.segmentation.network_labels import label_map, organ_values, voxels_of
from organdose.segmentation.training_cases import prepare_dataset
from organdose.segmentation.training_split import split_cases

ORGANS = ("body", "liver", "kidney_left")


@pytest.fixture
def patient(generated_patient):
    """CT of ellipsoids in 5 mm voxels, and masks of its liver and left kidney (no body)."""
    image = sitk.Cast(generated_patient("ct"), sitk.sitkInt16)
    hu = sitk.GetArrayViewFromImage(image)
    x, y, z = np.meshgrid(*(o + np.arange(n) * 5.0 for o, n in zip(image.GetOrigin(), image.GetSize())), indexing="ij")
    masks = OrganMasks(image)
    masks.add("liver", ((((x + 60) / 30)**2 + ((y - 15) / 35)**2 + ((z - 25) / 40)**2) < 1).transpose())
    masks.add("kidney_left", ((((x - 55) / 24)**2 + ((y - 40) / 21)**2 + ((z + 55) / 40)**2) < 1).transpose())
    return image, masks, hu


def write_case(folder, image, masks, *, patient=None, as_labels=False):
    folder.mkdir(parents=True)
    sitk.WriteImage(image, str(folder / "ct.nii.gz"))
    if as_labels:
        labels = sitk.GetImageFromArray(label_map(masks, ("liver", "kidney_left")))
        labels.CopyInformation(image)
        sitk.WriteImage(labels, str(folder / "labels.nii.gz"))
        (folder / "labels.json").write_text(json.dumps({"1": "Leber", "2": "left kidney"}))
    else:
        write_seg_nrrd(masks, folder / "masks.seg.nrrd")
    if patient:
        (folder / "case.json").write_text(json.dumps({"patient": patient}))


@pytest.mark.parametrize("as_labels", [True, False], ids=["nifti labels", "seg.nrrd"])
def test_a_folder_of_ct_and_masks_becomes_a_case(tmp_path, patient, as_labels):
    image, masks, _ = patient
    write_case(tmp_path / "set" / "a", image, masks, as_labels=as_labels)
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=ORGANS, spacing_mm=5.0)
    assert set(case.organs) == {"liver", "kidney_left"} and case.hu.shape == case.labels.shape
    for name in ("liver", "kidney_left"):
        count = np.count_nonzero(case.labels == organ_values(ORGANS)[name])
        assert count == np.count_nonzero(masks.mask(name)), "the CT has the network's voxels already"
    assert (case.labels == 1).sum() > 10_000, "the body is drawn where the masks have none"
    assert case.hu.size < sitk.GetArrayViewFromImage(image).size, "cut to the body"


def test_masks_as_rtstruct_beside_a_dicom_series(tmp_path, patient, dicom_ct):
    image, masks, _ = patient
    study = dicom_ct(image, "ct")
    write_rtstruct(OrganMasks(study.image, masks.layers, masks.segments), study, tmp_path / "masks.dcm")
    case, = prepare_dataset(str(tmp_path), tmp_path / "work", organs=ORGANS, spacing_mm=5.0)
    count = np.count_nonzero(case.labels == 2)
    assert count == pytest.approx(np.count_nonzero(masks.mask("liver")), rel=0.06)


def test_cases_are_prepared_once(tmp_path, patient):
    image, masks, _ = patient
    write_case(tmp_path / "set" / "a", image, masks)
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=ORGANS, spacing_mm=5.0)
    before = (case.folder / "hu.npy").stat().st_mtime_ns
    prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=ORGANS, spacing_mm=5.0)
    assert (case.folder / "hu.npy").stat().st_mtime_ns == before


def test_a_case_whose_masks_were_corrected_is_prepared_again(tmp_path, patient):
    image, masks, _ = patient
    write_case(tmp_path / "set" / "a", image, masks)
    prepare_dataset(str(tmp_path / "set"), tmp_path / "set" / "work", organs=ORGANS, spacing_mm=5.0)
    corrected = OrganMasks(image)
    corrected.add("liver", masks.mask("kidney_left"))
    write_seg_nrrd(corrected, tmp_path / "set" / "a" / "masks.seg.nrrd")
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "set" / "work", organs=ORGANS, spacing_mm=5.0)
    assert case.organs == ("liver",)
    assert np.count_nonzero(case.labels == organ_values(ORGANS)["liver"]) == masks.mask("kidney_left").sum()


def test_generated_patients_are_a_dataset(tmp_path):
    case, = prepare_dataset("generated:1", tmp_path, organs=("body", "bones", "lung_left"), spacing_mm=10.0)
    assert case.name == "generated-000001" and set(case.organs) <= {"body", "bones", "lung_left"}
    assert case.labels.max() <= 3


@pytest.mark.parametrize(("dataset", "message"), [("generated:", "says not how many"), ("generated:-3", "says not"),
                                                  ("no/such/folder", "no such folder")])
def test_a_dataset_that_is_none_is_refused(tmp_path, dataset, message):
    with pytest.raises(InputError, match=message):
        prepare_dataset(dataset, tmp_path)


def test_a_case_without_masks_or_with_other_organs_is_refused(tmp_path, patient):
    image, masks, _ = patient
    write_case(tmp_path / "set" / "a", image, masks)
    with pytest.raises(InputError, match="none of the organs to be learned"):
        prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=("body", "spleen"))
    (tmp_path / "set" / "a" / "masks.seg.nrrd").unlink()
    with pytest.raises(InputError, match="no masks beside the CT"):
        prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=ORGANS)
    (tmp_path / "set" / "a" / "ct.nii.gz").unlink()
    with pytest.raises(InputError, match="no case in this folder"):
        prepare_dataset(str(tmp_path / "set"), tmp_path / "work")


class _Case:
    def __init__(self, number, patient):
        self.name, self.patient = f"case-{number}", patient

    def __repr__(self):
        return self.name


CASES = [_Case(2 * n + half, f"patient-{n}") for n in range(40) for half in (0, 1)]


def patients(cases):
    return {case.patient for case in cases}


def test_all_cases_of_a_patient_are_on_one_side():
    split = split_cases(CASES, test_share=0.2, folds=4)
    sides = [patients(side) for side in (split.train, split.validation, split.test)]
    assert all(sides) and sum(map(len, sides)) == len(set.union(*sides)) == 40
    assert len(split.train) + len(split.validation) + len(split.test) == 80


def test_over_all_folds_every_patient_outside_the_test_set_validates_once():
    splits = [split_cases(CASES, test_share=0.2, folds=4, fold=fold) for fold in range(4)]
    assert len({frozenset(patients(split.test)) for split in splits}) == 1
    validating = [patient for split in splits for patient in patients(split.validation)]
    assert len(validating) == len(set(validating)) == 40 - len(patients(splits[0].test))


def test_new_patients_never_bring_a_tested_one_into_the_training():
    before = patients(split_cases(CASES[:40], test_share=0.2).test)
    after = split_cases(CASES, test_share=0.2)
    assert before <= patients(after.test)


def test_too_few_patients_or_no_such_fold_are_refused():
    with pytest.raises(InputError, match="too few"):
        split_cases(CASES[:4], test_share=0.1)
    with pytest.raises(InputError, match="no fold 5"):
        split_cases(CASES, folds=5, fold=5)


def test_bones_hold_the_femoral_heads_and_the_body_holds_everything(organ_masks):
    names = ("body", "bones", "femoral_head_left", "liver")
    labels = np.array([[[0, 1, 2, 3, 4]]], np.uint8)
    assert voxels_of("bones", labels, names).tolist() == [[[False, False, True, True, False]]]
    assert voxels_of("body", labels, names).tolist() == [[[False, True, True, True, True]]]
    assert label_map(organ_masks, ("body", "liver"))[9, 18, 20] == 2


def test_windows_run_from_minus_one_to_one():
    channels = windows(np.array([-2000.0, -1000, 40, 240, 3000]), ((-1000, 1000), (-160, 240)))
    assert channels.tolist() == [pytest.approx([-1, -1, 0.04, 0.24, 1]), pytest.approx([-1, -1, 0, 1, 1])]


def test_the_working_image_covers_the_same_space_with_the_same_mean(generated_patient):
    image = generated_patient("ct", spacing_mm=2.0, size=(90, 80, 70))
    coarse = working_image(image, 4.0)
    assert coarse.GetSpacing() == (4.0, 4.0, 4.0) and coarse.GetSize() == (45, 40, 35)
    assert sitk.GetArrayViewFromImage(coarse).mean() == pytest.approx(sitk.GetArrayViewFromImage(image).mean(), abs=1)
    lower = [o - s / 2 for o, s in zip(coarse.GetOrigin(), coarse.GetSpacing())]
    assert lower == pytest.approx([o - s / 2 for o, s in zip(image.GetOrigin(), image.GetSpacing())])


@pytest.mark.parametrize(("slices", "slice_mm"), [(403, 1.0), (7, 1.0), (21, 3.0), (11, 2.0)])
def test_where_a_ct_ends_within_a_working_voxel_there_is_tissue_not_air(slices, slice_mm):
    image = sitk.Image([6, 6, slices], sitk.sitkInt16) + 50
    image.SetSpacing((4.0, 4.0, slice_mm))
    values = sitk.GetArrayFromImage(working_image(image, 4.0))
    assert len(values) == -(-slices * slice_mm // 4) and values.min() == values.max() == 50


def test_an_organ_that_goes_on_beyond_the_ct_is_learned_up_to_its_last_slice(tmp_path, generated_patient):
    image = generated_patient("ct", spacing_mm=3.0, size=(100, 77, 23))
    inside = sitk.GetArrayViewFromImage(image) > 90
    assert inside[-1].any(), "cut by the end of the image"
    masks = OrganMasks(image)
    masks.add("liver", inside)
    write_case(tmp_path / "set" / "a", sitk.Cast(image, sitk.sitkInt16), masks)
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=ORGANS, spacing_mm=4.0)
    liver = case.labels == organ_values(ORGANS)["liver"]
    assert liver[-1].any() and (case.hu[-1][liver[-1]] > 60).mean() > 0.9
