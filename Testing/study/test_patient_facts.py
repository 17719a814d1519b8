"""Contrast agent, region and group of age as headers tell them."""

import pytest
from pydicom.dataset import Dataset

from organdose.study.patient_facts import age_group_of, patient_facts, region_of


@pytest.mark.parametrize(("part", "region"), [
    ("CHEST", "chest"), ("HEAD", "head"), ("HEADNECK", "head_and_neck"), ("ABDOMEN", "abdomen_and_pelvis"),
    ("ABDOMENPELVIS", "abdomen_and_pelvis"), ("CHESTABDPELVIS", "trunk"), ("CSPINE", "neck"), ("FOOT", ""),
    ("WHOLEBODY", ""), ("", "")])
def test_body_parts_are_regions_of_aapm_96_or_none(part, region):
    assert region_of(part) == region


@pytest.mark.parametrize(("age", "group"), [
    ("045Y", "adult"), ("015Y", "adult"), ("014Y", "10y"), ("005Y", "5y"), ("010M", "1y"), ("003W", "0y"),
    ("002D", "0y"), ("", ""), ("old", "")])
def test_an_age_is_only_known_by_its_group(age, group):
    assert age_group_of(age) == group


def header(**values) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_the_agent_stands_as_the_header_names_it():
    found = patient_facts([header(ContrastBolusAgent="ULTRAVIST 370", PatientAge="061Y", BodyPartExamined="CHEST")] * 2)
    assert {name: fact.value for name, fact in found.items()} == {
        "contrast_agent": "ULTRAVIST 370", "scan_region": "chest", "age_group": "adult"}
    assert found["age_group"].origin.value == "derived"


@pytest.mark.parametrize("word", ["NONE", "none", "No"])
def test_a_header_may_deny_contrast_medium(word):
    assert patient_facts([header(ContrastBolusAgent=word)])["contrast_agent"].value == "none"


def test_headers_that_say_nothing_or_contradict_each_other_give_no_fact():
    assert patient_facts([header()]) == {}
    assert patient_facts([header(BodyPartExamined="HEAD"), header(BodyPartExamined="CHEST")]) == {}
