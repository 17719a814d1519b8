"""From a CT to what the network sees (box of the body, working voxels, HU windows), and the card of a network."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from organdose.errors import InputError
from organdose.segmentation.network_shape import NetworkShape

AIR_HU = -1000.0
WINDOWS_HU = ((-1000.0, 1000.0), (-160.0, 240.0))
_MARGIN_MM = 12.0


class NetworkCard(BaseModel):
    """What a trained network is, beside its weights: everything needed to use it, how it was trained, what it reached.

    `organs`: label 1 is the first. `windows_hu`: one channel for each (lowest, highest) HU. `spacing_mm`: its voxels.
    `patch`: (z, y, x) voxels of a training patch. `training` and `evaluation` are for people.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["organdose res-u2net 1"] = "organdose res-u2net 1"
    title: str = "Res-U2Net"
    organs: tuple[str, ...] = Field(min_length=1)
    spacing_mm: float = Field(4.0, gt=0)
    windows_hu: tuple[tuple[float, float], ...] = WINDOWS_HU
    patch: tuple[int, int, int] = (64, 72, 104)
    shape: NetworkShape
    training: dict[str, object] = Field(default_factory=dict)
    evaluation: dict[str, object] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_itself(self) -> NetworkCard:
        if self.shape.channels_in != len(self.windows_hu):
            raise ValueError(f"the network takes {self.shape.channels_in} channels, the card has "
                             f"{len(self.windows_hu)} HU windows")
        if self.shape.labels != len(self.organs) + 1:
            raise ValueError(f"the network gives {self.shape.labels} labels, the card has {len(self.organs)} organs "
                             "and the outside")
        return self


def read_card(path: Path) -> NetworkCard:
    """The card of a network. Raises `InputError` in one line for a file that is none."""
    try:
        return NetworkCard(**json.loads(Path(path).read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"not the card of a network: {f'{place}: ' if place else ''}{first['msg']}", where=path,
                         mend="Give a folder written by the training.") from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"the card of the network cannot be read ({error})", where=path,
                         mend="Give a folder written by the training.") from error


def windows(hu: np.ndarray, windows_hu: tuple[tuple[float, float], ...] = WINDOWS_HU) -> np.ndarray:
    """Channels (float32, (channels, z, y, x)): each window's HU from -1 to 1, cut at its ends."""
    return np.stack([np.clip((hu - (low + high) / 2) * (2 / (high - low)), -1, 1).astype(np.float32)
                     for low, high in windows_hu])


def body_box(body: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple[slice, slice, slice]:
    """The box (z, y, x) of the body with 12 mm around it; the whole array when it is empty."""
    box = []
    for axis, size, step_mm in zip(range(3), body.shape, spacing_mm):
        along = np.flatnonzero(body.any(axis=tuple(other for other in range(3) if other != axis)))
        margin = math.ceil(_MARGIN_MM / step_mm)
        box.append(slice(max(int(along[0]) - margin, 0), min(int(along[-1]) + 1 + margin, size)) if along.size
                   else slice(0, size))
    return tuple(box)


def working_image(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """`image` (HU) in cubic voxels of `spacing_mm`, covering the same space; finer voxels are averaged first.

    Linear between voxels. Its last voxels may end a little beyond the CT: they take the nearest value, not air.
    """
    shrink = [max(1, math.floor(spacing_mm / s + 0.25)) for s in image.GetSpacing()]
    shrink = [min(factor, n) for factor, n in zip(shrink, image.GetSize())]
    coarse = sitk.BinShrink(image, shrink) if max(shrink) > 1 else image
    return sitk.Resample(sitk.Cast(coarse, sitk.sitkFloat32), working_grid(image, spacing_mm), sitk.Transform(),
                         sitk.sitkLinear, AIR_HU, sitk.sitkFloat32, True)


def working_grid(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """An empty image of cubic voxels whose outer faces begin where those of `image` begin."""
    lengths_mm = [n * s for n, s in zip(image.GetSize(), image.GetSpacing())]
    grid = sitk.Image([max(1, math.ceil(length / spacing_mm - 1e-6)) for length in lengths_mm], sitk.sitkUInt8)
    grid.SetSpacing([spacing_mm] * 3)
    grid.SetOrigin([o + (spacing_mm - s) / 2 for o, s in zip(image.GetOrigin(), image.GetSpacing())])
    return grid
