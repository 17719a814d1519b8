"""Organ-level doses as rows that the effective dose understands."""

import pytest

from organdose.assess.effective_dose import effective_dose_from_organs
from organdose.assess.organ_level_rows import organ_level_rows

EVERY = ("red_bone_marrow", "colon", "lungs", "stomach", "breast", "testes", "urinary_bladder", "esophagus", "liver",
         "thyroid_gland", "bones", "brain", "salivary_glands", "skin", "adrenal_glands", "extrathoracic_airways",
         "gallbladder", "heart_myocardium", "kidneys", "lymphatic_nodes", "skeletal_muscle", "oral_mucosa", "pancreas",
         "prostate", "small_intestine", "spleen", "thymus")


def test_a_body_of_one_dose_has_that_effective_dose():
    """ICRP 103: the tissue weights sum to 1."""
    effective = effective_dose_from_organs(organ_level_rows(dict.fromkeys(EVERY, 2.0), {}), "M")
    assert effective.is_complete
    assert effective.effective_msv == pytest.approx(2.0)


def test_the_wall_stands_for_the_heart_and_not_its_blood():
    rows = {row.organ: row for row in organ_level_rows({"heart": 1.0, "heart_myocardium": 5.0, "heart_contents": 0.1},
                                                       {"heart_myocardium": 330.0}, {"heart_myocardium": 0.02})}
    assert rows["heart"].mean_mgy == 5.0 and rows["heart"].mass_g == 330.0
    assert rows["heart"].uncertainty_percent == pytest.approx(2.0)
    assert rows["heart"].note == "dose of heart_myocardium"


def test_soft_tissue_stands_for_muscle_only_where_there_is_none():
    rows = {row.organ: row for row in organ_level_rows({"soft_tissue": 1.0, "skin": 3.0}, {})}
    assert rows["skeletal_muscle"].mean_mgy == 1.0 and rows["skin"].mean_mgy == 3.0
    assert "soft_tissue" not in rows


def test_what_is_missing_stays_missing():
    effective = effective_dose_from_organs(organ_level_rows({"liver": 1.0}, {"liver": 1800.0}), "M")
    assert effective.known_weight == pytest.approx(0.04)
