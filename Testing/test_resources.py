"""The looked-up data are found in a checkout and in an installed package."""

import pytest

from organdose import resources
from organdose.errors import InputError
from organdose.resources import resource_path


def test_the_vocabulary_of_this_checkout_is_found():
    assert resource_path("organs.csv").is_file()
    assert resource_path("scanners", "generic.json").is_file()
    assert resource_path("scanners").is_dir()


def test_data_inside_the_package_come_before_those_beside_it(tmp_path, monkeypatch):
    package = tmp_path / "organdose"
    for folder in (package / "Resources", tmp_path / "Resources"):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("")
    (tmp_path / "Resources" / "b.csv").write_text("")
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resource_path("a.csv") == package / "Resources" / "a.csv"
    assert resource_path("b.csv") == tmp_path / "Resources" / "b.csv"


def test_what_is_missing_is_named_without_the_path_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "organdose")
    with pytest.raises(InputError) as caught:
        resource_path("scanners", "none.json")
    assert "Resources/scanners/none.json" in str(caught.value) and "Install organdose again" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
