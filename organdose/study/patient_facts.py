"""What the headers say of the patient that a dose needs: contrast agent, region of the scan, group of age.

Only what k factors and tissues depend on leaves the header: no age, but its group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydicom.dataset import Dataset

from organdose.study.facts import Fact, Origin
from organdose.study.header_values import text, texts

NO_CONTRAST = "none"
REGIONS = ("head", "head_and_neck", "neck", "chest", "abdomen_and_pelvis", "trunk")
AGE_GROUPS = ("0y", "1y", "5y", "10y", "adult")

# Words of BodyPartExamined (PS3.16 CID 4031 and what scanners write) for each part with a factor in AAPM report 96.
_PARTS = {"head": ("HEAD", "BRAIN", "SKULL", "SINUS", "ORBIT", "FACE"),
          "neck": ("NECK", "CSPINE", "CERVICAL", "LARYNX"),
          "chest": ("CHEST", "THORAX", "LUNG", "HEART", "CORONARY", "MEDIASTINUM"),
          "abdomen_and_pelvis": ("ABDOMEN", "ABD", "PELVIS", "LIVER", "KIDNEY", "PANCREAS", "COLON", "BLADDER")}
_NO_AGENT = {"NONE", "NO", "N", "NIL", "W/O", "WITHOUT", "NATIVE", "NON"}
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 1 / 52.18, "D": 1 / 365.25}
# Upper ends in years of the groups of AAPM report 96: halfway between its ages of 0, 1, 5 and 10 years; adult from 15.
_GROUP_ENDS = (("0y", 0.5), ("1y", 3.0), ("5y", 7.5), ("10y", 15.0))


def patient_facts(headers: Sequence[Dataset]) -> dict[str, Fact]:
    """The facts 'contrast_agent', 'scan_region' and 'age_group' as far as every header that speaks says the same."""
    found = {}
    for name, read in (("contrast_agent", contrast_agent), ("scan_region", _region), ("age_group", _age_group)):
        said = {read(header) for header in headers} - {""}
        if len(said) == 1:
            found[name] = Fact(said.pop(), Origin.header if name == "contrast_agent" else Origin.derived)
    return found


def contrast_agent(header: Dataset) -> str:
    """The agent as the header names it, 'none' where it says so, '' where it says nothing."""
    named = text(header, "ContrastBolusAgent")
    return NO_CONTRAST if named.upper() in _NO_AGENT else named


def _region(header: Dataset) -> str:
    return region_of(text(header, "BodyPartExamined"))


def region_of(body_part: str) -> str:
    """The region of AAPM report 96 for a BodyPartExamined; '' for one it has no factor for."""
    words = body_part.upper()
    parts = {region for region, names in _PARTS.items() if any(name in words for name in names)}
    if parts == {"head", "neck"}:
        return "head_and_neck"
    if parts == {"chest", "abdomen_and_pelvis"} or words in ("TRUNK", "TORSO"):
        return "trunk"
    return parts.pop() if len(parts) == 1 else ""


def _age_group(header: Dataset) -> str:
    return age_group_of(next(iter(texts(header, "PatientAge")), ""))


def age_group_of(age: str) -> str:
    """The group of an age string (PS3.5 AS, '045Y'); '' for none."""
    match = re.fullmatch(r"(\d{1,3})([YMWD])", age.strip().upper())
    if match is None:
        return ""
    years = int(match[1]) * _YEARS[match[2]]
    return next((group for group, end in _GROUP_ENDS if years < end), "adult")
