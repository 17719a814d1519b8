"""Facts that contradict each other: both values are named, and which of them is used."""

import numpy as np
import pytest

from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner

GENERIC = load_scanner("generic")
CURRENTS = tuple(np.linspace(100.0, 300.0, 12))


@pytest.fixture
def told(make_study):
    return lambda **changed: exposure_of(make_study(**changed), GENERIC).contradictions


def test_facts_that_agree_are_not_spoken_of(told):
    assert told(tube_current_ma=CURRENTS, rotation_time_s=0.5, exposure_mas=tuple(0.5 * np.array(CURRENTS)),
                table_feed_mm=20.0) == ()


def test_an_exposure_that_is_not_ma_times_time_over_pitch_is_told(told):
    [line] = told(tube_current_ma=(200.0,), rotation_time_s=0.5, pitch=0.5, exposure_mas=(100.0,))
    assert line.startswith("Exposure 100 mAs (protocol) beside mA x s / pitch = 200 mAs: the exposure is used")


def test_a_course_of_ctdivol_that_is_not_that_of_the_current_is_told(told):
    [line] = told(ctdivol_mgy=tuple(np.linspace(5.0, 6.0, 12)), tube_current_ma=CURRENTS)
    assert "CTDIvol per mA goes from 0.02 to 0.05 mGy/mA" in line and "CTDIvol of each slice is used" in line


def test_a_ctdivol_far_from_the_measured_ctdiw_is_told(told):
    known = {"measured_ctdiw_mgy_per_100mas": 8.0, "exposure_mas": (100.0,)}
    assert told(ctdivol_mgy=(9.0,), **known) == ()
    [line] = told(ctdivol_mgy=(10.0,), **known)
    assert line == ("CTDIvol 10 mGy (protocol) beside 8 mGy from the measured CTDIw, 8 mGy per 100 mAs: the former is "
                    "used.")


def test_a_pitch_of_an_axial_scan_is_told(told):
    [line] = told(scan_kind="axial")
    assert line == "Pitch 1 beside a scan kind of axial: the pitch is not used."


def test_output_by_angle_of_a_localiser_is_told(told):
    [line] = told(scan_kind="localiser", pitch=None, tube_angle_deg=0.0, angular_current=(1.0, 2.0, 1.0, 2.0))
    assert "the output by angle is not used" in line


def test_one_ctdivol_beside_a_changing_current_is_told_with_both(make_study):
    lines = exposure_of(make_study(tube_current_ma=CURRENTS), GENERIC).assumptions
    assert any("One CTDIvol (10 mGy)" in line and "tube current goes from 100 to 300" in line for line in lines)
