"""Logits of a whole CT tile by tile: tiles planned from free memory, made smaller when memory runs out all the same."""

from __future__ import annotations

import gc
import itertools
from dataclasses import dataclass

import numpy as np
import torch

from organdose.progress import Progress
from organdose.segmentation.network_input import windows
from organdose.segmentation.networks.hardware import free_bytes, is_out_of_memory, mixed
from organdose.segmentation.networks.trained_network import TrainedNetwork

STEP = 16  # sides of tiles are multiples of this
SMALLEST = 32
_OVERLAP = 16  # voxels that neighbouring tiles share on each side where they are cut
_LARGEST_BUDGET = {"cpu": 2.5 * 2**30, "cuda": 16 * 2**30}
_SHARE_OF_FREE = 0.6


@dataclass(frozen=True)
class TilePlan:
    """Sides of the tiles in voxels (z, y, x) and the memory that one of them is expected to take."""

    tile: tuple[int, int, int]
    expected_bytes: int


def bytes_a_voxel(trained: TrainedNetwork) -> int:
    """Peak memory of a forward pass for each voxel of a tile, from the channels alive at full size.

    Skip, joined and block outputs of the finest scales, logits twice, in float32, and as much again for the
    convolutions' own copies.
    """
    shape = trained.card.shape
    wide = sum(4 * width / 8**level for level, width in enumerate(shape.widths))
    return int(2 * 4 * (wide + shape.widths[1] + 2 * shape.labels))


def plan_tiles(trained: TrainedNetwork, size: tuple[int, int, int], device: torch.device) -> TilePlan:
    """The largest tile, at most the whole image, that fits into the memory free now; the longest side gives way."""
    budget = min(_SHARE_OF_FREE * free_bytes(device), _LARGEST_BUDGET[device.type])
    tile = [max(SMALLEST, -(-n // STEP) * STEP) for n in size]
    each = bytes_a_voxel(trained)
    while np.prod(tile, dtype=float) * each > budget and max(tile) > SMALLEST:
        tile = _smaller(tile)
    return TilePlan(tuple(tile), int(np.prod(tile, dtype=float) * each))


def _smaller(tile: list[int] | tuple[int, ...]) -> list[int]:
    longest = int(np.argmax(tile))
    return [max(SMALLEST, -(-n // 2 // STEP) * STEP) if axis == longest else n for axis, n in enumerate(tile)]


def logits_of(trained: TrainedNetwork, hu: np.ndarray, device: torch.device, precision: torch.dtype, *,
              progress: Progress | None = None, tile: tuple[int, int, int] | None = None) -> torch.Tensor:
    """Logits (labels, z, y, x), float16 on the CPU, of HU (z, y, x) in the network's voxels.

    Where tiles overlap the nearer to a tile's middle counts more. When memory runs out, the tile is halved and the
    work begins again; `MemoryError` when it ran out with the smallest. Raises `Cancelled`.
    """
    progress = progress or Progress()
    trained.network.to(device, memory_format=torch.channels_last_3d).eval()
    sides = list(tile or plan_tiles(trained, hu.shape, device).tile)
    while True:
        try:
            return _tiled(trained, hu, sides, device, precision, progress)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if max(sides) <= SMALLEST:
                raise MemoryError("out of memory with the smallest tile of the network") from error
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        sides = _smaller(sides)


@torch.inference_mode()
def _tiled(trained, hu, sides, device, precision, progress) -> torch.Tensor:
    labels = trained.card.shape.labels
    places = list(itertools.product(*(_starts(n, side) for n, side in zip(hu.shape, sides))))
    total = torch.zeros((labels, *hu.shape), dtype=torch.float16)
    weight = torch.zeros(hu.shape, dtype=torch.float32)
    shares = {start: _weights(sides, start, hu.shape) for start in places}
    for share_start, share in shares.items():
        weight[_box(share_start, share.shape)] += share
    for done, start in enumerate(places):
        progress.report("network", done / len(places))
        share = shares[start]
        box = _box(start, share.shape)
        padded = np.full(sides, -1000.0, np.float32)
        padded[tuple(slice(0, n) for n in share.shape)] = hu[box]
        x = torch.from_numpy(windows(padded, trained.card.windows_hu))[None].to(
            device, memory_format=torch.channels_last_3d)
        with mixed(device, precision):
            out = trained.network(x)[0]
        out = out[:, :share.shape[0], :share.shape[1], :share.shape[2]].float().cpu()
        total[(slice(None), *box)] += (out * (share / weight[box])).half()
    progress.report("network", 1.0)
    return total


def _starts(size: int, side: int) -> list[int]:
    """First voxels of tiles that cover `size` voxels, evenly spread."""
    if size <= side:
        return [0]
    count = 1 + -(-(size - side) // (side - 2 * _OVERLAP)) if side > 2 * _OVERLAP else 1 + -(-(size - side) // SMALLEST)
    return [round(i * (size - side) / (count - 1)) for i in range(count)]


def _weights(sides, start, size) -> torch.Tensor:
    """Weight of each voxel of a tile: falling towards sides where other tiles go on, 1 elsewhere."""
    weight = torch.ones(())
    for axis, (side, first, n) in enumerate(zip(sides, start, size)):
        length = min(side, n - first)
        ramp = torch.ones(length)
        rise = torch.arange(1, min(_OVERLAP, length) + 1) / (_OVERLAP + 1)
        if first > 0:
            ramp[:len(rise)] = torch.minimum(ramp[:len(rise)], rise)
        if first + side < n:
            ramp[-len(rise):] = torch.minimum(ramp[-len(rise):], rise.flip(0))
        weight = weight * ramp.reshape([-1 if other == axis else 1 for other in range(3)])
    return weight


def _box(start: tuple[int, ...], size: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(first, first + n) for first, n in zip(start, size))
