"""Acquisition facts: each value with its unit in the name and the place it came from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Generic, TypeVar

from organdose.errors import MissingFacts

T = TypeVar("T")

# Facts with one value a slice (or one for all), and those that are lists of another length.
PER_SLICE = frozenset({"tube_current_ma", "exposure_mas", "ctdivol_mgy", "second_tube_exposure_mas"})
LISTS = frozenset({"isocentre_mm", "scan_range_mm", "angular_current"})


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
    "tube_filter": "filter beside those of the scanner's definition, element and mm, for example 'Sn 0.4', or 'none'",
    "bowtie": "shaped filter of the scan: 'body', 'head' or 'none', where it is not the one that goes with the CTDI "
              "phantom (16 cm: head, 32 cm: body)",
    "tube_current_ma": "tube current in mA, one number or one for each slice from feet to head",
    "exposure_mas": "effective exposure (mA x s / pitch; of a localiser mA x s of the whole scan) in mAs, one number "
                    "or one for each slice from feet to head",
    "rotation_time_s": "time of one gantry rotation in s",
    "pitch": "table feed per rotation / total collimation; 0 for axial scans without table motion between rotations",
    "table_feed_mm": "table feed in mm: per rotation of a helical scan, from one rotation to the next of an axial scan",
    "total_collimation_mm": "total width of the X-ray beam at the isocentre in mm, for example 40",
    "ctdivol_mgy": "CTDIvol in mGy, one number or one for each slice from feet to head",
    "ctdi_phantom_cm": "diameter of the CTDI phantom the CTDIvol refers to: 16 (head) or 32 (body) cm",
    "measured_ctdiw_mgy_per_100mas": "CTDIw measured on this scanner, in mGy per 100 mAs of one rotation",
    "measured_ctdiw_kv": "tube voltage in kV the CTDIw was measured at, where it is not that of the scan",
    "measured_ctdiw_phantom_cm": "CTDI phantom the CTDIw was measured in: 16 or 32 cm",
    "measured_ctdiw_collimation_mm": "total collimation in mm the CTDIw was measured with, where it is not the scan's",
    "focus_isocentre_mm": "distance from focal spot to isocentre in mm",
    "isocentre_mm": "isocentre in patient coordinates [x, y] in mm (LPS)",
    "scan_kind": "'helical', 'axial' (step and shoot), 'cone_beam' (one wide rotation) or 'localiser' (scout view)",
    "scan_range_mm": "lowest and highest z of the scan in mm (LPS) without overranging, where it is not the range of "
                     "the images",
    "scan_time_s": "time in s the tube was on for a localiser",
    "tube_angle_deg": "place of the tube in a localiser, or where the arc of a cone-beam rotation starts, in degrees: "
                      "0 above a supine patient, 90 at his left side",
    "arc_deg": "angle in degrees that the tube turns through in a cone-beam rotation, 360 for a whole turn",
    "angular_current": "relative tube output at equally spaced gantry angles, the first above a supine patient, then "
                       "towards his left side",
    "second_tube_voltage_kv": "peak tube voltage in kV of the second tube of a dual-source or dual-energy scan",
    "second_tube_exposure_mas": "exposure in mAs of the second tube, as exposure_mas",
    "second_tube_share": "part of the CTDIvol that comes from the second tube, between 0 and 1",
    "second_tube_filter": "additional filter of the second tube, element and mm, for example 'Sn 0.4', or 'none'",
    "second_tube_offset_deg": "angle in degrees from the first tube to the second",
    "manufacturer": "scanner manufacturer",
    "model": "scanner model",
    "contrast_agent": "contrast medium in the patient, by any name; none where there is none",
    "scan_region": "region of the scan, for the effective dose from the DLP: head, head_and_neck, neck, chest, "
                   "abdomen_and_pelvis or trunk (chest to pelvis)",
    "age_group": "group of age, for the effective dose from the DLP: 0y, 1y, 5y, 10y or adult",
}


@dataclass(frozen=True)
class CTAcquisition:
    """What the X-ray tube did. A field is None while nobody has said it; nothing is filled in silently.

    Per-slice facts are tuples with one value a slice, in the order of the image's slices (feet to head), or tuples of
    length one where one value holds for the whole scan.
    """

    tube_voltage_kv: Fact[float] | None = None
    tube_filter: Fact[str] | None = None
    bowtie: Fact[str] | None = None
    tube_current_ma: Fact[tuple[float, ...]] | None = None
    exposure_mas: Fact[tuple[float, ...]] | None = None
    rotation_time_s: Fact[float] | None = None
    pitch: Fact[float] | None = None
    table_feed_mm: Fact[float] | None = None
    total_collimation_mm: Fact[float] | None = None
    ctdivol_mgy: Fact[tuple[float, ...]] | None = None
    ctdi_phantom_cm: Fact[float] | None = None
    measured_ctdiw_mgy_per_100mas: Fact[float] | None = None
    measured_ctdiw_kv: Fact[float] | None = None
    measured_ctdiw_phantom_cm: Fact[float] | None = None
    measured_ctdiw_collimation_mm: Fact[float] | None = None
    focus_isocentre_mm: Fact[float] | None = None
    isocentre_mm: Fact[tuple[float, float]] | None = None
    scan_kind: Fact[str] | None = None
    scan_range_mm: Fact[tuple[float, float]] | None = None
    scan_time_s: Fact[float] | None = None
    tube_angle_deg: Fact[float] | None = None
    arc_deg: Fact[float] | None = None
    angular_current: Fact[tuple[float, ...]] | None = None
    second_tube_voltage_kv: Fact[float] | None = None
    second_tube_exposure_mas: Fact[tuple[float, ...]] | None = None
    second_tube_share: Fact[float] | None = None
    second_tube_filter: Fact[str] | None = None
    second_tube_offset_deg: Fact[float] | None = None
    manufacturer: Fact[str] | None = None
    model: Fact[str] | None = None
    contrast_agent: Fact[str] | None = None
    scan_region: Fact[str] | None = None
    age_group: Fact[str] | None = None
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
