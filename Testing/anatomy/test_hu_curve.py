"""A clinic's HU curve: read as written, refused with one line for each fault."""

import json

import numpy as np
import pytest

from organdose.anatomy.hu_curve import read_hu_curve
from organdose.anatomy.tissues import schneider2000
from organdose.errors import InputError

NODES = [[-1000, 0.001], [0, 1.0], [1000, 1.6]]
WATER_AND_BONE = [{"from_hu": -1000, "name": "water", "weight_fractions": {"H": 0.112, "O": 0.888}},
                  {"from_hu": 200, "name": "bone", "weight_fractions": {"H": 0.05, "Ca": 0.2, "O": 0.75}}]


@pytest.fixture
def curve(tmp_path):
    def write(content):
        path = tmp_path / "curve.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path
    return write


def test_densities_lie_on_straight_lines_between_the_nodes(curve):
    table = read_hu_curve(curve({"nodes": NODES}))
    found = table.density_g_cm3(np.array([-2000, -500, 0, 500, 3000], np.int16))
    assert found == pytest.approx([0.001, 0.5005, 1.0, 1.3, 1.6], rel=1e-6)


def test_materials_are_schneiders_unless_given(curve):
    table = read_hu_curve(curve({"nodes": NODES}))
    assert table.names == schneider2000().names and "Schneider" in table.source


def test_own_materials_are_taken_by_weight(curve):
    table = read_hu_curve(curve({"nodes": NODES, "materials": WATER_AND_BONE, "source": "phantom of 2024"}))
    assert table.names == ("water", "bone") and table.source == "phantom of 2024"
    assert [int(k) for k in table.material_index(np.array([-1000, 199, 200, 3000], np.int16))] == [0, 0, 1, 1]
    assert sum(table.weight_fractions[1].values()) == pytest.approx(1.0)


@pytest.mark.parametrize(("content", "told"), [
    ("{", "no valid JSON"),
    ({"nodes": [[0, 1.0]]}, r"nodes: list should have at least 2"),
    ({"nodes": [[0, 1.0], [0, 1.1]]}, "HU of the nodes must rise, and 0 does not"),
    ({"nodes": [[0, 1.0], [-5, 1.1]]}, "must rise, and -5 does not"),
    ({"nodes": [[0, 1.0], [100, -1.1]]}, r"nodes\[1\]\[1\]: input should be greater than 0"),
    ({"nodes": [[0, 1000], [100, 1100]]}, r"nodes\[0\]\[1\]: input should be less than or equal to 25"),
    ({"nodes": [[0, 1.0], [100, float("nan")]]}, r"nodes\[1\]\[1\]"),
    ({"nodes": NODES, "density": []}, "density: extra inputs"),
    ({"curve": NODES}, "nodes: field required"),
    ({"nodes": NODES, "materials": []}, "materials: list should have at least 1"),
    ({"nodes": NODES, "materials": WATER_AND_BONE[::-1]}, "HU of the materials must rise"),
    ({"nodes": NODES, "materials": [WATER_AND_BONE[0] | {"weight_fractions": {"H": 0.2, "O": 0.2}}]},
     "'water' add up to 0.4"),
    ({"nodes": NODES, "materials": [WATER_AND_BONE[0] | {"weight_fractions": {"Xx": 1.0}}]}, "unknown element 'Xx'"),
])
def test_a_curve_that_is_wrong_is_refused_in_one_line(curve, content, told):
    with pytest.raises(InputError, match=told) as caught:
        read_hu_curve(curve(content))
    assert "\n" not in str(caught.value) and "curve.json" in str(caught.value)


def test_a_curve_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_hu_curve(tmp_path / "none.json")
