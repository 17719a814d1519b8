"""One time point brought onto another: rigid, then B-spline registration of two images of a patient (SimpleITK).

The framework is that of ITK 4 (Avants et al., Front Neuroinform 8 (2014) 44), the metrics Mattes mutual information
(Mattes et al., IEEE TMI 22 (2003) 120) and correlation. Every run of the same images gives the same transform: samples
lie on a regular grid with a fixed seed, and one thread adds them up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.study.frame_likeness import Displacement, displacement, likeness
from organdose.study.frame_registration_parameters import RegistrationParameters

_SEED = 20
_WORKING_MM = 4.0  # finer voxels tell nothing more of a position to a millimetre, and cost their number
_SMOOTHING_MM = 3.0
_METRICS = {"ct": "mutual_information", "activity": "correlation"}
_SHOWN_HU = (-500.0, 500.0)  # lung to bone; metal and the outside do not stretch the histogram
_BODY_HU, _BODY_OPENING_MM, _AROUND_MM = -300.0, 8.0, 16.0
_PART_OF_BRIGHTEST = 0.1  # of square roots: a hundredth of the activity
_LEAST_CORRELATION, _LEAST_OVERLAP = 0.5, 0.5


@dataclass(frozen=True)
class _Level:
    """One resolution: voxels `shrink` times as large, the first step, most steps, samples compared in the patient."""

    shrink: int
    step_mm: float
    steps: int
    samples: int


# Steps begin small where coarser levels have been: a large first step can leave what they found for good.
_RIGID_LEVELS = (_Level(4, 4.0, 120, 60_000), _Level(2, 1.0, 80, 60_000), _Level(1, 0.5, 80, 60_000))
_BENDING_LEVELS = (_Level(2, 1.0, 40, 15_000), _Level(1, 0.5, 25, 15_000))


@dataclass(frozen=True)
class Registration:
    """How the moving image lies to the fixed one.

    `transform` takes points (mm, LPS) of the fixed image to those of the moving one; `method` says what it is, and is
    'none' (the identity) where what was found is not to be used: `warnings` say why. `measure` is the metric, larger
    is better; `before`, `after` its values over the fixed patient. `found_after` and `displacement` belong to the
    transform that was found, used or not; `rotation_deg` is the angle of its rigid part.
    """

    transform: sitk.Transform
    method: str
    measure: str
    before: float
    after: float
    found_after: float
    displacement: Displacement
    rotation_deg: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Pair:
    """Two images as the metric sees them (float32, about 4 mm), and the patient in the fixed one (uint8)."""

    fixed: sitk.Image
    moving: sitk.Image
    patient: sitk.Image
    moving_patient: sitk.Image
    metric: str

    def likeness(self, transform: sitk.Transform) -> float:
        """Where both images are; -inf where that is too little of the patient."""
        value, part = likeness(self.fixed, self.moving, self.patient, transform, self.metric)
        sizes = [np.count_nonzero(sitk.GetArrayViewFromImage(each)) * np.prod(each.GetSpacing())
                 for each in (self.patient, self.moving_patient)]
        return value if part * sizes[0] >= _LEAST_OVERLAP * min(sizes) else -math.inf


def register(fixed: sitk.Image, moving: sitk.Image, parameters: RegistrationParameters, *, kind: str,
             progress: Progress | None = None, stage: str = "registration") -> Registration:
    """Bring `moving` onto `fixed`; `kind` is 'ct' (HU) or 'activity' (Bq/ml, or any unit).

    What makes the images no more alike, leaves them unlike, folds space, or moves the patient farther than
    `parameters.farthest_mm` is not used. Raises `InputError` for images without a patient in them, `Cancelled`.
    """
    progress = progress or Progress()
    pair = _prepared(fixed, moving, kind, parameters.metric)
    still = pair.likeness(sitk.Transform())
    rigid = _rigid(pair, _Watch(progress, f"{stage}: rigid", len(_RIGID_LEVELS)))
    found = _judged(pair, rigid, "rigid", still, rigid, parameters)
    if parameters.method != "deformable" or found.warnings:
        return found
    watch = _Watch(progress, f"{stage}: deformable", len(_BENDING_LEVELS))
    judged = _judged(pair, _deformable(pair, rigid, parameters.control_mm, watch), "deformable", found.after, rigid,
                     parameters)
    if judged.method == "none":
        return replace(found, warnings=tuple(f"{line}, the rigid one is" for line in judged.warnings))
    return replace(judged, before=still)


def _judged(pair: _Pair, transform: sitk.Transform, method: str, before: float, rigid: sitk.Transform,
            parameters: RegistrationParameters) -> Registration:
    """What was found, with the identity in its place where it is no better or must not be used."""
    moved, after = displacement(transform, pair.patient), pair.likeness(transform)
    doubts = []
    if moved.mean_mm > parameters.farthest_mm:
        doubts.append(f"the {method} registration moves the patient by {moved.mean_mm:.0f} mm at the mean, more than "
                      f"{parameters.farthest_mm:g} mm")
    if moved.smallest_jacobian <= 0:
        doubts.append(f"the {method} registration folds tissue over itself")
    if pair.metric == "correlation" and after < _LEAST_CORRELATION:
        doubts.append(f"the images are little alike after the {method} registration (correlation {after:.2f})")
    used = not doubts and after > before
    return Registration(transform if used else sitk.Transform(), method if used else "none",
                        pair.metric, before, after if used else before, after, moved, _rotation_deg(rigid),
                        tuple(f"{line}: it is not used" for line in doubts))


def _rotation_deg(rigid: sitk.Transform) -> float:
    """Angle of the turn about whatever axis it has."""
    trace = float(np.trace(np.array(sitk.Euler3DTransform(rigid).GetMatrix()).reshape(3, 3)))
    return math.degrees(math.acos(max(-1.0, min(1.0, 0.5 * (trace - 1)))))


def _prepared(fixed: sitk.Image, moving: sitk.Image, kind: str, metric: str) -> _Pair:
    fixed, moving = _as_seen(fixed, kind), _as_seen(moving, kind)
    patients = [_patient(image, kind) for image in (fixed, moving)]
    return _Pair(fixed, moving, *patients, _METRICS[kind] if metric == "auto" else metric)


def _as_seen(image: sitk.Image, kind: str) -> sitk.Image:
    """Values that tell tissues apart, in voxels of at least 4 mm. Square roots of activities: hot spots and their
    noise count less, and tissues around them more. Smoothed, since noise that interpolation takes away at some places
    and not at others makes likeness jump from voxel to voxel."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    image = sitk.Clamp(image, sitk.sitkFloat32, *_SHOWN_HU) if kind == "ct" else sitk.Sqrt(sitk.Clamp(
        image, sitk.sitkFloat32, 0.0))
    image = sitk.SmoothingRecursiveGaussian(image, _SMOOTHING_MM)
    spacing = np.array(image.GetSpacing())
    wanted = np.maximum(spacing, _WORKING_MM)
    size = np.maximum(1, np.floor(np.array(image.GetSize()) * spacing / wanted + 1e-6)).astype(int)
    first = image.TransformContinuousIndexToPhysicalPoint((0.5 * (wanted / spacing - 1)).tolist())
    return sitk.Resample(image, size.tolist(), sitk.Transform(), sitk.sitkLinear, first, wanted.tolist(),
                         image.GetDirection(), 0.0, sitk.sitkFloat32)


