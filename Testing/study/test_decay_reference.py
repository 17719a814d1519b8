"""Which moment a decay correction to the start refers to, in headers that say it in several ways."""

from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study import read_activity


def only(study):
    frame, = study.frames
    return frame


def test_beds_scanned_after_each_other_refer_to_the_time_of_the_series(write_pet):
    def later(header, k):
        header.AcquisitionTime = f"10{31 + 3 * k}00"

    study = read_activity(write_pet(change=later))
    assert only(study).reference_at == datetime(2025, 3, 14, 10, 30)
    assert any("which no acquisition precedes" in line for line in study.assumptions)
    # A minute of a half-life of an hour is 1.2 %: both times are told.
    assert any("the earliest acquisition gives 2025-03-14 10:31:00, 1.2 % of the activity apart" in line
               for line in study.warnings)


def test_a_series_made_later_refers_to_its_earliest_acquisition(write_pet):
    study = read_activity(write_pet(SeriesTime="153000"))
    assert only(study).reference_at == datetime(2025, 3, 14, 10, 30)
    assert any("later processing" in line for line in study.assumptions)
    assert any("the time of the series gives 2025-03-14 15:30:00" in line for line in study.warnings)


def test_a_series_made_later_by_ge_refers_to_its_private_date_of_the_scan(write_pet):
    def ge(header, _k):
        block = header.private_block(0x0009, "GEMS_PETD_01", create=True)
        block.add_new(0x0D, "DT", "20250314102500.00")

    study = read_activity(write_pet(SeriesTime="153000", change=ge))
    assert only(study).reference_at == datetime(2025, 3, 14, 10, 25)
    assert only(study).reference_s == 3300.0


def test_a_series_made_later_is_counted_back_by_frame_reference_time(write_pet):
    # Half of the frame of 3.6 s, and 600 s from the reference to it.
    study = read_activity(write_pet(SeriesTime="153000", FrameReferenceTime=601_800))
    assert (only(study).reference_at - datetime(2025, 3, 14, 10, 20)).total_seconds() == pytest.approx(0, abs=1e-3)


def test_a_decay_factor_that_corrects_to_another_moment_is_told(write_pet):
    study = read_activity(write_pet(DecayFactor="2.0"))
    assert any("Decay Factor gives 2025-03-14 09:30:01, 99.9 % of the activity apart" in line
               for line in study.warnings)
    assert not read_activity(write_pet("fits", DecayFactor="1.000347")).warnings


def test_correction_to_the_administration_and_a_decay_factor_of_one_contradict(write_pet):
    study = read_activity(write_pet(DecayCorrection="ADMIN", DecayFactor="1.0"))
    assert any("Decay Correction ADMIN" in line and "Decay Factor" in line for line in study.warnings)
    assert not read_activity(write_pet("fits", DecayCorrection="ADMIN", DecayFactor="2.000693")).warnings


@pytest.mark.parametrize(("correction", "corrected"), [("NONE", ["DECY", "ATTN"]), ("START", ["ATTN"])])
def test_corrections_that_contradict_the_decay_correction_are_told(write_pet, correction, corrected):
    study = read_activity(write_pet(DecayCorrection=correction, CorrectedImage=corrected))
    assert only(study).decay_correction == correction
    assert any("Corrected Image names" in line for line in study.warnings)


def test_beds_that_are_not_decay_corrected_come_to_the_time_of_the_first(write_pet, pet_values):
    def hours_apart(header, k):
        header.AcquisitionTime = f"{10 + k}3000"

    frame = only(read_activity(write_pet(DecayCorrection="NONE", CorrectedImage=["ATTN"], change=hours_apart)))
    expected = pet_values * 2.0 ** np.arange(4)[:, None, None]
    np.testing.assert_allclose(sitk.GetArrayFromImage(frame.image), expected, rtol=1e-6)
    assert frame.reference_s == pytest.approx(3601.8, abs=1e-3)


def _dynamic(minutes):
    def change(header, k):
        header.SeriesType, header.NumberOfSlices = ["DYNAMIC", "IMAGE"], 4
        header.AcquisitionTime = f"10{30 + minutes:02d}00"
        header.ImageIndex = 4 * minutes + k + 1
        header.SOPInstanceUID = f"2.25.{1000 + 10 * minutes + k}"
    return change


@pytest.mark.parametrize("without", [(), ("ImageIndex",), ("AcquisitionTime",)])
def test_the_frames_of_a_dynamic_series_are_told_apart(write_pet, without):
    for minutes in (2, 0, 1):
        def change(header, k, minutes=minutes):
            _dynamic(minutes)(header, k)
            for keyword in without:
                delattr(header, keyword)
            if "AcquisitionTime" in without:
                header.AcquisitionDateTime = f"202503141030{minutes:02d}"
        folder = write_pet(change=change, ActualFrameDuration=60_000, given={})
    step_s = 1.0 if "AcquisitionTime" in without else 60.0
    study = read_activity(folder)
    assert [frame.start_s for frame in study.frames] == [3600.0, 3600.0 + step_s, 3600.0 + 2 * step_s]
    assert {frame.reference_s for frame in study.frames} == {3600.0}


def test_frames_that_nothing_tells_apart_are_refused(write_pet, activity_refusal):
    write_pet()
    assert "several slices at the same places" in activity_refusal(write_pet())
