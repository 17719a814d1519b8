"""Dual-source scans: the share of CTDIvol that each tube has is what their photons leave in the CTDI phantom."""

import math

import pytest

from organdose.ct.calibrated_source import calibrated_source, xray_source
from organdose.ct.ctdi import simulate_ctdi
from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner
from organdose.errors import InputError, MissingFacts

GENERIC = load_scanner("generic")
DUAL_ENERGY = {"tube_voltage_kv": 100.0, "second_tube_voltage_kv": 140.0, "second_tube_filter": "Sn 0.4"}


@pytest.fixture
def exposure(make_study):
    return lambda **changed: exposure_of(make_study(**changed), GENERIC)


def test_a_single_tube_is_calibrated_alone(exposure, cheap_calibration):
    tubes = calibrated_source(GENERIC, exposure())
    assert tubes.source.further_tubes == () and tubes.second_share == 0


def test_two_tubes_of_one_voltage_share_the_photons_as_the_ctdivol(exposure, cheap_calibration):
    """High pitch: the same spectrum twice."""
    found = exposure(second_tube_voltage_kv=120.0, second_tube_share=0.25, pitch=3.2)
    tubes = calibrated_source(GENERIC, found)
    assert tubes.source.further_tubes[0].share == pytest.approx(1 / 3)
    assert tubes.second_share == pytest.approx(0.25)
    assert math.degrees(tubes.source.further_tubes[0].offset_rad) == pytest.approx(90)
    assert any("90 degrees after the first" in line for line in found.assumptions)


def test_a_dual_energy_source_leaves_in_the_phantom_what_its_calibration_says(exposure, cheap_calibration):
    """100 kV / Sn 140 kV: simulated with both tubes at once, and put together from each alone."""
    tubes = calibrated_source(GENERIC, exposure(**DUAL_ENERGY, second_tube_share=0.4, second_tube_offset_deg=95.0))
    assert tubes.second_share == pytest.approx(0.4)
    together = simulate_ctdi(tubes.source, 32.0, seed=5, histories=400_000, wanted_percent=None)
    assert together.weighted_mgy_mm == pytest.approx(tubes.calibration.weighted_mgy_mm, rel=0.05)
    assert tubes.source.further_tubes[0].spectrum.mean_kev > tubes.source.spectrum.mean_kev + 25


def test_the_mas_of_both_tubes_give_their_share(exposure, cheap_calibration):
    """Twice the mAs through the same filter is twice the CTDIvol; tin takes most of it away."""
    found = exposure(second_tube_voltage_kv=120.0, exposure_mas=(100.0,), second_tube_exposure_mas=(200.0,))
    assert calibrated_source(GENERIC, found).second_share == pytest.approx(2 / 3)
    assert any("by their mAs (2 to 1)" in line for line in found.assumptions)
    hard = exposure(**DUAL_ENERGY, exposure_mas=(100.0,), second_tube_exposure_mas=(100.0,))
    soft = exposure(**DUAL_ENERGY | {"second_tube_filter": "none"}, exposure_mas=(100.0,),
                    second_tube_exposure_mas=(100.0,))
    shares = [calibrated_source(GENERIC, each).second_share for each in (hard, soft)]
    assert shares[0] < 0.5 < shares[1]


def test_a_second_tube_without_a_share_is_asked_for_it(exposure):
    with pytest.raises(MissingFacts) as caught:
        exposure(second_tube_voltage_kv=140.0)
    assert list(caught.value.facts) == ["second_tube_share"]


@pytest.mark.parametrize(("changed", "words"), [
    ({"second_tube_filter": "Sn"}, "second_tube_filter is 'Sn', which has no material with a thickness"),
    ({"tube_filter": "tin"}, "tube_filter is 'tin'"), ({"second_tube_share": 1.0}, "all of the CTDIvol")])
def test_what_cannot_be_of_a_second_tube_is_refused(exposure, changed, words):
    with pytest.raises(InputError, match=words):
        exposure(**{"second_tube_voltage_kv": 140.0, "second_tube_share": 0.5} | changed)


def test_an_unknown_filter_material_is_refused(exposure):
    with pytest.raises(InputError, match="Unobtainium"):
        xray_source(GENERIC, exposure(tube_filter="Unobtainium 1"))


def test_a_filter_of_the_only_tube_hardens_its_spectrum(exposure):
    plain, filtered = (xray_source(GENERIC, exposure(**changed)).spectrum.mean_kev
                       for changed in ({}, {"tube_filter": "Sn 0.6"}))
    assert filtered > plain + 15
