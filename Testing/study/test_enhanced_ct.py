"""An enhanced multi-frame CT gives what the same series in single frames gives."""

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    LegacyConvertedEnhancedCTImageStorage,
    RLELossless,
)

from organdose.study import read_ct
from organdose.study.facts import Origin


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless], ids=lambda uid: uid.keyword)
def test_the_frames_become_a_volume_in_lps(write_enhanced, expected_hu, syntax):
    study = read_ct(write_enhanced(syntax=syntax))
    assert study.image.GetOrigin() == (-32, -32, 100)
    assert study.image.GetSpacing() == (2, 2, 3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(study.image), expected_hu(5))


def test_the_file_is_found_in_its_folder_and_named_once(write_enhanced):
    path = write_enhanced()
    study = read_ct(path.parent)
    assert study.files == (path,)
    assert len(study.sop_instance_uids) == 1


def test_the_facts_come_from_the_functional_groups(write_enhanced):
    facts = read_ct(write_enhanced()).acquisition
    assert facts.tube_voltage_kv.value == 100
    assert facts.tube_current_ma.value == (200.5, 201.5, 202.5, 203.5, 204.5)
    assert facts.exposure_mas.value == pytest.approx([mA * 0.5 / 0.8 for mA in (200.5, 201.5, 202.5, 203.5, 204.5)])
    assert facts.ctdivol_mgy.value == (8, 9, 10, 11, 12)
    assert (facts.rotation_time_s.value, facts.pitch.value, facts.total_collimation_mm.value) == (0.5, 0.8, 40)
    assert facts.focus_isocentre_mm.value == 595
    assert facts.isocentre_mm.value == (1.5, -20)
    assert (facts.scan_kind.value, facts.scan_kind.origin) == ("helical", Origin.header)
    assert facts.manufacturer.value == "Maker"
    assert facts.warnings == ()


def test_the_exposure_of_two_x_ray_sources_without_their_voltages_is_not_half_believed(write_enhanced):
    def change(header):
        for groups in header.PerFrameFunctionalGroupsSequence:
            groups.CTExposureSequence.append(groups.CTExposureSequence[0])

    facts = read_ct(write_enhanced(change=change)).acquisition
    assert facts.tube_current_ma is None
    assert facts.exposure_mas is None
    assert any("lists the X-ray sources incompletely" in each for each in facts.warnings)


def test_an_additional_x_ray_source_does_not_take_the_place_of_the_first(write_enhanced):
    def change(header):
        second = Dataset()
        second.KVP, second.XRayTubeCurrentInmA, second.ExposureInmAs, second.FilterMaterial = 140, 150.0, 80.0, "TIN"
        header.SharedFunctionalGroupsSequence[0].CTAdditionalXRaySourceSequence = [second]

    facts = read_ct(write_enhanced(change=change)).acquisition
    assert (facts.tube_voltage_kv.value, facts.second_tube_voltage_kv.value) == (100, 140)
    assert facts.tube_current_ma.value == (200.5, 201.5, 202.5, 203.5, 204.5)
    assert facts.second_tube_exposure_mas.value == (80.0,)
    assert facts.second_tube_filter.value == "Sn"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=lambda uid: uid.keyword)
def test_a_converted_legacy_file_keeps_its_single_frame_attributes(write_enhanced, expected_hu, syntax):
    def change(header):
        header.SOPClassUID = LegacyConvertedEnhancedCTImageStorage
        for index, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
            del groups.CTExposureSequence
            converted = Dataset()
            converted.XRayTubeCurrent = 300 - index
            converted.private_block(0x0019, "A MAKER", create=True).add_new(0x01, "UN", b"private")
            groups.UnassignedPerFrameConvertedAttributesSequence = [converted]

    study = read_ct(write_enhanced(syntax=syntax, change=change))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(study.image), expected_hu(5))
    assert study.acquisition.tube_current_ma.value == (296, 297, 298, 299, 300)


def test_frames_without_positions_are_refused(write_enhanced, refusal):
    def change(header):
        del header.PerFrameFunctionalGroupsSequence[-1]

    assert "the file has 5 frames but positions for 4" in refusal(write_enhanced(change=change))


def test_a_missing_frame_is_refused_and_named(write_enhanced, refusal):
    def change(header):
        header.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence[0].ImagePositionPatient = [-32, -32, 97]

    assert "1 slice is missing between z = 97 and z = 103 mm" in refusal(write_enhanced(change=change))


def test_tilt_in_a_functional_group_is_refused(write_enhanced, refusal):
    def change(header):
        shared = header.SharedFunctionalGroupsSequence[0]
        shared.CTAcquisitionDetailsSequence[0].GantryDetectorTilt = -8.0

    assert "tilted by -8.0 degrees" in refusal(write_enhanced(change=change))


def test_truncated_frames_are_refused(write_enhanced, refusal):
    path = write_enhanced()
    path.write_bytes(path.read_bytes()[:-3000])
    assert "truncated" in refusal(path)
