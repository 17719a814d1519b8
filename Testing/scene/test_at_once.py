"""Work in steps, done in one go."""

import pytest

from organdose.errors import InputError
from organdose.scene.at_once import at_once


def test_what_the_steps_return_comes_back_after_all_of_them():
    taken = []

    def steps():
        for number in range(3):
            taken.append(number)
            yield number
        return "made"

    assert at_once(steps()) == "made"
    assert taken == [0, 1, 2]


def test_what_a_step_raises_comes_through():
    def steps():
        yield 0
        raise InputError("no dose")

    with pytest.raises(InputError, match="no dose"):
        at_once(steps())
