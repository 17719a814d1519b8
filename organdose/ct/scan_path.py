"""Where the beam's centre goes in each kind of scan, and the dose-length product of that way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from organdose.ct.emission_tables import PATH_CELLS
from organdose.ct.tube_path import FULL_TURN_RAD, TubePath
from organdose.errors import InputError
from organdose.study.ct_study import CTStudy

_ROTATION_WIDTH = 0.02  # half width of a rotation along z over the collimation: narrow beside the beam's penumbra


@dataclass(frozen=True)
class ScanPath:
    """The tube's path and CTDIvol integrated along it, overranging included; `lines` for the report."""

    path: TubePath
    dlp_mgy_mm: float
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScannedSlices:
    """Slices as the tube saw them: centres (rising, mm), CTDIvol of each, their distance, and the two ends of the scan
    range."""

    z_mm: np.ndarray
    ctdivol_mgy: np.ndarray
    slice_mm: float
    low_mm: float
    high_mm: float

    @property
    def are_scanned(self) -> np.ndarray:
        """Bool: the slices that lie in the scan range, wholly or in part."""
        return (self.z_mm + 0.5 * self.slice_mm > self.low_mm) & (self.z_mm - 0.5 * self.slice_mm < self.high_mm)

    @property
    def length_mm(self) -> float:
        return self.high_mm - self.low_mm

    def mean_mgy(self, low_mm: float, high_mm: float) -> float:
        """Mean CTDIvol between two places; beyond the slices that of the end slice goes on."""
        inner = self.z_mm[(self.z_mm > low_mm) & (self.z_mm < high_mm)]
        z_mm = np.concatenate([[low_mm], inner, [high_mm]])
        return float(np.trapezoid(np.interp(z_mm, self.z_mm, self.ctdivol_mgy), z_mm) / (high_mm - low_mm))


def scanned_slices(study: CTStudy, ctdivol_mgy: np.ndarray, lines: list[str]) -> ScannedSlices:
    """The slices, which reach half a slice beyond their centres, or `scan_range_mm` where the facts give it.

    Raises `InputError` for a range that lies outside the images.
    """
    z_mm, slice_mm = np.asarray(study.slice_positions_mm), study.image.GetSpacing()[2]
    low_mm, high_mm = float(z_mm[0] - 0.5 * slice_mm), float(z_mm[-1] + 0.5 * slice_mm)
    given = study.acquisition.scan_range_mm
    if given is None:
        return ScannedSlices(z_mm, ctdivol_mgy, slice_mm, low_mm, high_mm)
    if given.value[0] >= high_mm or given.value[1] <= low_mm:
        raise InputError(f"the scan range {given.value[0]:g} to {given.value[1]:g} mm lies outside the images "
                         f"({low_mm:g} to {high_mm:g} mm)", mend="Correct scan_range_mm (z, LPS).")
    lines.append(f"Scan range {given.value[0]:g} to {given.value[1]:g} mm ({given.origin.value}); the images reach "
                 f"from {low_mm:g} to {high_mm:g} mm. Beyond them the end slice's CTDIvol goes on.")
    return ScannedSlices(z_mm, ctdivol_mgy, slice_mm, float(given.value[0]), float(given.value[1]))


def helical_path(slices: ScannedSlices, feed_mm: float, overrange_rotations: float,
                 angular: np.ndarray | None) -> ScanPath:
    """CTDIvol along the slices, and half of the extra rotations beyond each end with the end slice's."""
    overrange_mm = 0.5 * overrange_rotations * feed_mm
    ends_mm = slices.low_mm - overrange_mm, slices.high_mm + overrange_mm
    inner = slices.z_mm[(slices.z_mm > ends_mm[0]) & (slices.z_mm < ends_mm[1])]
    z_mm = np.concatenate([[ends_mm[0]], inner, [ends_mm[1]]])
    weight = np.interp(z_mm, slices.z_mm, slices.ctdivol_mgy)
    line = (f"Overranging: {overrange_mm:.1f} mm at each end (in total {overrange_rotations:g} rotation(s)) with the "
            "tube current of the end slice.")
    return ScanPath(TubePath.helical(z_mm, weight, feed_mm, angular_weight=angular),
                    float(np.trapezoid(weight, z_mm)), (line,))