def _patient(image: sitk.Image, kind: str) -> sitk.Image:
    """The patient with some of what lies around (uint8). Of a CT without the couch, which does not move with him."""
    if kind == "ct":
        lowest = _BODY_HU
    else:
        lowest = _PART_OF_BRIGHTEST * float(np.percentile(sitk.GetArrayViewFromImage(image), 99.9))
    inside = image > lowest
    if kind == "ct":
        opened = sitk.BinaryMorphologicalOpening(inside, _voxels(image, _BODY_OPENING_MM))
        parts = sitk.RelabelComponent(sitk.ConnectedComponent(opened))
        inside = parts == 1
    if not sitk.GetArrayViewFromImage(inside).any():
        raise InputError("an image to be registered shows no patient", mend="Check the images, or register nothing.")
    return sitk.BinaryDilate(inside, _voxels(image, _AROUND_MM))


def _voxels(image: sitk.Image, length_mm: float) -> list[int]:
    return [max(1, round(length_mm / spacing)) for spacing in image.GetSpacing()]


def _rigid(pair: _Pair, watch: _Watch) -> sitk.Transform:
    """Shift and turn, about the centre of the patient, from the best of a few starts."""
    centre, moving_centre = _centre_mm(pair.patient), _centre_mm(pair.moving_patient)
    middle, moving_middle = _middle_mm(pair.fixed), _middle_mm(pair.moving)
    starts = []
    for shift in (np.zeros(3), moving_centre - centre, moving_middle - middle):
        start = sitk.Euler3DTransform()
        start.SetCenter(centre.tolist())
        start.SetTranslation(shift.tolist())
        starts.append(start)
    return _refined(pair, max(starts, key=pair.likeness), _RIGID_LEVELS, sitk.Euler3DTransform, watch)


