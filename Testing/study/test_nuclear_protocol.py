"""The protocol file of a PET or SPECT study."""

from datetime import datetime, timedelta

import pytest

from organdose.errors import InputError
from organdose.study.facts import Fact, Origin
from organdose.study.nuclear_facts import EXPLANATIONS, NuclearAcquisition
from organdose.study.nuclear_protocol import (
    NuclearFacts,
    NuclearProtocol,
    check_nuclear_fact,
    read_nuclear_protocol,
    with_protocol,
)


def test_every_fact_has_an_explanation_and_a_place_in_the_protocol():
    fields = [name for name in NuclearAcquisition.__dataclass_fields__ if name != "warnings"]
    assert fields == list(EXPLANATIONS) == list(NuclearFacts.model_fields)


def test_moments_may_state_their_offset_from_utc(write_protocol):
    protocol = read_nuclear_protocol(write_protocol(injected_at="2025-03-14T09:30:00+01:00"))
    assert protocol.given()["injected_at"].utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(("facts", "message"), [
    ({"injected_at": "2025-03-14"}, "without a time of day"), ({"injected_at": "half past nine"}, "no date with time"),
    ({"radionuclide": "fluorine"}, "radionuclide is"), ({"half_life": 3600}, "Did you mean 'half_life_s'"),
    ({"injected_activity_bq": 370}, "injected_activity_bq is 370"), ({"units": "SUV"}, "units is"),
    ({"series": {"4": {"scan_start_at": "noon"}}}, "no date with time"), ({"decay_correction": "YES"}, "START")])
def test_nonsense_is_refused_in_one_line_that_names_the_file(write_protocol, facts, message):
    path = write_protocol(**facts)
    with pytest.raises(InputError) as caught:
        read_nuclear_protocol(path)
    assert message in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_facts_of_one_series_go_before_those_of_all(write_protocol):
    protocol = read_nuclear_protocol(write_protocol(duration_s=60, series={"4": {"duration_s": 90}}))
    assert with_protocol(NuclearAcquisition(), protocol, "4", "2.25.1").duration_s.value == 90
    assert with_protocol(NuclearAcquisition(), protocol, "5", "2.25.1").duration_s.value == 60


def test_the_same_value_is_no_contradiction(write_protocol):
    header = NuclearAcquisition(injected_at=Fact(datetime(2025, 3, 14, 9, 30), Origin.header),
                                half_life_s=Fact(6586.2, Origin.header))
    known = with_protocol(header, read_nuclear_protocol(write_protocol(
        injected_at="2025-03-14 09:30", half_life_s=6588)))
    assert not known.warnings
    assert known.half_life_s == Fact(6588, Origin.protocol)


def test_one_fact_is_checked_by_the_same_rules():
    assert check_nuclear_fact("injected_at", "2025-03-14 09:30") == datetime(2025, 3, 14, 9, 30)
    with pytest.raises(InputError, match="patient_mass_kg"):
        check_nuclear_fact("patient_mass_kg", 70_000.0)


def test_another_radionuclide_does_not_keep_the_half_life_of_the_header():
    header = NuclearAcquisition(radionuclide=Fact("F-18", Origin.header), half_life_s=Fact(6586.2, Origin.header))
    other = with_protocol(header, NuclearProtocol(radionuclide="Lu-177"))
    assert other.half_life_s is None
    assert any("half_life_s: 6586.2 (header) is that of F-18 and is not used" in line for line in other.warnings)
    assert with_protocol(header, NuclearProtocol(radionuclide="F-18")).value("half_life_s") == 6586.2
    stated = with_protocol(header, NuclearProtocol(radionuclide="Lu-177", half_life_s=574300.0))
    assert stated.value("half_life_s") == 574300.0
