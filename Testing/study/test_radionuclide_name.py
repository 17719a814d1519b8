"""Radionuclides in the ways that headers write them."""

import pytest
from pydicom.dataset import Dataset

from organdose.study.radionuclide_name import radionuclide_name, radionuclide_of


@pytest.mark.parametrize(("text", "name"), [
    ("^18^Fluorine", "F-18"), ("Fluorine F^18^", "F-18"), ("18F", "F-18"), ("F-18", "F-18"), ("[18F]FDG", "F-18"),
    ("F18", "F-18"), ("18FDG", "F-18"), ("Fluorodeoxyglucose F^18^", "F-18"), ("^99m^Technetium", "Tc-99m"),
    ("Tc99m", "Tc-99m"), ("99mTc-MDP", "Tc-99m"), ("^177^Lutetium", "Lu-177"), ("LU-177 DOTATATE", "Lu-177"),
    ("68Ga-PSMA-11", "Ga-68"), ("^90^Yttrium", "Y-90"), ("I 131", "I-131"), ("^223^Radium", "Ra-223"),
    ("FDG", None), ("", None), ("Solution", None), ("C-111A1", None)])
def test_names_are_read_from_text(text, name):
    assert radionuclide_name(text) == name


@pytest.mark.parametrize(("value", "scheme", "name"), [
    ("C-111A1", "SRT", "F-18"), ("77004003", "SCT", "F-18"), ("C-163A8", "SRT", "Tc-99m"),
    ("447553000", "SCT", "Lu-177"),
    ("99999", "SCT", None)])
def test_a_code_without_a_readable_meaning_is_looked_up(value, scheme, name):
    given, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, "see code"
    given.RadionuclideCodeSequence = [code]
    assert radionuclide_of(given) == name


def test_without_any_code_the_agent_names_it():
    given = Dataset()
    given.Radiopharmaceutical = "[68Ga]DOTATATE"
    assert radionuclide_of(given) == "Ga-68"
    assert radionuclide_of(Dataset()) is None
