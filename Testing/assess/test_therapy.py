"""Therapy quantities of organs: numbers by hand, voxels' BED, what is missing is told."""

import csv
import math
from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_weights import organ_weights
from organdose.assess.radiobiology import Radiobiology
from organdose.assess.therapy import therapy_rows
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.export.therapy_table import THERAPY_COLUMNS, write_therapy_csv

KIDNEY = {"alpha_beta_gy": 2.6, "repair_half_time_h": 2.8, "source": "by hand"}


@dataclass
class Curve:
    """A curve of one exponential with an effective half-life of 50 h."""

    organ: str
    model: str = "mono"
    curve_s: np.ndarray = None
    curve_bq: np.ndarray = None
    phase_bq: tuple = (5.0, 0.0)
    phase_per_s: tuple = (math.log(2) / 180_000, 1e-5)
    phase_from_s: float = 0.0

    def __post_init__(self):
        self.curve_s = np.linspace(0, 1e6, 50) if self.curve_s is None else self.curve_s
        self.curve_bq = np.ones(50) if self.curve_bq is None else self.curve_bq


def row(name: str, mean_gy: float, uncertainty_percent: float | None = 1.0, note: str = "") -> OrganDose:
    mgy = 1000 * mean_gy
    return OrganDose(name, "", 300.0, 310.0, mgy, uncertainty_percent, 0, 0, 1.5 * mgy, 0.7 * mgy, mgy, 1.4 * mgy,
                     100.0, note)


def parameters(**organs) -> Radiobiology:
    return Radiobiology(organs=organs)


def test_one_organ_by_hand():
    # 20 Gy, G = 2.8 / 52.8: BED = 20 (1 + 0.05303 x 20 / 2.6) = 28.159 Gy; EQD2 = BED / (1 + 2 / 2.6) = 15.916 Gy.
    (found,) = therapy_rows([row("kidneys", 20.0), row("liver", 3.0)], [Curve("kidneys")], parameters(kidneys=KIDNEY))
    assert (found.mean_gy, found.max_gy, found.d98_gy, found.d2_gy) == pytest.approx((20.0, 30.0, 14.0, 28.0))
    assert found.effective_half_life_h == pytest.approx(50.0)
    assert found.bed_gy == pytest.approx(28.159, abs=0.001)
    assert found.eqd2_gy == pytest.approx(15.916, abs=0.001)
    assert found.parameter_source == "by hand" and found.note == ""


def test_the_uncertainty_of_the_dose_is_carried_on():
    def bed_gy(mean_gy):
        (found,) = therapy_rows([row("kidneys", mean_gy)], [Curve("kidneys")], parameters(kidneys=KIDNEY))
        return found
    expected = 100 * (bed_gy(20.01).bed_gy - bed_gy(19.99).bed_gy) / 2 / bed_gy(20.0).bed_gy / 0.05
    assert bed_gy(20.0).bed_uncertainty_percent == pytest.approx(expected, rel=1e-5)
    (without,) = therapy_rows([row("kidneys", 20.0, None)], [Curve("kidneys")], parameters(kidneys=KIDNEY))
    assert without.uncertainty_percent is None and without.bed_uncertainty_percent is None


def test_lesions_share_an_entry_and_one_may_have_its_own():
    lesion = {"alpha_beta_gy": 10.0, "repair_half_time_h": 1.5, "source": "shared"}
    found = therapy_rows([row("lesion_1", 50.0), row("lesion_2", 50.0)], [Curve("lesion_1"), Curve("lesion_2")],
                         parameters(lesion=lesion, lesion_2=lesion | {"source": "own"}))
    assert [(each.organ, each.parameter_source) for each in found] == [("lesion_1", "shared"), ("lesion_2", "own")]


def test_organs_with_parameters_and_without_a_dose_are_named():
    found = therapy_rows([row("liver", 3.0)], [], parameters(red_bone_marrow=KIDNEY, kidneys=KIDNEY))
    assert [each.organ for each in found] == ["red_bone_marrow", "kidneys"]
    assert all(math.isnan(each.mean_gy) and math.isnan(each.bed_gy) for each in found)
    assert "blood or plasma" in found[0].note and "no mask" in found[1].note


def test_a_name_that_is_no_organ_is_refused():
    with pytest.raises(InputError, match="kidneis"):
        therapy_rows([row("kidneys", 20.0)], [], parameters(kidneis=KIDNEY))


@pytest.mark.parametrize(("curves", "alphas", "said"), [
    ([], (), "no curve"), ([Curve("kidneys", phase_bq=(math.nan, 0.0))], (), "no integral"),
    ([Curve("kidneys")], ("Ac-225",), "alphas (Ac-225)")])
