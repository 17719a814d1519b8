"""Organ doses of a whole examination: sums, shares, uncertainties; what a part lacks is said."""

import math
from dataclasses import replace

import pytest

from organdose.assess.effective_dose import effective_dose_from_organs
from organdose.assess.internal_effective_dose import internal_effective_dose
from organdose.assess.organ_dose import OrganDose
from organdose.assess.total_effective_dose import effective_dose_rows, sex_of_organs
from organdose.assess.total_organ_dose import differing_masks, total_organ_doses, total_rows


def row(name, mean_mgy, uncertainty_percent=1.0, volume_ml=100.0, in_image_percent=100.0, note=""):
    return OrganDose(name, "123", volume_ml, volume_ml, mean_mgy, uncertainty_percent, 1, 1, 9, 2, 3, 4,
                     in_image_percent, note)


def test_parts_add_up_and_shares_to_100_percent():
    (liver, spleen) = total_organ_doses({"CT 1": [row("liver", 12.5), row("spleen", 3.0)],
                                         "CT 2": [row("liver", 2.5), row("spleen", 4.0)],
                                         "internal": [row("spleen", 13.0), row("liver", 5.0)]})
    assert liver.total_mgy == 20.0 and liver.shares_percent == (62.5, 12.5, 25.0)
    assert spleen.total_mgy == 20.0 and sum(spleen.shares_percent) == pytest.approx(100.0)
    assert liver.is_whole and liver.note == ""


def test_uncertainties_are_added_in_squares():
    # By hand: 10 % of 30 mGy is 3, 40 % of 10 mGy is 4, and sqrt(9 + 16) = 5 of 40 mGy.
    (liver,) = total_organ_doses({"CT": [row("liver", 30.0, 10.0)], "internal": [row("liver", 10.0, 40.0)]})
    assert liver.uncertainty_percent == pytest.approx(12.5)


def test_a_part_without_an_uncertainty_is_named():
    (liver,) = total_organ_doses({"CT": [row("liver", 30.0, 10.0)], "internal": [row("liver", 10.0, None)]})
    assert liver.uncertainty_percent == pytest.approx(7.5)
    assert "without that of internal" in liver.note
    (neither,) = total_organ_doses({"CT": [row("liver", 1.0, None)], "internal": [row("liver", 1.0, None)]})
    assert neither.uncertainty_percent is None and neither.note == ""


def test_an_organ_that_a_part_lacks_is_a_lower_bound_without_shares():
    _, kidneys = total_organ_doses({"CT": [row("liver", 3.0)],
                                    "internal": [row("liver", 1.0), row("kidneys", 7.0)]})
    assert kidneys.total_mgy == 7.0 and not kidneys.is_whole
    assert math.isnan(kidneys.parts_mgy[0]) and all(map(math.isnan, kidneys.shares_percent))
    assert kidneys.note.startswith("only in internal: without the dose of CT")


def test_a_dose_that_nobody_knows_is_one_that_is_missing():
    (liver,) = total_organ_doses({"CT": [row("liver", 3.0), row("spleen", math.nan)],
                                  "internal": [row("liver", math.nan)]})
    assert liver.total_mgy == 3.0 and not liver.is_whole and "without the dose of internal" in liver.note


def test_masks_of_other_volumes_and_other_portions_are_told():
    tables = {"CT": [row("liver", 3.0, volume_ml=1000.0, in_image_percent=60.0), row("spleen", 1.0, volume_ml=100.0)],
              "internal": [row("liver", 1.0, volume_ml=1100.0), row("spleen", 1.0, volume_ml=104.0)]}
    liver, spleen = total_organ_doses(tables)
    assert "masks differ: 1000 ml in CT, 1100 ml in internal" in liver.note
    assert "60 % in CT, 100 % in internal" in liver.note
    assert spleen.note == ""
    assert differing_masks(tables) == ["liver (10 %)"]


def test_notes_of_all_parts_are_told_once_and_own_ones_with_the_part():
    (liver,) = total_organ_doses({"CT": [row("liver", 1.0, note="cut; 50 % in the beam")],
                                  "internal": [row("liver", 1.0, note="cut")]})
    assert liver.note == "cut; CT: 50 % in the beam"


def test_rows_take_the_mean_from_the_sum_and_the_spread_from_the_map():
    tables = {"CT": [row("liver", 3.0), row("spleen", 2.0)],
              "internal": [row("liver", 1.0, in_image_percent=math.nan), row("spleen", 2.0)]}
    in_map = {"liver": replace(row("liver", 4.2), sd_mgy=0.7, d2_mgy=6.0)}
    liver, spleen = total_rows(total_organ_doses(tables), tables, in_map, {"spleen": "not among the masks"})
    assert (liver.mean_mgy, liver.sd_mgy, liver.d2_mgy, liver.snomed) == (4.0, 0.7, 6.0, "123")
    assert math.isnan(liver.in_image_percent)
    assert spleen.mean_mgy == 4.0 and math.isnan(spleen.sd_mgy) and spleen.note == "not among the masks"


def test_effective_doses_add_up_with_the_remarks_of_each():
    rows = [row("lungs", 10.0), row("liver", 20.0)]
    parts = {"CT": effective_dose_from_organs(rows, "M"), "internal": effective_dose_from_organs(rows, "M")}
    ct, internal, per_activity, total = effective_dose_rows(parts, {"internal": 50.0})
    assert ct.value == internal.value == pytest.approx(0.12 * 10 + 0.04 * 20)
    assert per_activity.value == pytest.approx(2.0 / 50) and per_activity.unit == "mSv/MBq"
    assert total.value == pytest.approx(4.0)
    assert "lower bound" in total.remark and "CT (0.160)" in total.remark and "incomplete" in ct.remark


def test_without_the_effective_dose_of_a_part_there_is_none_of_the_whole():
    rows = [row("lungs", 10.0)]
    parts = {"CT": effective_dose_from_organs(rows),
             "internal": internal_effective_dose(rows, alpha_emitters=("Ra-223",)).dose}
    assert math.isnan(effective_dose_rows(parts, {})[-1].value)
    assert "none for internal" in effective_dose_rows(parts, {})[-1].remark


@pytest.mark.parametrize(("names", "sex"), [(["liver", "prostate"], "M"), (["uterus"], "F"), (["liver"], ""),
                                            (["uterus", "prostate"], "")])
def test_the_sex_is_that_of_the_organs(names, sex):
    assert sex_of_organs([[row(name, 1.0)] for name in names]) == sex


def test_the_total_says_what_its_parts_say_of_the_mask():
    def total(*masks):
        return total_organ_doses({f"part {n}": [replace(row("liver", 1.0), mask=mask)]
                                  for n, mask in enumerate(masks, 1)})[0].mask

    assert total("edited", "edited") == "edited" and total("", "") == ""
    assert total("automatic", "") == "part 1: automatic; part 2: unknown"
    tables = {part: [replace(row("liver", 1.0), mask="edited")] for part in ("CT", "internal")}
    assert total_rows(total_organ_doses(tables), tables, {}, {})[0].mask == "edited"
