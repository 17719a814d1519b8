"""Convolution with mirrored kernels against the definition and against SciPy's own."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from organdose.errors import InputError
from organdose.nuclear.kernel_convolution import convolved
from organdose.nuclear.voxel_kernels import mirrored


@pytest.mark.parametrize(("shape", "octant"), [((7, 8, 9), (3, 2, 4)), ((5, 4, 6), (9, 4, 8)), ((1, 1, 6), (2, 2, 3)),
                                               ((12, 3, 5), (1, 1, 1)), ((9, 10, 11), (9, 10, 11))])
def test_it_is_what_scipy_gives_for_the_whole_kernel(shape, octant):
    random = np.random.default_rng(1)
    source, kernel = random.random(shape), random.random(octant)
    (got,) = convolved(source, [kernel])
    # 'same' of SciPy is cut to the middle of the full result, whose source begins at the kernel's middle.
    full = fftconvolve(source, mirrored(kernel), mode="full")
    inside = tuple(slice(n - 1, n - 1 + m) for n, m in zip(octant, shape))
    assert got == pytest.approx(full[inside], abs=1e-12)


def test_several_kernels_share_one_transform_and_do_not_disturb_each_other():
    random = np.random.default_rng(2)
    source, kernels = random.random((6, 7, 8)), [random.random((4, 4, 4)) for _ in range(3)]
    together = list(convolved(source, kernels))
    for kernel, result in zip(kernels, together):
        (alone,) = convolved(source, [kernel])
        assert result == pytest.approx(alone, abs=1e-12)


def test_a_point_gives_the_kernel_back_over_ten_orders_of_magnitude():
    source = np.zeros((21, 21, 21), np.float32)
    kernel = 10.0 ** -np.linspace(0, 10, 11)[:, None, None] * np.ones((11, 11, 11))
    source[10, 10, 10] = 1.0
    (got,) = convolved(source, [kernel])
    assert got[10:, 10, 10] == pytest.approx(kernel[:, 0, 0], rel=1e-4)


def test_nothing_comes_round_the_edge():
    source = np.zeros((10, 10, 10))
    source[0, 0, 0] = 1.0
    (got,) = convolved(source, [np.ones((4, 4, 4))])
    assert got[4:].max() < 1e-14 and got[:, 4:].max() < 1e-14
    assert got[:4, :4, :4] == pytest.approx(1.0)


@pytest.mark.parametrize(("source", "octant"), [(np.zeros((3, 3)), np.ones((2, 2, 2))),
                                                (np.zeros((3, 3, 3)), np.ones(3))])
def test_other_dimensions_are_refused(source, octant):
    with pytest.raises(InputError, match="dimensions"):
        list(convolved(source, [octant]))
