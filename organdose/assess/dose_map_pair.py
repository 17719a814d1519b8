"""Two dose maps of one patient on one grid, and the voxels in which they are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from organdose.assess.patient_grid import PatientGrid
from organdose.errors import InputError

LOW_DOSE_PERCENT = 10.0
_STRAIGHT = 1e-4
_FEW_OVERLAP = 0.5  # part of the region that the test map should at least cover
_MUCH_OUTSIDE = 0.01  # part of the region that dose seen by the test alone may make up without a warning
_LONELY_MAXIMUM = 1.3  # a maximum so far above what 0.1 % of the voxels exceed is noise or an artefact
_TINY_MGY = 1e-30


@dataclass(frozen=True)
class VoxelCounts:
    """Where voxels went. All but `compared` are left out of every figure.

    `wanted`: reference voxels in the region. Of these: `outside_test`, where the test map ends; `not_finite`, where
    one of the maps holds no number. `only_test`: voxels outside the region in which the test reaches twice the low
    dose and the reference stays below it; `outside_reference`: voxels of the test above the low dose that lie beyond
    the reference map.
    """

    wanted: int
    compared: int
    outside_test: int
    not_finite: int
    only_test: int
    outside_reference: int


@dataclass(frozen=True)
class DoseMapPair:
    """Two maps in mGy along the patient's axes.

    `reference` and `test` are images on their own grids, `reference_mgy` and `test_mgy` float32 arrays (z, y, x) on
    the reference's (test: NaN where it has none). `region` (bool) holds the voxels compared. `normalisation_mgy` is
    the reference's maximum there unless it was given, `low_dose_mgy` its part below which there are no relative
    errors. `assumptions` and `warnings` are lines for the reader.
    """

    test: sitk.Image
    reference: sitk.Image
    test_mgy: np.ndarray = field(repr=False)
    reference_mgy: np.ndarray = field(repr=False)
    region: np.ndarray = field(repr=False)
    normalisation_mgy: float
    low_dose_mgy: float
    same_grid: bool
    counts: VoxelCounts
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[np.ndarray, np.ndarray]:
        """(test, reference) in mGy of the compared voxels."""
        return self.test_mgy[self.region], self.reference_mgy[self.region]

    def image_of(self, values: np.ndarray) -> sitk.Image:
        """An array (z, y, x) as an image on the reference's grid."""
        image = sitk.GetImageFromArray(values)
        image.CopyInformation(self.reference)
        return image


def along_patient_axes(image: sitk.Image, what: str) -> sitk.Image:
    """A map turned to LPS by flips and swaps of axes, float32. Raises `InputError` for an oblique or flat one."""
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"the {what} has {image.GetDimension()} dimensions and "
                         f"{image.GetNumberOfComponentsPerPixel()} values a voxel", mend="Give a volume of doses.")
    if min(image.GetSize()) < 2:
        raise InputError(f"the {what} is a single voxel across ({' x '.join(map(str, image.GetSize()))})",
                         mend="Give a volume.")
    PatientGrid.of(image.GetOrigin(), image.GetSpacing(), image.GetDirection(), image.GetSize(), what)
    turned = sitk.DICOMOrient(sitk.Cast(image, sitk.sitkFloat32), "LPS")
    turned.SetDirection(np.rint(turned.GetDirection()).tolist())
    return turned


