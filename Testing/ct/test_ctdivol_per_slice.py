"""CTDIvol of each slice: from headers, from mAs, for a fixed current."""

from dataclasses import replace

import numpy as np
import pytest

from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner
from organdose.errors import InputError, MissingFacts
from organdose.study.facts import Fact, Origin

GENERIC = load_scanner("generic")
CURRENTS = tuple(np.linspace(100.0, 300.0, 12))


@pytest.fixture
def exposure(make_study):
    return lambda fixed_ma=None, **changed: exposure_of(make_study(**changed), GENERIC, fixed_ma=fixed_ma)


def measured(**changed):
    """A scan without CTDIvol on a scanner whose CTDIw was measured: 8 mGy per 100 mAs."""
    return {"ctdivol_mgy": None, "measured_ctdiw_mgy_per_100mas": 8.0, "measured_ctdiw_kv": 120.0,
            "measured_ctdiw_phantom_cm": 32.0, "measured_ctdiw_collimation_mm": 20.0} | changed


def test_a_fixed_current_takes_the_modulation_away(exposure):
    """CTDIvol goes with mA: 10 mGy at a mean of 200 mA are 5 mGy at 100 mA, the same in every slice."""
    found = exposure(tube_current_ma=CURRENTS, fixed_ma=100.0)
    assert found.ctdivol_mgy == pytest.approx(np.full(12, 5.0))
    assert found.fixed_ma == 100.0
    assert any("100 mA in every slice, where the scan had 100 to 300 mA" in line for line in found.assumptions)


def test_a_fixed_current_scales_the_ctdivol_of_each_slice_by_its_own_current(exposure):
    per_slice = tuple(0.05 * np.array(CURRENTS))
    assert exposure(ctdivol_mgy=per_slice, tube_current_ma=CURRENTS, fixed_ma=80.0).ctdivol_mgy == pytest.approx(
        np.full(12, 4.0))


def test_a_fixed_current_needs_the_current_the_scan_had(exposure):
    with pytest.raises(MissingFacts) as caught:
        exposure(fixed_ma=100.0)
    assert list(caught.value.facts) == ["tube_current_ma"]


def test_a_fixed_current_without_ctdivol_uses_the_measured_ctdiw(exposure):
    # CTDIvol = CTDIw x mA x s / pitch: 8 mGy / 100 mAs x 100 mA x 0.5 s / 1.25.
    found = exposure(**measured(rotation_time_s=0.5, pitch=1.25), fixed_ma=100.0)
    assert found.ctdivol_mgy == pytest.approx(np.full(12, 3.2))


def test_a_fixed_current_without_a_rotation_time_asks_for_it(exposure):
    with pytest.raises(MissingFacts) as caught:
        exposure(**measured(), fixed_ma=100.0)
    assert list(caught.value.facts) == ["rotation_time_s"]


def test_ctdivol_comes_from_a_measured_ctdiw_and_the_mas_of_each_slice(exposure):
    found = exposure(**measured(exposure_mas=tuple(range(50, 170, 10))))
    assert found.ctdivol_mgy == pytest.approx(0.08 * np.arange(50, 170, 10))
    assert any("measured CTDIw, 8 mGy per 100 mAs, 50 to 160 mAs" in line for line in found.assumptions)
    assert not any("taken to be measured" in line for line in found.assumptions)


def test_the_phantom_of_the_measurement_is_that_of_the_ctdivol_derived_from_it(exposure):
    found = exposure(**measured(ctdi_phantom_cm=None, measured_ctdiw_phantom_cm=16.0, exposure_mas=(100.0,)))
    assert (found.phantom_cm, found.bowtie_kind) == (16.0, "head")


def test_what_is_not_said_of_the_measurement_is_told(exposure):
    found = exposure(**measured(exposure_mas=(100.0,), measured_ctdiw_kv=None, measured_ctdiw_collimation_mm=40.0))
    assert any("measured with the scan's own tube voltage" in line for line in found.assumptions)
    assert any("40 mm and serves for 20 mm" in line for line in found.assumptions)


