"""What the report of an internal dose says in words and small tables: headline, descriptors, time points, limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.engine_comparison import EngineComparison
from organdose.dose_map import DoseMap
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title
from organdose.export.report_table import ReportTable
from organdose.export.report_values import plain
from organdose.nuclear.engines import engine
from organdose.study.activity_summary import FrameActivity, frame_activities

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseResult

DESCRIPTORS_LEGEND = (
    "Tissue by tissue: effective_dose.csv. Effective dose is a quantity of reference persons for comparing diagnostic "
    "examinations, not a risk of this patient, and no measure of a therapy.")
_NO_ACTIVITY = "administered activity not known"


def headline(result: InternalDoseResult) -> dict[str, tuple[str, str]]:
    """What stands at the top of the report beside the highest organ doses: label -> (text, remark)."""
    name = result.source.mixture.parent.name
    shown = {"Administered": (f"{result.study.administered_bq * 1e-6:.4g} MBq", f"{name}, net")}
    total_mbq_h = result.source.total_decays / 3.6e9
    shown["Time-integrated activity"] = (f"{plain(total_mbq_h)} MBq·h", "in the patient, as imaged")
    body = next((row for row in result.rows if row.organ == "body"), None)
    if body is not None:
        shown["Mean dose of the imaged body"] = (f"{body.mean_mgy:.3g} mGy", f"{body.mean_mgy_per_mbq:.3g} mGy/MBq")
    dose = result.effective_dose.dose
    if math.isfinite(dose.effective_msv):
        # What lacks counts as zero: the sum is a lower bound.
        least, part = (("", "") if dose.is_complete else
                       ("≥ ", f", {100 * dose.known_weight:.0f} % of the weights known"))
        shown["Effective dose"] = (f"{least}{dose.effective_msv:.3g} mSv", f"ICRP 103{part}")
    return shown


def descriptors(result: InternalDoseResult) -> tuple[Descriptor, ...]:
    """The numbers of the whole examination."""
    acquisition, dose = result.study.activity.acquisition, result.effective_dose.dose
    residual_bq = acquisition.value("residual_bq")
    first = frame_activities(result.study.activity)[0]
    total_mbq_h, net_mbq = result.source.total_decays / 3.6e9, result.study.administered_bq * 1e-6
    return (
        Descriptor("administered_mbq", "Activity administered", net_mbq, "MBq", "at the time of administration, "
                   + ("no residual stated" if residual_bq is None
                      else f"less the residual of {residual_bq / 1e6:g} MBq")),
        Descriptor("in_field_of_view_percent", "Of it in the field of view",
                   math.nan if first.fraction is None else 100 * first.fraction, "%",
                   "first image, corrected for decay; the rest is elsewhere or excreted"),
        Descriptor("total_tia_mbq_h", "Time-integrated activity", total_mbq_h, "MBq h",
                   "in the voxels that dose is computed from"),
        Descriptor("total_tiac_h", "The same for each MBq", total_mbq_h / net_mbq, "h",
                   "time-integrated activity coefficient; 1/lambda is "
                   f"{1 / result.source.mixture.parent.decay_constant_per_s / 3600:.4g} h"),
        Descriptor("effective_dose_organs_msv", "Effective dose from organ doses", dose.effective_msv, "mSv",
                   "; ".join(("ICRP 103", *dose.remarks))),
        Descriptor("effective_dose_msv_per_mbq", "Effective dose per activity", result.effective_dose.msv_per_mbq,
                   "mSv/MBq", "the above over the activity administered"),
        Descriptor("tissue_weight_known", "Tissue weights covered", dose.known_weight, "",
                   "sum of the tissue weights of the organs with a dose; 1 is all"))


def time_point_table(rows: tuple[FrameActivity, ...]) -> ReportTable:
    """The images, in the order of time."""
    return ReportTable(
        "times", "Time points",
        (("Image", ""), ("Start", "h after administration"), ("Duration", "s"), ("At the scan", "MBq"),
         ("At administration", "MBq"), ("Of administered", "%"), ("Largest", "kBq/ml")),
        [(f"series {row.series_number}" if row.series_number else f"{number}", _over(row.start_s, 3600), row.duration_s,
          _over(row.at_scan_bq, 1e6), _over(row.at_administration_bq, 1e6), _over(row.fraction, 0.01),
          _over(row.largest_bq_per_ml, 1000)) for number, row in enumerate(rows, 1)],
        "Activity in the field of view at the start of each image, and the same corrected for decay to the "
        "administration: a fall from image to image is excretion. Also in time_points.csv.")


def engine_titles(result: InternalDoseResult) -> dict[str, str]:
    """Of every engine that ran, by name."""
    return {name: engine(name).title for name in (engine_name(result.dose), *result.others)}


def engine_name(dose: DoseMap) -> str:
    """Without the version."""
    return dose.engine.split()[0]


def engine_table(comparison: EngineComparison, titles: Mapping[str, str]) -> ReportTable:
    """Mean doses of the main organs by engine, and differences."""
    reference = titles[comparison.reference]
    columns = [("Organ", ""), *((titles[name], "mGy") for name in comparison.engines),
               *((titles[name], f"% from {reference}") for name in comparison.others)]
    rows = [row for row in comparison.rows if is_main_organ(row.organ)] or list(comparison.rows)
    return ReportTable(
        "engines", "Engines", columns,
        [(short_title(row.organ), *(row.mean_mgy[name] for name in comparison.engines),
          *(_signed(row.difference_percent[name]) for name in comparison.others)) for row in rows],
        f"Mean doses; differences are from {reference}. The first engine is the chosen one, of which all other tables "
        "and pictures are. All organs, with uncertainties: engines.csv; maps: the folder engines.")


def uncertainty_meaning(result: InternalDoseResult) -> str:
    """What ± in the organ table holds."""
    held = ["the counting statistics of the simulation"] if result.dose.organ_relative_uncertainty else []
    if result.source.organ_relative_uncertainty:
        held.append("the fit of the organ's activity over time, in squares")
    if not held:
        return "not stated, as neither the engine nor the curves over time tell one"
    return (f"the relative standard uncertainty of the mean from {' and '.join(held)}. It says nothing of the "
            "calibration and resolution of PET and SPECT, of the masks, or of the model's own error")


def limits(result: InternalDoseResult) -> list[str]:
    """What the reader must know before using a number."""
    told = [
        "Research software. Not a medical device; not for clinical decisions.",
        "The stated uncertainty does not hold that of the activity in the image (calibration, scatter and attenuation "
        "correction, motion), nor that of masks and CT density.",
        *_about_resolution(result),
        "Activity that was not in the field of view, or left the body between images, makes no dose here.",
        "Organs cut by the image show the dose of their imaged part only (see the column 'in image').",
        "Voxels shared by two tissues hold one dose for both: small organs and walls take over some of their "
        "neighbours' dose, or of the contents they enclose.",
        "Red bone marrow has a dose only where there is a mask of it; the dose to bone is no substitute."]
    if len(result.study.frames) == 1:
        told.append("One time point: how the activity comes and goes is assumed, not measured. Organs that lose the "
                    "tracer after the scan have too high a dose, those that take it up later too low a one.")
    else:
        told.append("Several time points count voxel by voxel: where the patient lay otherwise, or organs moved, "
                    "curves of single voxels mix tissues.")
    if result.masks.origin.startswith("analytic"):
        told.append("Masks come from thresholds (body, lungs, bones, air): they are drafts for correction by hand.")
    return told


def _about_resolution(result: InternalDoseResult) -> list[str]:
    if any(math.isfinite(curve.recovery) for curve in result.source.curves):
        return ["Partial volume: organs named in the method are corrected by recovery coefficients as a whole; the "
                "pattern inside them stays blurred."]
    return ["Partial volume is not corrected: organs and lesions smaller than about three times the resolution of the "
            "image show too little activity, their surroundings too much."]


def _over(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _signed(percent: float) -> str:
    return f"{percent:+.1f}" if math.isfinite(percent) else "–"
