"""Labels of a whole CT by a network from outside: slab by slab, so that a hundred organs fit into memory."""

from __future__ import annotations

import gc
import math
import re

import numpy as np
import torch
from monai.inferers import sliding_window_inference

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.networks.hardware import free_bytes, is_out_of_memory, mixed
from organdose.segmentation.networks.label_upsampling import labels_on_slices
from organdose.segmentation.networks.monai_bundle import BundleNetwork

SMALLEST = 32  # sides of tiles stay multiples of this: networks halve them up to five times
_LARGEST_BUDGET = 4 * 2**30
_SHARE_OF_FREE = 0.4
_BYTES_A_LOGIT = 12  # float32 summed, its quotient, float16
_CHANNELS = re.compile(r"expected input.*?to have (\d+) channels", re.DOTALL)
_LARGEST_HALF = 6e4


def labels_of(bundle: BundleNetwork, values: np.ndarray, places: tuple[np.ndarray, np.ndarray, np.ndarray],
              device: torch.device, precision: torch.dtype, progress: Progress | None = None) -> np.ndarray:
    """Label numbers (z, y, x) at the crossings of `places` (voxel numbers of `values`, (z, y, x), as the network wants
    them).

    When memory runs out, tiles and slabs are halved and the work begins again; `MemoryError` when it ran out with the
    smallest. Raises `InputError` for a network of other channels, `Cancelled`.
    """
    progress, bundle = progress or Progress(), bundle.to(device)
    roi, budget = bundle.recipe.roi, min(_SHARE_OF_FREE * free_bytes(torch.device("cpu")), _LARGEST_BUDGET)
    made_smaller = False
    while True:
        try:
            return _Run(bundle, device, precision, roi, budget, progress).labels(values, places)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise _explained(error, made_smaller) from error
            if max(roi) <= SMALLEST:
                raise MemoryError("out of memory with the smallest tile of the network") from error
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        roi, budget, made_smaller = smaller_tile(roi), budget / 2, True


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
    """One try with one size of tiles."""

    def __init__(self, bundle, device, precision, roi, budget, progress):
        self.bundle, self.device, self.precision, self.roi, self.budget = bundle, device, precision, roi, budget
        self.progress = progress
        self.done, self.expected = 0, 1
        self.channels = 1 + (len(bundle.numbers) if bundle.numbers else max(bundle.names, default=1))

    @torch.inference_mode()
    def labels(self, values: np.ndarray, places) -> np.ndarray:
        depth = values.shape[0]
        margin = max(self.bundle.recipe.roi_along_z // 4, 2)
        thick = int(self.budget / (_BYTES_A_LOGIT * self.channels * values[0].size)) - 2 * margin
        starts = range(0, depth, min(max(thick, 2 * margin), depth))
        self.expected = sum(self._tiles((min(z + starts.step, depth) + margin - max(z - margin, 0),
                                         *values.shape[1:])) for z in starts)
        labels = np.zeros(tuple(len(p) for p in places), np.uint16)
        for first in starts:
            end = min(first + starts.step, depth)
            inside = (places[0] >= first if first else np.isfinite(places[0])) & (
                places[0] < end if end < depth else np.isfinite(places[0]))
            low, high = max(first - margin, 0), min(end + margin, depth)
            if inside.any():
                logits = self._logits(values[low:high])
                labels[inside] = self._numbers(logits.shape[0])[
                    labels_on_slices(logits, (places[0][inside] - low, *places[1:]))]
        self.progress.report("network", 1.0)
        return labels

    def _logits(self, slab: np.ndarray) -> torch.Tensor:
        """float16 (channels, z, y, x); the first is the background."""
        recipe = self.bundle.recipe
        x = torch.from_numpy(np.ascontiguousarray(recipe.to_network(slab)))[None, None]
        out = sliding_window_inference(x, self.roi, 1, self._one_tile, overlap=recipe.overlap, mode="gaussian",
                                       padding_mode="replicate", sw_device=self.device, device=torch.device("cpu"))
        return torch.from_numpy(np.ascontiguousarray(recipe.from_network(out[0].numpy()))).half()

    def _one_tile(self, x: torch.Tensor) -> torch.Tensor:
        self.progress.report("network", min(self.done / self.expected, 1.0))
        self.done += 1
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

    def _tiles(self, size: tuple[int, int, int]) -> int:
        steps = [max(1, int(n * (1 - self.bundle.recipe.overlap))) for n in self.roi]
        return math.prod(1 + math.ceil(max(n - side, 0) / step) for n, side, step in zip(size, self.roi, steps))
