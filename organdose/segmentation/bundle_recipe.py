"""What a network from outside wants to see: voxels, orientation and intensities, told by its transforms as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.segmentation.network_input import AIR_HU

# Ours where a bundle does not say: voxels of 1.5 mm, axes to the right, front and head, HU -1000..1000 to -1..1.
DEFAULT_SPACING_MM = (1.5, 1.5, 1.5)
DEFAULT_AXES = "RAS"
DEFAULT_WINDOW = ("window", -1000.0, 1000.0, -1.0, 1.0)
DEFAULT_ROI = (96, 96, 96)
_AXIS_OF = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}  # of an image turned to LPS
_TURNED = "RAI"
_LEFT_TO_US = ("LoadImage", "EnsureType", "EnsureChannelFirst", "AddChannel", "CropForeground", "CastToType",
               "ToTensor", "ToDevice", "DivisiblePad", "SpatialPad", "VistaPreTransform", "SelectItems", "Identity")


@dataclass(frozen=True)
class BundleRecipe:
    """`axes`: where each axis of the network's input points, such as 'RAS'; `spacing_mm` and `roi` (voxels of a tile)
    are in that order. `steps` change intensities, in order: ('window', HU low, HU high, low, high), ('clip', low,
    high), ('normalise', subtract or None, divide by or None, only where not zero), ('scale', low, high).
    `assumptions` are lines for the report.
    """

    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM
    axes: str = DEFAULT_AXES
    steps: tuple[tuple, ...] = (DEFAULT_WINDOW,)
    roi: tuple[int, int, int] = DEFAULT_ROI
    overlap: float = 0.25
    assumptions: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if sorted(_AXIS_OF.get(code, -1) for code in self.axes) != [0, 1, 2]:
            raise InputError(f"unknown orientation {self.axes!r}", mend="Write it like RAS or LPS.")
        if len(self.spacing_mm) != 3 or not all(math.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise InputError(f"not the size of voxels in mm: {self.spacing_mm}", mend="Give three positive numbers.")
        if len(self.roi) != 3 or min(self.roi) < 1:
            raise InputError(f"not the size of a tile: {self.roi}", mend="Give three positive whole numbers.")
        if not 0 <= self.overlap < 1:
            raise InputError(f"tiles cannot overlap by {self.overlap}", mend="Give a share from 0 to below 1.")

    @property
    def _from_lps(self) -> tuple[list[int], list[int]]:
        """The axis (x, y, z) behind each of the network's axes, and those of the network's that run backwards."""
        return [_AXIS_OF[code] for code in self.axes], [i for i, code in enumerate(self.axes) if code in _TURNED]

    @property
    def lps_spacing_mm(self) -> tuple[float, float, float]:
        """Voxels of the network along x, y and z."""
        order, _ = self._from_lps
        return tuple(self.spacing_mm[order.index(axis)] for axis in range(3))

    @property
    def roi_zyx(self) -> tuple[int, int, int]:
        order, _ = self._from_lps
        return tuple(self.roi[order.index(axis)] for axis in (2, 1, 0))

    def to_network(self, values: np.ndarray) -> np.ndarray:
        """An array (z, y, x) with the network's axes."""
        order, backwards = self._from_lps
        return np.flip(values.transpose(2, 1, 0).transpose(order), backwards)

    def from_network(self, values: np.ndarray) -> np.ndarray:
        """An array (channels, network's axes) as (channels, z, y, x)."""
        order, backwards = self._from_lps
        upright = np.flip(values, [axis + 1 for axis in backwards])
        return upright.transpose(0, *(1 + order.index(axis) for axis in (2, 1, 0)))


def recipe_of(transforms: Sequence[Mapping[str, object]], **more: object) -> BundleRecipe:
    """The recipe of a list of MONAI transforms (`_target_` and arguments, references resolved).

    Raises `InputError` for one that changes voxels or intensities in a way not known here.
    """
    found: dict[str, object] = {}
    steps: list[tuple] = []
    for transform in transforms:
        name = str(transform.get("_target_", "")).rpartition(".")[2].removesuffix("d").removesuffix("D")
        if name == "Orientation":
            found["axes"] = str(transform.get("axcodes") or DEFAULT_AXES).upper()
        elif name == "Spacing":
            found["spacing_mm"] = _three(transform.get("pixdim"))
        elif name.startswith(("ScaleIntensity", "NormalizeIntensity", "ThresholdIntensity", "ClipIntensity")):
            steps.append(_checked_step(name, transform))
        elif not name.startswith(_LEFT_TO_US):
            raise InputError(f"the network wants a preparation that is not known here: {name or transform}",
                             mend="Export it as TorchScript with its preparation in a JSON beside it.")
    assumed = {"axes": f"orientation {DEFAULT_AXES}", "spacing_mm": "voxels of 1.5 mm"}
    assumptions = [f"the network does not say it: {words}" for key, words in assumed.items() if key not in found]
    if not steps:
        assumptions.append("the network does not say it: HU from -1000 to 1000 as -1 to 1")
    return BundleRecipe(steps=tuple(steps) or (DEFAULT_WINDOW,), assumptions=tuple(assumptions), **found, **more)


