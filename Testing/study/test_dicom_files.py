"""Which files of a folder are read, and which are refused instead of being passed over."""

import shutil
from pathlib import Path

import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from organdose.study import read_ct


def test_slices_are_found_in_subfolders_under_any_name(write_series):
    folder = write_series("study/a/b", name="IM{:04d}")
    (folder.parent / "README").write_text("Export of a workstation")
    (folder.parent / "._IM0001.dcm").write_bytes(b"\0\5\26\7 Mac OS X")
    (folder / "notes.txt").write_text("no slice")
    study = read_ct(folder.parents[1])
    assert study.image.GetDepth() == 6
    assert [path.name for path in study.files] == [f"IM{index:04d}" for index in range(6)]


def test_a_dicomdir_is_no_slice(write_series, tmp_path):
    exported = FileSet()
    for path in sorted(write_series(change=_for_a_dicomdir).iterdir()):
        exported.add(path)
    exported.write(tmp_path / "cd")
    assert (tmp_path / "cd" / "DICOMDIR").exists()
    assert read_ct(tmp_path / "cd").image.GetDepth() == 6


def _for_a_dicomdir(header, index):
    header.StudyDate, header.StudyTime, header.StudyID, header.AccessionNumber = "20000101", "000000", "1", ""


@pytest.mark.parametrize("with_file_meta", [False, True])
def test_files_without_preamble_are_read(write_series, expected_hu, with_file_meta):
    folder = write_series(name="slice{:02d}")
    for path in folder.iterdir():
        header = dcmread(path)
        header.preamble = None
        if not with_file_meta:
            header.file_meta = FileMetaDataset()
            header.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
        else:
            header.save_as(path, enforce_file_format=False)
        assert path.read_bytes()[128:132] != b"DICM"
    assert (sitk.GetArrayFromImage(read_ct(folder).image) == expected_hu(6)).all()


def test_empty_uids_are_taken_from_the_file_meta_header(write_series):
    def change(header, index):
        header.SOPClassUID = header.SOPInstanceUID = header.SeriesInstanceUID = ""

    folder = write_series(change=_blank_uids_on_disk(change))
    study = read_ct(folder)
    assert study.series_uid == ""
    assert study.sop_instance_uids == tuple(str(dcmread(path).file_meta.MediaStorageSOPInstanceUID)
                                            for path in study.files)
    assert all(study.sop_instance_uids)


def _blank_uids_on_disk(change):
    """pydicom fills the file meta header from the data set while it writes: the meta header keeps its own UIDs."""
    def both(header, index):
        meta = header.file_meta.copy()
        change(header, index)
        header.file_meta = meta
    return both


def test_a_missing_path_is_refused(tmp_path, refusal):
    assert refusal(tmp_path / "nowhere") == (f"{tmp_path / 'nowhere'}: there is no such file or folder. "
                                             "Check the path of the CT.")


def test_an_empty_folder_is_refused(tmp_path, refusal):
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert "the folder is empty" in refusal(tmp_path)


def test_a_folder_without_dicom_is_refused(tmp_path, refusal):
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert "none of the 1 files in the folder is DICOM" in refusal(tmp_path)


def test_a_folder_around_a_nifti_file_says_to_give_the_file(tmp_path, refusal):
    (tmp_path / "ct.nii.gz").write_bytes(b"")
    assert "Give the CT's own file, not its folder (there is ct.nii.gz)." in refusal(tmp_path)


def test_a_text_file_is_refused(tmp_path, refusal):
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert "neither DICOM nor NRRD nor NIfTI" in refusal(tmp_path / "notes.txt")


@pytest.mark.parametrize("content", [b"", b"no DICOM at all", b"\0" * 128 + b"DICM",
                                     b"\0" * 128 + b"DICM\2\0\0\0UL\4\0\xc4\0\0\0\2\0\1\0OB\0\0"])
def test_a_damaged_file_named_like_a_slice_is_refused_and_named(write_series, refusal, content):
    folder = write_series()
    (folder / "ct_006.dcm").write_bytes(content)
    message = refusal(folder)
    assert "ct_006.dcm" in message
    assert "truncated" in message


@pytest.mark.parametrize("content", [b"", bytes(100), bytes(4096)])
def test_an_empty_file_without_suffix_is_a_lost_slice(write_series, refusal, content):
    folder = write_series(name="1.2.840.{:d}")
    (folder / "1.2.840.6").write_bytes(content)
    assert "1.2.840.6: the file is truncated" in refusal(folder)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless], ids=lambda uid: uid.keyword)
def test_wherever_the_last_slice_breaks_off_the_study_is_refused(write_series, refusal, syntax):
    """The last slice is the worst: without it the others would still make an even volume, cropped in silence."""
    folder = write_series(slices=3, syntax=syntax, name="IM{:d}")
    victim = folder / "IM2"
    content = victim.read_bytes()
    for kept in range(0, len(content) - 8, 37):
        victim.write_bytes(content[:kept])
        assert "IM2" in refusal(folder), f"{kept} bytes kept"


def test_values_of_the_wrong_length_are_refused_and_named(write_series, refusal):
    folder = write_series()
    victim = folder / "ct_002.dcm"
    rows = b"\x28\0\x10\0US\2\0"
    content = victim.read_bytes()
    assert rows in content
    victim.write_bytes(content.replace(rows, b"\x28\0\x10\0US\3\0"))
    assert "ct_002.dcm" in refusal(folder)


def test_a_file_that_may_not_be_read_is_refused_and_named(write_series, refusal, monkeypatch):
    """The super-user of a container may read everything, so the refusal of the system is played."""
    folder, opened = write_series(), Path.open

    def open_or_refuse(path, *args, **kwargs):
        if path.name == "ct_002.dcm":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_or_refuse)
    assert "ct_002.dcm: the file cannot be opened. Check its permissions." in refusal(folder)


def test_a_second_copy_of_the_series_is_refused(write_series, refusal):
    folder = write_series("study/ct")
    shutil.copytree(folder, folder.parent / "copy")
    assert "two slices lie at the same position z = 100 mm and 5 more pairs elsewhere" in refusal(folder.parent)
