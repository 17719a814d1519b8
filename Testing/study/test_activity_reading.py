"""PET as activity concentration: hand-computed cases of every unit and decay correction, in generated series.

The series of the fixtures: 100 MBq of a half-life of an hour in 50 kg, an hour before the scan of 3.6 s.
"""

import math
from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import MissingFacts
from organdose.study import join_studies, read_activity
from organdose.study.activity_study import activity_at, activity_in_image_bq, fraction_of_injected_in_fov
from organdose.study.facts import Origin

# Mean of the frame of 3.6 s (a thousandth of the half-life) against its start: (1 - 2^-x) / (x ln 2), x = 0.001.
MEAN_OF_FRAME = (1 - 2**-0.001) / (0.001 * math.log(2))


def values(frame):
    return sitk.GetArrayFromImage(frame.image)


def only(study):
    frame, = study.frames
    return frame


# Bq/ml for a value of 1 at the reference of the frame, and that reference in s after the administration.
@pytest.mark.parametrize(("units", "correction", "bq_per_ml", "reference_s"), [
    ("BQML", "START", 1.0, 3600.0), ("BQML", "ADMIN", 1.0, 0.0), ("BQML", "NONE", 1.0, 3601.8),
    ("GML", "START", 1000.0, 3600.0), ("GML", "ADMIN", 2000.0, 0.0), ("GML", "NONE", 1000.0 * MEAN_OF_FRAME, 3601.8)])
def test_each_unit_with_each_decay_correction(write_pet, pet_values, units, correction, bq_per_ml, reference_s):
    frame = only(read_activity(write_pet(Units=units, DecayCorrection=correction)))
    np.testing.assert_allclose(values(frame), pet_values * bq_per_ml, rtol=1e-7)
    assert frame.reference_s == pytest.approx(reference_s, abs=1e-3)
    assert (frame.start_s, frame.duration_s, frame.decay_correction) == (3600.0, 3.6, correction)
    assert frame.image.GetPixelID() == sitk.sitkFloat32


@pytest.mark.parametrize(("correction", "at_administration"), [
    ("START", 2.0), ("ADMIN", 1.0), ("NONE", 2.0 / MEAN_OF_FRAME)])
def test_activity_goes_to_any_moment_by_physical_decay(write_pet, pet_values, correction, at_administration):
    frame = only(read_activity(write_pet(DecayCorrection=correction)))
    at_start = sitk.GetArrayFromImage(activity_at(frame, 0.0))
    np.testing.assert_allclose(at_start, pet_values * at_administration, rtol=1e-6)
    on_the_clock = sitk.GetArrayFromImage(activity_at(frame, datetime(2025, 3, 14, 9, 30)))
    np.testing.assert_allclose(on_the_clock, at_start, rtol=1e-6)
    # Voxels of 4 x 4 x 3 mm are 0.048 ml.
    total_bq = pet_values.sum() * 0.048 * at_administration
    assert activity_in_image_bq(frame, 0.0) == pytest.approx(total_bq, rel=1e-6)
    assert activity_in_image_bq(frame, 7200.0) == pytest.approx(total_bq / 4, rel=1e-6)
    assert fraction_of_injected_in_fov(frame) == pytest.approx(total_bq / 1e8, rel=1e-6)


# Sizes in g of a woman of 50 kg and 160 cm (BMI 19.53125), and her surface in cm2.
@pytest.mark.parametrize(("units", "kind", "size"), [
    ("GML", "BW", 50_000.0), ("GML", "LBMJANMA", 463_500_000 / (8780 + 244 * 19.53125)),
    ("GML", "LBMJAMES128", 1000 * (53.5 - 148 * 0.09765625)), ("GML", "LBM", 1000 * (53.5 - 148 * 0.09765625)),
    ("GML", "IBW", 52_780.0), ("CM2ML", "BSA", 71.84 * 50**0.425 * 160**0.725)])
def test_every_kind_of_suv_is_turned_back(write_pet, pet_values, units, kind, size):
    frame = only(read_activity(write_pet(Units=units, SUVType=kind)))
    np.testing.assert_allclose(values(frame), pet_values * 5e7 / size, rtol=1e-6)


def test_an_suv_type_that_does_not_fit_the_unit_is_refused(write_pet, activity_refusal):
    assert "does not fit" in activity_refusal(write_pet(Units="GML", SUVType="BSA"))


