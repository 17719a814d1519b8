"""What the report of a CT dose says in words: headline, method with sources, limits."""

from __future__ import annotations

import math

from organdose.anatomy.organ_masks import OrganMasks
from organdose.jobs.ct_dose_job import CTDoseResult

DESCRIPTORS_LEGEND = (
    "Slice by slice: slices.csv; tissue by tissue: effective_dose.csv; how much of each organ the beam reached: "
    "scan_range.csv. Effective dose is a quantity of reference persons for comparing examinations, not a risk of this "
    "patient.")


def headline(result: CTDoseResult) -> dict[str, str]:
    """What stands at the top of the report beside CTDIvol, DLP and the highest organ doses."""
    body = next((row for row in result.rows if row.organ == "body"), None)
    shown = {} if body is None else {"Mean dose of the imaged body": f"{body.mean_mgy:.1f} mGy"}
    for row in () if result.descriptors is None else result.descriptors.rows:
        if row.name in ("ssde_mean_mgy", "effective_dose_dlp_msv") and math.isfinite(row.value):
            shown[row.title] = f"{row.value:.3g} {row.unit}"
    return shown


def mask_warnings(masks: OrganMasks) -> list[str]:
    """Remarks of the mask readers and engines, one line each."""
    return [f"Mask {name}: {note}" for name, note in masks.notes.items()]


def method(result: CTDoseResult) -> list[str]:
    """How the numbers came about, a sentence a step, with sources."""
    facts = result.dose.facts
    return [
        f"Hounsfield units were turned into density and composition ({facts['hu_to_tissue'].split(';')[0]}) and "
        "averaged onto the dose grid by exact overlap, so that mass is kept.",
        f"The tube: {facts['tube_voltage_kv']:g} kV tungsten spectrum (SpekPy, Poludniowski et al., Med Phys 48 (2021) "
        f"3630) with a mean of {facts['spectrum_mean_kev']:g} keV before the {facts['bowtie']} bowtie, "
        f"{facts['focus_isocentre_mm']:g} mm from the isocentre, {facts['total_collimation_mm']:g} mm collimation.",
        *_second_tube(facts),
        f"Scanner model: {facts['scanner']}",
        "Photons were followed by Woodcock tracking (ANL-7050, 1965) through photoelectric absorption, Compton "
        "scattering with the incoherent scattering function and Rayleigh scattering with form factors (xraylib, "
        "Schoonjans et al., Spectrochim Acta B 66 (2011) 776). Electrons and fluorescence deposit their energy where "
        "they arise.",
        f"Absolute scale: the same tube was simulated on the {facts['ctdi_phantom_cm']:g} cm CTDI phantom (IEC "
        f"60601-2-44; to {facts['calibration_uncertainty_percent']:.2f} %), and the dose scaled so that the simulated "
        "CTDIvol is the scanner's in every slice.",
        f"Uncertainty: standard uncertainty of the mean over {facts['batches']} independent batches, for each voxel "
        "and, with the calibration's, for each organ.",
        *_start_angles(facts),
        f"Masks: {result.masks.origin}.",
        "Organ dose is the mass-weighted mean over the organ's part of each dose voxel.",
    ]


def limits(result: CTDoseResult) -> list[str]:
    """What the reader must know before using a number."""
    told = [
        "Research software. Not a medical device; not for clinical decisions.",
        "The stated uncertainty is statistical. It does not hold the uncertainty of the scanner model, of the masks, "
        "or of the scanner's CTDIvol (which may be off by 20 % within IEC tolerance).",
        "Organs cut by the image show the dose of their imaged part only (see the column 'in image'). Tissue beyond "
        "the image is a repetition of the end slices, not the patient's own.",
        "Voxels shared by bone and soft tissue hold one dose for both: thin bones come out too low and tissue beside "
        "bone is mixed with it. A run with smaller voxels (--voxel-mm) shows by how much.",
        _about_contrast(result),
        "Filters and bowtie are those of the scanner's definition, most of them equivalent ones (organdose scanners). "
        "Patients far off the isocentre are the most sensitive to them.",
    ]
    if not result.dose.facts.get("angular_modulation"):
        told.append("Angular tube-current modulation is not known: the tube's output is the same at every angle.")
    if result.dose.facts.get("scan_kind") != "localiser":
        told.append("The dose of localiser images is not part of this: it is a run of its own.")
    if any("Start angle: not known" in str(line) for line in result.dose.facts.get("assumptions", ())):
        told.append("The gantry's start angle is not known: superficial organs of narrow helical scans differ with it.")
    if result.masks.origin.startswith("analytic"):
        told.append("Masks come from thresholds (body, lungs, bones, air): they are drafts for correction by hand.")
    return told


def _second_tube(facts: dict[str, object]) -> list[str]:
    if "second_tube_voltage_kv" not in facts:
        return []
    return [f"A second tube, {facts['second_tube_offset_deg']:g} degrees after the first: "
            f"{facts['second_tube_voltage_kv']:g} kV with a mean of {facts['second_tube_mean_kev']:g} keV, which makes "
            f"{100 * facts['second_tube_ctdivol_share']:.0f} % of the CTDIvol. Each tube was calibrated alone."]


def _start_angles(facts: dict[str, object]) -> list[str]:
    if "start_angles_deg" not in facts:
        return []
    return [f"Start angle: {len(facts['start_angles_deg'])} equally spaced ones share the photons. The variance of "
            "the dose between them beyond that of the statistics, which is how single scans differ, is added to the "
            "variance of the mean, for each voxel and each organ."]


def _about_contrast(result: CTDoseResult) -> str:
    if result.dose.facts.get("contrast_medium") == "iodine":
        return ("Contrast medium: vessels that touch bone and are in no mask stay bone; enhancement below 120 HU that "
                "is in no mask of an enhanced organ (muscle, for example) is not counted as iodine.")
    return ("Contrast medium, if there was any, is taken for bone where it is bright (above 120 HU): the dose there is "
            "too high. Say so with --contrast yes.")
