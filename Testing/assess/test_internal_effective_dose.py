"""Effective dose of radiopharmaceuticals: per activity, alphas refused, contents of hollow organs told."""

import math

import pytest

from organdose.anatomy.organs import organs
from organdose.assess.internal_effective_dose import internal_effective_dose
from organdose.assess.internal_organ_dose import InternalOrganDose


def row(name: str, mean_mgy: float) -> InternalOrganDose:
    return InternalOrganDose(name, "", 100.0, 100.0, mean_mgy, 1.0, 0, 0, 0, 0, 0, 0, 100.0,
                             mean_mgy_per_mbq=mean_mgy / 250)


def all_tissues(mean_mgy: float, without: tuple[str, ...] = (), **changed) -> list[InternalOrganDose]:
    return [row(name, changed.get(name, mean_mgy)) for name, entry in organs().items()
            if entry.tissue_weight and name not in without]


def test_a_uniform_dose_is_the_effective_dose_and_so_it_is_per_activity():
    found = internal_effective_dose(all_tissues(4.75), "F", administered_mbq=250.0)
    assert found.dose.is_complete
    assert found.dose.effective_msv == pytest.approx(4.75)
    assert found.msv_per_mbq == pytest.approx(0.019)


def test_red_marrow_without_a_mask_is_named_and_not_filled_in():
    found = internal_effective_dose(all_tissues(10.0, without=("red_bone_marrow",)), "M", administered_mbq=100.0)
    assert found.dose.effective_msv == pytest.approx(10 * (1 - 0.12))
    assert "red_bone_marrow (no mask; 0.120)" in found.dose.remarks[0]
    assert found.msv_per_mbq == pytest.approx(0.088)


@pytest.mark.parametrize(("sex", "gonads"), [("M", "testes"), ("F", "ovaries")])
def test_gonads_are_those_of_the_sex(sex, gonads):
    found = internal_effective_dose(all_tissues(0.0, **{gonads: 100.0}), sex)
    assert found.dose.effective_msv == pytest.approx(8.0)


def test_without_the_administered_activity_there_is_none_per_activity():
    assert math.isnan(internal_effective_dose(all_tissues(1.0), "M").msv_per_mbq)


def test_alphas_are_not_weighted_as_photons():
    found = internal_effective_dose(all_tissues(1.0), "M", administered_mbq=6.0, alpha_emitters=("Ra-223", "Rn-219"))
    assert math.isnan(found.dose.effective_msv) and math.isnan(found.msv_per_mbq)
    assert "Ra-223, Rn-219" in found.dose.remarks[0]


def test_contents_that_stand_for_walls_are_told():
    assert any("wall (urinary_bladder" in remark for remark in
               internal_effective_dose([row("urinary_bladder", 9.0)]).dose.remarks)
    assert not any("wall" in remark for remark in internal_effective_dose([row("liver", 9.0)]).dose.remarks)
