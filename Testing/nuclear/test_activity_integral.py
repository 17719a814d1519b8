"""From frames to decays: nothing is lost, each organ gets its own, and what is left out is told."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from organdose.errors import InputError, MissingFacts
from organdose.nuclear.activity_integral import activity_integral, activity_over_time
from organdose.nuclear.frame_alignment import align_frames
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.recovery_coefficients import Recovery
from organdose.patient.lattice import carried_on
from organdose.study.frame_registration_parameters import RegistrationParameters

F18_S = 109.77 * 60  # ICRP 107
STAY = RegistrationParameters(method="none")


def integrated(frames, lattice=None, nuclide="F-18", **options):
    lattice = lattice or carried_on(frames[0].image, frames[0].image)
    mixture = with_progeny(nuclide)
    over_time = activity_over_time(frames, lattice, mixture.parent.half_life_s)
    return activity_integral(over_time, mixture, options.pop("administered_bq", 100e6), **options)


def test_one_frame_decays_physically(make_frame):
    values = np.zeros((4, 5, 6))
    values[1, 2, 3] = 1000.0
    source = integrated([make_frame(values, start_s=3600.0)])
    # By hand: A(0) = 1000 Bq/ml x 0.064 ml x 2^(3600/T); integral A(0) T / ln 2.
    by_hand = 64.0 * 2 ** (3600.0 / F18_S) * F18_S / math.log(2)
    assert source.decays[1, 2, 3] == pytest.approx(by_hand, rel=1e-4)
    assert source.total_decays == pytest.approx(by_hand, rel=1e-4)


def test_the_middle_of_a_long_frame_counts(make_frame):
    # The image holds the activity as at its start: decayed to the middle and integrated it is the same curve.
    start, long = (integrated([make_frame(np.ones((2, 2, 2)), 1000.0, duration)]) for duration in (0.0, 1200.0))
    assert long.total_decays == pytest.approx(start.total_decays, rel=1e-6)


def test_another_lattice_keeps_every_decay(make_frame):
    values = np.random.default_rng(1).uniform(0, 500, (6, 7, 8))
    frame = make_frame(values)
    finer = carried_on(frame.image, frame.image, 2.7)
    assert integrated([frame], finer).total_decays == pytest.approx(integrated([frame]).total_decays, rel=1e-6)


def test_two_time_points_give_the_effective_half_life(make_frame):
    effective_s = 40 * 3600.0
    frames = [make_frame(np.full((2, 2, 2), 100 * 2 ** (-t / effective_s)), t) for t in (4 * 3600.0, 24 * 3600.0)]
    source = integrated(frames, nuclide="Lu-177", model="mono")
    assert source.total_decays == pytest.approx(8 * 0.064 * 100 * effective_s / math.log(2), rel=1e-3)


def test_an_organ_gets_the_part_of_each_voxel_that_it_fills(make_frame):
    half = sp.csr_matrix((np.full(4, 0.032), (np.zeros(4, int), np.arange(4))), shape=(1, 8))
    source = integrated([make_frame(np.full((2, 2, 2), 50.0))], organs=("liver",), organ_ml=half)
    assert source.organ_decays["liver"] == pytest.approx(source.total_decays / 4, rel=1e-5)
    assert source.curves[0].tiac_h == pytest.approx(source.organ_decays["liver"] / 100e6 / 3600, rel=1e-6)


def test_without_the_administered_activity_there_are_integrals_but_no_coefficients(make_frame):
    whole = sp.csr_matrix(np.full((1, 8), 0.064))
    source = integrated([make_frame(np.full((2, 2, 2), 50.0))], organs=("body",), organ_ml=whole, administered_bq=None)
    assert math.isnan(source.curves[0].tiac_h) and source.organ_decays["body"] > 0


def test_activity_outside_the_body_is_left_out_and_told(make_frame):
    inside = np.zeros((2, 2, 2), bool)
    inside[0] = True
    source = integrated([make_frame(np.full((2, 2, 2), 50.0))], inside=inside)
    assert source.decays[1].max() == 0 and source.decays[0].min() > 0
    assert any(note.startswith("50 % of the decays lie outside the body") for note in source.notes)


def test_recovery_raises_the_voxels_as_the_organ(make_frame):
    whole = sp.csr_matrix(np.full((1, 8), 0.064))
    plain, corrected = (integrated([make_frame(np.full((2, 2, 2), 50.0))], organs=("lesion_1",), organ_ml=whole,
                                   recoveries=given)
                        for given in ({}, {"lesion_1": Recovery(0.5, math.nan, False, "half")}))
    assert corrected.total_decays == pytest.approx(2 * plain.total_decays, rel=1e-5)
    assert corrected.organ_decays["lesion_1"] == pytest.approx(2 * plain.organ_decays["lesion_1"], rel=1e-6)


def test_what_lies_in_a_corrected_organ_or_around_it_is_corrected_with_it(make_frame):
    body, kidneys, left = np.full(8, 0.064), np.r_[np.full(4, 0.064), np.zeros(4)], np.r_[0.064, 0.064, np.zeros(6)]
    names, volumes = ("body", "kidneys", "kidney_left"), sp.csr_matrix(np.stack([body, kidneys, left]))
    half = Recovery(0.5, math.nan, False, "half")
    plain, corrected = (integrated([make_frame(np.full((2, 2, 2), 50.0))], organs=names, organ_ml=volumes,
                                   recoveries=given).organ_decays for given in ({}, {"kidneys": half}))
    assert {name: corrected[name] / plain[name] for name in names} == pytest.approx(
        {"body": 1.5, "kidneys": 2.0, "kidney_left": 2.0}, rel=1e-5)
    with pytest.raises(InputError, match="overlap"):
        integrated([make_frame(np.full((2, 2, 2), 50.0))], organs=names, organ_ml=volumes,
                   recoveries={"kidneys": half, "kidney_left": half})


def test_negative_voxels_leave_no_negative_decays(make_frame):
    values = np.full((2, 2, 2), 50.0)
    values[0, 0, 0] = -20.0
    assert integrated([make_frame(values)]).decays.min() == 0


def test_a_frame_without_a_time_is_a_question(make_frame):
    from dataclasses import replace

    frame = replace(make_frame(np.ones((2, 2, 2))), start_s=None)
    with pytest.raises(MissingFacts):
        activity_over_time([frame], carried_on(frame.image, frame.image), F18_S)


def test_an_empty_image_is_refused(make_frame):
    with pytest.raises(InputError, match="no activity"):
        integrated([make_frame(np.zeros((2, 2, 2)))])


def test_a_place_that_a_later_frame_does_not_show_keeps_its_course(make_frame):
    # 100 Bq/ml that leave with 40 h; the last frame ends halfway: without its knowledge there is the same curve.
    effective_s, times_s = 40 * 3600.0, (4 * 3600.0, 24 * 3600.0, 72 * 3600.0)
    frames = [make_frame(np.full((4, 2, 2), 100 * 2 ** (-t / effective_s)), t) for t in times_s[:2]]
    frames.append(make_frame(np.full((2, 2, 2), 100 * 2 ** (-times_s[2] / effective_s)), times_s[2]))
    lattice = carried_on(frames[0].image, frames[0].image)
    aligned = align_frames(frames, lattice.image(np.zeros(lattice.shape, np.uint8)), STAY)
    mixture = with_progeny("Lu-177")
    over_time = activity_over_time([each.frame for each in aligned.frames], lattice, mixture.parent.half_life_s,
                                   [each.whole for each in aligned.frames])
    organs = sp.csr_matrix(0.064 * np.array([[1] * 16, [1] * 8 + [0] * 8, [1] * 9 + [0] * 7], float))
    source = activity_integral(over_time, mixture, 100e6, model="mono", organs=("all", "shown", "nearly"),
                               organ_ml=organs)
    by_hand = 0.064 * 100 * effective_s / math.log(2)
    np.testing.assert_allclose(source.decays, by_hand, rtol=2e-3)
    assert source.organ_decays == pytest.approx({"all": 16 * by_hand, "shown": 8 * by_hand, "nearly": 9 * by_hand},
                                                rel=2e-3)
    assert [curve.activity_bq.shape for curve in source.curves] == [(3,)] * 3
    assert math.isnan(source.curves[0].activity_bq[2]) and math.isfinite(source.curves[1].activity_bq[2])
    assert any("frame 3 does not show the places of up to 50 %" in line for line in aligned.warnings)


def test_what_no_frame_shows_holds_nothing(make_frame):
    frame = make_frame(np.ones((2, 2, 2)))
    lattice = carried_on(frame.image, make_frame(np.ones((4, 4, 4))).image)
    aligned = align_frames([frame], lattice.image(np.zeros(lattice.shape, np.uint8)))
    over_time = activity_over_time([aligned.frames[0].frame], lattice, F18_S, [aligned.frames[0].whole])
    assert np.isfinite(over_time.bq_per_ml).all() and not aligned.warnings
