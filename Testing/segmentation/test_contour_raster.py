import numpy as np
import pytest

from organdose.segmentation.contour_raster import inside_contours


def circle(x, y, radius, points=720):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def test_a_disc_has_the_area_of_a_circle():
    inside = inside_contours([circle(50.3, 49.8, 30)], (100, 100))
    assert inside.sum() == pytest.approx(np.pi * 30**2, rel=0.005)
    y, x = np.mgrid[:100, :100]
    assert np.array_equal(inside, (x - 50.3) ** 2 + (y - 49.8) ** 2 < 30**2)


def test_a_contour_in_a_contour_is_a_hole_and_one_in_the_hole_an_island():
    inside = inside_contours([circle(50, 50, 40), circle(50, 50, 20), circle(50, 50, 5)], (100, 100))
    assert inside[50, 50] and not inside[50, 62] and inside[50, 80]


def test_a_keyhole_is_a_hole_and_its_channel_leaves_no_trace():
    outer, hole = circle(50.2, 50.2, 40), circle(50.2, 50.2, 20)[::-1]
    keyhole = np.vstack([outer, outer[:1], hole[-1:], hole])
    assert np.array_equal(inside_contours([keyhole], (100, 100)), inside_contours([outer, hole], (100, 100)))


def test_areas_that_share_an_edge_through_voxel_centres_neither_overlap_nor_leave_a_gap():
    left = np.array([[2, 2], [6, 2], [6, 8], [2, 8]], float)
    right = left + np.array([4, 0])
    one, other = inside_contours([left], (12, 12)), inside_contours([right], (12, 12))
    assert not (one & other).any()
    assert np.array_equal(one | other, inside_contours([np.array([[2, 2], [10, 2], [10, 8], [2, 8]], float)], (12, 12)))


def test_the_direction_of_a_contour_does_not_matter():
    assert np.array_equal(inside_contours([circle(20, 20, 9)], (40, 40)),
                          inside_contours([circle(20, 20, 9)[::-1]], (40, 40)))


def test_a_contour_beyond_the_image_fills_up_to_its_edge():
    assert inside_contours([np.array([[-5, -5], [50, -5], [50, 50], [-5, 50]], float)], (10, 12)).all()
