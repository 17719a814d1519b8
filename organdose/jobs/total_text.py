"""What the report of a whole examination says in words: headline, method with sources, limits."""

from __future__ import annotations

import math

from organdose.jobs.total_job import TotalResult
from organdose.jobs.total_parts import CT_DOSE, DosePart


def headline(result: TotalResult) -> dict[str, str | tuple[str, str]]:
    """What stands at the top of the report beside the highest organ doses."""
    body = next((total for total in result.totals if total.organ == "body"), None)
    shown: dict[str, str | tuple[str, str]] = {}
    if body is not None:
        shown["Mean dose of the imaged body"] = f"{body.total_mgy:.3g} mGy"
    effective = result.effective[-1]
    if math.isfinite(effective.value):
        remark = "lower bound, see below" if "lower bound" in effective.remark else "ICRP 103"
        shown[effective.title] = (f"{effective.value:.3g} mSv", remark)
    return shown


def method(result: TotalResult) -> list[str]:
    """How the numbers came about, a sentence a step."""
    return [*(f"{part.name}: {_of_part(part)}" for part in result.parts),
            "Organ doses were added up from the parts' organ tables, each a mean weighted with mass in the part's own "
            "voxels; their standard uncertainties in squares.",
            "The dose maps were added up on one grid. A map on another grid was brought over by the exact overlap of "
            "the voxels, weighted with mass (energy over mass, ICRU Report 85), which keeps the energy in the body.",
            "The uncertainty of a voxel holds the parts' own in squares; errors of voxels that were averaged into one "
            "count as one common error, which is an upper bound.",
            "Effective dose: that of each part from its own organ table (ICRP publication 103), then their sum."]


def _of_part(part: DosePart) -> str:
    facts = part.facts
    if part.task == CT_DOSE:
        dlp = facts.get("dlp_mgy_cm")
        return f"dose of a CT by {part.dose.engine}" + (f", DLP {dlp:.4g} mGy cm." if dlp else ".")
    given = facts.get("administered_mbq")
    return (f"dose of {facts.get('radionuclide', 'a radionuclide')} by {part.dose.engine}"
            + (f", {given:.4g} MBq administered." if given else "."))


def limits(result: TotalResult) -> list[str]:
    """What the reader must know before using a number."""
    told = [
        "Research software. Not a medical device; not for clinical decisions.",
        "The parts keep their own limits, which their own reports tell. Uncertainties are statistical, or of fits; "
        "those of models, masks and calibrations are not in them.",
        "Nothing was registered: the maps are added up where they lie in the patient's coordinates. Motion between the "
        "parts blurs the sum of the maps, and the table adds up organs wherever they lie.",
        "The parts' dose rates differ by orders of magnitude: absorbed doses add up, biological effects need not.",
    ]
    if result.masked is None:
        told.append("There were no masks at hand: spread, percentiles and histograms of the sum are not stated.")
    return told