def dose_map_pair(test: sitk.Image, reference: sitk.Image, *, body: np.ndarray | None = None,
                  low_dose_percent: float = LOW_DOSE_PERCENT, normalisation_mgy: float | None = None) -> DoseMapPair:
    """Put `test` on the grid of `reference` (both mGy, as `along_patient_axes` gives them) and choose the voxels.

    Compared are the voxels of `body` (bool (z, y, x) on the reference's grid); without it those in which the reference
    reaches `low_dose_percent` of the normalisation. A test on another grid is interpolated linearly. Raises
    `InputError` where nothing overlaps, the reference is zero everywhere, or a parameter makes no sense.
    """
    if not 0 <= low_dose_percent < 100:
        raise InputError(f"a low dose of {low_dose_percent:g} %", mend="Give 0 or more, below 100.")
    if normalisation_mgy is not None and not 0 < normalisation_mgy < math.inf:
        raise InputError(f"a normalisation of {normalisation_mgy:g} mGy", mend="Give a dose above 0.")
    reference_mgy = sitk.GetArrayFromImage(reference)
    same_grid = _same_grid(test, reference)
    test_mgy, covered = _on_grid(test, reference, same_grid)
    top_mgy = normalisation_mgy or _maximum_mgy(reference_mgy, body)
    low_mgy = low_dose_percent / 100 * top_mgy
    with np.errstate(invalid="ignore"):
        wanted = (reference_mgy >= low_mgy) & (reference_mgy > 0) if body is None else body
        only_test = (test_mgy >= max(2 * low_mgy, _TINY_MGY)) & (reference_mgy < low_mgy) & ~wanted
    both = np.isfinite(reference_mgy) & np.isfinite(test_mgy)
    # What is no number may hide dose: without a mask it counts as wanted, and is then left out.
    wanted = wanted | ~np.isfinite(reference_mgy) if body is None else wanted
    region = wanted & covered & both
    counts = VoxelCounts(int(wanted.sum()), int(region.sum()), int((wanted & ~covered).sum()),
                         int((wanted & covered & ~both).sum()), int(only_test.sum()),
                         _beyond(test, reference, max(low_mgy, _TINY_MGY)))
    if not counts.compared:
        raise InputError("the two dose maps have no voxel in common" if counts.outside_test else
                         "no voxel of the region has a dose in both maps",
                         mend="Check that both show the same patient in the same position, in DICOM's coordinates.")
    assumptions = _assumptions(test, reference, same_grid, body is not None, low_dose_percent, low_mgy, top_mgy,
                               normalisation_mgy is not None)
    return DoseMapPair(test, reference, test_mgy, reference_mgy, region, float(top_mgy), float(low_mgy), same_grid,
                       counts, assumptions, _warnings(test_mgy, reference_mgy, region, counts, test, reference)
                       + (() if normalisation_mgy else _about_maximum(reference_mgy[region], top_mgy)))


def _same_grid(test: sitk.Image, reference: sitk.Image) -> bool:
    return test.GetSize() == reference.GetSize() and np.allclose(
        [*test.GetOrigin(), *test.GetSpacing()], [*reference.GetOrigin(), *reference.GetSpacing()], atol=1e-3)


def _on_grid(test: sitk.Image, reference: sitk.Image, same_grid: bool) -> tuple[np.ndarray, np.ndarray]:
    """The test's dose on the reference's grid (NaN outside), and where the test map reaches (bool)."""
    if same_grid:
        return sitk.GetArrayFromImage(test), np.ones(tuple(reversed(reference.GetSize())), bool)
    resampled = sitk.Resample(test, reference, sitk.Transform(), sitk.sitkLinear, math.nan, sitk.sitkFloat32)
    covered = np.ones((1, 1, 1), bool)
    for axis, inside in enumerate(_centres_inside(reference, test)):
        covered = covered & inside.reshape([-1 if a == axis else 1 for a in range(3)])
    return sitk.GetArrayFromImage(resampled), covered


def _centres_inside(image: sitk.Image, other: sitk.Image) -> list[np.ndarray]:
    """For the axes z, y, x: which voxel centres of `image` lie inside the voxels of `other`."""
    inside = []
    for axis in (2, 1, 0):
        places_mm = image.GetOrigin()[axis] + image.GetSpacing()[axis] * np.arange(image.GetSize()[axis])
        voxels = (places_mm - other.GetOrigin()[axis]) / other.GetSpacing()[axis]
        inside.append((voxels >= -0.5) & (voxels <= other.GetSize()[axis] - 0.5))
    return inside


