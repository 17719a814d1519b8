"""From acquisition facts to a scan path: what is missing is asked for, what is there is used."""

import numpy as np
import pytest

from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner
from organdose.errors import InputError, MissingFacts

GENERIC = load_scanner("generic")


@pytest.fixture
def exposure(make_study):
    return lambda **changed: exposure_of(make_study(**changed), GENERIC)


def test_dlp_is_ctdivol_times_the_scan_length_with_overranging(exposure):
    # 12 slices of 10 mm, and one rotation of 20 mm at pitch 1 for overranging: 140 mm at 10 mGy.
    assert exposure().dlp_mgy_mm == pytest.approx(10.0 * 140.0)


def test_an_axial_scan_has_no_overranging(exposure):
    assert exposure(scan_kind="axial", pitch=None).dlp_mgy_mm == pytest.approx(10.0 * 120.0)


def test_one_ctdivol_follows_the_tube_current_of_each_slice(exposure):
    currents = tuple(np.linspace(100.0, 300.0, 12))
    found = exposure(tube_current_ma=currents)
    assert found.ctdivol_mgy.mean() == pytest.approx(10.0)
    assert found.ctdivol_mgy / found.ctdivol_mgy[0] == pytest.approx(np.array(currents) / 100.0)
    assert any("follows the tube current" in line for line in found.assumptions)


def test_ctdivol_of_each_slice_is_taken_as_it_is(exposure):
    values = tuple(np.linspace(5.0, 9.0, 12))
    assert exposure(ctdivol_mgy=values).ctdivol_mgy == pytest.approx(values)


def test_ctdivol_comes_from_the_exposure_where_the_scanner_knows_how(make_study):
    scanner = GENERIC.model_copy(update={"ctdivol_mgy_per_mas": {"120/32": 0.07}})
    study = make_study(ctdivol_mgy=None, exposure_mas=(200.0,))
    assert exposure_of(study, scanner).ctdivol_mgy == pytest.approx(14.0)


@pytest.mark.parametrize("name", ["tube_voltage_kv", "total_collimation_mm", "ctdi_phantom_cm", "scan_kind", "pitch",
                                  "ctdivol_mgy"])
def test_each_missing_fact_is_asked_for_by_name(name, exposure):
    with pytest.raises(MissingFacts) as caught:
        exposure(**{name: None})
    assert list(caught.value.facts) == [name]
    assert "--protocol" in str(caught.value)


def test_a_ctdi_phantom_that_does_not_exist_is_refused(exposure):
    with pytest.raises(InputError, match="20 cm"):
        exposure(ctdi_phantom_cm=20.0)


def test_the_bowtie_goes_with_the_phantom_unless_the_facts_name_it(exposure):
    assumed = exposure(ctdi_phantom_cm=16.0)
    assert assumed.bowtie_kind == "head" and any("the head bowtie goes with" in line for line in assumed.assumptions)
    # Children's bodies: CTDIvol of the 16 cm phantom behind the body bowtie.
    told = exposure(ctdi_phantom_cm=16.0, bowtie="body")
    assert told.bowtie_kind == "body" and not any("bowtie" in line for line in told.assumptions)


def test_an_assumed_isocentre_is_the_centre_of_the_image_and_is_told(exposure):
    found = exposure(isocentre_mm=None)
    assert found.isocentre_mm == pytest.approx((0.0, 0.0))
    assert any("isocentre" in line for line in found.assumptions)


def test_a_current_of_each_slice_counts_even_beside_one_exposure_for_all(exposure):
    found = exposure(tube_current_ma=tuple(np.linspace(100.0, 400.0, 12)), exposure_mas=(100.0,))
    assert found.ctdivol_mgy[-1] == pytest.approx(4 * found.ctdivol_mgy[0])


def test_without_any_current_an_even_ctdivol_is_told(exposure):
    assert any("No tube current" in line for line in exposure().assumptions)


def test_what_a_report_must_say_of_contradictions_is_kept_apart_from_assumptions(exposure):
    found = exposure(table_feed_mm=10.0)
    assert found.contradictions == ("Pitch 1 (protocol) beside table feed / collimation = 0.500 (protocol): the pitch "
                                    "is used.",)
    assert not set(found.contradictions) & set(found.assumptions)


def test_the_pitch_follows_from_the_table_feed_where_it_is_missing(exposure):
    found = exposure(pitch=None, table_feed_mm=18.0)
    assert found.path.feed_mm == pytest.approx(18.0)
    assert any("Pitch 0.900 from table feed" in line for line in found.assumptions)


def test_a_helical_scan_without_table_motion_is_refused(exposure):
    with pytest.raises(InputError, match="pitch of 0"):
        exposure(pitch=0.0)
