"""FDG in the stylised male: coarse and quick, to see that the chain holds."""

import pytest

from organdose.validation import fdg_suite
from organdose.validation.comparison import reference_table
from organdose.validation.fdg_suite import TARGETS, fdg_dose, fdg_rows


@pytest.fixture(scope="module")
def dose():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fdg_suite, "VOXEL_MM", 6.0)
        return fdg_dose("adult-male", 10_000)


def test_the_organs_that_hold_activity_get_what_icrp_128_says(dose, shared_reference):
    """Brain, heart wall, liver and lungs (mGy/MBq); 6 mm voxels and few histories are good to 15 %."""
    published = reference_table("organ_risk_data")["fdg_icrp128_adult"]["mGy_per_MBq"]
    rows = {row.row: row for row in fdg_rows(dose, published)}
    for name in ("Brain", "Heart", "Liver", "Lungs", "Bladder"):
        assert rows[name].ours == pytest.approx(published[name], rel=0.15), name
    assert len(rows) == len(TARGETS)


def test_most_of_the_bladder_walls_dose_is_from_urine(dose):
    assert next(iter(dose.contributions("urinary_bladder"))) == "urinary_bladder_contents"


def test_the_source_of_the_biokinetics_is_told(dose):
    assert any("unverified" in note for note in dose.notes)
