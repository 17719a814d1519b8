"""Scanner definitions: checked, with one line for each mistake."""

import json

import numpy as np
import pytest

from organdose.ct.bowtie import Bowtie
from organdose.ct.scanner import load_scanner, matching_scanner, scanner_for, scanner_names, scanner_text
from organdose.ct.scanner_source import scanner_source, second_tube
from organdose.ct.tube_path import TubePath
from organdose.errors import InputError
from organdose.study.facts import CTAcquisition, Fact, Origin

REAL = [name for name in scanner_names() if name != "generic"]
NUMBERS = ("focus_isocentre_mm", "fan_angle_deg", "anode_angle_deg", "filtration_mm", "focal_spot",
           "overrange_rotations", "bowties.body", "bowties.head")


def test_the_four_makers_are_there():
    makers = {load_scanner(name).manufacturer for name in REAL}
    assert makers == {"GE", "Siemens", "Philips", "Canon/Toshiba"} and len(REAL) >= 6


@pytest.mark.parametrize("name", scanner_names())
def test_every_shipped_scanner_reads_bears_the_name_of_its_file_and_states_its_source(name):
    scanner = load_scanner(name)
    assert scanner.name == name and len(scanner.source) > 10


@pytest.mark.parametrize("name", REAL)
def test_every_number_of_a_real_scanner_says_where_it_comes_from(name):
    scanner = load_scanner(name)
    wanted = [*NUMBERS, *(["second_tube"] if scanner.second_tube else []),
              *(["ctdivol_mgy_per_mas"] if scanner.ctdivol_mgy_per_mas else [])]
    assert set(wanted) <= set(scanner.sources)


@pytest.mark.parametrize("name", scanner_names())
def test_beam_quality_is_that_of_ct(name):
    # IEC 60601-1-3 asks for at least 3.8 mm Al at 120 kV; CT beams are much harder, 6.5 to 9 mm.
    scanner = load_scanner(name)
    for kind in scanner.bowties:
        assert 6.0 < scanner.central_spectrum(120, kind).half_value_layer_mm_al() < 9.5


@pytest.mark.parametrize("name", REAL)
def test_a_definition_survives_being_written(name, tmp_path):
    path = tmp_path / "again.json"
    path.write_text(scanner_text(load_scanner(name)), encoding="utf-8")
    assert load_scanner(path) == load_scanner(name)


@pytest.mark.parametrize(("manufacturer", "model", "name"), [
    ("SIEMENS", "SOMATOM Force", "siemens-force"), ("SIEMENS", "SOMATOM Definition Flash", "siemens-definition-flash"),
    ("SIEMENS", "Biograph40_mCT 4R", "siemens-definition-as"), ("Siemens Healthineers", "SOMATOM Definition AS+",
                                                               "siemens-definition-as"),
    ("GE MEDICAL SYSTEMS", "LightSpeed VCT", "ge-lightspeed-vct"), ("GE MEDICAL SYSTEMS", "Discovery ST",
                                                                    "ge-lightspeed-vct"),
    ("GE MEDICAL SYSTEMS", "Revolution CT", "ge-revolution"), ("Philips", "Ingenuity CT", "philips-ingenuity"),
    ("Philips", "Brilliance 64", "philips-ingenuity"), ("Philips", "Brilliance Big Bore", "philips-big-bore"),
    ("TOSHIBA", "Aquilion ONE", "canon-aquilion-one"), ("Canon Medical Systems", "Aquilion Prime", "canon-aquilion"),
    (None, "SOMATOM FORCE", "siemens-force"), ("OrganDose", "generic", "generic")])
def test_headers_find_their_scanner(manufacturer, model, name):
    assert matching_scanner(manufacturer, model).name == name


@pytest.mark.parametrize(("manufacturer", "model"), [
    ("SIEMENS", "Aquilion ONE"), ("Neusoft", "NeuViz 128"), ("SIEMENS", "generic"), ("SIEMENS", None), ("", "")])
def test_other_headers_find_none(manufacturer, model):
    assert matching_scanner(manufacturer, model) is None


def header(manufacturer, model) -> CTAcquisition:
    return CTAcquisition(manufacturer=Fact(manufacturer, Origin.header), model=Fact(model, Origin.header))


def test_the_report_hears_which_definition_was_taken_and_what_is_not_certain_about_it():
    scanner, lines = scanner_for("auto", header("Canon Medical Systems", "Aquilion ONE"))
    assert scanner.name == "canon-aquilion-one"
    assert any("after the header" in line for line in lines) and any("Not verified" in line for line in lines)
    assert any("Heel effect" in line for line in lines)


def test_a_bowtie_fitted_to_figures_of_another_scanner_is_told_as_unverified():
    _, (line,) = scanner_for("siemens-definition-as", CTAcquisition())
    assert "bowties.body" in line and "filtration_mm" in line
    _, (line,) = scanner_for("siemens-force", CTAcquisition())  # measured on a Force
    assert "bowties" not in line and "filtration_mm" not in line


def test_the_report_hears_that_the_generic_scanner_stands_for_one_that_is_not_known():
    scanner, (line,) = scanner_for("auto", header("Neusoft", "NeuViz 128"))
    assert scanner.name == "generic" and "Neusoft NeuViz 128" in line and "generic" in line
    scanner, (line,) = scanner_for("auto", CTAcquisition())
    assert scanner.name == "generic" and "does not name" in line


def test_a_named_scanner_is_taken_whatever_the_header_says():
    assert scanner_for("generic", header("SIEMENS", "SOMATOM Force"))[0].name == "generic"


# --- from definition to source


