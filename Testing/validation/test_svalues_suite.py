"""The comparison with OpenDose: which rows there are and how narrow they must be."""

import numpy as np
import pytest

from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.errors import InputError
from organdose.nuclear.s_values import SValues
from organdose.validation import svalues_suite
from organdose.validation.comparison import reference_table
from organdose.validation.svalues_suite import source_rows, svalues, with_groups


@pytest.fixture(scope="module")
def table(shared_reference):
    return reference_table("opendose_lu177_am")["tables"]["AM"]["liver"]


def test_our_groups_have_the_masses_opendose_gives(shared_data, table):
    phantom = with_groups(read_voxel_phantom(shared_data / "icrp110_AM"), table)
    for name, _, _, mass_g in table:
        if name not in svalues_suite.LEFT_OUT and not name.endswith("spongiosa"):
            # Lung tissue has 0.382 g/cm3 in the tables of ICRP 110, 0.385 in OpenDose's. Its spongiosa is another.
            assert phantom.mass_g(name) == pytest.approx(mass_g, rel=0.01), name


def test_self_doses_are_held_tighter_and_tiny_doses_are_left_out():
    values = SValues("Test", "Lu-177", ("Liver", "Spleen", "Brain"), ("liver",), np.array([[1.02e-5], [2e-8], [1e-12]]),
                     np.zeros((3, 1)), np.array([[1e-9], [1e-10], [1e-12]]), np.zeros((3, 1)), np.ones(3), np.ones(1),
                     ({1: 1.0}, {2: 1.0}, {3: 1.0}), ({1: 1.0},), 148.0)
    rows = source_rows(values, "liver", [["Liver", 1e-5, 0, 1.0], ["Spleen", 2e-8, 0, 1.005], ["Brain", 1e-12, 0, 1.0],
                                         ["Air inside body", 1e-6, 0, 1.0]])
    assert [(row.row, row.tolerance_percent) for row in rows] == [("Liver <- liver", 2.0), ("Spleen <- liver", 5.0)]
    assert source_rows(values, "liver", [["Spleen", 2e-8, 0, 1.06]])[0].tolerance_percent == 10.0
    assert rows[0].inside and rows[0].difference_percent == pytest.approx(2.0)


def test_without_the_phantom_the_suite_says_where_to_look(monkeypatch):
    monkeypatch.setattr(svalues_suite, "outside_file", lambda *_: None)
    with pytest.raises(InputError, match="ORGANDOSE_DATA"):
        svalues(1000)
