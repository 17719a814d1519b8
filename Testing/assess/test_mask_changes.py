"""The copy of masks becomes equal to them, and every voxel that changed lies in a box that was told."""

import numpy as np
import pytest

from organdose.assess import mask_changes
from organdose.assess.boxes import box_of
from organdose.assess.mask_changes import KeptMasks
from organdose.errors import InputError

SHAPE = (12, 14, 16)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(mask_changes, "_SLAB_VOXELS", 500)


@pytest.fixture
def drawn(drawing):
    """Liver and spleen in one layer, body in another."""
    layers = np.zeros((2, *SHAPE), np.uint8)
    layers[0, 2:7, 3:8, 4:9] = 1
    layers[0, 8:10, 3:8, 10:14] = 2
    layers[1, :, 1:13, 1:15] = 1
    return drawing(list(layers), {"liver": (0, 1), "spleen": (0, 2), "body": (1, 1)})


def _follow(kept, drawing):
    """Changes of each organ, by name."""
    mark = kept.mark
    steps = list(kept.follow(drawing))
    for name, (layer, value) in drawing.segments.items():
        whole = np.zeros(SHAPE, np.uint8)
        labels, corner = drawing.layer(layer)
        whole[tuple(slice(c, c + n) for c, n in zip(corner, labels.shape))] = labels
        place, kept_value = kept.segments[name]
        assert np.array_equal(kept.layers[place] == kept_value, whole == value)
        assert kept.boxes.get(name) == box_of(whole == value)
    return kept.changes_since(mark), len(steps)


@pytest.fixture
def kept(drawn):
    kept = KeptMasks(SHAPE)
    _follow(kept, drawn)
    return kept


def test_the_first_time_everything_is_new(drawn):
    changes, steps = _follow(KeptMasks(SHAPE), drawn)
    assert changes == {"liver": (slice(2, 7), slice(3, 8), slice(4, 9)),
                       "spleen": (slice(8, 10), slice(3, 8), slice(10, 14)),
                       "body": (slice(0, 12), slice(1, 13), slice(1, 15))}
    assert steps > 2


def test_what_is_not_stamped_anew_is_not_even_looked_at(kept, drawn, monkeypatch):
    monkeypatch.setattr(drawn, "layer", None)
    assert list(kept.follow(drawn)) == []


def test_paint_is_a_change_of_the_organ_and_of_what_it_covers(kept, drawn):
    drawn.layers[0][7:9, 5, 9:11] = 1
    changes, _ = _follow(kept, drawn)
    assert changes == {"liver": (slice(7, 9), slice(5, 6), slice(9, 11)),
                       "spleen": (slice(8, 9), slice(5, 6), slice(10, 11))}


def test_an_organ_that_shrinks_gets_a_smaller_box(kept, drawn):
    drawn.layers[0][2:4, 3:8, 4:9] = 0
    changes, _ = _follow(kept, drawn)
    assert set(changes) == {"liver"}
    assert kept.boxes["liver"][0] == slice(4, 7)


def test_an_organ_that_vanishes_has_no_box(kept, drawn):
    drawn.layers[0][drawn.layers[0] == 2] = 0
    _follow(kept, drawn)
    assert "spleen" not in kept.boxes and "spleen" in kept.segments


def test_undo_and_other_layer_objects_with_the_same_labels_are_no_change(kept, drawn, drawing):
    again = drawing([layer.copy() for layer in drawn.layers[::-1]],
                    {"body": (0, 1), "liver": (1, 1), "spleen": (1, 2)})
    changes, _ = _follow(kept, again)
    assert changes == {}


def test_new_label_values_alone_are_no_change(kept, drawn):
    drawn.layers[0][...] = np.array([0, 200, 100], np.uint8)[drawn.layers[0]]
    drawn.segments = {"liver": (0, 200), "spleen": (0, 100), "body": (1, 1)}
    changes, _ = _follow(kept, drawn)
    assert changes == {}


def test_swapped_names_are_changes_of_both(kept, drawn):
    drawn.segments = {"liver": (0, 2), "spleen": (0, 1), "body": (1, 1)}
    changes, _ = _follow(kept, drawn)
    assert set(changes) == {"liver", "spleen"}


def test_a_removed_organ_is_told_with_its_last_box(kept, drawn):
    box = kept.boxes["spleen"]
    del drawn.segments["spleen"]
    drawn.layers[0][drawn.layers[0] == 2] = 0
    changes, _ = _follow(kept, drawn)
    assert changes == {"spleen": box}


def test_a_layer_that_goes_takes_its_organs_with_it(kept, drawn):
    del drawn.layers[0], drawn.segments["liver"], drawn.segments["spleen"]
    drawn.segments["body"] = (0, 1)
    changes, _ = _follow(kept, drawn)
    assert set(changes) == {"liver", "spleen"}
    assert len(kept.layers) == 1


def test_a_label_without_a_segment_gets_one(kept, drawn):
    drawn.layers[0][0, 0, 0:3] = 9
    assert _follow(kept, drawn)[0] == {}
    drawn.segments["tumour"] = (0, 9)
    assert _follow(kept, drawn)[0] == {"tumour": (slice(0, 1), slice(0, 1), slice(0, 3))}


def test_an_empty_label_map_holds_nothing(kept, drawn):
    drawn.layers.append(np.zeros((0, 0, 0), np.uint8))
    drawn.corners.append((0, 0, 0))
    drawn.segments["tumour"] = (2, 1)
    assert _follow(kept, drawn)[0] == {}


def test_a_label_map_that_shrinks_or_moves_is_zero_elsewhere(kept, drawn):
    drawn.layers[0], drawn.corners[0] = drawn.layers[0][4:11, 2:9, 3:15].copy(), (4, 2, 3)
    assert _follow(kept, drawn)[0] == {"liver": (slice(2, 4), slice(3, 8), slice(4, 9))}
    drawn.corners[0] = (3, 2, 3)
    assert set(_follow(kept, drawn)[0]) == {"liver", "spleen"}


def test_a_change_between_two_steps_is_found_the_next_time(kept, drawn):
    drawn.layers[0][2, 4, 4] = 0
    steps = kept.follow(drawn)
    next(steps)
    drawn.layers[0][0, 0, 0] = 1
    for _ in steps:
        pass
    _follow(kept, drawn)
    assert kept.layers[0][0, 0, 0] == 1


def test_steps_that_are_not_taken_are_taken_later_by_whoever_follows(kept, drawn):
    mark = kept.mark
    drawn.layers[0][[2, 6], 4, 4] = 0
    drawn.layers[1][11, 2, 2] = 0
    first, second = kept.follow(drawn), kept.follow(drawn)
    next(first)
    next(second)
    first.close()
    for _ in second:
        pass
    _follow(kept, drawn)
    assert set(kept.changes_since(mark)) == {"liver", "body"}


def test_what_could_not_be_read_is_read_again(kept, drawn, monkeypatch):
    drawn.layers[0][2, 4, 4] = 0

    def fails(index):
        raise InputError("too many labels")

    with monkeypatch.context() as patch:
        patch.setattr(drawn, "layer", fails)
        for _ in range(2):
            with pytest.raises(InputError):
                list(kept.follow(drawn))
    assert set(_follow(kept, drawn)[0]) == {"liver"}
