"""Activity from NIfTI and NRRD, whose unit and times a protocol says."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import MissingFacts
from organdose.study import read_activity
from organdose.study.activity_study import activity_at, activity_in_image_bq


@pytest.fixture
def volume(tmp_path):
    """An image of 5 x 4 x 3 voxels of 2 x 2 x 2.5 mm (0.01 ml), each 100."""
    def write(name="pet.nii.gz", values=None):
        image = sitk.GetImageFromArray(np.full((3, 4, 5), 100.0) if values is None else values)
        image.SetSpacing((2.0, 2.0, 2.5))
        sitk.WriteImage(image, str(tmp_path / name))
        return tmp_path / name
    return write


@pytest.mark.parametrize("name", ["pet.nii.gz", "pet.nii", "pet.nrrd"])
@pytest.mark.parametrize(("units", "bq_per_ml"), [("BQML", 100.0), ("BQ", 10_000.0)])
def test_the_unit_of_the_protocol_makes_bq_per_ml(volume, write_protocol, name, units, bq_per_ml):
    frame, = read_activity(volume(name), protocol=write_protocol(units=units)).frames
    np.testing.assert_allclose(sitk.GetArrayFromImage(frame.image), bq_per_ml, rtol=1e-6)
    assert activity_in_image_bq(frame) == pytest.approx(60 * 0.01 * bq_per_ml, rel=1e-6)


def test_a_time_after_the_administration_is_enough(volume, write_protocol):
    protocol = write_protocol(units="BQML", scan_start_s=86_400, duration_s=1800, decay_correction="START",
                              half_life_s=86_400, radionuclide="Lu-177", injected_activity_bq=7e9, patient_mass_kg=70)
    study = read_activity(volume(), protocol=protocol)
    assert not study.questions
    frame, = study.frames
    assert frame.reference_s == 86_400 and frame.start_at is None
    np.testing.assert_allclose(sitk.GetArrayFromImage(activity_at(frame, 0.0)), 200.0, rtol=1e-6)


def test_without_protocol_the_unit_is_asked_for(volume):
    with pytest.raises(MissingFacts, match="units"):
        read_activity(volume())


def test_an_suv_volume_takes_all_from_the_protocol(volume, write_protocol):
    protocol = write_protocol(units="GML", injected_activity_bq=1e8, patient_mass_kg=50, half_life_s=3600,
                              injected_at="2025-03-14 23:30:00", scan_start_at="2025-03-15 00:30:00",
                              decay_correction="START", duration_s=60)
    frame, = read_activity(volume(), protocol=protocol).frames
    np.testing.assert_allclose(sitk.GetArrayFromImage(frame.image), 100_000.0, rtol=1e-6)


@pytest.mark.parametrize(("values", "message"), [
    (np.zeros((3, 4, 5)), "no activity"), (np.full((3, 4, 5), np.nan), "no numbers")])
def test_an_image_without_activity_is_refused(volume, write_protocol, activity_refusal, values, message):
    protocol = write_protocol(units="BQML")
    assert message in activity_refusal(volume("pet.nrrd", values), protocol=protocol)
    assert message in activity_refusal(volume("pet.nii", values), protocol=protocol)


def test_a_volume_has_no_series(volume, activity_refusal):
    assert "no DICOM series" in activity_refusal(volume(), series="4")