def test_without_a_curve_or_with_alphas_there_are_doses_but_no_bed(curves, alphas, said):
    (found,) = therapy_rows([row("kidneys", 20.0)], curves, parameters(kidneys=KIDNEY), alpha_emitters=alphas)
    assert found.mean_gy == 20.0 and math.isnan(found.bed_gy) and math.isnan(found.eqd2_gy)
    assert said in found.note


def test_a_physical_half_life_that_was_assumed_is_told():
    (found,) = therapy_rows([row("kidneys", 20.0, note="cut")], [Curve("kidneys", "physical")],
                            parameters(kidneys=KIDNEY))
    assert found.note.startswith("cut; ") and "physical half-life" in found.note


def test_measured_points_before_the_tail_count():
    # A rise over 24 h, then the tail: the dose comes later, and more slowly, than with the tail alone.
    risen = Curve("kidneys", "trapezoid", np.array([0.0, 86_400, 200_000]), np.array([0.0, 5.0, 3.2]),
                  phase_from_s=86_400)
    (found,) = therapy_rows([row("kidneys", 20.0)], [risen], parameters(kidneys=KIDNEY))
    (alone,) = therapy_rows([row("kidneys", 20.0)], [Curve("kidneys")], parameters(kidneys=KIDNEY))
    assert math.isnan(found.effective_half_life_h)
    assert found.protraction < alone.protraction


@pytest.fixture
def two_halves():
    """A kidney of which one half has 10, the other 30 Gy, with noise of 20 %."""
    ct = sitk.Image(8, 8, 8, sitk.sitkInt16)
    ct.SetSpacing((5.0, 5.0, 5.0))
    masks = OrganMasks(ct)
    masks.add("kidneys", np.ones((8, 8, 8), bool))
    values = np.full((8, 8, 8), 10_000, np.float32)
    values[4:] = 30_000
    dose = sitk.GetImageFromArray(values)
    dose.CopyInformation(ct)
    weights = organ_weights(masks, np.ones((8, 8, 8), np.float32), dose)
    noise = sitk.GetImageFromArray(np.full((8, 8, 8), 0.2, np.float32))
    noise.CopyInformation(ct)
    return dose, noise, weights


def test_the_mean_of_the_voxels_bed_by_hand(two_halves):
    # G = 2.8 / 52.8: 10 Gy -> 12.0396, 30 Gy -> 48.357; mean 30.198 Gy, against 28.159 Gy of the mean dose.
    dose, _, weights = two_halves
    (found,) = therapy_rows([row("kidneys", 20.0)], [Curve("kidneys")], parameters(kidneys=KIDNEY),
                            dose=DoseMap(dose, np.ones((8, 8, 8)), "x"), weights=weights)
    assert found.voxel_bed_gy == pytest.approx(30.198, abs=0.001)


def test_the_noise_of_voxels_is_taken_off_their_bed(two_halves):
    dose, noise, weights = two_halves
    values = sitk.GetArrayFromImage(dose)
    noisy = sitk.GetImageFromArray(np.clip(values * np.random.default_rng(1).normal(1, 0.2, values.shape), 0, None)
                                   .astype(np.float32))
    noisy.CopyInformation(dose)
    beds = [therapy_rows([row("kidneys", 20.0)], [Curve("kidneys")], parameters(kidneys=KIDNEY), weights=weights,
                         dose=DoseMap(noisy, np.ones((8, 8, 8)), "x", relative_uncertainty=each))[0].voxel_bed_gy
            for each in (None, noise)]
    assert abs(beds[1] - 30.198) < 0.3 < abs(beds[0] - 30.198)


def test_an_organ_whose_engine_has_no_voxels_has_no_voxel_bed(two_halves):
    dose, _, weights = two_halves
    (found,) = therapy_rows([row("kidneys", 20.0)], [Curve("kidneys")], parameters(kidneys=KIDNEY), weights=weights,
                            dose=DoseMap(dose, np.ones((8, 8, 8)), "x", organ_mean_mgy={"kidneys": 20_000.0}))
    assert math.isnan(found.voxel_bed_gy) and found.bed_gy > 20


def test_the_table_leaves_cells_of_unknown_numbers_empty(tmp_path):
    found = therapy_rows([row("kidneys", 20.0)], [Curve("kidneys")],
                         parameters(kidneys=KIDNEY, red_bone_marrow=KIDNEY))
    write_therapy_csv(tmp_path / "therapy.csv", found)
    with open(tmp_path / "therapy.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == THERAPY_COLUMNS
    assert lines[0]["bed_gy"] == "28.159" and lines[0]["voxel_bed_gy"] == ""
    assert lines[1]["bed_gy"] == lines[1]["mean_gy"] == "" and lines[1]["note"]
