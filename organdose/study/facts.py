"""Acquisition facts: each value with its unit in the name and the place it came from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Generic, TypeVar

from organdose.errors import MissingFacts

T = TypeVar("T")


class Origin(StrEnum):
    """Where a fact came from; shown beside it in every table."""

    header = "header"
    protocol = "protocol"
    user = "user"
    derived = "derived"


@dataclass(frozen=True)
class Fact(Generic[T]):
    """One acquisition fact. `note` says how it was derived or what contradicts it."""

    value: T
    origin: Origin
    note: str = ""


EXPLANATIONS = {
    "tube_voltage_kv": "peak tube voltage in kV, for example 120",
    "tube_current_ma": "tube current in mA, one number or one for each slice from feet to head",
    "exposure_mas": "effective exposure (mA x s / pitch) in mAs, one number or one for each slice from feet to head",
    "rotation_time_s": "time of one gantry rotation in s",
    "pitch": "table feed per rotation / total collimation; 0 for axial scans without table motion between rotations",
    "total_collimation_mm": "total width of the X-ray beam at the isocentre in mm, for example 40",
    "ctdivol_mgy": "CTDIvol in mGy, one number or one for each slice from feet to head",
    "ctdi_phantom_cm": "diameter of the CTDI phantom the CTDIvol refers to: 16 (head) or 32 (body) cm",
    "focus_isocentre_mm": "distance from focal spot to isocentre in mm",
    "isocentre_mm": "isocentre in patient coordinates [x, y] in mm (LPS)",
    "scan_kind": "'helical' or 'axial'",
    "manufacturer": "scanner manufacturer",
    "model": "scanner model",
}


@dataclass(frozen=True)
class CTAcquisition:
    """What the X-ray tube did. A field is None while nobody has said it; nothing is filled in silently.

    Per-slice facts are tuples with one value a slice, in the order of the image's slices (feet to head), or tuples of
    length one where one value holds for the whole scan.
    """

    tube_voltage_kv: Fact[float] | None = None
    tube_current_ma: Fact[tuple[float, ...]] | None = None
    exposure_mas: Fact[tuple[float, ...]] | None = None
    rotation_time_s: Fact[float] | None = None
    pitch: Fact[float] | None = None
    total_collimation_mm: Fact[float] | None = None
    ctdivol_mgy: Fact[tuple[float, ...]] | None = None
    ctdi_phantom_cm: Fact[float] | None = None
    focus_isocentre_mm: Fact[float] | None = None
    isocentre_mm: Fact[tuple[float, float]] | None = None
    scan_kind: Fact[str] | None = None
    manufacturer: Fact[str] | None = None
    model: Fact[str] | None = None
    warnings: tuple[str, ...] = field(default=())

    def known(self) -> dict[str, Fact]:
        """The facts that are known, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)
                if f.name != "warnings" and getattr(self, f.name) is not None}

    def require(self, *names: str, where: object = None) -> None:
        """Raises `MissingFacts` naming each of `names` that is not known."""
        missing = {name: EXPLANATIONS[name] for name in names if getattr(self, name) is None}
        if missing:
            raise MissingFacts(missing, where=where)
