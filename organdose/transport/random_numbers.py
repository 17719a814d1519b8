"""Random numbers that depend only on (seed, history, place in the history), never on threads or their order.

Each history owns a stream of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a counter times an odd constant, scrambled.
The streams start at scrambled hashes of seed and history number, 2^64 states apart on average.
"""

import numpy as np
from numba import uint64

from organdose.transport.compiled import scalar_function

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_STREAM = np.uint64(0xD1342543DE82EF95)
_S30, _S27, _S31, _S11, _S32 = (np.uint64(n) for n in (30, 27, 31, 11, 32))
_LOW_HALF = np.uint64(0xFFFFFFFF)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53
_HALF_TO_UNIT = 1.0 / 4294967296.0  # 2^-32


@scalar_function
def _mix(z):
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@scalar_function
def first_state(seed, stream, history):
    """State (uint64) at the start of one history; `stream` keeps emission and transport apart."""
    return _mix(_mix(uint64(seed) + _GOLDEN * uint64(stream + 1)) ^ (uint64(history) * _STREAM + _GOLDEN))


@scalar_function
def next_state(state):
    return state + _GOLDEN


@scalar_function
def uniform(state):
    """The number in (0, 1) that belongs to a state; never 0, so that its logarithm exists."""
    return (float(_mix(state) >> _S11) + 0.5) * _TO_UNIT


@scalar_function
def uniform_pair(state):
    """Two numbers in (0, 1) of 32 bits each from one state: enough for a flight length (up to 22 mean free paths) or a
    choice, at half the price."""
    bits = _mix(state)
    return (float(bits >> _S32) + 0.5) * _HALF_TO_UNIT, (float(bits & _LOW_HALF) + 0.5) * _HALF_TO_UNIT
