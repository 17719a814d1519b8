"""The headers of a CT series asked fact by fact: one value a slice, one for the scan, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from organdose.study.facts import Fact, Origin
from organdose.study.header_values import number


class HeaderSlices:
    """The headers of the slices from feet to head; what is odd about them gathers in `warnings`."""

    def __init__(self, headers: Sequence[Dataset]):
        self.headers = headers
        self.warnings: list[str] = []

    def each(self, *sources: tuple[str, float]) -> np.ndarray | None:
        """Positive values, one a slice, from the first of `sources` (keyword, factor to our unit) that all slices have.

        Scanners write 0 for what they do not know, so 0 counts as absent.
        """
        for keyword, factor in sources:
            found = [number(header, keyword) for header in self.headers]
            given = sum(value is not None and value > 0 for value in found)
            if given == len(found):
                return np.array(found) * factor
            if given:
                self.warn(f"{keyword} stands in {given} of {len(found)} slices only: not used")
        return None

    def per_slice(self, *sources: tuple[str, float]) -> Fact[tuple[float, ...]] | None:
        values = self.each(*sources)
        return None if values is None else Fact(collapsed(values), Origin.header)

    def one(self, keyword: str, unit: str = "", factor: float = 1.0) -> Fact[float] | None:
        """A positive value that holds for the whole scan; one that changes from slice to slice is not used."""
        values = self.each((keyword, factor))
        if values is None:
            return None
        if np.ptp(values) > 1e-3 * values.max():
            self.warn(f"{keyword} changes between slices, from {values.min():g} to {values.max():g} {unit}".rstrip()
                      + ": not used")
            return None
        return Fact(float(values[0]), Origin.header)

    def common(self, what: str, read: Callable[[Dataset], object]) -> Fact | None:
        """What `read` finds in every header, if they agree."""
        found = {read(header) for header in self.headers} - {None, ""}
        if len(found) > 1:
            self.warn(f"{what} changes between slices: not used")
        return Fact(found.pop(), Origin.header) if len(found) == 1 else None

    def warn(self, line: str) -> None:
        """Keep a line, once: the same tag is asked for more than one fact."""
        if line not in self.warnings:
            self.warnings.append(line)


def collapsed(values: np.ndarray) -> tuple[float, ...]:
    """One value where all slices have the same, else one a slice."""
    listed = tuple(float(value) for value in values)
    return listed[:1] if len(set(listed)) == 1 else listed
