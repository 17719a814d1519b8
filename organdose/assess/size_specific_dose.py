"""SSDE: CTDIvol for the size of the patient (AAPM reports 204, 220 and 293)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from organdose.errors import InputError
from organdose.resources import resource_path


@dataclass(frozen=True)
class SizeConversion:
    """f(D) = a exp(-b D) for diameters D in cm from `from_cm` to `to_cm`, relative to a CTDI phantom."""

    a: float
    b: float
    phantom_cm: float
    from_cm: float
    to_cm: float
    is_verified: bool
    source: str

    def factor(self, diameter_cm: np.ndarray) -> np.ndarray:
        """SSDE / CTDIvol; NaN for diameters the report has no factor for."""
        diameter_cm = np.asarray(diameter_cm, dtype=float)
        inside = (diameter_cm >= self.from_cm) & (diameter_cm <= self.to_cm)
        return np.where(inside, self.a * np.exp(-self.b * np.where(inside, diameter_cm, 0.0)), np.nan)


@cache
def coefficients() -> dict:
    """`Resources/dose_coefficients.json`."""
    return json.loads(resource_path("dose_coefficients.json").read_text(encoding="utf-8"))


def size_conversion(phantom_cm: float, region: str | None = None) -> SizeConversion:
    """The conversion for CTDIvol that refers to a phantom of 16 or 32 cm; that of AAPM 293 for heads.

    Raises `InputError` for another phantom.
    """
    kinds = {32.0: "body_32cm", 16.0: "head_16cm" if region == "head" else "body_16cm"}
    if phantom_cm not in kinds:
        raise InputError(f"no SSDE for a CTDI phantom of {phantom_cm:g} cm", mend="It is 16 or 32 cm.")
    return SizeConversion(**coefficients()["size_specific"][kinds[phantom_cm]])
