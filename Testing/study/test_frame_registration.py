"""Movements that are known exactly, since the moved patient is drawn anew and not interpolated."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.study.frame_likeness import displacement, likeness
from organdose.study.frame_registration import register
from organdose.study.frame_registration_parameters import RegistrationParameters

RIGID = RegistrationParameters()
NOISE = {"ct": 20.0, "activity": 0.15}


def euler(shift_mm, turn_deg):
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*np.radians(turn_deg).tolist())
    transform.SetTranslation(shift_mm)
    return transform


def undone(transform):
    """Points of the moved image to those of the patient as he lay before."""
    turn, shift = np.array(transform.GetMatrix()).reshape(3, 3), np.array(transform.GetTranslation())
    return lambda points: (points - shift) @ turn  # the transpose undoes a rotation: turn^T (p - shift)


def bent(points):
    x, y, z = np.moveaxis(points, -1, 0)
    return points + np.stack([6 * np.sin(z / 45), 5 * np.sin(x / 50), 6 * np.sin(y / 45)], axis=-1)


def points_inside(count=200):
    points = np.random.default_rng(3).uniform(-110, 110, (count, 3))
    return points[(points[:, 0] / 130) ** 2 + (points[:, 1] / 90) ** 2 < 1]


def moved_by(transform, points):
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


@pytest.mark.parametrize("kind", ["ct", "activity"])
@pytest.mark.parametrize("shift_mm, turn_deg", [((11.0, -6.0, 14.0), (4.0, -2.5, 5.0)),
                                                ((-4.0, 9.0, -17.0), (0, 0, -8)), ((0.7, 0.4, -1.1), (0.3, 0.0, 0.5))])
def test_a_known_shift_and_turn_is_found_to_a_millimetre_and_half_a_degree(generated_patient, kind, shift_mm, turn_deg):
    known = euler(shift_mm, turn_deg)
    fixed = generated_patient(kind, noise=NOISE[kind], seed=1)
    moving = generated_patient(kind, noise=NOISE[kind], seed=2, from_patient=undone(known))
    found = register(fixed, moving, RIGID, kind=kind)
    assert found.method == "rigid" and not found.warnings and found.after > found.before
    points = points_inside()
    errors_mm = np.linalg.norm(moved_by(found.transform, points) - moved_by(known, points), axis=1)
    assert errors_mm.max() < 1.0
    turns = [np.array(sitk.Euler3DTransform(each).GetMatrix()).reshape(3, 3) for each in (found.transform, known)]
    between = np.degrees(np.arccos(np.clip(0.5 * (np.trace(turns[0] @ turns[1].T) - 1), -1, 1)))
    assert between < 0.5
    assert found.displacement.mean_mm == pytest.approx(np.linalg.norm(moved_by(known, points) - points, axis=1).mean(),
                                                       rel=0.15, abs=1.0)


def test_the_same_images_give_the_same_transform_to_the_last_digit(generated_patient):
    fixed = generated_patient("ct", noise=20, seed=1)
    moving = generated_patient("ct", noise=20, seed=2, from_patient=undone(euler((5.0, 3.0, -4.0), (0, 2, 0))))
    first, second = (register(fixed, moving, RIGID, kind="ct") for _ in range(2))
    assert first.transform.GetParameters() == second.transform.GetParameters()
    assert (first.before, first.after) == (second.before, second.after)


def test_a_smooth_bend_is_mostly_found(generated_patient):
    fixed = generated_patient("activity", noise=0.1, seed=1)
    moving = generated_patient("activity", noise=0.1, seed=2, from_patient=bent)
    chosen = RegistrationParameters(method="deformable", control_mm=75)
    found = register(fixed, moving, chosen, kind="activity")
    assert found.method == "deformable" and found.displacement.smallest_jacobian > 0.5
    # On the surface of organs, across it: along it nothing can be seen.
    normals = np.random.default_rng(5).standard_normal((600, 3))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    centres = np.repeat([(55, -10, 30), (-60, 15, 25), (-55, 40, -55), (55, 40, -55)], 150, axis=0)
    axes = np.repeat([(55, 50, 55), (30, 35, 40), (24, 21, 40), (24, 21, 40)], 150, axis=0)
    surface = centres + normals * axes
    across = normals / axes
    across /= np.linalg.norm(across, axis=1)[:, None]
    rest_mm = np.abs(((bent(moved_by(found.transform, surface)) - surface) * across).sum(axis=1)).mean()
    at_first_mm = np.abs(((bent(surface) - surface) * across).sum(axis=1)).mean()
    assert at_first_mm > 3
    assert rest_mm < 0.25 * at_first_mm


def test_a_patient_who_has_not_moved_stays_where_he_is(generated_patient):
    image = generated_patient("activity", noise=0.1, seed=1)
    found = register(image, image, RIGID, kind="activity")
    assert not found.warnings and found.before == pytest.approx(1.0)
    assert moved_by(found.transform, points_inside()) == pytest.approx(points_inside(), abs=0.01)


def test_a_turned_header_alone_moves_nobody(generated_patient):
    """Feet first: the same patient, his voxels counted from the other end."""
    image = generated_patient("ct", noise=20, seed=1)
    turned = sitk.DICOMOrient(generated_patient("ct", noise=20, seed=2), "RAI")
    assert turned.GetDirection() != image.GetDirection()
    found = register(image, turned, RIGID, kind="ct")
    assert np.linalg.norm(moved_by(found.transform, points_inside()) - points_inside(), axis=1).max() < 1.0


def test_a_patient_who_lies_half_a_metre_off_is_found_and_told_but_not_used(generated_patient):
    fixed = generated_patient("ct", noise=20, seed=1)
    moving = generated_patient("ct", noise=20, seed=2)
    moving.SetOrigin(moving.TransformContinuousIndexToPhysicalPoint((0, 0, 100)))  # of 5 mm each
    found = register(fixed, moving, RIGID, kind="ct")
    assert found.method == "none" and not found.transform.GetParameters()
    assert found.displacement.mean_vector_mm == pytest.approx((0, 0, 500), abs=1.0)
    line, = found.warnings
    assert "500 mm" in line and "not used" in line
    allowed = register(fixed, moving, RegistrationParameters(farthest_mm=600), kind="ct")
    assert allowed.method == "rigid" and allowed.after > allowed.before and not allowed.warnings


def test_two_images_with_nothing_in_common_are_not_brought_together(generated_patient):
    fixed = generated_patient("activity", noise=0.1, seed=1)
    values = np.random.default_rng(1).exponential(1000, sitk.GetArrayViewFromImage(fixed).shape).astype(np.float32)
    noise = sitk.GetImageFromArray(values)
    noise.CopyInformation(fixed)
    found = register(fixed, noise, RIGID, kind="activity")
    assert found.method == "none" and any("little alike" in line for line in found.warnings)


@pytest.mark.parametrize("method", ["rigid", "deformable"])
def test_cancel_stops_it_at_once(generated_patient, method):
    seen = []

    def listener(report):
        seen.append(report.stage)
        if method in report.stage and seen.count(report.stage) == 3:
            progress.cancel()

    progress = Progress(listener)
    fixed = generated_patient("activity", noise=0.1, seed=1)
    moving = generated_patient("activity", noise=0.1, seed=2, from_patient=bent)
    with pytest.raises(Cancelled):
        register(fixed, moving, RegistrationParameters(method=method), kind="activity", progress=progress)
    assert seen[-1] == f"registration: {method}" and seen.count(seen[-1]) == 3


def test_air_alone_is_no_patient(generated_patient):
    air = generated_patient("ct") * 0 - 1000
    with pytest.raises(InputError, match="no patient"):
        register(generated_patient("ct"), air, RIGID, kind="ct")


def test_likeness_of_images_worked_out_by_hand():
    grid = sitk.GetImageFromArray(np.arange(64, dtype=np.float32).reshape(4, 4, 4))
    everywhere = sitk.Cast(grid > -1, sitk.sitkUInt8)
    still = sitk.Transform()
    assert likeness(grid, 7 - 2 * grid, everywhere, still, "correlation") == (pytest.approx(-1), 1.0)
    # 64 values in 32 bins of two each, one image telling all about the other: ln 32.
    assert likeness(grid, 7 - 2 * grid, everywhere, still, "mutual_information") == (pytest.approx(np.log(32)), 1.0)
    assert likeness(grid, grid * 0, everywhere, still, "correlation") == (0.0, 1.0)
    # Moved by a voxel along z (16 more for each): the last slice leads out of the image, the rest is as before.
    assert likeness(grid, grid, everywhere, sitk.TranslationTransform(3, (0, 0, 1)),
                    "correlation") == (pytest.approx(1), 0.75)


def test_displacement_of_a_scaling_worked_out_by_hand():
    patient = sitk.Image([40, 40, 40], sitk.sitkUInt8) + 1
    patient.SetSpacing((8.0, 8.0, 8.0))
    twice = sitk.ScaleTransform(3, (2.0, 1.0, 1.0))
    found = displacement(twice, patient)
    assert (found.smallest_jacobian, found.largest_jacobian) == (pytest.approx(2), pytest.approx(2))
    assert found.largest_mm == pytest.approx(39 * 8) and found.mean_mm == pytest.approx(19.5 * 8)
    assert found.mean_vector_mm == pytest.approx((19.5 * 8, 0, 0))
