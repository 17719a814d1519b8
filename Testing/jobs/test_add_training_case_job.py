"""A corrected case for a training: nothing of the patient but a hash, and only what somebody answers for."""

import json
import os

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, approve, mark_drawn
from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.add_training_case_job import AddTrainingCaseJob, add_training_case
from organdose.segmentation.reading import read_masks
from organdose.segmentation.training_cases import patient_hash, prepare_dataset
from organdose.study import read_ct

SECRETS = ("Phantom", "TEST", "A. Smith", "Meier")


@pytest.fixture
def image(generated_patient):
    return sitk.Cast(generated_patient("ct"), sitk.sitkInt16)


@pytest.fixture
def mask_file(tmp_path, image):
    """Writes masks of a liver, a left kidney and something of a private name; approves those wanted."""

    def write(approved=("liver", "kidney_left"), shift=0, name="masks"):
        hu = sitk.GetArrayViewFromImage(image)
        masks = OrganMasks(image, origin="drawn for Meier")
        middle = [n // 2 for n in hu.shape]
        for organ, side in (("liver", -8), ("kidney_left", 8), ("meier_lesion_a", 0)):
            mask = np.zeros(hu.shape, bool)
            mask[middle[0] - 3:middle[0] + 3, middle[1] - 2:middle[1] + 2, middle[2] + side:middle[2] + side + 4 + shift
                 ] = True
            masks.add(organ, mask)
        mark_drawn(masks)
        for organ in approved:
            approve(masks, organ, "A. Smith")
        write_seg_nrrd(masks, tmp_path / f"{name}.seg.nrrd")
        return tmp_path / f"{name}.seg.nrrd"

    return write


@pytest.fixture
def dicom(dicom_ct, image, tmp_path):
    dicom_ct(image, "ct")
    return tmp_path / "ct"


def everything_in(folder):
    """All bytes of all files, unpacked where ITK packed them, and all names."""
    told = []
    for path in folder.rglob("*"):
        told.append(path.name)
        if path.suffix == ".json":
            told.append(path.read_text())
        elif path.is_file():
            read = sitk.ReadImage(str(path))
            told += [f"{key}={read.GetMetaData(key)}" for key in read.GetMetaDataKeys()]
            told.append(path.read_bytes()[:4000].decode("latin-1"))
    return "\n".join(told)


def test_a_case_is_one_of_the_dataset_and_names_nobody(tmp_path, dicom, mask_file, image):
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=mask_file(), out=tmp_path / "set"))
    assert added.organs == ("liver", "kidney_left") and added.not_approved == ()
    assert not [secret for secret in SECRETS if secret.lower() in everything_in(tmp_path / "set").lower()]
    kept = read_ct(added.folder / "ct.nrrd").image
    assert np.array_equal(sitk.GetArrayFromImage(kept), sitk.GetArrayFromImage(image))
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=("body", "liver", "kidney_left"),
                            spacing_mm=5.0)
    assert set(case.organs) == {"liver", "kidney_left"} and np.count_nonzero(case.labels == 2) == 6 * 4 * 4


def test_cases_of_one_patient_stay_together_with_his_dicom_cases(tmp_path, dicom, mask_file):
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=mask_file(), out=tmp_path / "set"))
    beside = tmp_path / "set" / "as it came"
    beside.mkdir()
    os.symlink(dicom, beside / "ct")
    os.symlink(tmp_path / "masks.seg.nrrd", beside / "masks.seg.nrrd")
    cases = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=("body", "liver"), spacing_mm=10.0)
    assert len(cases) == 2 and {case.patient for case in cases} == {patient_hash("TEST")}
    assert added.folder.name.startswith(f"case-{patient_hash('TEST')[:8]}-")


def test_masks_nobody_approved_are_left_out_and_cannot_be_learned_as_absent(tmp_path, dicom, mask_file):
    masks = mask_file(approved=["liver"])
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "s"))
    assert added.organs == ("liver",) and added.not_approved == ("kidney_left",)
    assert "not approved and left out: kidney_left" in added.line
    prepare_dataset(str(tmp_path / "s"), tmp_path / "work", organs=("body", "liver"), spacing_mm=10.0)
    with pytest.raises(InputError, match=r"kidney_left had no approved mask.*--organs"):
        prepare_dataset(str(tmp_path / "s"), tmp_path / "work", organs=("body", "liver", "kidney_left"))


def test_an_approval_that_an_edit_made_void_does_not_count(tmp_path, dicom, mask_file):
    masks = mask_file()
    file = sitk.ReadImage(str(masks))
    labels = sitk.GetArrayFromImage(file)
    labels[0, 0, 0] = 1  # one more voxel of the first organ
    edited = sitk.GetImageFromArray(labels)
    edited.CopyInformation(file)
    for key in file.GetMetaDataKeys():
        edited.SetMetaData(key, file.GetMetaData(key))
    sitk.WriteImage(edited, str(masks))
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "set"))
    assert added.organs == ("kidney_left",) and added.not_approved == ("liver",)


def test_masks_without_any_approval_are_refused_unless_asked_for(tmp_path, dicom, mask_file):
    masks = mask_file(approved=())
    with pytest.raises(InputError, match=r"nobody has approved any of these masks.*liver"):
        add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "set"))
    assert not (tmp_path / "set").exists()
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "set", only_approved=False))
    assert set(added.organs) == {"liver", "kidney_left"}


