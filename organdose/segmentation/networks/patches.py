"""Training patches: cut from prepared cases and augmented with MONAI. Patch number i is always the same patch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.transforms import (
    Compose,
    RandAffined,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandShiftIntensityd,
)
from torch.utils.data import Dataset

from organdose.segmentation.network_input import AIR_HU, windows
from organdose.segmentation.training_cases import TrainingCase

_ROOM = 12  # voxels cut more on each axis than needed, so that a turned patch has no empty corners
_ON_AN_ORGAN = 0.7  # of the patches lie around a voxel of an organ drawn first, so that small ones are seen


def augmentation(patch: tuple[int, int, int]) -> Compose:
    """Small turns, scalings and shears, and changes of HU. Never a mirror image: left and right are learned."""
    return Compose([
        RandAffined(["hu", "labels"], prob=0.5, rotate_range=(0.12, 0.12, 0.15), scale_range=(0.1, 0.1, 0.1),
                    shear_range=(0.05,) * 6, spatial_size=patch, mode=("bilinear", "nearest"),
                    padding_mode="border", cache_grid=False),
        RandGaussianSmoothd(["hu"], prob=0.15, sigma_x=(0.2, 0.6), sigma_y=(0.2, 0.6), sigma_z=(0.2, 0.8)),
        RandScaleIntensityd(["hu"], factors=0.06, prob=0.3),
        RandShiftIntensityd(["hu"], offsets=15, prob=0.5, safe=False),
        RandGaussianNoised(["hu"], prob=0.3, std=12.0, sample_std=True),
    ])


class Patches(Dataset):
    """`self[i]`: (channels (c, z, y, x) float32, labels (z, y, x) int64) of patch number i, from `seed` and i alone.

    `places` are the numbers to be served, in order: a training that goes on begins where it stopped.
    """

    def __init__(self, cases: Sequence[TrainingCase], patch: tuple[int, int, int], windows_hu, seed: int,
                 numbers: Sequence[int], *, augment: bool = True):
        self.cases, self.patch, self.windows_hu = tuple(cases), tuple(patch), windows_hu
        self.seed, self.numbers = seed, numbers
        self.augmentation = augmentation(self.patch) if augment else None

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([self.seed, self.numbers[index]])
        case = self.cases[int(rng.integers(len(self.cases)))]
        room = _ROOM if self.augmentation else 0
        size = tuple(n + room for n in self.patch)
        corner = _corner(case, size, rng)
        data = {"hu": torch.from_numpy(_cut(case.hu, corner, size, AIR_HU).astype(np.float32))[None],
                "labels": torch.from_numpy(_cut(case.labels, corner, size, 0).astype(np.float32))[None]}
        if self.augmentation:
            self.augmentation.set_random_state(seed=int(rng.integers(2**31)))
            data = self.augmentation(data)
        hu, labels = (np.asarray(data[key])[0] for key in ("hu", "labels"))
        return (torch.from_numpy(windows(hu, self.windows_hu)),
                torch.from_numpy(np.rint(labels).astype(np.int64)))


def _corner(case: TrainingCase, size: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    """First voxel of a patch: around a voxel of an organ (each organ as often), or anywhere in the case."""
    shape, places = np.array(case.hu.shape), case.places
    slack = shape - size
    if len(places) and rng.random() < _ON_AN_ORGAN:
        value = rng.choice(np.unique(places[:, 0]))
        centre = rng.choice(places[places[:, 0] == value])[1:]
        corner = centre - np.array(size) // 2 + np.rint((rng.random(3) - 0.5) * 0.5 * np.array(size)).astype(int)
        return tuple(int(c) for c in np.where(slack > 0, np.clip(corner, 0, slack), slack // 2))
    return tuple(int(rng.integers(0, s + 1)) if s > 0 else int(s // 2) for s in slack)


def _cut(array: np.ndarray, corner: tuple[int, int, int], size: tuple[int, int, int], outside: float) -> np.ndarray:
    """A box of an array that may reach beyond it."""
    found = np.full(size, outside, dtype=array.dtype)
    inner = tuple(slice(max(c, 0), min(c + n, limit)) for c, n, limit in zip(corner, size, array.shape))
    if all(side.start < side.stop for side in inner):
        found[tuple(slice(side.start - c, side.stop - c) for side, c in zip(inner, corner))] = array[inner]
    return found
