"""The scale of a map of differences, the same for pictures and scene."""

from __future__ import annotations

import math

import numpy as np

_NICE_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


def symmetric_limit(values: np.ndarray) -> float:
    """A round figure not below the 99th percentile of |values|: single voxels do not dim the rest. 1 for none."""
    high = float(np.percentile(np.abs(values), 99)) if values.size else 0.0
    if not high > 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(high))
    return decade * next(step for step in _NICE_STEPS if step * decade >= high * (1 - 1e-6))
