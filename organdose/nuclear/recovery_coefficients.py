"""Partial volume: how much of a small object's activity an image shows, from measured spheres."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organdose.errors import InputError


@dataclass(frozen=True)
class Recovery:
    """The recovery coefficient (measured over true activity) of one object, its standard uncertainty (NaN: not known).

    `is_extrapolated`: the object is smaller or larger than every sphere, and the nearest sphere's value was taken.
    """

    coefficient: float
    uncertainty: float
    is_extrapolated: bool
    note: str


@dataclass(frozen=True)
class RecoveryTable:
    """Recovery coefficients of spheres: diameters (mm, rising), coefficients, uncertainties (NaN: not known)."""

    title: str
    source: str
    diameter_mm: np.ndarray
    coefficient: np.ndarray
    uncertainty: np.ndarray

    def at_volume(self, volume_ml: float) -> Recovery:
        """For an object of that volume, taken for a sphere: straight lines between the diameters of the table.

        Raises `InputError` for a volume that is not above zero.
        """
        if not (math.isfinite(volume_ml) and volume_ml > 0):
            raise InputError(f"recovery of a volume of {volume_ml} mL", mend="Give a volume above zero.")
        diameter_mm = sphere_diameter_mm(volume_ml)
        coefficient = float(np.interp(diameter_mm, self.diameter_mm, self.coefficient))
        uncertainty = float(np.interp(diameter_mm, self.diameter_mm, self.uncertainty))
        first_mm, last_mm = self.diameter_mm[[0, -1]]
        outside = not first_mm - 1e-6 <= diameter_mm <= last_mm + 1e-6
        note = (f"Recovery {coefficient:.3g} for a sphere of {volume_ml:.3g} mL ({diameter_mm:.3g} mm), "
                f"from {self.title} ({self.source}).")
        if outside:
            note += f" Outside the table ({first_mm:.3g} to {last_mm:.3g} mm): the nearest sphere's value was taken."
        return Recovery(coefficient, uncertainty, outside, note)


def corrected(activity: np.ndarray, uncertainty: np.ndarray | None, recovery: Recovery
              ) -> tuple[np.ndarray, np.ndarray | None]:
    """Activity of an object, and its standard uncertainty, over its recovery coefficient; any shape, any unit.

    The coefficient's uncertainty is added in squares where both are known. It is common to all time points of an
    object: for these `time_activity_curves` adds it once, to the integral.
    """
    value = np.asarray(activity) / recovery.coefficient
    if uncertainty is None:
        return value, None
    common = 0.0 if math.isnan(recovery.uncertainty) else recovery.uncertainty / recovery.coefficient
    return value, np.hypot(np.asarray(uncertainty) / recovery.coefficient, common * value)


def sphere_diameter_mm(volume_ml: float) -> float:
    return 10 * (6 * volume_ml / math.pi) ** (1 / 3)


def read_recovery_table(path: Path) -> RecoveryTable:
    """Read a table from JSON: {"title", "source", "spheres": [{"diameter_mm" or "volume_ml", "recovery", "uncertainty"
    (optional)}, ...]}. Raises `InputError` with what is wrong in the file."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        spheres = sorted((_sphere(row) for row in data["spheres"]), key=lambda row: row[0])
        title, source = str(data["title"]), str(data["source"]).strip()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"not a table of recovery coefficients ({error!r})", where=path,
                         mend='It needs "title", "source" and "spheres" (see docs/time-activity.md).') from error
    if not source:
        raise InputError("the table does not say where it comes from", where=path, mend='Fill in "source".')
    if not spheres:
        raise InputError("the table has no spheres", where=path, mend="Give at least one.")
    diameter_mm, coefficient, uncertainty = np.array(spheres, dtype=float).T
    if not np.all(diameter_mm > 0) or not np.all(np.isfinite(diameter_mm)) or np.any(np.diff(diameter_mm) <= 0):
        raise InputError("sphere sizes must be above zero, each once", where=path, mend="Correct the spheres.")
    if not np.all((coefficient > 0) & (coefficient <= 2)) or np.any(uncertainty < 0):
        raise InputError("recovery coefficients must lie above 0, up to 2, uncertainties not below 0", where=path,
                         mend="Give fractions, not percent.")
    return RecoveryTable(title, source, diameter_mm, coefficient, uncertainty)


def _sphere(row: dict) -> tuple[float, float, float]:
    if ("diameter_mm" in row) == ("volume_ml" in row):
        raise ValueError("a sphere needs either diameter_mm or volume_ml")
    diameter_mm = float(row["diameter_mm"]) if "diameter_mm" in row else sphere_diameter_mm(float(row["volume_ml"]))
    return diameter_mm, float(row["recovery"]), float(row.get("uncertainty", math.nan))
