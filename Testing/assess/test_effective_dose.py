"""Effective dose: the weights of ICRP 103, what lacks is named and counted as zero, k factors of AAPM 96."""

import math
from dataclasses import replace

import pytest

from organdose.anatomy.organs import organs, tissue_weights
from organdose.assess.effective_dose import effective_dose_from_dlp, effective_dose_from_organs
from organdose.assess.organ_dose import OrganDose


def row(name: str, mean_mgy: float, in_image_percent: float = 100.0, mass_g: float = 100.0) -> OrganDose:
    return OrganDose(name, "", 100.0, mass_g, mean_mgy, 1.0, 0, 0, 0, 0, 0, 0, in_image_percent)


def all_tissues(mean_mgy: float = 1.0, **changed) -> list[OrganDose]:
    """A row for every organ of the vocabulary that stands for a tissue, with the same dose but for `changed`."""
    names = [name for name, entry in organs().items() if entry.tissue_weight]
    return [row(name, changed.get(name, mean_mgy)) for name in names]


@pytest.mark.parametrize("sex", ["M", "F", ""])
def test_a_uniform_dose_is_the_effective_dose(sex):
    found = effective_dose_from_organs(all_tissues(5.0), sex)
    assert found.is_complete and found.effective_msv == pytest.approx(5.0)
    assert not any("incomplete" in remark for remark in found.remarks)


@pytest.mark.parametrize(("organ", "weight"), [
    ("lungs", 0.12), ("red_bone_marrow", 0.12), ("colon", 0.12), ("stomach", 0.12), ("breast", 0.12),
    ("testes", 0.08), ("urinary_bladder", 0.04), ("esophagus", 0.04), ("liver", 0.04), ("thyroid_gland", 0.04),
    ("bones", 0.01), ("brain", 0.01), ("salivary_glands", 0.01), ("skin", 0.01), ("kidneys", 0.12 / 13),
    ("prostate", 0.12 / 13)])
def test_one_irradiated_organ_counts_with_its_weight_of_icrp_103(organ, weight):
    found = effective_dose_from_organs(all_tissues(0.0, **{organ: 100.0}), "M")
    assert found.effective_msv == pytest.approx(100 * weight)


def test_uterus_and_prostate_are_one_remainder_tissue():
    assert effective_dose_from_organs(all_tissues(0.0, uterus=100.0), "F").effective_msv == pytest.approx(12 / 13)
    assert effective_dose_from_organs(all_tissues(0.0, uterus=100.0), "M").effective_msv == 0
    weights = [part for part in effective_dose_from_organs(all_tissues(), "F").tissues if "remainder" in part.tissue]
    assert len(weights) == 13


def test_what_lacks_is_named_with_its_weight_and_nothing_is_scaled_up():
    rows = [each for each in all_tissues(10.0) if each.organ not in ("red_bone_marrow", "lymphatic_nodes")]
    found = effective_dose_from_organs(rows, "M")
    lacking = 0.12 + 0.12 / 13
    assert found.known_weight == pytest.approx(1 - lacking) and not found.is_complete
    assert found.effective_msv == pytest.approx(10 * (1 - lacking))
    said = found.remarks[0]
    assert "incomplete" in said and "red_bone_marrow (no mask; 0.120)" in said and "lymphatic_nodes" in said


def test_an_organ_that_the_image_cuts_counts_with_the_part_shown():
    rows = [each for each in all_tissues(0.0) if each.organ != "liver"] + [row("liver", 100.0, in_image_percent=25.0)]
    found = effective_dose_from_organs(rows, "F")
    assert found.effective_msv == pytest.approx(0.04 * 25)
    assert found.known_weight == pytest.approx(1 - 0.04 * 0.75)
    assert "liver (25 % in the image" in found.remarks[0]


def test_an_organ_cut_by_the_image_of_unknown_share_is_not_counted_unless_it_is_heavy():
    def with_liver(mass_g):
        rows = [each for each in all_tissues(0.0) if each.organ != "liver"]
        return effective_dose_from_organs([*rows, row("liver", 100.0, math.nan, mass_g)], "M")
    assert with_liver(900.0).effective_msv == 0
    assert with_liver(2500.0).effective_msv == pytest.approx(4.0)  # ICRP 89: 1800 g


def test_a_pair_of_which_one_is_drawn_says_so():
    rows = [replace(row("kidneys", 10.0), note="without kidney_right (not drawn)")]
    (kidneys,) = (part for part in effective_dose_from_organs(rows).tissues if part.tissue == "remainder: kidneys")
    assert kidneys.note == "without kidney_right (not drawn)"


def test_what_stands_for_the_bone_surface_is_told():
    assert any("bone surface" in remark for remark in effective_dose_from_organs([row("bones", 30.0)]).remarks)
    assert not any("bone surface" in remark for remark in effective_dose_from_organs([row("liver", 30.0)]).remarks)


def test_the_sex_of_the_organs_is_told():
    assert any("woman" in remark for remark in effective_dose_from_organs(all_tissues(), "F").remarks)


def test_the_weights_add_up_to_one():
    assert sum(tissue_weights().values()) == pytest.approx(1.0)


# AAPM report 96, table 3; children: Lee et al., Med Phys 39 (2012) 2129, table XII.
@pytest.mark.parametrize(("region", "group", "phantom_cm", "k"), [
    ("head", "adult", 16, 0.0021), ("neck", "adult", 16, 0.0059), ("chest", "adult", 32, 0.014),
    ("abdomen_and_pelvis", "adult", 32, 0.015), ("trunk", "adult", 32, 0.015), ("chest", "5y", 16, 0.018),
    ("trunk", "0y", 16, 0.044), ("head", "1y", 16, 0.0067)])
def test_k_factors_are_the_published_ones(region, group, phantom_cm, k):
    found = effective_dose_from_dlp(500.0, float(phantom_cm), region, group)
    assert found.effective_msv == pytest.approx(500 * k)
    assert "AAPM report 96" in found.remark


def test_without_a_region_there_is_no_effective_dose_and_the_reason_is_told():
    found = effective_dose_from_dlp(500.0, 32.0, None, "adult")
    assert math.isnan(found.effective_msv) and "scan_region" in found.remark


def test_a_factor_of_another_phantom_is_not_used():
    found = effective_dose_from_dlp(500.0, 32.0, "chest", "5y")
    assert math.isnan(found.effective_msv) and "16 cm phantom" in found.remark


def test_an_assumed_adult_is_told():
    assert "adult taken" in effective_dose_from_dlp(500.0, 32.0, "chest", None).remark
    assert "unverified" in effective_dose_from_dlp(500.0, 16.0, "neck", "5y").remark
