"""What of the administered activity the frames show, and a generated PET through the whole way."""

import datetime

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.phantoms.fdg_uptake import FDGStudy
from organdose.export.dicom_identity import StudyIdentity
from organdose.export.dicom_pet_series import write_pet_series
from organdose.study import read_activity
from organdose.study.activity_summary import frame_activities


def test_the_activity_at_scan_and_at_administration_and_its_fraction(write_pet, pet_values):
    row, = frame_activities(read_activity(write_pet()))
    at_scan_bq = pet_values.sum() * 0.048
    assert row.at_scan_bq == pytest.approx(at_scan_bq, rel=1e-6)
    assert row.at_administration_bq == pytest.approx(2 * at_scan_bq, rel=1e-6)
    assert row.fraction == pytest.approx(2 * at_scan_bq / 1e8, rel=1e-6)
    assert (row.start_s, row.duration_s, row.largest_bq_per_ml) == (3600.0, 3.6, 240.0)


def test_what_is_not_known_is_left_out(write_pet):
    row, = frame_activities(read_activity(write_pet(given={"RadiopharmaceuticalStartTime": None})))
    assert row.at_scan_bq is not None
    assert row.at_administration_bq is None and row.fraction is None
    row, = frame_activities(read_activity(write_pet("other", given={"RadionuclideTotalDose": None})))
    assert row.at_administration_bq is not None and row.fraction is None


def test_a_generated_pet_comes_back_with_its_activity_and_times(tmp_path):
    fdg = FDGStudy(weight_kg=70.0, fraction_per_ml=np.zeros(1))
    identity = StudyIdentity("key", "Nobody", "none", "M", 1.75, 70.0, datetime.datetime(2025, 3, 15, 0, 20),
                             "generated")
    image = sitk.GetImageFromArray(np.random.default_rng(1).uniform(0, 2e4, (6, 8, 10)).astype(np.float32))
    image.SetSpacing((4.0, 4.0, 5.0))
    image.SetOrigin((-20.0, -16.0, -300.0))
    write_pet_series(image, fdg, identity, tmp_path / "pet")
    study = read_activity(tmp_path / "pet")
    frame, = study.frames
    # Each slice is stored in steps of its largest value / 32700.
    np.testing.assert_allclose(sitk.GetArrayFromImage(frame.image), sitk.GetArrayFromImage(image), atol=0.31)
    assert frame.image.GetOrigin() == image.GetOrigin() and frame.image.GetSpacing() == image.GetSpacing()
    assert frame.start_s == frame.reference_s == fdg.uptake_time_s  # the day before, an hour before the scan
    assert not study.questions and not study.warnings
    row, = frame_activities(study)
    assert row.at_administration_bq * fdg.decay_to_scan == pytest.approx(row.at_scan_bq, rel=1e-6)