def _deformable(pair: _Pair, rigid: sitk.Transform, control_mm: float, watch: _Watch) -> sitk.Transform:
    """The rigid transform behind B-splines over the whole fixed image."""
    length_mm = np.array(pair.fixed.GetSize()) * pair.fixed.GetSpacing()
    mesh = [max(1, round(side / control_mm)) for side in length_mm]
    bent = sitk.BSplineTransformInitializer(pair.fixed, mesh, order=3)
    return _refined(pair, bent, _BENDING_LEVELS, sitk.BSplineTransform, watch, rigid)


def _refined(pair: _Pair, start: sitk.Transform, levels: tuple[_Level, ...], kind: type, watch: _Watch,
             behind: sitk.Transform | None = None) -> sitk.Transform:
    """The best transform, from coarse to fine: what a level makes worse, the next begins without.

    `behind` is applied after the one that is sought, and kept as it is.
    """
    def whole(transform: sitk.Transform) -> sitk.Transform:
        return transform if behind is None else sitk.CompositeTransform([sitk.Transform(behind), transform])

    best, likeness_there = start, pair.likeness(whole(start))
    for level in levels:
        transform = kind(best)
        method = _method(pair, level)
        if behind is not None:
            method.SetMovingInitialTransform(behind)
        step = level.step_mm * math.sqrt(transform.GetNumberOfParameters() / 6)
        # Unlike L-BFGS-B, ITK can stop it at once; and it is as near in as many evaluations.
        method.SetOptimizerAsRegularStepGradientDescent(step, 0.005 * level.step_mm, level.steps, relaxationFactor=0.6,
                                                        gradientMagnitudeTolerance=1e-8)
        if behind is None:
            method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(transform, inPlace=True)
        watch.run(method, pair, level.steps)
        likeness_now = pair.likeness(whole(transform))
        if likeness_now > likeness_there:
            best, likeness_there = transform, likeness_now
    return whole(best)


def _method(pair: _Pair, level: _Level) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    if pair.metric == "correlation":
        method.SetMetricAsCorrelation()
    else:
        method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(pair.patient)
    method.SetMetricSamplingStrategy(method.REGULAR)
    inside = np.count_nonzero(sitk.GetArrayViewFromImage(pair.patient))
    method.SetMetricSamplingPercentage(min(1.0, level.samples * level.shrink**3 / inside), _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([level.shrink])
    method.SetSmoothingSigmasPerLevel([0.5 * level.shrink if level.shrink > 1 else 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    return method


def _centre_mm(patient: sitk.Image) -> np.ndarray:
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(patient)
    return np.array(shape.GetCentroid(1))


def _middle_mm(image: sitk.Image) -> np.ndarray:
    return np.array(image.TransformContinuousIndexToPhysicalPoint([0.5 * (n - 1) for n in image.GetSize()]))


class _Watch:
    """Tells the progress of a registration through its levels, and stops it when the user does."""

    def __init__(self, progress: Progress, stage: str, levels: int):
        self._progress, self._stage, self._levels, self._level = progress, stage, levels, 0

    def run(self, method: sitk.ImageRegistrationMethod, pair: _Pair, steps: int) -> None:
        """The next level. Raises `Cancelled`, and `InputError` where the images have too little in common."""
        stopped: list[Cancelled] = []

        def look() -> None:
            part = min(1.0, method.GetOptimizerIteration() / steps)
            try:
                self._progress.report(self._stage, (self._level + part) / self._levels)
            except Cancelled as cancelled:  # an exception must not cross ITK
                stopped.append(cancelled)
                method.StopRegistration()

        method.AddCommand(sitk.sitkIterationEvent, look)
        shown, threads = (sitk.ProcessObject.GetGlobalWarningDisplay(),
                          sitk.ProcessObject.GetGlobalDefaultNumberOfThreads())
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # the metric heeds this alone
        try:
            method.Execute(pair.fixed, pair.moving)
        except RuntimeError as error:  # SimpleITK has no finer exception
            raise InputError("two images could not be registered: they have too little in common",
                             mend="Check that they are of one patient, or register nothing.") from error
        finally:
            sitk.ProcessObject.SetGlobalWarningDisplay(shown)
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        if stopped:
            raise stopped[0]
        self._level += 1
        self._progress.report(self._stage, self._level / self._levels)
