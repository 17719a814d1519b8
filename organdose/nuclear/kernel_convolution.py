"""Activity in voxels convolved with kernels that are mirror images of themselves, by Fourier transforms.

The transform of such a kernel is real, and a cosine transform of one octant gives all of it, for an eighth of the work
and memory. Double precision: single would leave rounding errors as large as the dose far from a hot spot.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft

from organdose.errors import InputError


def convolved(source: np.ndarray, octants: Iterable[np.ndarray], workers: int | None = None) -> Iterator[np.ndarray]:
    """`source` (z, y, x) convolved with one kernel after the other, float64 of the same shape, nothing from beyond it.

    `octants`: each kernel's octant (z, y, x), its middle first; parts that reach over all of the source are not used.
    The kernels of one call share one transform of the source. Raises `InputError` where an octant is not
    three-dimensional.
    """
    if source.ndim != 3:
        raise InputError(f"a source of {source.ndim} dimensions", mend="Give it as (z, y, x).")
    octants = list(octants)
    if any(octant.ndim != 3 for octant in octants):
        raise InputError("a kernel's octant must have three dimensions", mend="Give it as (z, y, x).")
    workers = workers or os.cpu_count() or 1
    reach = np.max([np.minimum(octant.shape, source.shape) for octant in octants], axis=0) - 1
    padded = tuple(_length(n + int(more)) for n, more in zip(source.shape, reach))
    spectrum = scipy.fft.rfftn(source.astype(np.float64, copy=False), padded, workers=workers)
    inside = tuple(slice(n) for n in source.shape)
    product = spectrum if len(octants) == 1 else np.empty_like(spectrum)
    for octant in octants:
        _multiply(spectrum, _even_transform(octant, padded, workers), product)
        yield scipy.fft.irfftn(product, padded, workers=workers, overwrite_x=True)[inside]


def _length(least: int) -> int:
    """An even length of at least `least`, and 2, that transforms fast."""
    length = max(2, least)
    while (length := scipy.fft.next_fast_len(length, real=True)) % 2:
        length += 1
    return length


def _even_transform(octant: np.ndarray, padded: tuple[int, int, int], workers: int) -> np.ndarray:
    """Fourier transform at frequencies 0 to half of each length; the rest are mirror images."""
    halves = tuple(n // 2 + 1 for n in padded)
    values = np.zeros(halves)
    held = tuple(slice(min(n, half)) for n, half in zip(octant.shape, halves))
    values[held] = octant[held]
    return scipy.fft.dctn(values, type=1, workers=workers, overwrite_x=True)


def _multiply(spectrum: np.ndarray, even: np.ndarray, product: np.ndarray) -> None:
    """`spectrum` (z, y, half of x) times the mirrored `even` into `product`, which may be the same."""
    depth, height = spectrum.shape[:2]
    rows = np.minimum(np.arange(height), height - np.arange(height))
    for k in range(depth):
        np.multiply(spectrum[k], even[min(k, depth - k)][rows], out=product[k])
