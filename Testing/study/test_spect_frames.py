"""SPECT from NM multi-frame files, and PET from enhanced ones."""

from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedPETImageStorage, ExplicitVRLittleEndian, generate_uid

from organdose.errors import MissingFacts
from organdose.study import read_activity
from organdose.study.activity_study import activity_in_image_bq

LU177_S = 574_300.0
STORED = np.arange(1, 121).reshape(4, 5, 6)


def only(study):
    frame, = study.frames
    return frame


def values(frame):
    return sitk.GetArrayFromImage(frame.image)


def sequence(**attributes):
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


def mapped(unit, slope=0.5):
    return sequence(RealWorldValueSlope=slope, RealWorldValueIntercept=0.0, RealWorldValueFirstValueMapped=0,
                    RealWorldValueLastValueMapped=30_000,
                    MeasurementUnitsCodeSequence=sequence(CodeValue=unit, CodingSchemeDesignator="UCUM",
                                                          CodeMeaning=unit))


def test_a_spect_in_counts_is_a_question_until_it_is_calibrated(write_spect, write_protocol):
    path = write_spect()
    with pytest.raises(MissingFacts, match="units"):
        read_activity(path)
    protocol = write_protocol(sensitivity_cps_per_mbq=9.0, half_life_s=LU177_S)
    study = read_activity(path, protocol=protocol)
    frame = only(study)
    # 60 views of 20 s with 9 counts/s for each MBq: 10800 counts are 1 MBq.
    assert activity_in_image_bq(frame) == pytest.approx(STORED.sum() / 10_800 * 1e6, rel=1e-6)
    assert frame.start_s == 4 * 86_400.0
    assert frame.reference_s - frame.start_s == pytest.approx(600, abs=0.1)
    assert frame.decay_correction == "NONE" and frame.duration_s == 1200.0
    assert study.acquisition.radionuclide.value == "Lu-177"


def test_the_activity_given_is_in_mbq_in_nm_images(write_spect, write_protocol):
    study = read_activity(write_spect(), protocol=write_protocol(calibration_bq_ml_per_count=2.0))
    assert study.acquisition.injected_activity_bq.value == 7.4e9
    np.testing.assert_allclose(values(only(study)), 2.0 * STORED)


def test_an_nm_image_that_states_bq_is_seen_and_told(write_spect, write_protocol):
    def in_bq(header):
        header.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = "7.4e9"

    study = read_activity(write_spect(change=in_bq), protocol=write_protocol(calibration_bq_ml_per_count=2.0))
    assert study.acquisition.injected_activity_bq.value == 7.4e9
    assert any("taken as Bq" in line for line in study.warnings)


@pytest.mark.parametrize(("unit", "factor"), [("Bq/ml", 0.5), ("kBq/ml", 500.0)])
def test_a_calibrated_spect_says_so_by_its_real_world_values(write_spect, unit, factor):
    def calibrated(header):
        header.RealWorldValueMappingSequence = mapped(unit)

    study = read_activity(write_spect(change=calibrated))
    np.testing.assert_allclose(values(only(study)), factor * STORED)
    assert study.acquisition.units.note == f"Real World Value Mapping ({unit})"


def test_slices_stacked_in_front_of_the_first_go_to_the_feet(write_spect, write_protocol):
    def downwards(header):
        header.SpacingBetweenSlices = -3.0

    frame = only(read_activity(write_spect(change=downwards), protocol=write_protocol(calibration_bq_ml_per_count=1.0)))
    np.testing.assert_array_equal(values(frame), STORED[::-1])
    assert frame.image.GetOrigin() == (-10.0, -8.0, 91.0)


def test_slice_vector_says_which_slice_a_frame_is(write_spect, write_protocol):
    def shuffled(header):
        header.SliceVector = [3, 1, 4, 2]

    frame = only(read_activity(write_spect(change=shuffled), protocol=write_protocol(calibration_bq_ml_per_count=1.0)))
    np.testing.assert_array_equal(values(frame), STORED[[1, 3, 0, 2]])


def _kind(value):
    def change(header):
        header.ImageType = ["ORIGINAL", "PRIMARY", value, "EMISSION"]
    return change


