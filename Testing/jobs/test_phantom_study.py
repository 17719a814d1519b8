"""The embedded study on disk: complete, consistent, reproducible, never half-written."""

import hashlib
import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.jobs.phantom_study import write_phantom_study
from organdose.progress import Progress
from organdose.study import read_ct

_SMALL = {"slice_mm": 20.0, "pixels": 96, "z_range_mm": (260.0, 480.0)}
_TINY = {"slice_mm": 40.0, "pixels": 48, "z_range_mm": (300.0, 380.0)}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_phantom_study("adult-male", tmp_path_factory.mktemp("phantom") / "study", **_SMALL)


def _digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for kind in ("ct", "pet") for path in sorted((folder / kind).iterdir())}


def test_every_file_of_the_study_is_there(study):
    assert len(list(study.ct.iterdir())) == 12 and len(list(study.pet.iterdir())) == 56
    for path in (study.rtstruct, study.dicom_seg, study.seg_nrrd, study.activity, study.facts, study.readme):
        assert path.stat().st_size > 100
    assert "not a person" in study.readme.read_text()
    assert not [p for p in study.folder.parent.iterdir() if p != study.folder]


def test_our_reader_finds_all_acquisition_facts(study):
    ct = read_ct(study.ct)
    known = ct.acquisition.known()
    assert {"tube_voltage_kv", "tube_current_ma", "exposure_mas", "rotation_time_s", "pitch", "total_collimation_mm",
            "ctdivol_mgy", "ctdi_phantom_cm", "focus_isocentre_mm", "isocentre_mm", "scan_kind"} <= set(known)
    assert ct.acquisition.warnings == ()
    assert np.mean(known["ctdivol_mgy"].value) == pytest.approx(10.0, rel=0.01)
    assert ct.patient_sex == "M"


def test_ct_pet_and_masks_belong_to_one_study(study):
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in
               (next(study.ct.iterdir()), next(study.pet.iterdir()), study.rtstruct, study.dicom_seg)]
    assert len({h.StudyInstanceUID for h in headers}) == len({h.FrameOfReferenceUID for h in headers[:2]}) == 1
    assert len({h.PatientID for h in headers}) == 1


def test_the_masks_say_the_same_in_rtstruct_seg_and_nrrd(study):
    facts = json.loads(study.facts.read_text())["organs"]
    contours = {roi.ROIName for roi in pydicom.dcmread(study.rtstruct).StructureSetROISequence}
    segments = {s.SegmentLabel for s in pydicom.dcmread(study.dicom_seg, stop_before_pixels=True).SegmentSequence}
    assert contours == segments
    assert set(facts) == contours | {"skin", "subcutaneous_fat", "torso_fat", "skeletal_muscle"} & set(facts)
    assert {"body", "liver", "kidney_left", "lung_right", "spleen"} <= contours
    assert facts["liver"]["mass_g"] == pytest.approx(1910, rel=0.1)


def test_the_pet_holds_the_true_activity_and_the_liver_its_share_of_the_injected(study):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(study.pet)))
    reader.SetOutputPixelType(sitk.sitkFloat32)
    pet, truth = reader.Execute(), sitk.ReadImage(str(study.activity))
    assert pet.GetSize() == truth.GetSize() and pet.GetOrigin() == pytest.approx(truth.GetOrigin(), abs=1e-4)
    pet_bq, true_bq = (sitk.GetArrayViewFromImage(i).sum(dtype=float) * 0.064 for i in (pet, truth))
    assert pet_bq == pytest.approx(true_bq, rel=0.02)
    header = pydicom.dcmread(next(study.pet.iterdir()), stop_before_pixels=True)
    injected_bq = float(header.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose)
    liver_bq_per_ml = json.loads(study.facts.read_text())["bq_per_ml_at_scan"]["liver"]
    # 5 % of the injected activity (ICRP 128) in the liver's 1.8 l, decayed for an hour.
    assert liver_bq_per_ml * 1840 == pytest.approx(0.05 * injected_bq * 0.5 ** (60 / 109.77), rel=0.03)


def test_the_same_arguments_write_the_same_files_and_another_seed_others(tmp_path):
    first, again = (write_phantom_study("adult-male", tmp_path / name, **_TINY) for name in ("first", "again"))
    other = write_phantom_study("adult-male", tmp_path / "other", seed=4, **_TINY)
    ours, theirs = _digests(first.folder), _digests(other.folder)
    assert ours == _digests(again.folder)
    assert not set(ours.values()) & set(theirs.values())


def test_a_phantom_study_is_replaced_and_anything_else_is_not(tmp_path):
    folder = tmp_path / "study"
    write_phantom_study("adult-female", folder, **_TINY)
    (folder / "stale").write_text("x")
    write_phantom_study("adult-female", folder, **_TINY)
    assert not (folder / "stale").exists()
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter1.txt").write_text("do not touch")
    with pytest.raises(InputError, match="something other"):
        write_phantom_study("adult-female", foreign)
    assert [p.name for p in foreign.iterdir()] == ["chapter1.txt"]


def test_a_cancelled_study_leaves_nothing(tmp_path):
    progress = Progress(lambda report: progress.cancel() if report.stage == "writing PET" else None)
    with pytest.raises(Cancelled):
        write_phantom_study("adult-male", tmp_path / "study", **_TINY, progress=progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "told"), [
    ({"name": "adult-cat"}, "adult-cat"), ({"name": "adult-male", "region": "tail"}, "tail"),
    ({"name": "adult-male", "seed": -1}, "seed"), ({"name": "adult-male", "slice_mm": 0}, "slices")])
def test_what_cannot_be_written_is_refused_and_nothing_appears(tmp_path, arguments, told):
    with pytest.raises(InputError, match=told):
        write_phantom_study(folder=tmp_path / "study", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "study").write_text("x")
    with pytest.raises(InputError, match="file of this name"):
        write_phantom_study("adult-male", tmp_path / "study")
