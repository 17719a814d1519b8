"""What `organdose scanners` says."""

import json

import pytest

from organdose.ct.scanner import load_scanner, scanner_names, scanner_text
from organdose.errors import InputError
from organdose.jobs.scanner_check import check_scanner


def test_without_a_name_the_shipped_scanners_are_listed():
    lines = check_scanner(None)
    assert [line.split()[0] for line in lines] == scanner_names()


def test_a_definition_is_summed_up_with_its_half_value_layers_and_bowties():
    text = "\n".join(check_scanner("siemens-force"))
    layer_mm = load_scanner("siemens-force").central_spectrum(120, "body").half_value_layer_mm_al()
    assert f"120 kV {layer_mm:.2f}" in text and "Second tube: fan 34.7 degrees" in text
    assert "body bowtie, air kerma at 120 kV" in text and "bowties.body fitted" in text


def test_ctdi_ratios_are_simulated_when_asked():
    line, = (line for line in check_scanner("ge-lightspeed-vct", ctdi=True, histories=100_000) if "32 cm, 120" in line)
    ratio = float(line.split("mm: ")[1].split()[0])
    assert 0.3 < ratio < 0.75 and "(wanted 0.5)" in line


def test_a_fitted_definition_is_written_and_reads_again(tmp_path):
    scanner = load_scanner("siemens-force")
    path, out = tmp_path / "mine.json", tmp_path / "fitted.json"
    path.write_text(scanner_text(scanner.model_copy(update={"filtration_mm": {"Al": 1.0, "Ti": 0.6}})))
    lines = check_scanner(str(path), fit=True, histories=10_000, out=out)
    assert lines[-1] == f"Written: {out}"
    assert load_scanner(out).filtration_mm == pytest.approx(scanner.filtration_mm)
    assert load_scanner(out).bowties == scanner.bowties


@pytest.mark.parametrize(("options", "named"), [
    ({"definition": None, "fit": True}, "no scanner is named"), ({"definition": "generic", "out": "x.json"}, "--fit"),
    ({"definition": "generic", "ctdi": True, "histories": 10}, "too few"), ({"definition": "betatron"}, "betatron"),
    ({"definition": "generic", "fit": True}, "no measurements")])
def test_options_that_make_no_sense_are_refused(options, named):
    with pytest.raises(InputError, match=named):
        check_scanner(**options)


def test_a_faulty_file_is_named_with_its_field(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(load_scanner("generic").model_dump() | {"fan_angle_deg": 500}))
    with pytest.raises(InputError, match="fan_angle_deg") as caught:
        check_scanner(str(path))
    assert str(path) in str(caught.value)