def test_an_suv_without_what_it_is_divided_by_is_a_question(write_pet):
    folder = write_pet(Units="GML", SUVType="IBW", PatientSize=None, given={"RadionuclideTotalDose": "0"})
    with pytest.raises(MissingFacts) as caught:
        read_activity(folder)
    assert set(caught.value.facts) == {"injected_activity_bq", "patient_height_m"}


def test_an_suv_is_turned_back_with_what_the_scanner_divided_by(write_pet, write_protocol, pet_values):
    study = read_activity(write_pet(Units="GML"), protocol=write_protocol(injected_activity_bq=9e7, patient_mass_kg=52))
    np.testing.assert_allclose(values(only(study)), pet_values * 1000.0, rtol=1e-7)
    assert any("which the scanner divided by" in line for line in study.assumptions)
    assert fraction_of_injected_in_fov(only(study)) == pytest.approx(pet_values.sum() * 48 * 2 / 9e7, rel=1e-6)


@pytest.mark.parametrize(("given_date", "given_time", "scan_date", "scan_time", "half_life_s", "elapsed_s"), [
    ("20250314", "233000", "20250315", "003000", 3600.0, 3600.0),
    ("20241231", "235930", "20250101", "000030", 60.0, 60.0),
    ("20250314", "093000", "20250318", "093000", 172_800.0, 345_600.0),
    ("20240227", "120000", "20240301", "120000", 86_400.0, 259_200.0)])
def test_dates_count_across_midnight_days_and_leap_days(write_pet, pet_values, given_date, given_time, scan_date,
                                                        scan_time, half_life_s, elapsed_s):
    folder = write_pet(Units="GML", AcquisitionDate=scan_date, SeriesDate=scan_date, AcquisitionTime=scan_time,
                       SeriesTime=scan_time, given={"RadiopharmaceuticalStartDateTime": given_date + given_time,
                                                    "RadiopharmaceuticalStartTime": given_time,
                                                    "RadionuclideHalfLife": f"{half_life_s}"})
    study = read_activity(folder)
    assert only(study).start_s == elapsed_s
    np.testing.assert_allclose(values(only(study)), pet_values * 2000.0 * 2**(-elapsed_s / half_life_s), rtol=1e-6)
    assert not study.warnings


def test_a_time_of_day_after_that_of_the_scan_is_of_the_day_before(write_pet):
    study = read_activity(write_pet(AcquisitionTime="003000", SeriesTime="003000",
                                    given={"RadiopharmaceuticalStartTime": "233000"}))
    assert study.acquisition.injected_at.value == datetime(2025, 3, 13, 23, 30)
    assert study.acquisition.injected_at.origin is Origin.derived
    assert any("day before" in line for line in study.warnings)


def test_a_time_of_day_does_not_date_a_nuclide_that_lasts_for_days(write_pet):
    study = read_activity(write_pet(given={"RadionuclideHalfLife": "574300"}))
    assert study.acquisition.injected_at is None
    assert "injected_at" in study.questions
    assert any("days before" in line for line in study.warnings)


def test_an_administration_after_the_scan_is_told_with_both_times_and_not_used(write_pet):
    study = read_activity(write_pet(given={"RadiopharmaceuticalStartDateTime": "20250316093000"}))
    assert any("2025-03-16 09:30:00" in line and "2025-03-14 10:30:00" in line for line in study.warnings)
    assert study.acquisition.injected_at.value == datetime(2025, 3, 14, 9, 30)


@pytest.mark.parametrize(("told", "unit"), [("100", "taken as MBq")])
def test_an_activity_in_mbq_is_seen_and_told(write_pet, told, unit):
    study = read_activity(write_pet(given={"RadionuclideTotalDose": told}))
    assert study.acquisition.injected_activity_bq.value == 1e8
    assert study.acquisition.injected_activity_bq.origin is Origin.derived
    assert any(unit in line for line in study.warnings)


def test_the_residual_of_an_hour_later_was_twice_as_much_at_the_administration(write_pet, write_protocol):
    study = read_activity(write_pet(), protocol=write_protocol(residual_bq=5e6, residual_at="2025-03-14 10:30:00"))
    assert study.net_injected_bq == pytest.approx(9e7, rel=1e-12)
    assert read_activity(write_pet("other")).net_injected_bq == 1e8
    assert any("residual" in line for line in read_activity(write_pet("third")).assumptions)


def test_a_residual_above_the_activity_is_refused(write_pet, write_protocol, activity_refusal):
    assert "not less than the activity" in activity_refusal(write_pet(), protocol=write_protocol(residual_bq=2e8))


