"""Frames on one grid: what happens to activity, times and field of view."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.nuclear.frame_alignment import align_frames
from organdose.progress import Progress
from organdose.study.activity_study import ActivityFrame, activity_in_image_bq
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition, Fact, Origin
from organdose.study.frame_registration_parameters import RegistrationParameters
from organdose.study.nuclear_facts import NuclearAcquisition

STAY, RIGID = RegistrationParameters(method="none"), RegistrationParameters()
FACTS = NuclearAcquisition(radionuclide=Fact("Lu-177", Origin.header), half_life_s=Fact(574300.0, Origin.header))


def frame_of(image, number=1, uid="2.25.1"):
    return ActivityFrame(image, FACTS, start_at=datetime(2025, 3, 14 + number, 9, 30), start_s=86400.0 * number,
                         duration_s=1200.0, reference_at=datetime(2025, 3, 14 + number, 9, 30),
                         reference_s=86400.0 * number, decay_correction="START", series_number=str(number),
                         frame_of_reference_uid=uid)


def ct_of(image, uid="2.25.1", series="2.25.7"):
    return CTStudy(image, CTAcquisition(), frame_of_reference_uid=uid, series_uid=series)


def grid(size, spacing_mm, centre_mm=(0.0, 0.0, 0.0)):
    image = sitk.Image(size, sitk.sitkUInt8)
    image.SetSpacing([float(spacing_mm)] * 3)
    image.SetOrigin([c - 0.5 * (n - 1) * spacing_mm for c, n in zip(centre_mm, size)])
    return image


def shifted(points):
    return points - np.array([12.0, -7.0, 9.0])


def values(image):
    return sitk.GetArrayViewFromImage(image)


def correlation(first, second):
    return np.corrcoef(values(first).ravel(), values(second).ravel())[0, 1]


def test_a_frame_that_stays_keeps_its_activity_on_a_grid_around_it(generated_patient):
    frame = frame_of(generated_patient("activity", noise=0.1))
    aligned, = align_frames([frame], grid((83, 65, 67), 4.2), STAY).frames
    assert activity_in_image_bq(aligned.frame) == pytest.approx(activity_in_image_bq(frame), rel=1e-5)
    assert aligned.change_percent == pytest.approx(0, abs=1e-3)
    assert aligned.left_out_percent == pytest.approx(0, abs=1e-9)
    assert aligned.registration is None


def test_of_a_grid_within_the_frame_the_common_part_is_kept(generated_patient):
    """Target voxels of 15 mm that are blocks of 3 x 3 x 3 voxels of the frame."""
    frame = frame_of(generated_patient("activity", noise=0.1))
    within = grid((10, 8, 9), 15.0)
    within.SetOrigin(frame.image.TransformIndexToPhysicalPoint((11, 7, 9)))  # the middle of voxels 10 to 12, 6 to 8 ...
    inside = (slice(8, 35), slice(6, 30), slice(10, 40))
    expected_bq = values(frame.image)[inside].sum(dtype=float) * frame.voxel_ml
    aligned, = align_frames([frame], within, STAY).frames
    assert aligned.on_target_bq == pytest.approx(expected_bq, rel=1e-5)
    assert activity_in_image_bq(aligned.frame) == pytest.approx(expected_bq, rel=1e-5)
    assert aligned.left_out_percent == pytest.approx(100 * (1 - expected_bq / aligned.in_frame_bq), rel=1e-6)
    assert aligned.seen_percent == pytest.approx(100)


def test_nothing_but_the_image_of_a_frame_changes(generated_patient):
    frames = [frame_of(generated_patient("activity", noise=0.1, seed=n, from_patient=shifted if n == 2 else None), n)
              for n in (1, 2)]
    for before, after in zip(frames, align_frames(frames, grid((50, 40, 40), 6.0), RIGID).frames):
        assert replace(after.frame, image=before.image) == before
        assert after.frame.image.GetPixelID() == sitk.sitkFloat32


@pytest.mark.parametrize("compared", ["ct", "activity"])
def test_a_patient_who_lay_elsewhere_comes_back_onto_himself(generated_patient, compared):
    images = [generated_patient("activity", noise=0.1, seed=1),
              generated_patient("activity", noise=0.1, seed=2, from_patient=shifted)]
    frames = [frame_of(image, number) for number, image in enumerate(images, start=1)]
    cts = [ct_of(generated_patient("ct", noise=20, seed=3), series="2.25.7"),
           ct_of(generated_patient("ct", noise=20, seed=4, from_patient=shifted), series="2.25.8")]
    target = grid((60, 46, 46), 5.0)
    found = align_frames(frames, target, RIGID, cts=cts if compared == "ct" else None)
    stayed = align_frames(frames, target, STAY)
    assert found.frames[1].compared == compared and not found.warnings
    assert found.frames[1].registration.displacement.mean_vector_mm == pytest.approx((12, -7, 9), abs=1.0)
    assert correlation(found.frames[0].frame.image, found.frames[1].frame.image) > 0.985
    assert correlation(stayed.frames[0].frame.image, stayed.frames[1].frame.image) < 0.85
    assert abs(found.frames[1].change_percent) < 0.5
    assert "moved by 16" in found.notes[1] and "moved" not in found.notes[0]


def test_a_rigidly_moved_total_can_be_kept_exactly(generated_patient):
    frames = [frame_of(generated_patient("activity", seed=1), 1),
              frame_of(generated_patient("activity", seed=2, from_patient=shifted), 2)]
    moved = align_frames(frames, grid((40, 30, 30), 9.0), RegistrationParameters(keep_total=True)).frames[1]
    assert moved.change_percent == pytest.approx(0, abs=1e-6)
    assert activity_in_image_bq(moved.frame) == pytest.approx(moved.on_target_bq, rel=1e-6)


def test_bending_tells_what_it_did_to_the_activity(generated_patient):
    """A patient drawn 8 % smaller along x has 8 % less activity: bent back to size he has more than was measured."""
    smaller = frame_of(generated_patient("activity", noise=0.05, seed=2,
                                         from_patient=lambda points: points * (1 / 0.92, 1.0, 1.0)), 2)
    frames = [frame_of(generated_patient("activity", noise=0.05, seed=1), 1), smaller]
    chosen = RegistrationParameters(method="deformable", control_mm=100)
    found = align_frames(frames, grid((60, 46, 50), 5.0), chosen)
    assert found.frames[1].registration.method == "deformable"
    assert found.frames[1].change_percent == pytest.approx(100 / 0.92 - 100, abs=2.5)
    assert any("changed its activity by +" in line for line in found.warnings)


@pytest.mark.parametrize("order", ["RAI", "LAS", "PIR"])
def test_another_order_of_voxels_is_the_same_patient(generated_patient, order):
    """Feet first or prone: geometry alone says where everything lies."""
    image = generated_patient("activity", noise=0.1)
    target = grid((50, 40, 40), 6.0)
    straight, turned = (align_frames([frame_of(each)], target, STAY).frames[0].frame.image
                        for each in (image, sitk.DICOMOrient(image, order)))
    assert np.allclose(values(straight), values(turned), rtol=1e-5)


def test_an_oblique_frame_is_interpolated_onto_the_grid_and_keeps_its_activity(generated_patient):
    image = generated_patient("activity")
    tilt = np.radians(12)
    image.SetDirection((1, 0, 0, 0, np.cos(tilt), -np.sin(tilt), 0, np.sin(tilt), np.cos(tilt)))
    aligned, = align_frames([frame_of(image)], grid((90, 90, 90), 5.0, (0, 60, 20)), STAY).frames
    assert activity_in_image_bq(aligned.frame) == pytest.approx(aligned.in_frame_bq, rel=0.01)
    assert abs(aligned.change_percent) < 0.5


def test_voxels_that_a_frame_does_not_see_are_told(generated_patient):
    whole = generated_patient("activity")
    part = whole[:, :, 20:]
    found = align_frames([frame_of(whole, 1), frame_of(part, 2)], whole, STAY)
    seen = values(found.seen)
    assert not seen[:20].any() and seen[20:].all()
    assert found.frames[1].seen_percent == pytest.approx(60)


def test_two_tables_without_registration_are_told(generated_patient):
    image = generated_patient("activity")
    frames = [frame_of(image, 1, "2.25.1"), frame_of(image, 2, "2.25.2")]
    assert any("another frame of reference" in line for line in align_frames(frames, image, STAY).warnings)
    assert not align_frames([frames[0], frame_of(image, 2, "2.25.1")], image, STAY).warnings


def test_a_ct_of_another_table_is_told(generated_patient):
    image, ct = generated_patient("activity"), generated_patient("ct")
    found = align_frames([frame_of(image)], image, STAY, cts=[ct_of(ct, uid="2.25.9")])
    assert any("its CT" in line for line in found.warnings)


def test_one_ct_for_two_frames_says_that_the_patient_lay_still(generated_patient):
    images = [generated_patient("activity"), generated_patient("activity", from_patient=shifted)]
    ct = ct_of(generated_patient("ct"))
    found = align_frames([frame_of(images[0], 1), frame_of(images[1], 2)], images[0], RIGID, cts=[ct, ct])
    assert found.frames[1].registration is None


def test_a_patient_moved_too_far_stays_where_he_is_and_it_is_told(generated_patient):
    near = RegistrationParameters(farthest_mm=5)
    frames = [frame_of(generated_patient("activity"), 1),
              frame_of(generated_patient("activity", from_patient=shifted), 2)]
    found = align_frames(frames, frames[0].image, near)
    assert np.allclose(values(found.frames[1].frame.image), values(frames[1].image), rtol=1e-5)
    assert found.warnings[0].startswith("frame 2: the rigid registration moves the patient by 17 mm at the mean")


def changed(image, value):
    array = sitk.GetArrayFromImage(image)
    array[3, 4, 5] = value
    other = sitk.GetImageFromArray(array)
    other.CopyInformation(image)
    return other


def test_frames_that_cannot_be_used_are_refused_in_one_line(generated_patient):
    image = generated_patient("activity")
    with pytest.raises(InputError, match="frame 2 holds values that are no numbers"):
        align_frames([frame_of(image), frame_of(changed(image, np.nan), 2)], image, STAY)
    with pytest.raises(InputError, match="frame 1 holds no activity"):
        align_frames([frame_of(image * 0)], image, STAY)
    with pytest.raises(InputError, match="frame 1 has no voxel in common"):
        align_frames([frame_of(image)], grid((10, 10, 10), 5.0, (0, 0, 900)), STAY)
    with pytest.raises(InputError, match="no frames"):
        align_frames([], image, STAY)
    with pytest.raises(InputError, match="1 CTs for 2 frames"):
        align_frames([frame_of(image)] * 2, image, STAY, cts=[None])
    with pytest.raises(InputError, match="frame 2 has no CT"):
        align_frames([frame_of(image)] * 2, image, RegistrationParameters(on="ct"),
                     cts=[ct_of(generated_patient("ct")), None])
    with pytest.raises(InputError, match="there are 2"):
        align_frames([frame_of(image)] * 2, image, RegistrationParameters(reference=3))


def test_cancel(generated_patient):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        align_frames([frame_of(generated_patient("activity"))], generated_patient("activity"), STAY, progress=progress)
