"""Labels of a whole CT by a network from outside, layer by layer of tiles, so that a hundred organs fit into memory."""

from __future__ import annotations

import gc
import itertools
import math
import re

import numpy as np
import torch
from monai.data.utils import compute_importance_map

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.networks.hardware import free_bytes, is_out_of_memory, mixed
from organdose.segmentation.networks.label_upsampling import labels_on_slices
from organdose.segmentation.networks.monai_bundle import BundleNetwork

SMALLEST = 32  # sides of tiles stay multiples of this: networks halve them up to five times
_SHARE_OF_FREE = 0.5
_BYTES_A_LOGIT = 2
_LEAST_WEIGHT = 1e-3
_CHANNELS = re.compile(r"expected input.*?to have (\d+) channels", re.DOTALL)
_LARGEST_HALF = 6e4

Places = tuple[np.ndarray, np.ndarray, np.ndarray]


def labels_of(bundle: BundleNetwork, values: np.ndarray, places: Places, device: torch.device, precision: torch.dtype,
              progress: Progress | None = None) -> np.ndarray:
    """Label numbers (z, y, x) at the crossings of `places` (voxel numbers of `values`, (z, y, x), as the network wants
    them).

    Tiles are the bundle's own, thinner where a layer of them would not fit into memory. When memory runs out all the
    same, they are halved and the work begins again; `MemoryError` when it ran out with the smallest. Raises
    `InputError` for a network of other channels, `Cancelled`.
    """
    progress, bundle = progress or Progress(), bundle.to(device)
    roi, made_smaller = planned_tile(bundle, values.shape), False
    while True:
        try:
            return _Run(bundle, device, precision, roi, progress).labels(values, places)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise _explained(error, made_smaller) from error
            if max(roi) <= SMALLEST:
                raise MemoryError("out of memory with the smallest tile of the network") from error
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        roi, made_smaller = smaller_tile(roi), True