def axial_path(slices: ScannedSlices, collimation_mm: float, feed_mm: float | None,
               angular: np.ndarray | None) -> ScanPath:
    """Whole rotations side by side (step and shoot), each with the mean CTDIvol of the slices it stands for.

    Without a table feed they cover just the scan range, and a single one that is wider than the range counts with its
    whole collimation; with one they are that far apart, and each stands for that length (IEC 60601-2-44: CTDIvol is
    CTDIw x collimation / feed).
    """
    if feed_mm:
        count = max(1, round(slices.length_mm / feed_mm))
        centre_mm = 0.5 * (slices.low_mm + slices.high_mm)
        places_mm = centre_mm + feed_mm * (np.arange(count) - 0.5 * (count - 1))
        step_mm, line = feed_mm, f"{count} rotation(s), {feed_mm:g} mm apart, around the middle of the scan range."
    else:
        count = max(1, math.ceil(slices.length_mm / collimation_mm - 1e-6))
        inside_mm = 0.5 * collimation_mm
        places_mm = np.linspace(slices.low_mm + inside_mm, slices.high_mm - inside_mm, count)
        if count == 1:
            places_mm = np.array([0.5 * (slices.low_mm + slices.high_mm)])
        step_mm = collimation_mm if count == 1 else slices.length_mm / count
        line = (f"The header gives no table feed between rotations: {count} rotation(s) that just cover the scan "
                "range.")
    mgy = np.array([slices.mean_mgy(z - 0.5 * step_mm, z + 0.5 * step_mm) for z in places_mm])
    z_mm, weight = _rotations(places_mm, mgy, collimation_mm)
    return ScanPath(TubePath(z_mm, weight, angular_weight=angular), float(step_mm * mgy.sum()), (line,))


def _rotations(places_mm: np.ndarray, weights: np.ndarray, collimation_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of a path that stands still at each place: narrow peaks of the given areas (relative).

    A peak is drawn over whole cells of the table along z that photons are drawn from: so it keeps its weight exactly.
    """
    if len(places_mm) == 1:
        return places_mm, np.ones(1)
    span_mm = float(places_mm[-1] - places_mm[0])
    cells = max(2, math.ceil(_ROTATION_WIDTH * collimation_mm * PATH_CELLS / span_mm))
    half_mm = min(cells * span_mm / (PATH_CELLS - 2 * cells), 0.4 * float(np.diff(places_mm).min()))
    z_mm = (places_mm[:, None] + half_mm * np.array([-1.0, 0.0, 1.0])).ravel()
    return z_mm, (weights[:, None] * np.array([0.0, 1.0, 0.0])).ravel()


def cone_beam_path(slices: ScannedSlices, collimation_mm: float, arc_deg: float | None, start_deg: float | None,
                   angular: np.ndarray | None) -> ScanPath:
    """One rotation, or part of one, in the middle of the scan range."""
    arc_rad = FULL_TURN_RAD if arc_deg is None else math.radians(arc_deg)
    lines = [] if arc_deg is not None else ["The arc of the rotation is not known: a whole turn is assumed."]
    if start_deg is None and not math.isclose(arc_rad, FULL_TURN_RAD):
        lines.append("Where the arc starts is not known (protocol key tube_angle_deg).")
    if slices.length_mm > 1.01 * collimation_mm:
        lines.append(f"The images or the scan range are {slices.length_mm:g} mm long, a cone-beam rotation irradiates "
                     f"{collimation_mm:g} mm of them: one rotation in their middle is computed (several: scan kind "
                     "axial).")
    z_mm = 0.5 * (slices.low_mm + slices.high_mm)
    half_mm = 0.5 * collimation_mm
    path = TubePath.axial(z_mm, start_angle_rad=None if start_deg is None else math.radians(start_deg),
                          arc_rad=arc_rad, angular_weight=angular)
    return ScanPath(path, collimation_mm * slices.mean_mgy(z_mm - half_mm, z_mm + half_mm), tuple(lines))


def localiser_path(slices: ScannedSlices, angle_deg: float) -> ScanPath:
    """A still tube while the table moves over the scan range; CTDIvol is that of the same mAs with a turning tube."""
    z_mm = np.array([slices.low_mm, slices.high_mm])
    line = ("Localiser: CTDIvol x length, as if the tube had turned, sets the number of photons; all of them come from "
            f"{angle_deg:g} degrees.")
    return ScanPath(TubePath.localiser(z_mm, math.radians(angle_deg)),
                    slices.length_mm * slices.mean_mgy(slices.low_mm, slices.high_mm), (line,))
