"""Facts of a PET frame as a form."""

import json

import pydicom
import pytest
from pydicom.dataset import Dataset

from organdose.errors import InputError
from organdose.study import read_activity
from organdose.study.fact_sheet import FactState
from organdose.study.facts import Origin
from organdose.study.nuclear_fact_sheet import EXPLANATIONS, TITLES, NuclearFactSheet


@pytest.fixture
def frame(tmp_path):
    """Writes the header of a PET slice; `changed` replaces elements of it, `given` those of the radiopharmaceutical."""
    def write(given=None, **changed):
        dose, code = Dataset(), Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
        dose.RadionuclideTotalDose, dose.RadionuclideHalfLife = "185000000", "6586.2"
        dose.RadiopharmaceuticalStartTime = "233000.00"
        dose.RadionuclideCodeSequence = [code]
        header = Dataset()
        header.Modality, header.Units, header.DecayCorrection, header.PatientWeight = "PT", "BQML", "START", "70"
        header.SeriesDate, header.SeriesTime = "20250314", "233930"
        for target, values in ((dose, given or {}), (header, changed)):
            for name, value in values.items():
                setattr(target, name, value)
        header.RadiopharmaceuticalInformationSequence = [dose]
        path = tmp_path / "frame.dcm"
        pydicom.dcmwrite(path, header, implicit_vr=False, little_endian=True, force_encoding=True)
        path.write_bytes(b"\0" * 128 + b"DICM" + _meta() + path.read_bytes())
        return path

    return write


def _meta():
    """A file meta header that says Explicit VR Little Endian."""
    uid = b"1.2.840.10008.1.2.1\0"
    element = b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    return b"\x02\x00\x00\x00UL\x04\x00" + len(element).to_bytes(4, "little") + element


def value(sheet, name):
    return sheet.header[name].value


def test_every_fact_has_a_title_and_an_explanation():
    assert list(TITLES) == list(EXPLANATIONS)


def test_the_header_of_a_frame_says_what_was_given_and_when(frame):
    sheet = NuclearFactSheet.of_file(frame())
    assert value(sheet, "nuclide") == "F-18"
    assert value(sheet, "administered_mbq") == 185
    assert value(sheet, "administered_at") == "2025-03-14 23:30:00"
    assert value(sheet, "scan_start_at") == "2025-03-14 23:39:30"
    assert (value(sheet, "image_unit"), value(sheet, "decay_correction")) == ("BQML", "START")


def test_a_date_with_the_administration_goes_before_that_of_the_series(frame):
    sheet = NuclearFactSheet.of_file(frame({"RadiopharmaceuticalStartDateTime": "20250313235500.000000"}))
    assert value(sheet, "administered_at") == "2025-03-13 23:55:00"


@pytest.mark.parametrize(("meaning", "nuclide"), [("^68^Gallium", "Ga-68"), ("Fluorine F^18^", "F-18"),
                                                   ("^99m^Technetium", "Tc-99m"), ("Lu-177", "Lu-177")])
def test_nuclides_are_known_in_the_ways_scanners_write_them(frame, meaning, nuclide):
    code = Dataset()
    code.CodeMeaning = meaning
    assert value(NuclearFactSheet.of_file(frame({"RadionuclideCodeSequence": [code]})), "nuclide") == nuclide


def test_what_scanners_leave_at_zero_is_not_known(frame):
    sheet = NuclearFactSheet.of_file(frame({"RadionuclideTotalDose": "0"}, PatientWeight="0"))
    assert "administered_mbq" not in sheet.header and "patient_mass_kg" not in sheet.header
    sheet.missing = {"administered_mbq": EXPLANATIONS["administered_mbq"]}
    states = {row.name: row.state for row in sheet.rows()}
    assert states["administered_mbq"] is FactState.missing and states["patient_mass_kg"] is FactState.unknown


def test_a_ct_is_no_frame(frame):
    with pytest.raises(InputError, match="no PET or SPECT but CT"):
        NuclearFactSheet.of_file(frame(Modality="CT"))


@pytest.mark.parametrize(("name", "text"), [
    ("nuclide", "fluor"), ("administered_mbq", "-5"), ("administered_mbq", "185e6"), ("administered_at", "09:30"),
    ("image_unit", "SUV"), ("decay_correction", "maybe"), ("half_life_s", "long")])
def test_nonsense_is_refused_in_one_line(frame, name, text):
    sheet = NuclearFactSheet.of_file(frame())
    with pytest.raises(InputError, match="It is the"):
        sheet.write(name, text)


def test_what_the_user_writes_is_kept_with_its_origin(frame):
    sheet = NuclearFactSheet.of_file(frame())
    sheet.write("administered_at", "2025-03-14 09:30")
    sheet.write("decay_correction", "admin")
    again = NuclearFactSheet.from_json(sheet.to_json())
    assert again.user["administered_at"].value == "2025-03-14 09:30:00"
    assert again.user["decay_correction"].value == "ADMIN"
    assert again.rows() == sheet.rows()


def test_the_form_says_what_the_reader_reads(write_pet, write_spect):
    sheet = NuclearFactSheet.of_file(sorted(write_pet(Units="GML", SUVType="BW").iterdir())[0])
    assert [value(sheet, name) for name in ("administered_mbq", "half_life_s", "duration_s")] == [100, 3600, 3.6]
    assert value(sheet, "administered_at") == "2025-03-14 09:30:00"
    assert (value(sheet, "image_unit"), value(sheet, "suv_type")) == ("GML", "BW")
    spect = NuclearFactSheet.of_file(write_spect())
    assert value(spect, "administered_mbq") == 7400, "NM headers are in MBq"
    assert value(spect, "decay_correction") == "NONE" and "image_unit" not in spect.header


def test_what_contradicts_itself_is_remarked_without_a_name(write_pet):
    sheet = NuclearFactSheet.of_file(sorted(write_pet(CorrectedImage=["ATTN"]).iterdir())[0])
    assert any("Corrected Image names no DECY" in line for line in sheet.remarks)
    assert NuclearFactSheet.from_json(sheet.to_json()) == sheet


def test_the_form_goes_to_a_job_as_a_protocol_with_its_origins(write_pet, tmp_path):
    folder = write_pet()
    sheet = NuclearFactSheet.of_file(sorted(folder.iterdir())[0])
    sheet.write("administered_mbq", "90")
    sheet.write("residual_mbq", "10")
    for typed_only in (False, True):
        path = tmp_path / "facts.json"
        path.write_text(json.dumps(sheet.protocol(typed_only=typed_only)))
        study = read_activity(folder, protocol=path)
        assert study.net_injected_bq == 8e7
        assert study.acquisition.injected_activity_bq.origin is Origin.user
        assert study.acquisition.half_life_s.origin is Origin.header
        assert study.frames[0].reference_s == 3600.0
    assert list(sheet.protocol(typed_only=True)) == ["injected_activity_bq", "residual_bq", "origins"]
