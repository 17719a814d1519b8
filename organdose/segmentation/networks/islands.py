"""Small parts of an organ apart from its main part: a network's stray voxels."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

SEVERAL_PARTS = ("body", "bones", "small_bowel", "colon", "lungs", "kidneys", "femoral_heads", "gi_tract")
_NEVER = -1e4  # finite, so that it can be interpolated
_LEAST_SHARE = 0.2  # of the largest part


@torch.inference_mode()
def without_islands(logits: torch.Tensor, organs: tuple[str, ...]) -> None:
    """Take an organ out of the choice, in place, where it would form a part smaller than a fifth of its largest one.

    `logits` (labels, z, y, x). Organs that come in several parts are left alone. The voxels around an island count
    with it, so that nothing of it is left between voxels.
    """
    labels = logits.argmax(dim=0).numpy().astype(np.uint8)
    boxes = ndimage.find_objects(labels, max_label=len(organs))
    for value, (name, box) in enumerate(zip(organs, boxes), start=1):
        if box is None or name in SEVERAL_PARTS:
            continue
        box = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
        parts, count = ndimage.label(labels[box] == value)
        if count < 2:
            continue
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        small = sizes < _LEAST_SHARE * sizes.max()
        small[0] = False
        islands = ndimage.binary_dilation(small[parts]) & (parts != int(sizes.argmax()))
        logits[value][box][torch.from_numpy(islands)] = _NEVER
