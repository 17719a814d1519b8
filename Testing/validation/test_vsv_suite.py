"""Rows of the suite of voxel S-values, with few histories, and the energy balances that it rests on."""

import pytest

from organdose.validation import vsv_suite
from organdose.validation.vsv_suite import balance_rows, lanconelli_rows, mird17_rows

# Lanconelli et al., Phys Med Biol 57 (2012) 517, soft tissue, 4.42 mm, mGy/(MBq s).
Y_90 = {"self": 0.689, "n1": 0.0973, "n2": 0.0021}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(vsv_suite, "_VOXELS_MM", (4.42,))
    monkeypatch.setattr(vsv_suite, "_COMPARED", ("Y-90",))


def test_neighbours_are_compared_with_their_own_places(few):
    rows = lanconelli_rows({"Y-90": {"soft": {"4.42mm": Y_90}}}, 20_000, None)
    assert [row.expected for row in rows] == list(Y_90.values())
    assert all(row.inside for row in rows)
    assert [row.tolerance_percent for row in rows] == [3.0, 5.0, 10.0]
    assert rows[0].ours > rows[1].ours > rows[2].ours > 0
    assert rows[2].relative_uncertainty > rows[0].relative_uncertainty > 0


def test_a_kernel_without_conversion_electrons_has_a_row_of_its_own(few, monkeypatch):
    monkeypatch.setattr(vsv_suite, "_WITHOUT_CONVERSION", "Y-90")
    rows = lanconelli_rows({"Y-90": {"soft": {"4.42mm": Y_90}}}, 5000, None)
    assert len(rows) == 6 and "without conversion electrons" in rows[3].row
    assert rows[0].tolerance_percent == 7.0 and rows[3].tolerance_percent == 3.0


def test_self_doses_of_mird_17_are_met():
    # Bolch et al., J Nucl Med 40 (1999) 11S.
    published = {"3mm": {"P-32": {"self": 1.65}}, "6mm": {"Tc-99m": {"self": 0.0120}}}
    assert all(row.inside for row in mird17_rows(published, 80_000, None))


def test_energy_balances_close_for_every_kind_of_nuclide(monkeypatch):
    monkeypatch.setattr(vsv_suite, "_BALANCED", ("F-18", "Lu-177", "Ra-223"))
    rows = balance_rows(10_000)
    assert len(rows) == 12
    assert all(row.inside for row in rows), [row for row in rows if not row.inside]
    # ICRP 107: alphas and their recoils are most of what the chain of Ra-223 emits.
    ra = next(row for row in rows if row.row.startswith("Ra-223 emitted"))
    assert ra.ours > 26_000
