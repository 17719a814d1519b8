"""Energy in shells shared between voxels: against direct sampling and analytic integrals."""

import math

import numpy as np
import pytest

from organdose.nuclear.kernel_monte_carlo import whole
from organdose.nuclear.photon_voxels import far_octant, near_shape, shell_shares
from organdose.nuclear.radial_photons import SHELL_EDGES_MM, SHELLS


def attenuated(per_mm: float) -> np.ndarray:
    """First collisions around a point: exp(-mu r) integrated over each shell."""
    return np.exp(-per_mm * SHELL_EDGES_MM[:-1]) - np.exp(-per_mm * SHELL_EDGES_MM[1:])


@pytest.mark.parametrize("voxel_mm", [(4.0, 4.0, 4.0), (2.0, 3.0, 6.0)])
def test_every_shell_is_shared_out_completely(voxel_mm):
    shape = near_shape(voxel_mm, (60, 60, 60))
    shares = shell_shares(voxel_mm, shape)
    within = SHELL_EDGES_MM[1:] < min(size * (n - 2) for size, n in zip(voxel_mm[::-1], shape))
    sums = np.array([whole(column.reshape(shape)) for column in shares.T])
    assert sums[:][within] == pytest.approx(1.0, abs=1e-12)


def test_near_voxels_get_what_sampled_decays_and_collisions_give_them():
    random, count, voxel = np.random.default_rng(3), 2_000_000, np.array([2.0, 3.0, 5.0])  # x, y, z
    decay = (random.random((count, 3)) - 0.5) * voxel
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    voxels = np.rint((decay + direction * random.exponential(1 / 0.05, count)[:, None]) / voxel).astype(int)
    near = (shell_shares(tuple(voxel), (3, 3, 3)) @ attenuated(0.05)).reshape(3, 3, 3)
    for x, y, z in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (2, 1, 0)):
        hits = np.all(np.abs(voxels) == (x, y, z), axis=1).sum() / count
        images = 2 ** np.count_nonzero((x, y, z))
        assert near[z, y, x] * images == pytest.approx(hits, abs=5 * math.sqrt(hits / count), rel=0.002)


@pytest.mark.parametrize("voxel_mm", [(4.0, 4.0, 4.0), (2.0, 2.0, 6.0)])
def test_far_voxels_take_over_where_near_ones_end(voxel_mm):
    shells, counts = attenuated(0.01), (12, 14, 15)
    far = far_octant(shells, voxel_mm, counts)
    near = (shell_shares(voxel_mm, counts) @ shells).reshape(counts)
    z, y, x = np.indices(counts) * np.array(voxel_mm[::-1])[:, None, None, None]
    distance = np.sqrt(x**2 + y**2 + z**2)
    edge = (distance > 4 * max(voxel_mm)) & (distance < 6 * max(voxel_mm))
    assert np.median(np.abs(far[edge] / near[edge] - 1)) < 0.01
    assert far[edge].sum() == pytest.approx(near[edge].sum(), rel=0.003)


def test_far_away_it_is_the_density_at_the_distance():
    octant = far_octant(attenuated(0.01), (2.0, 2.0, 2.0), (60, 2, 2))
    exact = 0.01 * math.exp(-0.01 * 100.0) / (4 * math.pi * 100.0**2) * 8.0
    assert octant[50, 0, 0] == pytest.approx(exact, rel=0.002)
    assert np.all(np.diff(octant[5:, 0, 0]) < 0)


def test_no_photons_leave_no_energy():
    assert np.all(far_octant(np.zeros(SHELLS), (4.0, 4.0, 4.0), (5, 5, 5)) == 0)
