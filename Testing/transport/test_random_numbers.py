"""Random streams: uniform, independent of each other, the same every time."""

import numpy as np
from numba import njit
from scipy import stats

from organdose.transport.random_numbers import first_state, next_state, uniform


@njit
def numbers(seed, stream, history, count):
    values = np.empty(count)
    state = first_state(seed, stream, history)
    for k in range(count):
        state = next_state(state)
        values[k] = uniform(state)
    return values


@njit
def first_numbers(seed, stream, histories):
    values = np.empty(histories)
    for history in range(histories):
        values[history] = uniform(next_state(first_state(seed, stream, history)))
    return values


def test_numbers_of_a_stream_are_uniform():
    assert stats.kstest(numbers(1, 0, 0, 100_000), "uniform").pvalue > 1e-3


def test_first_numbers_of_neighbouring_histories_are_uniform_and_uncorrelated():
    values = first_numbers(1, 1, 100_000)
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.015


def test_emission_and_transport_streams_are_uncorrelated():
    assert abs(np.corrcoef(first_numbers(1, 0, 100_000), first_numbers(1, 1, 100_000))[0, 1]) < 0.015


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    assert np.array_equal(numbers(5, 0, 7, 10), numbers(5, 0, 7, 10))
    assert not np.array_equal(numbers(5, 0, 7, 10), numbers(6, 0, 7, 10))


def test_zero_never_occurs():
    assert numbers(2, 0, 0, 100_000).min() > 0
