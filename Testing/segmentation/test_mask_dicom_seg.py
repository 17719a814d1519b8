import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from organdose.errors import InputError
from organdose.segmentation.reading import read_masks


def segmentation(study, pixels, kind, types=(codes.SCT.Liver,)):
    """A SEG as another program writes it: frames in the order of the CT's files, labels that say nothing."""
    described = [highdicom.seg.SegmentDescription(
        segment_number=number, segment_label=f"Segment_{number}", segmented_property_category=codes.SCT.Organ,
        segmented_property_type=code, algorithm_type="MANUAL") for number, code in enumerate(types, start=1)]
    return highdicom.seg.Segmentation(
        source_images=[pydicom.dcmread(file) for file in study.files], pixel_array=pixels, segmentation_type=kind,
        segment_descriptions=described, series_instance_uid=highdicom.UID(), series_number=2,
        sop_instance_uid=highdicom.UID(), instance_number=1, manufacturer="Other", manufacturer_model_name="Program",
        software_versions="1", device_serial_number="1")


def test_a_fractional_segmentation_is_cut_at_one_half(ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    share = np.zeros(ct_image.GetSize()[::-1], dtype=np.float32)
    share[4:9, 5:10, 6:20] = np.linspace(0.1, 0.9, 14)
    segmentation(study, share, "FRACTIONAL").save_as(tmp_path / "seg.dcm")
    found = read_masks(tmp_path / "seg.dcm", study)
    assert found.names == ("liver",)
    assert np.array_equal(found.mask("liver"), np.rint(share * 255) >= 0.5 * 255)


def test_a_label_map_segmentation_is_read(ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    labels = np.zeros(ct_image.GetSize()[::-1], dtype=np.uint8)
    labels[4:9, 5:10, 6:20], labels[2:7, 15:20, 3:9] = 1, 2
    segmentation(study, labels, "LABELMAP", (codes.SCT.Liver, codes.SCT.Spleen)).save_as(tmp_path / "seg.dcm")
    found = read_masks(tmp_path / "seg.dcm", study)
    assert np.array_equal(found.mask("liver"), labels == 1)
    assert np.array_equal(found.mask("spleen"), labels == 2)


def test_a_segmentation_of_one_slice_is_read(ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    labels = np.zeros(ct_image.GetSize()[::-1], dtype=np.uint8)
    labels[7, 5:10, 6:20] = 1
    segmentation(study, labels, "BINARY").save_as(tmp_path / "seg.dcm")
    assert np.array_equal(read_masks(tmp_path / "seg.dcm", study).mask("liver"), labels == 1)


def test_a_damaged_segmentation_is_refused_in_one_line(ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    labels = np.ones(ct_image.GetSize()[::-1], dtype=np.uint8)
    segmentation(study, labels, "BINARY").save_as(tmp_path / "seg.dcm")
    content = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "seg.dcm").write_bytes(content[:-500])
    with pytest.raises(InputError, match=r"seg\.dcm") as refusal:
        read_masks(tmp_path / "seg.dcm", study)
    assert "\n" not in str(refusal.value)