def test_what_lacks_is_a_question_with_its_explanation(write_pet):
    study = read_activity(write_pet(PatientWeight="0", DecayCorrection="", given={"RadionuclideHalfLife": None}))
    assert set(study.questions) == {"patient_mass_kg", "decay_correction", "half_life_s", "injected_at"}
    assert all(study.questions.values())
    with pytest.raises(MissingFacts, match="half-life"):
        study.require_answers()
    with pytest.raises(MissingFacts, match="decay_correction"):
        activity_at(only(study), 0.0)


def test_without_a_unit_there_is_no_activity_until_somebody_says_it(write_pet, write_protocol, pet_values):
    folder = write_pet(Units=None)
    with pytest.raises(MissingFacts, match="units"):
        read_activity(folder)
    study = read_activity(folder, protocol=write_protocol(units="BQ"))
    np.testing.assert_allclose(values(only(study)), pet_values / 0.048, rtol=1e-6)
    assert study.acquisition.units.origin is Origin.protocol


def test_counts_need_a_calibration(write_pet, write_protocol, pet_values):
    folder = write_pet(Units="CNTS")
    with pytest.raises(MissingFacts, match="calibration_bq_ml_per_count"):
        read_activity(folder)
    by_factor = read_activity(folder, protocol=write_protocol(calibration_bq_ml_per_count=2.5))
    np.testing.assert_allclose(values(only(by_factor)), pet_values * 2.5, rtol=1e-6)
    # 10 counts/s for each MBq and 3.6 s: 36 counts in a voxel of 0.048 ml are 1 MBq.
    by_sensitivity = read_activity(folder, protocol=write_protocol(sensitivity_cps_per_mbq=10))
    np.testing.assert_allclose(values(only(by_sensitivity)), pet_values / 36 * 1e6 / 0.048, rtol=1e-6)


@pytest.mark.parametrize(("element", "bq_per_ml"), [(0x09, 3.0), (0x00, 3.0 * 1000)])
def test_counts_of_philips_have_their_factors(write_pet, pet_values, element, bq_per_ml):
    def philips(header, _k):
        header.private_block(0x7053, "Philips PET Private Group", create=True).add_new(element, "DS", "3.0")

    frame = only(read_activity(write_pet(Units="CNTS", change=philips)))
    np.testing.assert_allclose(values(frame), pet_values * bq_per_ml, rtol=1e-6)


def test_a_protocol_wins_over_the_header_and_the_difference_is_told(write_pet, write_protocol):
    study = read_activity(write_pet(), protocol=write_protocol(half_life_s=3700, injected_at="2025-03-14T09:20:00"))
    assert only(study).start_s == 4200.0
    assert any("half_life_s: 3700 of the protocol file replaces 3600 (header)" in line for line in study.warnings)
    assert study.acquisition.half_life_s.note == "replaces 3600 (header)"


def test_a_half_life_of_another_nuclide_is_told_with_both_values(write_pet):
    study = read_activity(write_pet(), half_life_of={"F-18": 6586.2}.get)
    assert any("3600 s" in line and "F-18 is 6586.2 s" in line for line in study.warnings)
    assert study.acquisition.half_life_s.value == 3600.0


def test_a_half_life_that_lacks_is_that_of_the_nuclide(write_pet):
    study = read_activity(write_pet(given={"RadionuclideHalfLife": None}), half_life_of={"F-18": 6586.2}.get)
    assert study.acquisition.half_life_s.value == 6586.2
    assert study.acquisition.half_life_s.origin is Origin.derived


def test_more_activity_than_was_given_is_told(write_pet):
    study = read_activity(write_pet(RescaleSlope="100", given={"RadionuclideTotalDose": "2e4"}))
    assert any("check units, calibration and activity" in line for line in study.warnings)


def test_series_of_several_days_are_time_points(write_pet):
    write_pet(given={"RadiopharmaceuticalStartDateTime": "20250314093000"})
    folder = write_pet(AcquisitionDate="20250316", SeriesDate="20250316", SeriesInstanceUID="2.25.77", SeriesNumber=9,
                       given={"RadiopharmaceuticalStartDateTime": "20250314093000"})
    study = read_activity(folder)
    assert [frame.start_s for frame in study.frames] == [3600.0, 176_400.0]
    assert [frame.series_number for frame in study.frames] == ["4", "9"]
    one = read_activity(folder, series="9")
    assert only(one).start_s == 176_400.0
    joined = join_studies([one, read_activity(folder, series="4")])
    assert [frame.start_s for frame in joined.frames] == [3600.0, 176_400.0]


