"""What an engine lacks is said before it runs, by looking at names only."""

import pytest

from organdose.errors import InputError
from organdose.segmentation import res_u2net_engine
from organdose.segmentation.engine_needs import context_of, drawn_organs, first_engine, why_not_ready
from organdose.segmentation.engines import engine


def why(name, installed=lambda module: True, **parameters):
    found = engine(name)
    return why_not_ready(found, found.parameters(**parameters), installed)


def nothing(module):
    return False


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder that stands for the network shipped with the project."""
    folder = tmp_path / "res-u2net"
    folder.mkdir()
    monkeypatch.setattr(res_u2net_engine, "resource_path", lambda *parts: folder)
    return folder


def test_the_analytic_engine_needs_nothing():
    assert why("analytic", nothing) == ""


@pytest.mark.parametrize("name, words", [
    ("res-u2net", "needs torch and monai, not installed"), ("monai-bundle", "needs torch and monai"),
    ("totalsegmentator", "TotalSegmentator is not installed in this Python. Install it with: pip install")])
def test_missing_packages_are_one_line_with_the_way_to_mend_it(name, words):
    line = why(name, nothing)
    assert words in line and "\n" not in line


def test_missing_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path))
    assert "Dataset297" in why("totalsegmentator", fast=True)
    assert why("totalsegmentator", fast=True, download=True) == ""
    assert "weights.pt is missing" in why("res-u2net", model=tmp_path)
    assert "needs a bundle" in why("monai-bundle") and "no MONAI bundle here" in why("monai-bundle", model="/no/where")
    assert "needs the folder" in why("nnunet") and "dataset.json is missing" in why("nnunet", model=tmp_path)


def test_a_package_in_another_python_is_not_asked_of_this_one(tmp_path):
    assert why("totalsegmentator", nothing, download=True, python=tmp_path / "python") == ""


def test_our_network_is_offered_first_once_it_is_here(shipped):
    assert first_engine(lambda module: True) == "analytic"
    (shipped / "weights.pt").write_bytes(b"")
    assert first_engine(lambda module: True) == "res-u2net" and first_engine(nothing) == "analytic"


def test_one_network_an_organ_is_a_network_too(tmp_path):
    (tmp_path / "liver").mkdir()
    (tmp_path / "liver" / "weights.pt").write_bytes(b"")
    assert why("res-u2net", model=tmp_path) == ""


def test_a_table_of_engines_is_ready_when_all_of_them_are():
    table = {"engines": {"analytic": {}, "res-u2net": {}}}
    assert why("combined", nothing).startswith("the combined engine needs one table")
    assert "res-u2net: the res-u2net engine needs torch" in why("combined", nothing, table=table)
    assert why("combined", nothing, table={"engines": {"analytic": {}}}) == ""


def test_the_organs_of_a_table_are_those_of_its_engines():
    combined = engine("combined")
    table = combined.parameters(table={"engines": {"res-u2net": {}}, "fallback": False})
    assert drawn_organs(combined, table) == engine("res-u2net").organs
    assert set(drawn_organs(combined, combined.parameters())) == set(combined.organs)
    wrong = combined.parameters(table={"engines": {"analytic": {"bone": 1}}})
    assert "parameters of analytic: bone" in why_not_ready(combined, wrong)
    with pytest.raises(InputError):
        combined.organs_with(wrong)


@pytest.mark.parametrize(("table", "context"), [
    ({"engines": {"totalsegmentator": {}}, "fallback": False}, "surroundings"),
    ({"engines": {"totalsegmentator": {}}}, "slices"), ({"engines": {"nnunet": {}, "atlas": {}}}, "ct")])
def test_a_table_of_engines_needs_to_see_what_any_of_them_needs(table, context):
    combined = engine("combined")
    assert context_of(combined, combined.parameters(table=table)) == context
