"""The form of acquisition facts that windows show and fill in."""

import json

import pytest

from organdose.errors import InputError
from organdose.study.ct_fact_sheet import TITLES, CTFactSheet
from organdose.study.dicom_ct import read_dicom_ct_facts
from organdose.study.fact_sheet import FactState
from organdose.study.facts import EXPLANATIONS, CTAcquisition, Fact, Origin
from organdose.study.protocol import apply_protocol, read_protocol


@pytest.fixture
def sheet():
    acquisition = CTAcquisition(tube_voltage_kv=Fact(120.0, Origin.header),
                                ctdivol_mgy=Fact((8.0, 9.5, 11.0), Origin.header),
                                exposure_mas=Fact((150.0,), Origin.header, "150 mAs where mA x s gives 80 mAs"),
                                warnings=("Exposure contradicts the rest of the header",))
    return CTFactSheet.of(acquisition, "F")


def row(sheet, name):
    return next(each for each in sheet.rows() if each.name == name)


def test_every_fact_has_a_title():
    assert list(TITLES) == list(EXPLANATIONS)


def test_a_row_says_value_unit_and_origin(sheet):
    voltage = row(sheet, "tube_voltage_kv")
    assert (voltage.text, voltage.unit, voltage.origin, voltage.state) == ("120", "kV", "header", FactState.known)
    assert row(sheet, "ctdivol_mgy").text == "8 to 11"


def test_a_contradictory_header_is_marked_with_the_reason(sheet):
    assert row(sheet, "exposure_mas").state is FactState.contradictory
    assert "80 mAs" in row(sheet, "exposure_mas").note


def test_what_the_engine_asks_for_is_missing_until_the_user_writes_it(sheet):
    sheet.missing = {"pitch": EXPLANATIONS["pitch"]}
    assert row(sheet, "pitch").state is FactState.missing
    assert row(sheet, "rotation_time_s").state is FactState.unknown
    sheet.write("pitch", " 0.9 ")
    assert (row(sheet, "pitch").text, row(sheet, "pitch").origin) == ("0.9", "user")
    assert sheet.acquisition().pitch == Fact(0.9, Origin.user)


def test_a_user_value_shows_what_it_replaces_and_goes_when_it_is_emptied(sheet):
    sheet.write("tube_voltage_kv", "100")
    assert row(sheet, "tube_voltage_kv").note == "replaces 120 (header)"
    sheet.write("tube_voltage_kv", "")
    assert row(sheet, "tube_voltage_kv").origin == "header"


def test_leaving_a_cell_as_it_is_keeps_the_headers_values_per_slice(sheet):
    sheet.write("ctdivol_mgy", "8 to 11")
    assert sheet.acquisition().ctdivol_mgy.value == (8.0, 9.5, 11.0)
    assert not sheet.user


@pytest.mark.parametrize(("name", "text", "complaint"), [
    ("tube_voltage_kv", "eighty", "no number"), ("tube_voltage_kv", "120000", "tube_voltage_kv"),
    ("pitch", "1, 2", "2 values"), ("scan_kind", "spiral", "scan_kind"), ("ctdi_phantom_cm", "20", "16"),
    ("ctdivol_mgy", "-3", "ctdivol_mgy")])
def test_a_value_that_cannot_be_is_refused_in_one_line(sheet, name, text, complaint):
    with pytest.raises(InputError, match=complaint) as refusal:
        sheet.write(name, text)
    assert "\n" not in str(refusal.value)
    assert name not in sheet.user


def test_a_job_gets_every_fact_with_its_origin(sheet, tmp_path):
    sheet.write("pitch", "0.9")
    sheet.write("ctdivol_mgy", "7")
    path = tmp_path / "protocol.json"
    path.write_text(json.dumps(sheet.protocol()))
    read = apply_protocol(CTAcquisition(), read_protocol(path), slices=3, where=path)
    assert read == sheet.acquisition()


def test_the_sheet_survives_being_saved(sheet):
    sheet.write("pitch", "0.9")
    again = CTFactSheet.from_json(sheet.to_json())
    assert again.rows() == sheet.rows()
    assert again.patient_sex == "F"
    assert CTFactSheet.from_json("").rows()[0].state is FactState.unknown


def test_facts_of_a_series_are_read_without_its_pixels(write_series):
    facts, sex = read_dicom_ct_facts(write_series())
    assert facts.tube_voltage_kv.origin is Origin.header
    assert sex in ("M", "F", "")


def test_a_bowtie_is_taken_as_people_write_it():
    sheet = CTFactSheet()
    sheet.write("bowtie", "Body")
    assert sheet.user["bowtie"].value == "body"