def _maximum_mgy(reference_mgy: np.ndarray, body: np.ndarray | None) -> float:
    """The reference's maximum (in the body, where one is given)."""
    if body is not None and not body.any():
        raise InputError("the body does not meet the reference dose map", mend="Check that they belong together.")
    values = reference_mgy if body is None else reference_mgy[body]
    values = values[np.isfinite(values)]
    if not values.size:
        raise InputError("the reference dose map holds no number", mend="Compute or export it again.")
    top_mgy = float(values.max())
    if top_mgy <= 0:
        raise InputError("the reference dose map is zero everywhere" if body is None else
                         "the reference dose map is zero everywhere in the body",
                         mend="Give the map that the test is to be compared with.")
    return top_mgy


def _beyond(test: sitk.Image, reference: sitk.Image, low_mgy: float) -> int:
    """How many voxels of the test with at least `low_mgy` have their centre outside the reference map."""
    inside_z, inside_y, inside_x = _centres_inside(test, reference)
    inside = inside_z[:, None, None] & inside_y[:, None] & inside_x
    with np.errstate(invalid="ignore"):
        return int(((sitk.GetArrayViewFromImage(test) >= low_mgy) & ~inside).sum())


def _assumptions(test: sitk.Image, reference: sitk.Image, same_grid: bool, by_body: bool, low_percent: float,
                 low_mgy: float, top_mgy: float, top_given: bool) -> tuple[str, ...]:
    top = f"{'the given normalisation' if top_given else 'the maximum of the reference'}, {top_mgy:.4g} mGy"
    where = "inside the body mask" if by_body else f"where the reference reaches {low_percent:g} % of {top}"
    grid = "Both maps lie on the same grid." if same_grid else (
        f"The test map ({_voxel(test)}) was interpolated linearly to the voxel centres of the reference "
        f"({_voxel(reference)}); gamma is sought in the test map's own voxels.")
    return (f"Voxels are compared {where}.", grid,
            f"Relative errors and gamma take voxels in which the reference reaches {low_mgy:.4g} mGy, {low_percent:g} "
            f"% of {top}.")


def _warnings(test_mgy: np.ndarray, reference_mgy: np.ndarray, region: np.ndarray, counts: VoxelCounts,
              test: sitk.Image, reference: sitk.Image) -> tuple[str, ...]:
    told = []
    if counts.outside_test > _FEW_OVERLAP * counts.wanted:
        told.append(f"the test map covers only {100 * (1 - counts.outside_test / counts.wanted):.0f} % of the region: "
                    "the maps may belong to different patients, positions or coordinate systems")
    if counts.not_finite:
        told.append(f"{counts.not_finite} voxels were left out because a map holds no number there")
    if counts.only_test > _MUCH_OUTSIDE * counts.compared:
        told.append(f"in {counts.only_test} voxels outside the region the test reaches twice the low dose, "
                    "and the reference stays below it")
    if counts.outside_reference:
        told.append(f"{counts.outside_reference} voxels of the test above the low dose lie outside the reference map")
    for values, what in ((test_mgy, "test"), (reference_mgy, "reference")):
        if negative := int(np.count_nonzero(values[region] < 0)):
            told.append(f"the {what} is negative in {negative} of the compared voxels")
    coarser = max(a / b for a, b in zip(reference.GetSpacing(), test.GetSpacing()))
    if coarser > 1.5:
        told.append(f"the reference's voxels are up to {coarser:.1f} times those of the test, whose dose was taken at "
                    "their centres and not averaged over them")
    return tuple(told)


def _about_maximum(region_mgy: np.ndarray, top_mgy: float) -> tuple[str, ...]:
    high_mgy = float(np.percentile(region_mgy, 99.9))
    if top_mgy <= _LONELY_MAXIMUM * high_mgy:
        return ()
    return (f"the reference's maximum of {top_mgy:.4g} mGy lies far above {high_mgy:.4g} mGy, which 0.1 % of the "
            "voxels exceed: global gamma, PSNR and SSIM come out too favourable; give a normalisation "
            "(--normalisation-mgy)",)


def _voxel(image: sitk.Image) -> str:
    return " x ".join(f"{s:.3g}" for s in image.GetSpacing()) + " mm"
