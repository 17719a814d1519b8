"""CTs and protocol files that must not become a dose: through the command line, refused in one line, nothing left."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLossless


@pytest.fixture
def out(tmp_path):
    return tmp_path / "result"


@pytest.fixture
def dose_refused(refused, out):
    """Asks for the dose of a CT that must be refused."""
    def run(ct, *options, words):
        return refused("ct-dose", ct, "-o", out, "--voxel-mm", 10, "--histories", 2000, *options, words=words)
    return run


# --- the CT as DICOM


def test_a_slice_that_breaks_off_is_named(tiny_ct, dose_refused):
    ct = tiny_ct()
    broken = ct / "003.dcm"
    broken.write_bytes(broken.read_bytes()[:-700])
    dose_refused(ct, words=("003.dcm", "truncated", "Export the study again"))


def test_a_slice_whose_header_breaks_off_is_named(tiny_ct, dose_refused):
    ct = tiny_ct()
    (ct / "003.dcm").write_bytes((ct / "003.dcm").read_bytes()[:300])
    dose_refused(ct, words=("003.dcm", "truncated", "Export the study again"))


def test_a_file_of_zeros_in_the_place_of_a_slice_is_named(tiny_ct, dose_refused):
    ct = tiny_ct()
    (ct / "003.dcm").write_bytes(bytes(3000))
    dose_refused(ct, words=("003.dcm", "no DICOM", "Export the study again"))


def test_a_missing_slice_is_placed(tiny_ct, dose_refused):
    ct = tiny_ct(change=lambda header, index: index != 3)
    dose_refused(ct, words=("1 slice is missing between z = 20 and z = 40 mm", "complete"))


def test_a_slice_that_is_there_twice_is_placed(tiny_ct, dose_refused):
    ct = tiny_ct()
    shutil.copy(ct / "003.dcm", ct / "copy.dcm")
    dose_refused(ct, words=("two slices", "z = 30 mm", "Keep one"))


def test_another_modality_is_told_by_name(tiny_ct, dose_refused):
    def magnetic(header, index):
        header.Modality = "MR"
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dose_refused(tiny_ct(change=magnetic), words=("no CT images", "MR (8 files)", "Give the folder of the CT"))


def _second_series(header, index):
    header.SeriesInstanceUID, header.SeriesNumber = "2.25.22", 7
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"2.25.4{index:03d}"


def test_two_series_are_a_question_that_names_both(tiny_ct, dose_refused):
    tiny_ct("ct/a")
    ct = tiny_ct("ct/b", change=_second_series).parent
    dose_refused(ct, words=("2 CT series", "2 (8 slices, 10 mm thick)", "7 (8 slices", "--series"))


def test_a_series_number_nobody_has_is_answered_with_those_there_are(tiny_ct, dose_refused):
    dose_refused(tiny_ct(), "--series", 99, words=("99", "2 (8 slices", "--series"))


def test_gantry_tilt_is_told_in_degrees(tiny_ct, dose_refused):
    def tilted(header, index):
        header.GantryDetectorTilt = 12.5
    dose_refused(tiny_ct(change=tilted), words=("tilted by 12.5 degrees", "without tilt"))


def test_a_pixel_spacing_of_zero_is_refused(tiny_ct, dose_refused):
    def flat(header, index):
        header.PixelSpacing = [0, 0]
    dose_refused(tiny_ct(change=flat), words=("pixel spacing is 0 x 0 mm", "000.dcm", "Export"))


def test_pixel_values_that_are_no_hounsfield_units_are_refused(tiny_ct, dose_refused):
    def optical(header, index):
        header.RescaleType = "OD"
    dose_refused(tiny_ct(change=optical), words=("OD, not Hounsfield units", "air -1000, water 0"))


def test_values_from_zero_upward_are_no_hounsfield_units(tiny_ct, dose_refused):
    def offset_lost(header, index):
        header.RescaleIntercept = 1024
    dose_refused(tiny_ct(change=offset_lost), words=("24 to 1724", "offset", "air -1000, water 0"))


def test_pixels_that_cannot_be_decoded_are_refused_with_their_coding(tiny_ct, dose_refused):
    def garbage(header, index):
        header.file_meta.TransferSyntaxUID = JPEGLossless
        header.PixelData = encapsulate([b"no image" * 20])
    dose_refused(tiny_ct(change=garbage), words=("000.dcm", "cannot be decoded", "JPEG Lossless", "Export"))


def test_an_empty_folder_is_called_empty(tmp_path, dose_refused):
    (tmp_path / "ct").mkdir()
    dose_refused(tmp_path / "ct", words=("empty", "holds the CT slices"))


def test_a_folder_without_dicom_says_so(tmp_path, dose_refused):
    (tmp_path / "ct").mkdir()
    (tmp_path / "ct" / "letter.txt").write_text("Dear colleague")
    dose_refused(tmp_path / "ct", words=("DICOM", str(tmp_path / "ct"), "Give"))


def test_a_single_slice_is_no_volume(tiny_ct, dose_refused):
    dose_refused(tiny_ct(change=lambda header, index: index == 0), words=("only one CT slice", "all slices"))


def test_a_path_that_does_not_exist_is_named(tmp_path, dose_refused):
    dose_refused(tmp_path / "nowhere", words=(str(tmp_path / "nowhere"), "no such file or folder", "Check the path"))


def test_a_path_longer_than_any_file_system_has_is_refused(tmp_path, dose_refused):
    dose_refused(tmp_path / ("x" * 300), words=("no such file or folder", "Check the path"))


# --- the CT as one volume


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii.gz"])
def test_voxels_that_are_no_numbers_are_refused(tiny_volume, tiny_image, protocol, dose_refused, name):
    image = sitk.Cast(tiny_image, sitk.sitkFloat32)
    image[5, 5, 5] = float("nan")
    dose_refused(tiny_volume(name, image), "--protocol", protocol(), words=(name, "no numbers (NaN or infinite)"))


def test_a_nrrd_spacing_of_zero_is_refused(tmp_path, tiny_volume, protocol, dose_refused):
    ct = tiny_volume()
    ct.write_bytes(ct.read_bytes().replace(b"(10,0,0)", b"(0,0,0) ", 1))
    dose_refused(ct, "--protocol", protocol(), words=("ct.nrrd", "geometry", "Export"))


def test_a_nifti_without_a_geometry_is_refused(tiny_volume, protocol, dose_refused):
    ct = tiny_volume("ct.nii")
    header = bytearray(ct.read_bytes())
    header[252:256] = bytes(4)  # neither qform nor sform
    ct.write_bytes(header)
    dose_refused(ct, "--protocol", protocol(), words=("ct.nii", "orientation", "again"))


def test_a_truncated_volume_is_refused(tiny_volume, protocol, dose_refused):
    ct = tiny_volume("ct.nii")
    ct.write_bytes(ct.read_bytes()[:-2000])
    dose_refused(ct, "--protocol", protocol(), words=("ct.nii", "truncated", "again"))


def test_a_label_map_given_as_the_ct_is_recognised(label_map, protocol, dose_refused):
    dose_refused(label_map(), "--protocol", protocol(), words=("masks.nrrd", "label map", "--segmentation"))


def test_a_series_over_time_is_no_ct(tmp_path, tiny_image, protocol, dose_refused):
    sitk.WriteImage(sitk.JoinSeries([tiny_image, tiny_image]), str(tmp_path / "ct.nii"))
    dose_refused(tmp_path / "ct.nii", "--protocol", protocol(), words=("4 dimensions", "one volume"))


def test_a_ct_without_a_body_is_refused(tiny_volume, tiny_image, protocol, dose_refused):
    values = sitk.GetArrayFromImage(tiny_image)
    values[:] = -1000
    values[:, 3, 3] = 300  # a wire, so that the values span HU
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(tiny_image)
    dose_refused(tiny_volume(image=image), "--protocol", protocol(),
                 words=("no body found in the CT", "Hounsfield units"))


# --- facts of the acquisition


@pytest.mark.parametrize(("keyword", "told"), [
    ("KVP", "tube_voltage_kv (peak tube voltage in kV"), ("CTDIvol", "ctdivol_mgy (CTDIvol in mGy"),
    ("TotalCollimationWidth", "total_collimation_mm (total width"),
    ("CTDIPhantomTypeCodeSequence", "ctdi_phantom_cm (diameter")])
def test_a_fact_the_header_lacks_is_a_question_that_explains_itself(tiny_ct, dose_refused, keyword, told):
    def without(header, index):
        delattr(header, keyword)
    message = dose_refused(tiny_ct(change=without), words=("missing acquisition facts", told, "--protocol"))
    assert "; " not in message  # nothing else is asked for


def test_a_volume_without_protocol_asks_for_every_fact_at_once(tiny_volume, dose_refused):
    dose_refused(tiny_volume(), words=("tube_voltage_kv", "total_collimation_mm", "ctdi_phantom_cm", "scan_kind",
                                       "ctdivol_mgy", "ct.nrrd", "JSON file with --protocol"))


def test_a_tube_voltage_no_spectrum_is_known_for_is_answered_with_those_known(tiny_volume, protocol, dose_refused):
    dose_refused(tiny_volume(), "--protocol", protocol(tube_voltage_kv=217), words=("217 kV", "between 70 and 150"))


def test_a_protocol_that_is_no_json_is_placed_to_the_line(tmp_path, tiny_ct, dose_refused):
    (tmp_path / "protocol.json").write_text('{"tube_voltage_kv": 120,\n "pitch": }')
    dose_refused(tiny_ct(), "--protocol", tmp_path / "protocol.json",
                 words=("protocol.json", "no valid JSON", "line 2", "Write it like"))


@pytest.mark.parametrize("content", [b"[120]", b"\xff\xfe\x00", b""])
def test_a_protocol_that_is_something_else_is_refused(tmp_path, tiny_ct, dose_refused, content):
    (tmp_path / "protocol.json").write_bytes(content)
    dose_refused(tiny_ct(), "--protocol", tmp_path / "protocol.json", words=("protocol.json", "JSON"))


def test_a_protocol_that_is_not_there_is_named(tmp_path, tiny_ct, dose_refused):
    dose_refused(tiny_ct(), "--protocol", tmp_path / "no.json", words=("no.json", "cannot be opened", "path"))


def test_an_unknown_protocol_key_gets_the_nearest_known_one(tiny_ct, protocol, dose_refused):
    dose_refused(tiny_ct(), "--protocol", protocol(tube_voltage=120),
                 words=("protocol.json", "'tube_voltage'", "Did you mean 'tube_voltage_kv'"))


@pytest.mark.parametrize(("changed", "told"), [
    ({"tube_voltage_kv": -120}, "tube_voltage_kv is -120"), ({"ctdivol_mgy": 0}, "ctdivol_mgy, value 1 is 0"),
    ({"tube_voltage_kv": 120000}, "tube_voltage_kv is 120000"), ({"pitch": "fast"}, 'pitch is "fast"'),
    ({"scan_kind": "spiral"}, "'axial' (step and shoot)"), ({"ctdi_phantom_cm": 20}, "16 (head) or 32 (body)")])
def test_an_impossible_protocol_value_is_named_with_its_unit(tiny_ct, protocol, dose_refused, changed, told):
    dose_refused(tiny_ct(), "--protocol", protocol(**changed), words=("protocol.json", told, "It is the"))


def test_per_slice_values_must_be_as_many_as_slices(tiny_ct, protocol, dose_refused):
    dose_refused(tiny_ct(), "--protocol", protocol(ctdivol_mgy=[10, 11, 12]),
                 words=("ctdivol_mgy has 3 values", "8 slices", "one for each slice from feet to head"))


def test_a_protocol_value_that_is_no_number_is_refused(tmp_path, tiny_ct, dose_refused):
    (tmp_path / "protocol.json").write_text(json.dumps({"ctdivol_mgy": float("nan")}))
    dose_refused(tiny_ct(), "--protocol", tmp_path / "protocol.json", words=("ctdivol_mgy", "finite", "mGy"))


def test_the_good_ct_all_these_were_made_from_is_not_refused(organdose, tiny_ct, tiny_volume, tmp_path):
    for ct, name in ((tiny_ct(), "dicom"), (tiny_volume(), "nrrd"), (tiny_volume("ct.nii.gz"), "nifti")):
        outcome = organdose("segment", ct, "-o", tmp_path / f"{name}.seg.nrrd")
        assert outcome.status == 0, outcome.err
        assert np.count_nonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{name}.seg.nrrd")))) > 2000
