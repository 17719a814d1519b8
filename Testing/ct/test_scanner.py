"""Scanner definitions: checked, with one line for each mistake."""

import json

import numpy as np
import pytest

from organdose.ct.scanner import Bowtie, load_scanner, scanner_names
from organdose.errors import InputError


def test_every_shipped_scanner_reads_and_states_its_source():
    for name in scanner_names():
        assert len(load_scanner(name).source) > 10


def test_an_unknown_scanner_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="generic"):
        load_scanner("betatron")


def test_a_users_scanner_is_read_from_json(tmp_path):
    definition = load_scanner("generic").model_dump() | {"name": "mine", "focus_isocentre_mm": 541.0}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(definition))
    assert load_scanner(path).focus_isocentre_mm == 541.0


@pytest.mark.parametrize(("change", "named"), [({"fan_angle_deg": 200}, "fan_angle_deg"), ({"colour": "red"}, "colour"),
                                               ({"source": ""}, "source")])
def test_a_wrong_field_is_named(tmp_path, change, named):
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(load_scanner("generic").model_dump() | change))
    with pytest.raises(InputError, match=named):
        load_scanner(path)


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
