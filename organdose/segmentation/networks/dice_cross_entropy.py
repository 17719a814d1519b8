"""The loss: soft Dice of every organ that is there, plus cross-entropy of every voxel."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy


def dice_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean of (1 - soft Dice) over the labels present in the batch, plus the mean cross-entropy.

    `logits` (batch, labels, z, y, x), `labels` (batch, z, y, x) of whole numbers. Soft Dice as in Milletari et al.
    (V-Net, 3DV 2016) but with sums instead of squares, over the whole batch. Nothing is expanded to one-hot volumes:
    these would be the largest arrays of the training.
    """
    count = logits.shape[1]
    flat = logits.float().permute(0, 2, 3, 4, 1).reshape(-1, count)
    target = labels.reshape(-1).long()
    probability = torch.softmax(flat, dim=1)
    right = probability.gather(1, target[:, None])[:, 0]
    zeros = flat.new_zeros(count)
    common = zeros.index_add(0, target, right)
    voxels = torch.bincount(target, minlength=count).to(flat.dtype)
    dice = 2 * common / (probability.sum(dim=0) + voxels).clamp_min(1e-6)
    return (1 - dice[voxels > 0]).mean() + cross_entropy(flat, target)


def supervised_loss(outputs: list[torch.Tensor], labels: torch.Tensor, *, deep: bool = True) -> torch.Tensor:
    """The loss of the full-size output plus, if `deep`, those of the coarser ones (weights 1/2, 1/4 ..., sum 1).

    Labels of a coarser scale are those of every second voxel.
    """
    if not deep:
        return dice_cross_entropy(outputs[0], labels)
    weights = [0.5**level for level in range(len(outputs))]
    total = outputs[0].new_zeros((), dtype=torch.float32)
    for level, (weight, output) in enumerate(zip(weights, outputs)):
        step = 2**level
        coarse = labels[:, ::step, ::step, ::step][:, :output.shape[2], :output.shape[3], :output.shape[4]]
        total = total + weight / sum(weights) * dice_cross_entropy(output, coarse)
    return total