def test_two_reconstructions_of_one_scan_are_not_two_time_points(write_pet, activity_refusal):
    write_pet()
    folder = write_pet(SeriesInstanceUID="2.25.77", SeriesNumber=9)
    assert "of the same time (series 4, 9)" in activity_refusal(folder)


def test_the_uncorrected_one_of_two_reconstructions_is_set_aside(write_pet):
    write_pet()
    study = read_activity(write_pet(SeriesInstanceUID="2.25.77", SeriesNumber=9, CorrectedImage=["DECY"]))
    assert only(study).series_number == "4"
    assert any("not corrected for attenuation" in line for line in study.warnings)


def test_two_administrations_are_not_one_study(write_pet, activity_refusal):
    write_pet()
    folder = write_pet(SeriesInstanceUID="2.25.77", SeriesNumber=9, AcquisitionDate="20250316", SeriesDate="20250316")
    assert "two administrations" in activity_refusal(folder)


def test_no_patient_and_no_identifier_leaves_the_reader(write_pet):
    study = read_activity(write_pet())
    told = repr((study.acquisition, study.warnings, study.assumptions, study.questions))
    assert "Sorrow" not in told and "hospital-number" not in told


@pytest.mark.parametrize(("change", "message"), [
    ({"Modality": "MR"}, "only MR"), ({"RescaleSlope": 0}, "Rescale Slope"),
    ({"SeriesType": ["GATED", "IMAGE"]}, "gated")])
def test_what_is_no_activity_is_refused(write_pet, activity_refusal, change, message):
    assert message in activity_refusal(write_pet(**change))


def test_a_missing_slice_is_refused_and_named(write_pet, activity_refusal):
    assert "1 slice is missing between z = 100 and z = 106 mm" in activity_refusal(
        write_pet(change=lambda _header, k: k != 1))


def test_a_path_that_is_not_there_and_an_unknown_series_are_refused(write_pet, activity_refusal, tmp_path):
    assert "no such file" in activity_refusal(tmp_path / "nowhere")
    assert "there are 4 (PT, 4 slices)" in activity_refusal(write_pet(), series="12")


def test_a_patient_the_other_way_round_is_turned_by_geometry(write_pet, pet_values):
    def feet_first(header, k):
        # Columns run to the right and slices to the feet: the same pixels, another place for each.
        header.PatientPosition = "FFS"
        header.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [10, -8, 100 - 3 * k]

    frame = only(read_activity(write_pet(change=feet_first)))
    np.testing.assert_allclose(values(frame), pet_values[::-1, :, ::-1], rtol=1e-7)
    assert frame.image.GetOrigin() == (-10.0, -8.0, 91.0)
    assert frame.image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_a_half_life_from_elsewhere_dates_a_time_of_day(write_pet):
    study = read_activity(write_pet(given={"RadionuclideHalfLife": None}), half_life_of={"F-18": 3600.0}.get)
    assert study.acquisition.injected_at.value == datetime(2025, 3, 14, 9, 30)
    assert not study.questions


def test_padding_is_no_activity(write_pet, pet_values):
    def padded(header, _k):
        header.PixelRepresentation = 1
        header.add_new("PixelPaddingValue", "SS", -2000)
        stored = np.frombuffer(header.PixelData, "<i2").copy()
        stored[0] = -2000
        header.PixelData = stored.tobytes()

    expected = pet_values.copy()
    expected[:, 0, 0] = 0.0
    np.testing.assert_allclose(values(only(read_activity(write_pet(change=padded)))), expected, rtol=1e-7)


def test_a_start_that_a_person_corrects_moves_what_refers_to_it(write_pet, write_protocol):
    at = read_activity(write_pet(), protocol=write_protocol(scan_start_at="2025-03-14 10:00:00"))
    assert only(at).start_s == only(at).reference_s == 1800.0
    after = read_activity(write_pet("other"), protocol=write_protocol(scan_start_s=1800))
    assert only(after).start_s == only(after).reference_s == 1800.0
    assert any("by the clock 3600 s" in line for line in after.warnings)


def test_beds_in_series_of_their_own_are_told_as_such(write_pet):
    def next_bed(header, k):
        header.ImagePositionPatient = [-10, -8, 112 + 3 * k]

    write_pet()
    study = read_activity(write_pet(SeriesInstanceUID="2.25.77", SeriesNumber=9, AcquisitionTime="103200",
                                    change=next_bed))
    assert any("beds of one scan are not joined" in line for line in study.warnings)


def test_transmission_images_are_no_activity(write_pet, activity_refusal):
    assert "no reconstructed PET or SPECT" in activity_refusal(write_pet(CountsSource="TRANSMISSION"))