def test_a_ct_of_nobody_needs_a_name_that_is_not_kept(tmp_path, image, mask_file):
    sitk.WriteImage(image, str(tmp_path / "ct.nii.gz"))
    given = {"ct": tmp_path / "ct.nii.gz", "masks": mask_file(), "out": tmp_path / "set"}
    with pytest.raises(InputError, match=r"does not say whose it is.*--patient"):
        add_training_case(AddTrainingCaseJob(**given))
    added = add_training_case(AddTrainingCaseJob(**given, patient="Meier"))
    assert json.loads((added.folder / "case.json").read_text())["patient_hash"] == patient_hash("Meier")
    assert "meier" not in everything_in(tmp_path / "set").lower()


def test_a_ct_is_added_once_and_replaced_on_demand(tmp_path, dicom, mask_file):
    given = {"ct": dicom, "out": tmp_path / "set"}
    first = add_training_case(AddTrainingCaseJob(masks=mask_file(), **given))
    with pytest.raises(InputError, match="in the dataset already"):
        add_training_case(AddTrainingCaseJob(masks=mask_file(shift=1, name="better"), **given))
    prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=("body", "liver"), spacing_mm=5.0)
    second = add_training_case(AddTrainingCaseJob(masks=mask_file(shift=1, name="better"), replace=True, **given))
    assert [path.name for path in (tmp_path / "set").iterdir()] == [second.folder.name] != [first.folder.name]
    case, = prepare_dataset(str(tmp_path / "set"), tmp_path / "work", organs=("body", "liver"), spacing_mm=5.0)
    assert np.count_nonzero(case.labels == 2) == 6 * 4 * 5, "the corrected mask, not the one prepared before"


def test_a_case_that_cannot_be_written_leaves_the_earlier_one(tmp_path, dicom, mask_file, monkeypatch):
    given = {"ct": dicom, "out": tmp_path / "set"}
    first = add_training_case(AddTrainingCaseJob(masks=mask_file(), **given))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("organdose.jobs.add_training_case_job.write_seg_nrrd", full)
    with pytest.raises(InputError, match="No space left"):
        add_training_case(AddTrainingCaseJob(masks=mask_file(shift=1, name="better"), replace=True, **given))
    assert [path.name for path in (tmp_path / "set").iterdir()] == [first.folder.name]


def test_organs_that_are_not_in_the_masks_are_named(tmp_path, dicom, mask_file):
    with pytest.raises(InputError, match="no spleen"):
        add_training_case(AddTrainingCaseJob(ct=dicom, masks=mask_file(), out=tmp_path / "s", organs=("spleen",)))
    given = {"ct": dicom, "masks": mask_file(), "out": tmp_path / "s"}
    added = add_training_case(AddTrainingCaseJob(**given, organs=("liver",)))
    assert added.organs == ("liver",)


def test_organs_that_were_not_chosen_cannot_be_learned_as_absent(tmp_path, dicom, mask_file):
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=mask_file(), out=tmp_path / "s", organs=("liver",)))
    assert added.organs == ("liver",) and added.not_approved == ()
    prepare_dataset(str(tmp_path / "s"), tmp_path / "work", organs=("body", "liver"), spacing_mm=10.0)
    with pytest.raises(InputError, match=r"kidney_left had no approved mask .* or was not chosen.*--organs"):
        prepare_dataset(str(tmp_path / "s"), tmp_path / "work", organs=("body", "liver", "kidney_left"))


def test_a_body_that_nobody_approved_is_drawn_anew(tmp_path, dicom, mask_file, image):
    study, masks = read_ct(dicom), mask_file()
    both = read_masks(masks, study)
    both.add("body", sitk.GetArrayFromImage(image) > 0)
    write_seg_nrrd(both, masks)
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "s"))
    assert added.not_approved == ("body",)
    case, = prepare_dataset(str(tmp_path / "s"), tmp_path / "work", organs=("body", "liver"), spacing_mm=10.0)
    assert np.count_nonzero(case.labels == 1) > 1000


def test_an_estimated_organ_is_no_truth_unless_approved(tmp_path, dicom, mask_file):
    study, masks = read_ct(dicom), mask_file(approved=())
    both = read_masks(masks, study)
    mark_drawn(both, Drawn.ESTIMATED, ["liver"])
    write_seg_nrrd(both, masks)
    added = add_training_case(AddTrainingCaseJob(ct=dicom, masks=masks, out=tmp_path / "s", only_approved=False))
    assert added.organs == ("kidney_left",) and added.not_approved == ("liver",)


def test_one_ct_is_not_added_as_that_of_two_patients(tmp_path, image, mask_file):
    sitk.WriteImage(image, str(tmp_path / "ct.nii.gz"))
    given = {"ct": tmp_path / "ct.nii.gz", "masks": mask_file(), "out": tmp_path / "set"}
    add_training_case(AddTrainingCaseJob(**given, patient="one"))
    with pytest.raises(InputError, match="in the dataset already"):
        add_training_case(AddTrainingCaseJob(**given, patient="two"))
    second = add_training_case(AddTrainingCaseJob(**given, patient="two", replace=True))
    assert [path.name for path in (tmp_path / "set").iterdir()] == [second.folder.name]
