"""Overlap of fine and coarse voxels: lengths that lose nothing."""

import numpy as np
import pytest

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix


def test_edges_lie_half_a_voxel_beside_the_centres():
    assert axis_edges_mm(10.0, 4.0, 3).tolist() == [8.0, 12.0, 16.0, 20.0]


def test_lengths_worked_out_by_hand():
    lengths = overlap_matrix(np.array([0.0, 2.0, 4.0, 6.0]), np.array([0.0, 3.0, 6.0])).toarray()
    assert lengths.tolist() == [[2, 1, 0], [0, 1, 2]]


def test_fine_voxels_may_be_larger_than_coarse_ones():
    lengths = overlap_matrix(np.array([0.0, 10.0]), np.array([-1.0, 1.0, 4.0, 11.0])).toarray()
    assert lengths.tolist() == [[1], [3], [6]]


def test_what_lies_outside_does_not_count():
    lengths = overlap_matrix(np.array([-5.0, -1.0, 3.0, 9.0, 20.0]), np.array([0.0, 4.0, 8.0])).toarray()
    assert lengths.tolist() == [[0, 3, 1, 0], [0, 0, 4, 0]]


def test_voxels_apart_have_nothing_in_common():
    matrix = overlap_matrix(np.array([0.0, 1.0]), np.array([5.0, 6.0]))
    assert matrix.shape == (1, 1) and matrix.nnz == 0


@pytest.mark.parametrize("seed", range(5))
def test_no_length_is_lost_or_made_and_all_agree_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    fine = np.cumsum(rng.uniform(0.1, 3, 40)) + rng.uniform(-5, 0)
    coarse = np.cumsum(rng.uniform(0.1, 7, 15)) + rng.uniform(-5, 5)
    matrix = overlap_matrix(fine, coarse)
    expected = np.clip(np.minimum(fine[None, 1:], coarse[1:, None])
                       - np.maximum(fine[None, :-1], coarse[:-1, None]), 0, None)
    assert matrix.toarray() == pytest.approx(expected)
    common_mm = min(fine[-1], coarse[-1]) - max(fine[0], coarse[0])
    assert matrix.sum() == pytest.approx(common_mm)
