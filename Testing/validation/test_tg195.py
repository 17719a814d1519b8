"""The TG-195 worlds: what is where, and small runs against the published values."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.validation import comparison, tg195
from organdose.validation.tg195_ct import discs, rods
from organdose.validation.tg195_half_value_layers import half_value_layers
from organdose.validation.tg195_mammography import mammography
from organdose.validation.tg195_radiography import radiography
from organdose.validation.tg195_table import Published, disc_share


@pytest.fixture
def published(shared_reference, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_DATA", str(shared_reference.parent))
    return Published.read()


def far_off(rows, at_least_percent):
    """Rows further from the published mean than `at_least_percent` and four standard uncertainties."""
    return [(row.row, row.difference_percent) for row in rows
            if abs(row.difference_percent) > at_least_percent + 400 * row.relative_uncertainty]


def test_half_value_layers_are_met_within_a_fifth_of_a_percent(published):
    rows = half_value_layers(published, 0)
    assert len(rows) == 20
    assert max(abs(row.difference_percent) for row in rows) < 0.2


def test_discs_of_the_cylinder_receive_what_the_codes_say(published):
    rows = discs(published, 200_000, pixel_mm=10.0)
    assert len(rows) == 16 and far_off(rows, 2.0) == []


def test_rods_receive_what_the_codes_say_at_every_angle(published):
    rows = rods(published, 400_000, pixel_mm=2.5)
    assert len(rows) == 288 and far_off(rows, 3.0) == []
    near, far = (next(r.ours for r in rows if r.row.endswith(f"periphery {angle} deg")) for angle in (0, 180))
    assert near > 50 * far


def test_the_slab_receives_what_the_codes_say(published):
    rows = radiography(published, 100_000)
    assert len(rows) == 40 and far_off(rows, 2.0) == []


def test_the_breast_receives_what_the_codes_say(published):
    rows = mammography(published, 200_000)
    assert len(rows) == 32 and far_off(rows, 2.0) == []


def test_rows_above_50_ev_have_the_narrow_limit(published):
    limits = {row.expected >= 50: row.tolerance_percent for row in discs(published, 20_000, pixel_mm=20.0)}
    assert limits == {True: 1.0}
    row = published.row("Case 4.2", "180", "56.4 keV", "Pherifery 10mm collimation")
    assert published.compared("far", row, 0.5, 0.01).tolerance_percent == 2.0


def test_all_cases_make_one_table_with_every_code(published, monkeypatch):
    monkeypatch.setattr(tg195, "CASES", {half_value_layers: 0})
    rows = tg195.tg195()
    assert set(rows[0].references) == {"EGSnrc", "Geant4", "MCNP", "Penelope"}


def test_missing_tables_are_named(monkeypatch):
    def absent(name):
        raise InputError(f"the published table {name}.json is not here", mend="Set ORGANDOSE_DATA.")
    monkeypatch.setattr(comparison, "reference_table", absent)
    monkeypatch.setattr("organdose.validation.tg195_table.reference_table", absent)
    with pytest.raises(InputError, match=r"tg195\.json is not here"):
        tg195.tg195()


def test_a_circle_is_cut_into_pixels_without_losing_area():
    axis = np.arange(-9.5, 10)
    assert disc_share(axis, axis, 1.0, 8.0, parts=20).sum() == pytest.approx(np.pi * 64, rel=2e-3)
