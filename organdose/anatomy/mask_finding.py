"""One thing that looks wrong, or needs a look, in the mask of an organ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`BAD`: the mask must not be used as it is. `CHECK`: look at it. `NOTE`: true and worth knowing."""

    BAD = "bad"
    CHECK = "check"
    NOTE = "note"


class FindingKind(StrEnum):
    """What was looked at; the values stand in tables."""

    MISSING = "missing"
    EMPTY = "empty"
    IMAGE_BORDER = "image border"
    CUT_FLAT = "cut flat"
    SEVERAL_PARTS = "several parts"
    HOLES = "holes"
    SIDE = "wrong side"
    VOLUME = "volume"
    OVERLAP = "overlap"
    HOUNSFIELD = "Hounsfield units"


@dataclass(frozen=True)
class Finding:
    """`reason` is one line with numbers; `place_mm` the point (LPS, mm) a viewer jumps to."""

    organ: str
    kind: FindingKind
    reason: str
    place_mm: tuple[float, float, float]
    severity: Severity

    @property
    def line(self) -> str:
        """The finding as a warning."""
        return f"{self.organ}: {self.reason}"
