"""Outlines of masks in a slice: every hole is part of the polygon around it."""

import numpy as np
import pytest
from matplotlib.path import Path as Polygon
from scipy import ndimage
from skimage.draw import polygon2mask

from organdose.export.slice_outlines import slice_outlines


def filled_by_matplotlib(outlines, shape):
    y, x = np.mgrid[:shape[0], :shape[1]]
    centres = np.column_stack([x.ravel(), y.ravel()])
    return [Polygon(np.vstack([line, line[:1]])).contains_points(centres).reshape(shape) for line in outlines]


def filled_by_skimage(outlines, shape):
    return [polygon2mask(shape, line[:, ::-1]) for line in outlines]


def area(line):
    """Shoelace formula."""
    x, y = line.T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def masks():
    random = np.random.default_rng(3)
    for density in (0.3, 0.5, 0.7, 0.9):
        yield random.random((24, 31)) < density
    yield ndimage.gaussian_filter(random.random((60, 60)), 2) > 0.5
    ring = np.zeros((20, 20), bool)
    ring[2:18, 2:18], ring[5:15, 5:15], ring[8:12, 8:12], ring[9:11, 9:11] = True, False, True, False
    yield ring
    row = np.ones((9, 20), bool)
    row[4, 2:19:4] = False  # holes that begin at one height, one after the other
    row[3:6, 8:11] = False
    yield row


@pytest.mark.parametrize("fill", [filled_by_matplotlib, filled_by_skimage])
@pytest.mark.parametrize("mask", list(masks()))
def test_whether_readers_join_by_or_or_by_exclusive_or_the_mask_comes_back(mask, fill):
    parts = fill(slice_outlines(mask), mask.shape)
    assert np.array_equal(np.logical_or.reduce(parts), mask)
    assert np.array_equal(np.logical_xor.reduce(parts), mask)


@pytest.mark.parametrize("mask", list(masks()))
def test_each_part_is_one_polygon_and_no_point_stands_twice_in_a_row(mask):
    outlines = slice_outlines(mask)
    assert ndimage.label(mask, np.ones((3, 3)))[1] <= len(outlines) <= ndimage.label(mask)[1]
    for line in outlines:
        assert len(line) >= 4 and (line != np.roll(line, 1, axis=0)).any(axis=1).all()


def test_a_channel_has_no_area():
    ring = np.zeros((20, 20), bool)
    ring[2:18, 2:18], ring[5:15, 5:15] = True, False
    line, = slice_outlines(ring)
    # Squares of 16 and 10 pixels between centres, the outer one with its corners cut, the hole with its own: 4 x 1/8.
    assert area(line) == pytest.approx((16**2 - 0.5) - (10**2 - 0.5))


def test_a_rectangle_is_its_corners():
    mask = np.zeros((20, 30), bool)
    mask[5:10, 8:20] = True
    line, = slice_outlines(mask)
    assert len(line) == 8 and line.min(axis=0).tolist() == [7.5, 4.5]


def test_a_mask_up_to_the_edge_is_closed_half_a_pixel_beyond_it():
    line, = slice_outlines(np.ones((4, 6), bool))
    assert line.min(axis=0).tolist() == [-0.5, -0.5] and line.max(axis=0).tolist() == [5.5, 3.5]


def test_nothing_has_no_outline():
    assert slice_outlines(np.zeros((5, 5), bool)) == []
