"""HU to density and composition: Schneider et al., Phys Med Biol 45 (2000) 459-478."""

import json

import numpy as np
import pytest

from organdose.anatomy.tissues import read_tissue_table, schneider2000
from organdose.errors import InputError
from organdose.resources import resource_path


def density(hu):
    return float(schneider2000().density_g_cm3(np.array([hu], np.int16))[0])


def composition(hu):
    table = schneider2000()
    return table.weight_fractions[int(table.material_index(np.array([hu], np.int16))[0])]


# The paper's lines (g/cm3): 1.031 + 1.031e-3 HU below -98, 1.018 + 0.893e-3 HU up to 14, 1.03 up to 23,
# 1.003 + 1.169e-3 HU up to 100 and 1.017 + 0.592e-3 HU (equation 19) above.
@pytest.mark.parametrize(("hu", "offset", "per_hu", "tolerance"), [
    (-500, 1.031, 1.031e-3, 0.004), (-200, 1.031, 1.031e-3, 0.004), (-98, 1.018, 0.893e-3, 0.002),
    (-50, 1.018, 0.893e-3, 0.002), (0, 1.018, 0.893e-3, 0.002), (14, 1.03, 0, 0.001), (23, 1.03, 0, 0.002),
    (60, 1.003, 1.169e-3, 0.001), (100, 1.003, 1.169e-3, 0.001), (101, 1.017, 0.592e-3, 0.002),
    (700, 1.017, 0.592e-3, 0.002), (1524, 1.017, 0.592e-3, 0.002)])
def test_density_follows_the_published_lines(hu, offset, per_hu, tolerance):
    assert density(hu) == pytest.approx(offset + per_hu * hu, abs=tolerance)


def test_air_is_as_dense_as_air():
    assert density(-1000) == pytest.approx(0.001205, rel=0.02)  # dry air at 20 C, NIST


def test_density_rises_with_hu_but_for_the_published_step_at_bone():
    steps = np.diff(schneider2000().density_g_cm3(np.arange(-1000, 3000, dtype=np.int16)))
    assert np.arange(-1000, 2999)[steps < 0].tolist() == [100]


def test_beyond_the_table_its_ends_hold():
    assert density(-3000) == density(-1000)
    assert density(9000) == density(3000) == pytest.approx(2.8)


# Weight fractions of the paper's table 6, in bins of HU.
@pytest.mark.parametrize(("hu", "expected"), [
    (-1000, {"N": 0.755, "O": 0.232, "Ar": 0.013}),
    (-700, {"H": 0.103, "C": 0.105, "N": 0.031, "O": 0.749}),
    (-100, {"H": 0.116, "C": 0.681, "O": 0.198}),
    (0, {"H": 0.108, "C": 0.356, "N": 0.022, "O": 0.509}),
    (40, {"H": 0.103, "C": 0.134, "N": 0.030, "O": 0.723}),
    (1550, {"H": 0.034, "C": 0.155, "O": 0.435, "P": 0.103, "Ca": 0.225})])
def test_compositions_are_the_published_ones(hu, expected):
    found = composition(hu)
    assert all(found[element] == pytest.approx(weight, abs=0.003) for element, weight in expected.items())


def test_every_composition_adds_up_to_one():
    assert [sum(fractions.values()) for fractions in schneider2000().weight_fractions] == pytest.approx([1.0] * 26)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_the_kind_of_numbers_does_not_matter(dtype):
    hu = np.array([[-1024, -500, 0], [40, 1200, 3071]])
    table = schneider2000()
    assert np.array_equal(table.density_g_cm3(hu.astype(dtype)), table.density_g_cm3(hu))
    assert np.array_equal(table.material_index(hu.astype(dtype)), table.material_index(hu))
    assert table.density_g_cm3(hu).dtype == np.float32 and table.density_g_cm3(hu).shape == (2, 3)


def test_a_material_begins_exactly_at_its_hu():
    table = schneider2000()
    assert [table.names[int(i)] for i in table.material_index(np.array([-951, -950, 18, 19]))] == [
        "air", "lung", "soft tissue 5", "soft tissue 6"]


@pytest.fixture
def changed(tmp_path):
    """Writes the table with something changed."""
    def write(change):
        data = json.loads(resource_path("tissues", "schneider2000.json").read_text())
        change(data)
        (tmp_path / "table.json").write_text(json.dumps(data))
        return tmp_path / "table.json"
    return write


@pytest.mark.parametrize(("change", "told"), [
    (lambda data: data["density_nodes_hu_g_cm3"].reverse(), "nodes must rise"),
    (lambda data: data["density_nodes_hu_g_cm3"].__setitem__(1, [-98, -0.9]), "densities be positive"),
    (lambda data: data["density_nodes_hu_g_cm3"].__setitem__(1, [-98, float("nan")]), "densities be positive"),
    (lambda data: data["materials"].reverse(), "nodes must rise"),
    (lambda data: data["materials"][1]["weight_percent"].__setitem__(0, 60.0), "'lung' do not add up to 100 %"),
    (lambda data: data["materials"][1]["weight_percent"].pop(), "not a readable tissue table"),
    (lambda data: data["materials"][0].__setitem__("weight_percent", [-10.0, 110.0] + 15 * [0.0]), "negative"),
    (lambda data: [m["weight_percent"].pop() for m in data["materials"]], "elements"),
    (lambda data: data.pop("elements"), "not a readable tissue table"),
    (lambda data: data.pop("source"), "not a readable tissue table")])
def test_a_table_that_is_wrong_is_refused(changed, change, told):
    with pytest.raises(InputError, match=told):
        read_tissue_table(changed(change))


def test_a_file_that_is_no_table_is_refused(tmp_path):
    for content in ("", "[]", "{"):
        (tmp_path / "table.json").write_text(content)
        with pytest.raises(InputError, match=r"table\.json: not a readable tissue table"):
            read_tissue_table(tmp_path / "table.json")
    with pytest.raises(InputError, match="not a readable tissue table"):
        read_tissue_table(tmp_path / "none.json")


def test_a_clinics_own_table_is_used(changed):
    def heavier(data):
        data["density_nodes_hu_g_cm3"] = [[hu, 2 * g_cm3] for hu, g_cm3 in data["density_nodes_hu_g_cm3"]]
    table = read_tissue_table(changed(heavier))
    assert table.density_g_cm3(np.array([14])) == pytest.approx([2.06])
