"""What a time integral says of each voxel or organ beside its number: bits of one byte."""

from __future__ import annotations

import numpy as np

SIMPLER_MODEL = 1
AT_PHYSICAL_DECAY = 2
NEGATIVE_TO_ZERO = 4
POINTS_LEFT_OUT = 8
NO_DATA = 16
EMPTY = 32
NOT_CONVERGED = 64

FLAG_MEANINGS = {
    SIMPLER_MODEL: "a simpler model than asked for, as the points do not determine more",
    AT_PHYSICAL_DECAY: "the slowest phase decays as the nuclide does: slower is not possible",
    NEGATIVE_TO_ZERO: "the integral would be negative and was set to zero",
    POINTS_LEFT_OUT: "time points without a usable activity were left out",
    NO_DATA: "no time point with a usable activity: the integral is not a number (NaN)",
    EMPTY: "every activity is zero",
    NOT_CONVERGED: "the fit was stopped before it settled",
}


def described(flag: int) -> str:
    """The meanings of one byte of flags, in one line; '' for the model as asked for."""
    return "; ".join(meaning for bit, meaning in FLAG_MEANINGS.items() if flag & bit)


def flag_counts(flags: np.ndarray) -> dict[int, int]:
    """How many elements carry each bit, without those that none carries."""
    counts = {bit: int(np.count_nonzero(flags & np.uint8(bit))) for bit in FLAG_MEANINGS}
    return {bit: count for bit, count in counts.items() if count}
