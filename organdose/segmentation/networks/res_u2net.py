"""Res-U2Net: a U of small residual U's in three dimensions, with an output at every scale.

The nested structure is that of U2-Net (Qin et al., Pattern Recognition 106 (2020) 107404) carried to volumes; each
block adds the outcome of its own small U to its input (residual). Convolution, normalisation and activation are
MONAI's.
"""

from __future__ import annotations

import torch
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn.functional import interpolate, max_pool3d

from organdose.segmentation.network_shape import NetworkShape


def conv(channels_in: int, channels_out: int, *, dilation: int = 1) -> Convolution:
    """3 x 3 x 3 convolution, batch normalisation, leaky ReLU; the size stays.

    Batch normalisation, because its statistics do not depend on the tile: a smaller tile gives the same answer.
    """
    return Convolution(3, channels_in, channels_out, kernel_size=3, dilation=dilation, adn_ordering="NA", norm="BATCH",
                       act=("LEAKYRELU", {"negative_slope": 0.01, "inplace": True}), bias=False)


class ResidualUBlock(nn.Module):
    """A small U of `depth` halvings inside, added to the block's input after one convolution.

    Input (batch, channels_in, z, y, x), output (batch, channels_out, z, y, x). Sides that do not halve evenly are met
    by interpolation.
    """

    def __init__(self, channels_in: int, middle: int, channels_out: int, depth: int):
        super().__init__()
        self.enter = conv(channels_in, channels_out)
        self.down = nn.ModuleList(conv(channels_out if level == 0 else middle, middle) for level in range(depth))
        self.bottom = conv(middle, middle, dilation=2)
        self.up = nn.ModuleList(conv(2 * middle, channels_out if level == 0 else middle) for level in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        entered = self.enter(x)
        kept, x = [], entered
        for level, step in enumerate(self.down):
            x = step(x if level == 0 else halved(x))
            kept.append(x)
        x = self.bottom(halved(x))
        for step, beside in zip(reversed(self.up), reversed(kept)):
            x = step(torch.cat([grown(x, beside), beside], dim=1))
        return entered + x


class ResU2Net(nn.Module):
    """The network: encoder and decoder of residual U-blocks, logits of every scale summed from coarse to fine.

    `forward` takes (batch, channels_in, z, y, x) and gives logits (batch, labels, z, y, x); in training it gives a list
    of logits, from full size to the coarsest, for deep supervision.
    """

    def __init__(self, shape: NetworkShape):
        super().__init__()
        self.shape = shape
        widths, depths = shape.widths, shape.inner_depths
        self.encoder = nn.ModuleList(
            ResidualUBlock(shape.channels_in if level == 0 else widths[level - 1], max(width // 2, 4), width, depth)
            for level, (width, depth) in enumerate(zip(widths, depths)))
        self.decoder = nn.ModuleList(
            ResidualUBlock(width + below, max(width // 2, 4), width, depth)
            for width, below, depth in zip(widths[:-1], widths[1:], depths[:-1]))
        self.heads = nn.ModuleList(nn.Conv3d(width, shape.labels, kernel_size=1) for width in widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        kept = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else halved(x))
            kept.append(x)
        logits = [self.heads[-1](x)]
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](torch.cat([grown(x, kept[level]), kept[level]], dim=1))
            logits.append(self.heads[level](x) + grown(logits[-1], x))
        return logits[::-1] if self.training else logits[-1]


def halved(x: torch.Tensor) -> torch.Tensor:
    """Largest value of each 2 x 2 x 2 voxels; an odd voxel at the end is kept."""
    return max_pool3d(x, 2, ceil_mode=True)


def grown(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """`x` brought to the size of `like`, nearest voxel."""
    return interpolate(x, size=like.shape[2:], mode="nearest")
