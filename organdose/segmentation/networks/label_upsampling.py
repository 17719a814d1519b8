"""Logits on the network's voxels -> labels on those of the CT, a slice at a time: memory stays that of a slice."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import grid_sample

from organdose.progress import Progress

_UNLIKELY = -6.0  # logits this far below the best everywhere in two slices cannot win between them


@torch.inference_mode()
def labels_on_slices(logits: torch.Tensor, places: tuple[np.ndarray, np.ndarray, np.ndarray],
                     progress: Progress | None = None) -> np.ndarray:
    """uint8 labels at the crossings of three axes `places` (z, y, x), given as voxel numbers of `logits`.

    `logits` (labels, z, y, x) float16. Linear between voxels, so that surfaces lie between them too; beyond the ends
    the last voxel counts. Labels that cannot win in a slice are left out of its work.
    """
    progress = progress or Progress()
    z_places, y_places, x_places = (np.asarray(p, dtype=np.float64) for p in places)
    size = logits.shape[1:]
    labels = np.zeros((len(z_places), len(y_places), len(x_places)), dtype=np.uint8)
    grid = _plane_grid(y_places, x_places, size[1:])
    kept: dict[int, torch.Tensor] = {}
    for k, z in enumerate(np.clip(z_places, 0, size[0] - 1)):
        if k % 16 == 0:
            progress.report("masks on the CT", k / len(z_places))
        low = min(int(z), max(size[0] - 2, 0))
        high = min(low + 1, size[0] - 1)
        pair = logits[:, low:high + 1].float()
        share = float(z - low)
        plane = pair[:, 0] if share == 0 else (1 - share) * pair[:, 0] + share * pair[:, -1]
        chosen = _that_can_win(pair, kept, (low, high))
        fine = grid_sample(plane[chosen][None], grid, mode="bilinear", padding_mode="border", align_corners=True)[0]
        labels[k] = chosen.to(torch.uint8)[fine.argmax(dim=0)].numpy()
    return labels


def _that_can_win(pair: torch.Tensor, kept: dict, key: object) -> torch.Tensor:
    """Numbers of the labels that come near the best one somewhere in two slices."""
    if key not in kept:
        kept.clear()
        behind = pair - pair.amax(dim=0, keepdim=True)
        kept[key] = torch.nonzero(behind.amax(dim=(1, 2, 3)) > _UNLIKELY)[:, 0]
    return kept[key]


def _plane_grid(y_places: np.ndarray, x_places: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Sampling places as torch wants them: (1, y, x, 2), from -1 to 1 between the first and the last voxel."""
    y, x = (torch.from_numpy(2 * p / max(n - 1, 1) - 1).float() for p, n in zip((y_places, x_places), size))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]
