"""Protocol files: what they add, what they replace, and how a wrong one is refused."""

import json
from dataclasses import fields

import pytest

from organdose.study import read_ct
from organdose.study.facts import EXPLANATIONS, CTAcquisition, Origin
from organdose.study.protocol import Protocol


@pytest.fixture
def protocol(tmp_path):
    def write(content):
        path = tmp_path / "protocol.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path
    return write


def test_every_fact_can_be_given_in_a_protocol_file():
    handed_on_by_windows = {"origins", "notes", "remarks", "patient_sex"}
    assert set(Protocol.model_fields) == set(EXPLANATIONS) | {"explanation"} | handed_on_by_windows
    assert set(EXPLANATIONS) == {each.name for each in fields(CTAcquisition)} - {"warnings"}


def test_a_protocol_adds_what_the_header_lacks(write_series, protocol):
    path = protocol({"ctdivol_mgy": 20, "ctdi_phantom_cm": 32, "isocentre_mm": [0, -188.5], "scan_kind": "helical",
                     "explanation": "console of the scanner"})
    facts = read_ct(write_series(), protocol=path).acquisition
    assert facts.ctdivol_mgy.value == (20,)
    assert facts.ctdivol_mgy.origin == Origin.protocol
    assert facts.isocentre_mm.value == (0, -188.5)
    assert facts.scan_kind.value == "helical"
    # The explanation is told once, not beside every fact.
    assert facts.warnings == (*read_ct(write_series()).acquisition.warnings, "protocol file: console of the scanner")


def test_a_protocol_wins_over_the_header_and_says_so(write_series, protocol):
    facts = read_ct(write_series(), protocol=protocol({"tube_voltage_kv": 100, "tube_current_ma": 300})).acquisition
    assert (facts.tube_voltage_kv.value, facts.tube_voltage_kv.origin) == (100, Origin.protocol)
    assert facts.tube_current_ma.value == (300,)
    assert "tube_voltage_kv: 100 of the protocol file replaces 120 (header)" in facts.warnings
    assert "tube_current_ma: 300 of the protocol file replaces 200 to 250 (header)" in facts.warnings
    assert facts.tube_voltage_kv.note == "replaces 120 (header)"


def test_a_protocol_that_agrees_with_the_header_needs_no_warning(write_series, protocol):
    plain = read_ct(write_series()).acquisition
    facts = read_ct(write_series(), protocol=protocol(
        {"tube_voltage_kv": 120.0, "tube_current_ma": [200, 210, 220, 230, 240, 250]})).acquisition
    assert facts.warnings == plain.warnings


def test_one_value_a_slice_must_be_as_many_as_slices(write_series, protocol, refusal):
    assert ("tube_current_ma has 4 values, the CT has 6 slices. Give one number, or one for each slice"
            in refusal(write_series(), protocol=protocol({"tube_current_ma": [1, 2, 3, 4]})))


def test_a_byte_order_mark_is_tolerated(write_series, tmp_path):
    path = tmp_path / "protocol.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"ctdivol_mgy": 20}')
    assert read_ct(write_series(), protocol=path).acquisition.ctdivol_mgy.value == (20,)


@pytest.mark.parametrize(("content", "words"), [
    ("{'tube_voltage_kv': 120}", "no valid JSON"),
    ("", "no valid JSON"),
    ("[1, 2]", "no JSON object"),
    ({"tube_voltage": 120}, "unknown key 'tube_voltage'. Did you mean 'tube_voltage_kv'?"),
    ({"colour": 1}, "unknown key 'colour'. The keys are tube_voltage_kv, tube_filter"),
    ({"tube_voltage_kv": "120"}, 'tube_voltage_kv is "120": input should be a valid number'),
    ({"tube_voltage_kv": 120000}, "tube_voltage_kv is 120000: input should be less than or equal to 300"),
    ({"tube_voltage_kv": True}, "tube_voltage_kv is true"),
    ({"ctdivol_mgy": -3}, "ctdivol_mgy, value 1 is -3: input should be greater than or equal to 0.001"),
    ({"ctdivol_mgy": [10, -3]}, "ctdivol_mgy, value 2 is -3"),
    ({"ctdivol_mgy": []}, "ctdivol_mgy is []"),
    ('{"ctdivol_mgy": NaN}', "ctdivol_mgy, value 1 is NaN: input should be a finite number"),
    ({"ctdi_phantom_cm": 20}, "ctdi_phantom_cm is 20. It is the diameter of the CTDI phantom"),
    ({"isocentre_mm": [1, 2, 3]}, "isocentre_mm is [1, 2, 3]"),
    ({"scan_kind": "spiral"}, 'scan_kind is "spiral": input should be \'helical\', \'axial\', \'cone_beam\' or'),
    ({"pitch": -1}, "pitch is -1"),
    ({"rotation_time_s": 500}, "rotation_time_s is 500"),
])
def test_a_wrong_protocol_is_refused_naming_the_key(write_series, protocol, refusal, content, words):
    message = refusal(write_series(), protocol=protocol(content))
    assert message.startswith(str(protocol(content)))
    assert words in message


def test_a_protocol_that_is_not_there_is_refused_before_the_images_are_read(tmp_path, refusal):
    tmp_path.joinpath("ct").mkdir()
    assert "the protocol file cannot be opened" in refusal(tmp_path / "ct", protocol=tmp_path / "none.json")


def test_a_protocol_in_another_encoding_is_refused(write_series, tmp_path, refusal):
    path = tmp_path / "protocol.json"
    path.write_bytes(json.dumps({"explanation": "Münster"}, ensure_ascii=False).encode("latin-1"))
    assert "the protocol file is no text" in refusal(write_series(), protocol=path)
