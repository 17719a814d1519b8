"""From frames in Bq/ml to decays in each dose voxel and each organ: what every engine starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto
from organdose.errors import InputError, MissingFacts
from organdose.nuclear.progeny import DecayMixture
from organdose.nuclear.recovery_coefficients import Recovery
from organdose.nuclear.time_activity import TimeActivityCurve, time_activity_curves
from organdose.nuclear.time_integration import time_integrated
from organdose.patient.lattice import Lattice
from organdose.progress import Progress
from organdose.study.activity_study import ActivityFrame
from organdose.study.decay_correction import decay_factor

_TOLD_OUTSIDE_PERCENT = 5.0
_LACKING_AT_MOST = 0.1  # part of an organ beyond a frame's field of view, up to which the frame counts for it


@dataclass(frozen=True)
class ActivityOverTime:
    """`bq_per_ml` (n, z, y, x; float32): mean concentration in each dose voxel at `times_s` (n) after administration,
    as it was then: not corrected for decay; NaN where a frame does not show what another one does. `shown` (bool,
    (z, y, x)): voxels that some frame shows; None: they were not told apart."""

    times_s: np.ndarray
    bq_per_ml: np.ndarray = field(repr=False)
    lattice: Lattice
    shown: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ActivityIntegral:
    """Activity integrated over all time, on the dose grid.

    `decays` (z, y, x; float32): decays (Bq s) of the parent in each voxel, not negative. `relative_uncertainty`
    (float32, same shape): of the fit in each voxel, NaN where nothing tells it. `curves`: the organs' activities over
    time and their integrals. `administered_bq`: net, None where nobody said. `notes`: lines for the report.
    """

    decays: np.ndarray = field(repr=False)
    relative_uncertainty: np.ndarray = field(repr=False)
    mixture: DecayMixture
    administered_bq: float | None
    model: str
    curves: tuple[TimeActivityCurve, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def total_decays(self) -> float:
        return float(self.decays.sum(dtype=np.float64))

    @property
    def organ_decays(self) -> dict[str, float]:
        """Decays (Bq s) in each organ, from the curve of the organ as a whole."""
        return {curve.organ: curve.integral_bq_s for curve in self.curves if math.isfinite(curve.integral_bq_s)}

    @property
    def organ_relative_uncertainty(self) -> dict[str, float]:
        """Of those integrals, where the fit tells it."""
        return {curve.organ: curve.integral_uncertainty_bq_s / curve.integral_bq_s for curve in self.curves
                if curve.integral_bq_s > 0 and math.isfinite(curve.integral_uncertainty_bq_s)}


def activity_over_time(frames: Sequence[ActivityFrame], lattice: Lattice, half_life_s: float,
                       whole: Sequence[np.ndarray] | None = None) -> ActivityOverTime:
    """Frames on the voxels of `lattice`, by exact overlap: the activity in the part they share is kept.

    A frame counts for the middle of its acquisition. `whole` (bool, (z, y, x), one a frame): the voxels in its field of
    view; what lies outside is unknown, not zero, where another frame shows it. Raises `MissingFacts` for a frame
    without a time.
    """
    times_s, target = [], lattice.image(np.zeros(lattice.shape, np.uint8))
    found = np.empty((len(frames), *lattice.shape), np.float32)
    for values, frame in zip(found, frames):
        time_s, factor = middle_of_frame(frame, half_life_s)
        times_s.append(time_s)
        placed = frame.image if _is_on(frame.image, lattice) else averaged_onto(frame.image, target)
        values[:] = sitk.GetArrayFromImage(placed) * factor
    if whole is None:
        return ActivityOverTime(np.asarray(times_s), found, lattice)
    shown = np.logical_or.reduce(list(whole))
    for values, own in zip(found, whole, strict=True):
        values[shown & ~own] = np.nan
    return ActivityOverTime(np.asarray(times_s), found, lattice, shown)


def _is_on(image: sitk.Image, lattice: Lattice) -> bool:
    return image.GetSize() == lattice.size and np.allclose(
        [*image.GetOrigin(), *image.GetSpacing()], [*lattice.origin_mm, *lattice.spacing_mm], rtol=0, atol=1e-6)


def middle_of_frame(frame: ActivityFrame, half_life_s: float) -> tuple[float, float]:
    """Seconds from administration to the middle of a frame, and the decay from its reference to then."""
    if frame.start_s is None or frame.reference_s is None:
        raise MissingFacts(frame.acquisition.missing("injected_at", "scan_start_at", "decay_correction"))
    middle_s = frame.start_s + 0.5 * (frame.duration_s or 0.0)
    return middle_s, decay_factor(middle_s - frame.reference_s, half_life_s)


def activity_integral(over_time: ActivityOverTime, mixture: DecayMixture, administered_bq: float | None, *,
                      model: str = "physical", parameters: Mapping[str, object] | None = None,
                      organs: Sequence[str] = (), organ_ml: sp.csr_matrix | None = None,
                      inside: np.ndarray | None = None, recoveries: Mapping[str, Recovery] | None = None,
                      progress: Progress | None = None) -> ActivityIntegral:
    """Integrate each voxel and each organ from administration to infinity.

    `model`, `parameters`: of `integration_models`. `organ_ml` (organs, voxels): volume of each organ in each voxel.
    `inside` (bool, (z, y, x)): voxels outside are left out, and a note says how much was in them. `recoveries`: of the
    organs whose activity is corrected for partial volume, in the voxels as in the curve. Raises `InputError` where
    model, times or shapes do not fit, and where there is no activity at all or none inside; `Cancelled`.
    """
    parameters, recoveries = dict(parameters or {}), dict(recoveries or {})
    decay_per_s = mixture.parent.decay_constant_per_s
    bq_per_ml = over_time.bq_per_ml
    held = np.any(bq_per_ml != 0, axis=0)
    if not held.any():
        raise InputError("PET or SPECT show no activity in the dose grid",
                         mend="Check that they and the CT are of one patient and position.")
    integral = time_integrated(model, over_time.times_s, bq_per_ml[:, held], decay_per_s, progress=progress,
                               **parameters)
    decays, uncertainty = np.zeros(held.shape, np.float32), np.full(held.shape, np.nan, np.float32)
    decays[held] = np.maximum(np.nan_to_num(integral.value, nan=0.0), 0.0) * over_time.lattice.voxel_ml
    uncertainty[held] = np.divide(integral.uncertainty, integral.value, out=np.full_like(integral.value, np.nan),
                                  where=integral.value > 0)
    notes, warnings = [f"Voxels: {note}" for note in integral.notes], ()
    if inside is not None:
        note, warnings = _left_outside(decays, inside)
        notes.append(note)
    factor = None
    if organ_ml is not None and recoveries:
        factor = _recovery_factor(organs, organ_ml, over_time.lattice, recoveries)
        decays *= factor
        notes += [f"{name}: {recovery.note}" for name, recovery in recoveries.items()]
    curves = () if organ_ml is None else _curves(over_time, organs, organ_ml, decay_per_s, administered_bq, model,
                                                 recoveries, factor, parameters)
    return ActivityIntegral(decays, uncertainty, mixture, administered_bq, model, tuple(curves), tuple(notes),
                            warnings)


def _left_outside(decays: np.ndarray, inside: np.ndarray) -> tuple[str, tuple[str, ...]]:
    """Clear what lies outside; says how much that was, and warns where it is more than noise and spill-out."""
    total = float(decays.sum(dtype=np.float64))
    decays[~inside] = 0.0
    left = float(decays.sum(dtype=np.float64))
    if total > 0 and left == 0:
        raise InputError("all of the activity lies outside the body and the masks",
                         mend="Check that PET or SPECT, CT and masks are of one patient and position.")
    percent = 100 * (1 - left / total) if total > 0 else 0.0
    note = f"{percent:.2g} % of the decays lie outside the body (noise, spill-out, arms beyond the CT): left out."
    warning = (f"{percent:.2g} % of the decays lie outside the body and the masks and are left out: check that PET or "
               "SPECT and CT fit each other, and that the CT shows all of the patient")
    return note, (warning,) if percent > _TOLD_OUTSIDE_PERCENT else ()


def _recovery_factor(organs: Sequence[str], organ_ml: sp.csr_matrix, lattice: Lattice,
                     recoveries: Mapping[str, Recovery]) -> np.ndarray:
    """What each voxel is multiplied by, float32 (z, y, x): the organ's 1 / coefficient by the part it has in the voxel.
    Raises `InputError` for organs that overlap, whose common part would be corrected twice."""
    factor, corrected = np.ones(math.prod(lattice.shape)), np.zeros(math.prod(lattice.shape))
    for name, recovery in recoveries.items():
        row = organ_ml[[list(organs).index(name)]]
        part = row.data / lattice.voxel_ml
        corrected[row.indices] += part
        factor[row.indices] += part * (1 / recovery.coefficient - 1)
    if corrected.max() > 1.001:
        raise InputError(f"organs whose recovery is to be corrected overlap ({', '.join(recoveries)})",
                         mend="Name organs that share no voxels: both kidneys or each of them, not both.")
    return factor.reshape(lattice.shape).astype(np.float32)


def _curves(over_time: ActivityOverTime, organs: Sequence[str], organ_ml: sp.csr_matrix, decay_per_s: float,
            administered_bq: float | None, model: str, recoveries: dict[str, Recovery], factor: np.ndarray | None,
            parameters: dict[str, object]) -> list[TimeActivityCurve]:
    activity_bq = np.stack([_organ_bq(frame.ravel(), over_time.shown, organ_ml) for frame in over_time.bq_per_ml])
    if factor is not None:
        # A kidney is part of both kidneys, and all are part of the body: who holds corrected voxels is corrected, too.
        along = np.stack([_organ_bq((frame * factor).ravel(), over_time.shown, organ_ml)
                          for frame in over_time.bq_per_ml])
        activity_bq = np.where([name in recoveries for name in organs], activity_bq, along)
    # Without the administered activity there are no coefficients; the curves and integrals are the same.
    return time_activity_curves(organs, over_time.times_s, activity_bq, decay_per_s, administered_bq or math.nan, model,
                                recoveries=recoveries, **parameters)


def _organ_bq(bq_per_ml: np.ndarray, shown: np.ndarray | None, organ_ml: sp.csr_matrix) -> np.ndarray:
    """Activity of each organ (Bq) in one frame. A small part that it does not show counts with the mean of the rest;
    NaN where it lacks more."""
    unknown = np.isnan(bq_per_ml)
    if shown is None or not unknown.any():
        return organ_ml @ bq_per_ml.astype(np.float64)
    held_bq = organ_ml @ np.where(unknown, 0.0, bq_per_ml).astype(np.float64)
    all_ml, lacking_ml = organ_ml @ shown.ravel().astype(np.float64), organ_ml @ unknown.astype(np.float64)
    lacking = np.divide(lacking_ml, all_ml, out=np.zeros_like(all_ml), where=all_ml > 0)
    return np.where(lacking <= _LACKING_AT_MOST, held_bq / (1 - np.minimum(lacking, _LACKING_AT_MOST)), np.nan)