def _set(keyword, value):
    def change(header):
        setattr(header, keyword, value)
    return change


@pytest.mark.parametrize(("change", "message"), [
    (_kind("TOMO"), "projections before reconstruction"), (_kind("WHOLE BODY"), "planar whole-body"),
    (_kind("RECON GATED TOMO"), "gated SPECT"), (_set("SliceVector", [1, 2, 3, 3]), "Slice Vector"),
    (_set("EnergyWindowVector", [1, 1, 2, 2]), "several energy windows"),
    (_set("DetectorInformationSequence", None), "ImagePositionPatient"),
    (_set("ImageType", ["DERIVED", "PRIMARY", "RECON TOMO", "TRANSMISSION"]), "attenuation maps")])
def test_nm_images_that_are_no_volume_are_refused(write_spect, activity_refusal, change, message):
    assert message in activity_refusal(write_spect(change=change))


def test_time_points_of_a_therapy_are_read_together(write_spect, write_protocol, tmp_path):
    def days_later(header):
        header.AcquisitionDate, header.SeriesNumber = "20250321", 8

    write_spect("first.dcm")
    write_spect("second.dcm", change=days_later)
    protocol = write_protocol(half_life_s=LU177_S, series={"7": {"calibration_bq_ml_per_count": 2.0},
                                                           "8": {"calibration_bq_ml_per_count": 3.0}})
    study = read_activity(tmp_path, protocol=protocol)
    assert [frame.start_s / 86_400 for frame in study.frames] == [4.0, 7.0]
    assert [float(values(frame).max()) for frame in study.frames] == [240.0, 360.0]
    assert "patient_mass_kg" in study.questions


@pytest.fixture
def enhanced_pet(tmp_path):
    """Two frames in time of four slices in one file, Bq/ml by real world values, corrected to 10:30."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = EnhancedPETImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = EnhancedPETImageStorage, meta.MediaStorageSOPInstanceUID
    header.Modality, header.SeriesInstanceUID, header.SeriesNumber = "PT", "2.25.5", 3
    header.NumberOfFrames, header.Rows, header.Columns = 8, 5, 6
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
    header.PatientWeight, header.DecayCorrected, header.AttenuationCorrected = "50", "YES", "YES"
    header.DecayCorrectionDateTime = "20250314103000"
    header.RadiopharmaceuticalInformationSequence = sequence(
        Radiopharmaceutical="[18F]FDG", RadionuclideTotalDose="1e8", RadionuclideHalfLife="3600",
        RadiopharmaceuticalStartDateTime="20250314093000")
    shared = Dataset()
    shared.PlaneOrientationSequence = sequence(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.PixelMeasuresSequence = sequence(PixelSpacing=[4, 4], SliceThickness=3)
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence([_frame(k, minute) for minute in (0, 1) for k in range(4)])
    header.PixelData = 2 * STORED.astype("<u2").tobytes()
    path = tmp_path / "enhanced.dcm"
    header.save_as(path, enforce_file_format=True)
    return path


def _frame(k, minute):
    groups = Dataset()
    groups.FrameContentSequence = sequence(FrameAcquisitionDateTime=f"2025031410300{minute}",
                                           FrameAcquisitionDuration=1000.0)
    groups.PlanePositionSequence = sequence(ImagePositionPatient=[-10, -8, 100 + 3 * k])
    groups.RealWorldValueMappingSequence = mapped("Bq/ml", 0.25 * (k + 1))
    return groups


def test_an_enhanced_pet_has_its_frames_and_a_slope_for_each_slice(enhanced_pet):
    study = read_activity(enhanced_pet)
    assert [frame.start_s for frame in study.frames] == [3600.0, 3601.0]
    assert {frame.reference_at for frame in study.frames} == {datetime(2025, 3, 14, 10, 30)}
    slopes = 0.25 * np.arange(1, 5)[:, None, None]
    for frame in study.frames:
        np.testing.assert_allclose(values(frame), STORED * slopes)
        assert frame.duration_s == 1.0
    assert not study.questions