def planned_tile(bundle: BundleNetwork, size: tuple[int, int, int]) -> tuple[int, int, int]:
    """The bundle's tile (z, y, x), its height halved until the logits of a layer of them fit into free memory."""
    z, y, x = bundle.recipe.roi_zyx
    channels = 1 + (len(bundle.numbers) if bundle.numbers else max(bundle.names, default=1))
    free = _SHARE_OF_FREE * free_bytes(torch.device("cpu"))
    while z > SMALLEST and _BYTES_A_LOGIT * channels * (min(z, size[0]) + 1) * size[1] * size[2] > free:
        z = max(SMALLEST, z // 2 // SMALLEST * SMALLEST)
    return z, y, x


def smaller_tile(roi: tuple[int, ...]) -> tuple[int, ...]:
    """The tile with its longest side halved, in steps of 32 voxels."""
    longest = int(np.argmax(roi))
    return tuple(max(SMALLEST, n // 2 // SMALLEST * SMALLEST) if axis == longest else n for axis, n in enumerate(roi))


def _explained(error: BaseException, made_smaller: bool) -> BaseException:
    if found := _CHANNELS.search(str(error)):
        return InputError(f"this network takes {found[1]} channels, a CT is one", mend="Give a network for CT alone.")
    if made_smaller:
        return InputError("memory ran out, and this network does not run on smaller tiles", mend="Choose the device "
                          "cpu, close other programs, or take a network with larger voxels.")
    return error


class _Run:
    """One try with one size of tiles (z, y, x)."""

    def __init__(self, bundle, device, precision, roi, progress):
        self.bundle, self.device, self.precision, self.roi = bundle, device, precision, roi
        self.progress = progress
        self.done = self.expected = 0
        self.shape = torch.from_numpy(np.ascontiguousarray(compute_importance_map(
            roi, mode="gaussian", sigma_scale=0.125).clamp(min=_LEAST_WEIGHT).numpy()))

    @torch.inference_mode()
    def labels(self, values: np.ndarray, places: Places) -> np.ndarray:
        """A layer of tiles after the other; slices that no further layer touches become labels, and are forgotten."""
        layers, rows, columns = (_starts(n, side, self.bundle.recipe.overlap)
                                 for n, side in zip(values.shape, self.roi))
        self.expected = len(layers) * len(rows) * len(columns)
        total = self._total_weight(values.shape, layers, rows, columns)
        labels = np.zeros(tuple(len(p) for p in places), np.uint16)
        logits, first, told = None, 0, -math.inf  # `first`: the slice that stands first in `logits`
        for layer, following in zip(layers, [*layers[1:], values.shape[0]]):
            for row, column in itertools.product(rows, columns):
                share, out = self._one_tile(values, total, (layer, row, column))
                if logits is None:
                    numbers = self._numbers(out.shape[0])
                    depth = min(self.roi[0], values.shape[0]) + 1
                    logits = torch.zeros((out.shape[0], depth, *values.shape[1:]), dtype=torch.float16)
                box = (slice(layer - first, layer - first + share.shape[0]), slice(row, row + share.shape[1]),
                       slice(column, column + share.shape[2]))
                logits[(slice(None), *box)] += (out * share).half()
            last = following == values.shape[0]
            # Between its last slice and the next layer's first one a place needs both: it waits for the next layer.
            end = math.inf if last else following - 1
            inside = (places[0] > told) & (places[0] <= end)
            if inside.any():
                finished = logits[:, :following - first]
                labels[inside] = numbers[labels_on_slices(finished, (places[0][inside] - first, *places[1:]))]
            told = end
            if not last:
                _move_up(logits, following - 1 - first)
                first = following - 1
        self.progress.report("network", 1.0)
        return labels

    def _total_weight(self, size, layers, rows, columns) -> torch.Tensor:
        total = torch.zeros(size)
        for start in itertools.product(layers, rows, columns):
            box = tuple(slice(a, a + side) for a, side in zip(start, self.roi))
            part = total[box]
            part += self.shape[tuple(slice(0, n) for n in part.shape)]
        return total

    def _one_tile(self, values: np.ndarray, total: torch.Tensor, start) -> tuple[torch.Tensor, torch.Tensor]:
        """Share of each voxel's answer that this tile gives (z, y, x), and its logits (channels, z, y, x)."""
        self.progress.report("network", self.done / self.expected)
        self.done += 1
        box = tuple(slice(a, a + side) for a, side in zip(start, self.roi))
        seen = values[box]
        padded = np.pad(seen, [(0, side - n) for side, n in zip(self.roi, seen.shape)], mode="edge")
        recipe = self.bundle.recipe
        x = torch.from_numpy(np.ascontiguousarray(recipe.to_network(padded)))[None, None].to(self.device)
        out = self._answer(x)[0].cpu()
        out = torch.from_numpy(np.ascontiguousarray(recipe.from_network(out.numpy())))
        inside = tuple(slice(0, n) for n in seen.shape)
        return self.shape[inside] / total[box], out[(slice(None), *inside)]

    def _answer(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (1, channels, voxels), the first channel that of the background."""
        with mixed(self.device, self.precision):
            out = self.bundle.network(x)
        out = out[0] if isinstance(out, list | tuple) else out
        if out.ndim != 5 or out.shape[0] != 1 or out.shape[2:] != x.shape[2:]:
            raise InputError(f"this network gives {tuple(out.shape)} for {tuple(x.shape)} values, no label for each "
                             "voxel", mend="Give a network for segmentation.")
        out = out.float().clamp(-_LARGEST_HALF, _LARGEST_HALF)
        # Yes or no a channel: no is a logit of 0. One channel more than there are names is the background already.
        alone = out.shape[1] == 1 or (not self.bundle.exclusive and out.shape[1] <= len(self.bundle.numbers
                                                                                        or self.bundle.names))
        return torch.cat([torch.zeros_like(out[:, :1]), out], dim=1) if alone else out

    def _numbers(self, channels: int) -> np.ndarray:
        """The label number of each channel. Raises `InputError` when names and channels do not go together."""
        numbers = self.bundle.numbers or tuple(range(1, channels))
        expected = len(numbers) if self.bundle.numbers else max(self.bundle.names, default=channels - 1)
        if len(numbers) != channels - 1 or expected > channels - 1:
            raise InputError(f"this network gives {channels - 1} labels, its description names {expected}",
                             mend="Give the description of this network.")
        if channels > 256:
            raise InputError(f"this network gives {channels - 1} labels, more than 255", mend="Take another network.")
        return np.array([0, *numbers], np.uint16)


def _starts(size: int, side: int, overlap: float) -> list[int]:
    """First voxels of tiles that cover `size` voxels, evenly spread, overlapping by at least that share."""
    if size <= side:
        return [0]
    count = 1 + math.ceil((size - side) / max(1, int(side * (1 - overlap))))
    return [round(i * (size - side) / (count - 1)) for i in range(count)]


def _move_up(logits: torch.Tensor, slices: int) -> None:
    """Forget the first slices, in place: a channel at a time, so that no second copy is needed."""
    for channel in logits:
        kept = channel[slices:].clone()
        channel[:len(kept)] = kept
        channel[len(kept):] = 0