def test_the_source_of_a_scanner_is_what_the_definition_says():
    source = scanner_source(load_scanner("canon-aquilion-one"), 120.0, 160.0, "body", TubePath.axial(0.0))
    assert source.focus_isocentre_mm == 600.0 and source.anode_angle_deg == 11.0
    assert np.degrees(source.fan_half_angle_rad) == pytest.approx(25.0) and source.focal_spot.along_mm == 1.0


def test_a_header_knows_the_distance_better():
    source = scanner_source(load_scanner("generic"), 120.0, 40.0, "body", TubePath.axial(0.0), focus_isocentre_mm=541.0)
    assert source.focus_isocentre_mm == 541.0 and source.anode_angle_deg is None


def test_the_second_tube_has_its_own_fan_and_offset_and_may_have_a_filter_of_tin():
    flash = load_scanner("siemens-definition-flash")
    tube = second_tube(flash, 140.0, "body", 0.4, further_filter_mm={"Sn": 0.4})
    assert np.degrees(tube.offset_rad) == pytest.approx(95.0)
    assert np.degrees(tube.fan_half_angle_rad) == pytest.approx(16.25)
    # NIST: tin attenuates 6.564 cm2/g at 60 keV and 1.676 cm2/g at 100 keV, density 7.31 g/cm3.
    plain = second_tube(flash, 140.0, "body", 0.4)
    passed = tube.spectrum.photons / plain.spectrum.photons
    assert np.interp([60.0, 100.0], tube.spectrum.energies_kev, passed) == pytest.approx(
        np.exp(-0.04 * 7.31 * np.array([6.564, 1.676])), rel=0.02)


@pytest.mark.parametrize(("tube_voltage_kv", "measured"), [(100, 0.00562718 / 0.0715672), (120, 0.0140484 / 0.110319)])
def test_tin_dims_a_real_beam_as_measured(tube_voltage_kv, measured):
    # SOMATOM Force, air kerma on the central ray with filter W3 over that with W1 (OpenDXMC, bowtiefilters.json). W3
    # holds 0.6 mm tin, as far as is known; 0.02 mm more or less of it are 4 %.
    beam = load_scanner("siemens-force").central_spectrum(tube_voltage_kv, "body")
    assert beam.filtered("Sn", 0.6).air_kerma / beam.air_kerma == pytest.approx(measured, rel=0.10)


# --- users' files


def test_an_unknown_scanner_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="generic"):
        load_scanner("betatron")


def test_a_users_scanner_is_read_from_json(tmp_path):
    definition = load_scanner("generic").model_dump() | {"name": "mine", "focus_isocentre_mm": 541.0}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(definition))
    assert load_scanner(path).focus_isocentre_mm == 541.0


@pytest.mark.parametrize(("change", "named"), [({"fan_angle_deg": 200}, "fan_angle_deg"), ({"colour": "red"}, "colour"),
                                               ({"source": ""}, "source"),
                                               ({"filtration_mm": {"Xx": 1}}, "filtration_mm"),
                                               ({"filtration_mm": {"Al": -1}}, "filtration_mm"),
                                               ({"anode_angle_deg": 1}, "anode_angle_deg"),
                                               ({"sources": {"colour": {"status": "fitted", "text": "a" * 20}}},
                                                "colour"),
                                               ({"sources": {"fan_angle_deg": {"status": "true", "text": "a" * 20}}},
                                                "sources.fan_angle_deg.status"),
                                               ({"bowties": {"body": {"material": "Al", "fan_angle_deg": [0, 9]}}},
                                                "bowties.body.thickness_at_mm"),
                                               ({"bowties": {"arm": {}}}, "bowties.arm"),
                                               ({"measurements": [{"kind": "rumour"}]}, "measurements.0"),
                                               ({"second_tube": {"fan_angle_deg": 30}}, "second_tube.offset_deg")])
def test_a_wrong_field_is_named(tmp_path, change, named):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(load_scanner("generic").model_dump() | change))
    with pytest.raises(InputError, match=named) as caught:
        load_scanner(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_measured_ctdiw_gives_ctdivol_per_mas_where_the_definition_has_none(tmp_path):
    measured = {"kind": "ctdi", "bowtie": "body", "tube_voltage_kv": 100, "phantom_cm": 32, "collimation_mm": 40,
                "ctdiw_mgy_per_100mas": 4.2, "status": "published", "text": "our chamber, last spring"}
    definition = load_scanner("generic").model_dump() | {
        "measurements": [measured, measured | {"tube_voltage_kv": 120, "ctdiw_mgy_per_100mas": 7.0}],
        "ctdivol_mgy_per_mas": {"120/32": 0.065}}
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(definition))
    assert load_scanner(path).ctdivol_mgy_per_mas == pytest.approx({"120/32": 0.065, "100/32": 0.042})


def test_text_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(InputError, match="JSON"):
        load_scanner(path)


def test_a_bowtie_evens_out_the_asked_part_of_a_water_cylinder():
    bowtie = Bowtie(material="Al", central_mm=1.0, edge_mm=1000.0, compensated_water_cylinder_mm=300.0,
                    compensated_part=1.0)
    focus_mm = 600.0
    fan = np.array([0.0, 0.1, 0.2])
    water_mm = 2 * np.sqrt(150.0**2 - (focus_mm * np.sin(fan)) ** 2)
    # NIST at 70 keV: water 0.1929 /cm, aluminium 0.2406 cm2/g x 2.699 g/cm3.
    along = 0.01929 * water_mm + 0.02406 * 2.699 * bowtie.thickness_mm(fan, focus_mm)
    assert along == pytest.approx(along[0], rel=5e-3)


def test_a_scanner_without_that_bowtie_says_so():
    with pytest.raises(InputError, match="has no 'infant' bowtie"):
        load_scanner("generic").bowtie("infant")
