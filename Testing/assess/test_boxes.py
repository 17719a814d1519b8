import numpy as np

from organdose.assess.boxes import box_of, common, few, joined, moved, seen_from, slabs, voxels_in, whole

BOX = (slice(2, 5), slice(0, 4), slice(7, 9))


def test_the_box_of_a_mask_holds_its_voxels_and_no_empty_plane():
    mask = np.zeros((6, 7, 8), bool)
    assert box_of(mask) is None
    mask[2, 3, 4] = mask[4, 1, 4] = True
    assert box_of(mask) == (slice(2, 5), slice(1, 4), slice(4, 5))


def test_slabs_cover_the_box_once_in_rising_order():
    count = np.zeros((6, 7, 9), int)
    starts = []
    for slab in slabs(BOX, 10):
        count[slab] += 1
        starts.append(slab[0].start)
    assert (count[BOX] == 1).all() and count.sum() == voxels_in(BOX)
    assert starts == [2, 3, 4]
    assert list(slabs(BOX, 10**9)) == [BOX]


def test_boxes_apart_share_nothing():
    assert common(BOX, moved(BOX, (3, 0, 0))) is None
    assert common(BOX, moved(BOX, (2, 0, -1))) == (slice(4, 5), slice(0, 4), slice(7, 8))


def test_a_box_seen_from_a_corner_holds_the_same_voxels():
    values = np.arange(6 * 7 * 9).reshape(6, 7, 9)
    part = (slice(1, 6), slice(0, 5), slice(6, 9))
    assert np.array_equal(values[part][seen_from(BOX, (1, 0, 6))], values[BOX])


def test_only_boxes_that_share_most_voxels_are_joined():
    near, far = moved(BOX, (1, 0, 0)), moved(BOX, (40, 0, 0))
    assert few([BOX, far, near]) == [far, joined((BOX, near))]
    assert few([BOX, BOX]) == [BOX]
    assert few([whole((9, 9, 9)), BOX]) == [whole((9, 9, 9))]
