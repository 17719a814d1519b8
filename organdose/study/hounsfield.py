"""What can be Hounsfield units and what cannot."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from organdose.errors import InputError

AIR_HU = -1024
# Below this no reconstruction of a body goes, noise included: scanners write -2000, -2048, -3024 or -8192 outside the
# reconstruction circle.
_OUTSIDE_HU = -1500
_LARGEST_HU = 32767
_DENSEST_MUST_EXCEED_HU = -200
_SMALLEST_SPAN_HU = 100


def outside_becomes_air(hu: np.ndarray) -> None:
    """Set values no reconstruction yields (the filling outside its circle) to air, in place."""
    hu[hu < _OUTSIDE_HU] = AIR_HU


def check_hounsfield(smallest: float, largest: float, where: Path) -> None:
    """Raises `InputError` when a CT with these extreme values (air filled in outside) cannot be in HU."""
    mend = "Give a CT in Hounsfield units (air -1000, water 0)."
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        raise InputError("the image holds values that are no numbers (NaN or infinite)", where=where, mend=mend)
    found = f"the values go from {smallest:g} to {largest:g}"
    if largest > _LARGEST_HU:
        raise InputError(f"{found}: too large for HU", where=where, mend=mend)
    if largest - smallest < _SMALLEST_SPAN_HU:
        raise InputError(f"{found}: an image in HU spans hundreds; this one is blank or in other units",
                         where=where, mend=mend)
    if smallest >= 0:
        raise InputError(f"{found}: there is no air, so they are not HU (was an offset of 1000 or 1024 lost?)",
                         where=where, mend=mend)
    if largest <= _DENSEST_MUST_EXCEED_HU:
        raise InputError(f"{found}: nothing is as dense as tissue", where=where, mend=mend)