@pytest.mark.parametrize(("changed", "words"), [({"measured_ctdiw_kv": 100.0}, "measured at 100 kV, the scan has 120"),
                                                ({"measured_ctdiw_phantom_cm": 16.0}, "16 cm, the scan has 32 cm"),
                                                ({"second_tube_voltage_kv": 140.0, "second_tube_share": 0.5},
                                                 "nothing of a scan with two tubes")])
def test_a_ctdiw_measured_for_another_scan_is_refused(exposure, changed, words):
    with pytest.raises(InputError, match=words):
        exposure(**measured(exposure_mas=(100.0,)) | changed)


def test_an_axial_scan_with_gaps_has_less_ctdivol_than_ctdiw(exposure):
    # IEC 60601-2-44: CTDIvol = CTDIw x N T / table feed.
    found = exposure(**measured(scan_kind="axial", pitch=None, exposure_mas=(100.0,), table_feed_mm=40.0))
    assert found.ctdivol_mgy == pytest.approx(np.full(12, 4.0))


def test_a_localiser_without_ctdivol_has_the_dose_length_of_its_mas(exposure):
    # CTDIw per mAs x mA x s x collimation, whatever the length: 0.08 x 30 x 1.5 x 20.
    for range_mm in (None, (-60.0, 0.0)):
        found = exposure(**measured(scan_kind="localiser", pitch=None, tube_angle_deg=0.0, tube_current_ma=(30.0,),
                                    scan_time_s=1.5, scan_range_mm=range_mm))
        assert found.dlp_mgy_mm == pytest.approx(72.0)


@pytest.mark.parametrize("fixed_ma", [None, 100.0])
@pytest.mark.parametrize("exposure_mas", [None, Fact((50.0,), Origin.derived, "tube current x rotation time / pitch")])
def test_a_cone_beam_of_200_degrees_has_the_mas_of_its_arc(make_study, exposure_mas, fixed_ma):
    # 8 mGy / 100 mAs x 100 mA x 0.5 s x 200 / 360, whether or not the mAs of a whole turn were derived before.
    study = make_study(**measured(scan_kind="cone_beam", pitch=None, tube_current_ma=(100.0,), rotation_time_s=0.5,
                                  arc_deg=200.0))
    study = replace(study, acquisition=replace(study.acquisition, exposure_mas=exposure_mas))
    found = exposure_of(study, GENERIC, fixed_ma=fixed_ma)
    assert found.ctdivol_mgy == pytest.approx(np.full(12, 4.0 * 200 / 360))


def test_a_scanners_output_without_tin_does_not_serve_a_scan_with_tin(make_study):
    """0.4 mm tin leave a small part of the output: a Biograph mCT gives 7.33 mGy per 100 mAs at 120 kV without it."""
    scanner = load_scanner("siemens-definition-as")
    plain = make_study(ctdivol_mgy=None, exposure_mas=(100.0,))
    assert exposure_of(plain, scanner).ctdivol_mgy == pytest.approx(np.full(12, 7.329))
    assert exposure_of(make_study(ctdivol_mgy=None, exposure_mas=(100.0,), tube_filter="none"),
                       scanner).ctdivol_mgy == pytest.approx(np.full(12, 7.329))
    with pytest.raises(MissingFacts) as caught:
        exposure_of(make_study(ctdivol_mgy=None, exposure_mas=(100.0,), tube_filter="Sn 0.4"), scanner)
    assert list(caught.value.facts) == ["ctdivol_mgy"]


def test_a_ctdiw_for_a_scan_with_tin_is_taken_to_be_measured_with_it(exposure):
    found = exposure(**measured(exposure_mas=(100.0,), tube_filter="Sn 0.4"))
    assert any("measured with the tube filter of the scan, Sn 0.4" in line for line in found.assumptions)


def test_a_header_that_contradicts_its_exposure_does_not_decide_the_course_of_the_dose(make_study):
    study = make_study(tube_current_ma=CURRENTS)
    doubtful = Fact((3.0,) * 6 + (100.0,) * 6, Origin.header, "3 mAs where mA x exposure time gives 50 mAs")
    study = replace(study, acquisition=replace(study.acquisition, exposure_mas=doubtful))
    found = exposure_of(study, GENERIC)
    assert found.ctdivol_mgy == pytest.approx(10 * np.array(CURRENTS) / 200)
