"""A row of a validation and the published table it is held against."""

import csv
import json

import pytest

from organdose.errors import InputError
from organdose.validation.comparison import Comparison, comparison_lines, reference_table, write_comparisons


@pytest.mark.parametrize(("ours", "relative_uncertainty", "inside"), [
    (100.99, 0.0, True), (99.01, 0.0, True), (101.1, 0.0, False), (98.9, 0.0, False),
    (103.9, 0.01, True), (104.1, 0.01, False)])  # three standard uncertainties are added to the tolerance of 1 %
def test_a_row_is_inside_up_to_its_tolerance_and_three_uncertainties(ours, relative_uncertainty, inside):
    row = Comparison("a", ours, relative_uncertainty, {}, 100.0, 1.0)
    assert row.inside is inside
    assert row.difference_percent == pytest.approx(ours - 100)


def test_a_figure_that_is_no_number_is_not_inside():
    assert not Comparison("a", float("nan"), 0.0, {}, 100.0, 1.0).inside
    assert not Comparison("a", 100.0, float("nan"), {}, 100.0, 1.0).inside


def test_the_table_has_a_column_for_each_reference(tmp_path):
    write_comparisons(tmp_path / "v.csv", [
        Comparison("a, with comma", 101.0, 0.002, {"EGSnrc": 100.0, "Geant4": 100.5}, 100.25, 1.0),
        Comparison("b", 7.0, 0.0, {"MCNP": 5.0}, 5.0, 1.0)])
    lines = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ("row,ours,uncertainty_percent,EGSnrc,Geant4,MCNP,expected,difference_percent,tolerance_percent,"
                        "inside")
    first, second = csv.DictReader(lines)
    assert first["row"] == "a, with comma" and float(first["uncertainty_percent"]) == pytest.approx(0.2)
    assert float(first["difference_percent"]) == pytest.approx(0.748, abs=0.001)
    assert (first["Geant4"], first["MCNP"], first["inside"]) == ("100.5", "", "True")
    assert (second["EGSnrc"], second["MCNP"], second["inside"]) == ("", "5", "False")


def test_a_table_is_found_where_the_variable_points(tmp_path, monkeypatch):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "ours.json").write_text(json.dumps({"a": 1}))
    monkeypatch.setenv("ORGANDOSE_DATA", str(tmp_path))
    assert reference_table("ours") == {"a": 1}


def test_a_table_that_is_nowhere_says_what_to_set(monkeypatch):
    monkeypatch.delenv("ORGANDOSE_DATA", raising=False)
    with pytest.raises(InputError, match=r"no_such_table\.json is not here\. Set ORGANDOSE_DATA"):
        reference_table("no_such_table")


def test_a_table_that_is_damaged_is_named(tmp_path, monkeypatch):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "ours.json").write_text("{")
    monkeypatch.setenv("ORGANDOSE_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"ours\.json: .*JSON"):
        reference_table("ours")


def test_the_printed_table_has_every_code_and_a_summary():
    rows = [Comparison("inner", 101.0, 0.001, {"EGSnrc": 100.0, "MCNP": 99.0}, 100.0, 1.0),
            Comparison("outer", 10.5, 0.001, {"EGSnrc": 10.0}, 10.0, 2.0)]
    lines = comparison_lines("tg195", rows)
    assert lines[1].split() == ["row", "ours", "+-", "%", "EGSnrc", "MCNP", "expected", "diff", "%"]
    assert lines[2].split() == ["inner", "101", "0.10", "100", "99", "100", "+1.00"]
    assert lines[3].split() == ["outer", "10.5", "0.10", "10", "10", "+5.00", "OUTSIDE"]
    assert lines[-1] == ("tg195: 1 of 2 rows inside their tolerance; mean absolute difference 1.00 % in 1 rows of 1 % "
                         "tolerance; mean absolute difference 5.00 % in 1 rows of 2 % tolerance")