def _three(value: object) -> tuple[float, float, float]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value] * 3
    try:
        return tuple(float(v) for v in values)
    except (TypeError, ValueError) as error:
        raise InputError(f"not the size of voxels in mm: {value}", mend="Correct the Spacing of the bundle.") from error


def _checked_step(name: str, given: Mapping[str, object]) -> tuple:
    try:
        step = _intensity_step(name, given)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} of the bundle lacks a number ({error})", mend="Correct the bundle.") from error
    if step[0] in ("window", "linear") and step[1] == step[2]:
        raise InputError(f"{name} of the bundle has a window without width", mend="Correct the bundle.")
    return step


def _intensity_step(name: str, given: Mapping[str, object]) -> tuple:
    """One transform of intensities as numbers, with MONAI's own defaults."""
    if name == "ScaleIntensityRange":
        low, high = float(given["a_min"]), float(given["a_max"])
        to_low, to_high = given.get("b_min"), given.get("b_max")
        to_low, to_high = (0.0 if to_low is None else float(to_low)), (1.0 if to_high is None else float(to_high))
        return "window" if given.get("clip", False) else "linear", low, high, to_low, to_high
    if name == "NormalizeIntensity":
        return "normalise", given.get("subtrahend"), given.get("divisor"), bool(given.get("nonzero", False))
    if name == "ScaleIntensity" and given.get("factor") is None and given.get("minv", 0.0) is not None:
        return "scale", float(given.get("minv", 0.0)), float(given.get("maxv", 1.0))
    raise InputError(f"the network wants intensities prepared in a way not known here: {name}",
                     mend="Export it as TorchScript with its preparation in a JSON beside it.")


def prepared(values: np.ndarray, steps: Sequence[tuple]) -> np.ndarray:
    """Intensities (float32) as the network wants them, from HU."""
    values = values.astype(np.float32)
    for kind, *numbers in steps:
        if kind in ("window", "linear"):
            low, high, to_low, to_high = numbers
            values = (values - low) * np.float32((to_high - to_low) / (high - low)) + np.float32(to_low)
            if kind == "window":
                np.clip(values, min(to_low, to_high), max(to_low, to_high), out=values)
        elif kind == "normalise":
            values = _normalised(values, *numbers)
        else:
            values = _scaled(values, *numbers)
    return values


def _normalised(values: np.ndarray, subtract, divide_by, only_nonzero: bool) -> np.ndarray:
    where = values != 0 if only_nonzero else slice(None)
    chosen = values[where]
    if chosen.size:
        mean = float(chosen.mean(dtype=np.float64)) if subtract is None else float(np.ravel(subtract)[0])
        spread = float(chosen.std(dtype=np.float64)) if divide_by is None else float(np.ravel(divide_by)[0])
        values[where] = (chosen - mean) / (spread or 1.0)
    return values


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest:  # MONAI's rule for an image of one value
        return values * np.float32(low)
    return (values - lowest) * np.float32((high - low) / (highest - lowest)) + np.float32(low)


def on_network_voxels(image: sitk.Image, spacing_mm: tuple[float, float, float]) -> sitk.Image:
    """The CT on other voxels (mm along x, y, z) whose outer faces begin where its own begin; linear, air outside."""
    grid = sitk.Image([max(1, math.ceil(n * s / to - 1e-6)) for n, s, to in
                       zip(image.GetSize(), image.GetSpacing(), spacing_mm)], sitk.sitkUInt8)
    grid.SetSpacing(spacing_mm)
    grid.SetOrigin([o + (to - s) / 2 for o, s, to in zip(image.GetOrigin(), image.GetSpacing(), spacing_mm)])
    # Its last voxels may end a little beyond the CT: they take the nearest value, not air.
    return sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), grid, sitk.Transform(), sitk.sitkLinear, AIR_HU,
                         sitk.sitkFloat32, True)


def places_on(image: sitk.Image, coarse: sitk.Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the voxels of `image` lie along z, y and x, in voxel numbers of `coarse`."""
    return tuple((image.GetOrigin()[axis] + np.arange(image.GetSize()[axis]) * image.GetSpacing()[axis]
                  - coarse.GetOrigin()[axis]) / coarse.GetSpacing()[axis] for axis in (2, 1, 0))
