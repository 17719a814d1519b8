"""What a comparison's CSV files say."""

import csv
import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.dose_map_comparison import compare_dose_maps
from organdose.assess.dose_map_pair import dose_map_pair
from organdose.assess.error_statistics import error_statistics
from organdose.assess.group_statistics import OrganGroup, group_differences, group_errors
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.export.dose_cohort_tables import (
    draw_cohort_organ_errors,
    write_cohort_organs_csv,
    write_group_tests_csv,
    write_organ_statistics_csv,
)
from organdose.export.dose_comparison_pictures import symmetric_limit, write_comparison_pictures
from organdose.export.dose_comparison_tables import (
    comparison_figures,
    write_figures_csv,
    write_joint_histogram_csv,
    write_organ_comparison_csv,
    write_organ_summary_csv,
)


def _map(dose_mgy) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, np.float32))
    image.SetSpacing((4.0, 4.0, 5.0))
    return image


def _organ(name="liver", relative=5.0, **changed) -> OrganDoseDifference:
    values = {"volume_ml": 1500.0, "compared_percent": 100.0, "test_mgy": 10.0 + relative / 10, "reference_mgy": 10.0,
              "difference_mgy": relative / 10, "relative_percent": relative, "test_uncertainty_percent": 1.0,
              "reference_uncertainty_percent": math.nan, "z": math.nan, "gamma_pass_percent": 97.0,
              "in_summary": True, "note": 'a "note", with a comma'}
    return OrganDoseDifference(name, **(values | changed))


@pytest.fixture(scope="module")
def found():
    z, y, x = np.ogrid[:10, :12, :14]
    reference = 20 * np.exp(-((y - 6) ** 2 + (x - 7) ** 2) / 50) * (1 + 0.02 * z)
    noise = np.random.default_rng(3).normal(0, 0.02, (2, *reference.shape))
    maps = [_map(reference * (1 + part)) for part in noise]
    uncertainty = _map(np.full(reference.shape, 0.02))
    return compare_dose_maps(dose_map_pair(*maps), test_uncertainty=uncertainty, reference_uncertainty=uncertainty)


def _read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_figure_is_written_with_unit_and_definition(found, tmp_path):
    write_figures_csv(tmp_path / "c.csv", comparison_figures(found))
    rows = {row["quantity"]: row for row in _read(tmp_path / "c.csv")}
    assert float(rows["ME"]["value"]) == pytest.approx(found.errors.me_mgy.mean, rel=1e-5)
    assert float(rows["SSIM"]["value"]) == pytest.approx(found.ssim, rel=1e-5)
    assert float(rows["gamma 1 %/1 mm local pass rate"]["value"]) == pytest.approx(found.gamma_local.pass_percent,
                                                                                  rel=1e-5)
    assert (rows["RAE"]["unit"], rows["PSNR"]["unit"], rows["z SD"]["unit"]) == ("%", "dB", "1")
    assert int(rows["voxels compared"]["value"]) == found.pair.counts.compared
    assert "data range" in rows["PSNR"]["definition"] and rows["z within 2"]["definition"] == "95.45 % expected"


def test_an_organ_row_keeps_its_note_and_leaves_unknown_numbers_empty(tmp_path):
    write_organ_comparison_csv(tmp_path / "o.csv", [_organ()])
    (row,) = _read(tmp_path / "o.csv")
    assert row["organ"] == "liver" and row["note"] == 'a "note", with a comma' and row["in_summary"] == "yes"
    assert row["z"] == "" and float(row["relative_percent"]) == 5


def test_the_summary_has_the_four_errors_with_sd_and_range(tmp_path):
    write_organ_summary_csv(tmp_path / "s.csv", error_statistics([11, 18, 44], [10, 20, 40]))
    rows = {row["quantity"]: row for row in _read(tmp_path / "s.csv")}
    assert list(rows) == ["ME", "MAE", "RE", "RAE"]
    assert (float(rows["RE"]["minimum"]), float(rows["RE"]["maximum"]), rows["RE"]["unit"]) == (-10, 10, "%")
    assert int(rows["MAE"]["organs"]) == 3 and float(rows["MAE"]["mean"]) == pytest.approx(7 / 3, rel=1e-5)


def test_the_joint_histogram_lists_every_voxel(found, tmp_path):
    write_joint_histogram_csv(tmp_path / "h.csv", found.histogram)
    rows = _read(tmp_path / "h.csv")
    assert sum(int(row["voxels"]) for row in rows) == found.pair.counts.compared
    assert all(float(row["test_to_mgy"]) > float(row["test_from_mgy"]) for row in rows)


def test_the_difference_scale_is_round_and_symmetric():
    values = np.concatenate([np.linspace(-0.7, 0.7, 1000), [50.0]])
    assert symmetric_limit(values) == pytest.approx(0.8)
    assert symmetric_limit(np.zeros(5)) == 1 and symmetric_limit(np.array([])) == 1


def test_pictures_of_all_planes_histograms_and_organs_are_drawn(found, tmp_path):
    organs = [_organ(), _organ("spleen", -3.0, z=-1.5), _organ("body", math.nan, in_summary=False)]
    written = write_comparison_pictures(tmp_path, found, organs)
    assert {path.name for path in written} == {"axial.png", "coronal.png", "sagittal.png", "joint_histogram.png",
                                               "z_scores.png", "organ_errors.png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 5000 for path in written)
    import dataclasses
    without = dataclasses.replace(found, statistics=None)
    names = {path.name for path in write_comparison_pictures(tmp_path / "few", without, None)}
    assert "z_scores.png" not in names and "organ_errors.png" not in names


def test_cohort_tables_have_a_line_an_organ_group_and_error(tmp_path):
    random = np.random.default_rng(5)
    groups = [OrganGroup("liver", group, 10 + random.random(4), np.full(4, 10.0)) for group in ("A", "B")]
    write_organ_statistics_csv(tmp_path / "s.csv", group_errors(groups))
    rows = _read(tmp_path / "s.csv")
    assert [(row["group"], row["quantity"]) for row in rows] == [
        (group, name) for group in ("A", "B") for name in ("ME", "MAE", "RE", "RAE")]
    assert rows[0]["wilcoxon_p"] and not rows[1]["wilcoxon_p"], "one test a line of ME"
    write_group_tests_csv(tmp_path / "g.csv", group_differences(groups))
    (row,) = _read(tmp_path / "g.csv")
    assert row["first"] == "A" and int(row["second_count"]) == 4 and 0 < float(row["mann_whitney_p"]) <= 1


def test_a_cohort_lists_the_organs_of_every_patient_and_draws_them(tmp_path):
    labels, organs = [("p1", "A"), ("p2", "B")], [[_organ()], [_organ(relative=-4.0), _organ("spleen")]]
    write_cohort_organs_csv(tmp_path / "o.csv", labels, organs)
    assert [(row["patient"], row["group"], row["organ"]) for row in _read(tmp_path / "o.csv")] == [
        ("p1", "A", "liver"), ("p2", "B", "liver"), ("p2", "B", "spleen")]
    assert draw_cohort_organ_errors(labels, organs, tmp_path / "o.png").stat().st_size > 5000
    assert draw_cohort_organ_errors(labels, [[], []], tmp_path / "none.png") is None
