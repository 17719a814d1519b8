"""Work that windows do in steps, done in one go."""

from __future__ import annotations

from collections.abc import Generator


def at_once(steps: Generator) -> object:
    """Take all steps; gives what the generator returns. What it raises comes through."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
