"""What the scan did, from the acquisition facts: where the tube shone along the patient and with how much dose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from organdose.ct.additional_filter import filter_mm
from organdose.ct.ctdivol_per_slice import ctdivol_per_slice, missing_for_ctdivol
from organdose.ct.exposure_checks import contradictions
from organdose.ct.scan_path import (
    ScannedSlices,
    ScanPath,
    axial_path,
    cone_beam_path,
    helical_path,
    localiser_path,
    scanned_slices,
)
from organdose.ct.scanner_definition import Scanner
from organdose.ct.second_tube import SecondTube, second_tube_of
from organdose.ct.tube_path import TubePath
from organdose.errors import InputError, MissingFacts
from organdose.study.ct_study import CTStudy
from organdose.study.facts import EXPLANATIONS, CTAcquisition, Fact, Origin

_ALWAYS_NEEDED = ("tube_voltage_kv", "total_collimation_mm", "ctdi_phantom_cm", "scan_kind")
_NEEDED_FOR = {"helical": ("pitch",), "localiser": ("tube_angle_deg",)}


@dataclass(frozen=True)
class Exposure:
    """One scan, ready to be simulated.

    `path`: the beam centre along z, weighted by CTDIvol. `dlp_mgy_mm`: CTDIvol integrated over the path, overranging
    included. `ctdivol_mgy`: per slice, NaN outside the scan range. `phantom_cm`: the CTDI phantom that CTDIvol refers
    to. `bowtie_kind`: 'body', 'head' or 'none'. `assumptions`: lines for the report about everything the headers did
    not say; `contradictions`: about facts that do not fit each other.
    `fixed_ma`: the tube current of the fixed-current scenario, None for the scan as it was. `filter_mm`: filters beside
    the scanner's, mm by element. `second_tube`: of a dual-source or dual-energy scan.
    """

    tube_voltage_kv: float
    total_collimation_mm: float
    focus_isocentre_mm: float
    isocentre_mm: tuple[float, float]
    phantom_cm: float
    bowtie_kind: str
    path: TubePath
    ctdivol_mgy: np.ndarray
    dlp_mgy_mm: float
    assumptions: tuple[str, ...]
    scan_kind: str = "helical"
    contradictions: tuple[str, ...] = ()
    fixed_ma: float | None = None
    filter_mm: dict[str, float] = field(default_factory=dict)
    second_tube: SecondTube | None = None

    @property
    def depends_on_start_angle(self) -> bool:
        """Whether the gantry angle the scan starts at is unknown and matters: not for whole turns at one place."""
        return self.path.start_angle_rad is None and (
            self.path.feed_mm is not None or not np.isclose(self.path.arc_rad, 2 * np.pi))


def exposure_of(study: CTStudy, scanner: Scanner, *, fixed_ma: float | None = None) -> Exposure:
    """The exposure of a study on a scanner; `fixed_ma`: as if the tube current had been that in every slice.

    Raises `MissingFacts` for whatever the dose cannot be computed without (tube voltage, collimation, CTDI phantom,
    scan kind, pitch of a helical scan, tube angle of a localiser, and CTDIvol or what it can be derived from),
    `InputError` for impossible values.
    """
    where = study.files[0].parent if len(study.files) > 1 else (study.files[0] if study.files else None)
    assumptions: list[str] = []
    facts = _completed(study.acquisition, assumptions)
    _require(facts, scanner, fixed_ma, where)
    _refuse_impossible(facts, where)
    lowest_mm, highest_mm = facts.scan_range_mm.value if facts.scan_range_mm is not None else (
        0.0, study.image.GetDepth() * study.image.GetSpacing()[2])
    ctdivol_mgy = ctdivol_per_slice(facts, scanner, study.image.GetDepth(), highest_mm - lowest_mm, assumptions,
                                    fixed_ma=fixed_ma)
    slices = scanned_slices(study, ctdivol_mgy, assumptions)
    path = _path(facts, scanner, slices, assumptions)
    return Exposure(
        tube_voltage_kv=facts.tube_voltage_kv.value,
        total_collimation_mm=facts.total_collimation_mm.value,
        focus_isocentre_mm=_focus_isocentre_mm(facts, scanner, assumptions),
        isocentre_mm=_isocentre_mm(study, assumptions),
        phantom_cm=float(facts.ctdi_phantom_cm.value),
        bowtie_kind=_bowtie_kind(facts, assumptions),
        path=path.path,
        ctdivol_mgy=np.where(slices.are_scanned, ctdivol_mgy, np.nan),
        dlp_mgy_mm=path.dlp_mgy_mm,
        second_tube=second_tube_of(facts, scanner, assumptions),
        assumptions=(*assumptions, *path.lines),
        scan_kind=facts.scan_kind.value,
        contradictions=tuple(contradictions(facts, scanner)),
        fixed_ma=fixed_ma,
        filter_mm=filter_mm(facts.tube_filter, "tube_filter"),
    )


def _completed(facts: CTAcquisition, lines: list[str]) -> CTAcquisition:
    """Facts with those that follow from others: the pitch from the table feed, the phantom from the measured CTDIw."""
    if (facts.pitch is None and facts.table_feed_mm is not None and facts.total_collimation_mm is not None
            and facts.scan_kind is not None and facts.scan_kind.value == "helical"):
        pitch = facts.table_feed_mm.value / facts.total_collimation_mm.value
        lines.append(f"Pitch {pitch:.3f} from table feed / total collimation.")
        facts = replace(facts, pitch=Fact(pitch, Origin.derived, "table feed / total collimation"))
    if facts.ctdi_phantom_cm is None and facts.ctdivol_mgy is None and facts.measured_ctdiw_phantom_cm is not None:
        facts = replace(facts, ctdi_phantom_cm=replace(facts.measured_ctdiw_phantom_cm, origin=Origin.derived))
    return facts


def _require(facts: CTAcquisition, scanner: Scanner, fixed_ma: float | None, where: Path | None) -> None:
    kind = facts.scan_kind.value if facts.scan_kind is not None else ""
    needed = _ALWAYS_NEEDED + _NEEDED_FOR.get(kind, ())
    absent = {name: EXPLANATIONS[name] for name in needed if getattr(facts, name) is None}
    absent |= missing_for_ctdivol(facts, scanner, fixed_ma)
    if facts.second_tube_voltage_kv is not None and facts.second_tube_share is None and (
            facts.second_tube_exposure_mas is None or facts.exposure_mas is None):
        absent["second_tube_share"] = EXPLANATIONS["second_tube_share"]
    if absent:
        raise MissingFacts(absent, where=where)


def _refuse_impossible(facts: CTAcquisition, where: Path | None) -> None:
    phantom_cm = float(facts.ctdi_phantom_cm.value)
    if phantom_cm not in (16.0, 32.0):
        raise InputError(f"the CTDI phantom is given as {phantom_cm:g} cm", where=where,
                         mend="CTDIvol refers to the 16 cm (head) or the 32 cm (body) phantom.")
    if facts.scan_kind.value == "helical" and not facts.pitch.value > 0:
        raise InputError(f"a helical scan with a pitch of {facts.pitch.value:g}", where=where,
                         mend="Give the pitch, or scan_kind 'axial', with --protocol.")


def _path(facts: CTAcquisition, scanner: Scanner, slices: ScannedSlices, lines: list[str]) -> ScanPath:
    kind, collimation_mm = facts.scan_kind.value, facts.total_collimation_mm.value
    angular = None if facts.angular_current is None else np.asarray(facts.angular_current.value, dtype=float)
    if angular is not None and kind != "localiser":
        lines.append(f"Angular modulation: relative output at {len(angular)} gantry angles, from {angular.min():g} to "
                     f"{angular.max():g}. CTDIvol stays that of the scan: it is defined by the mean output of a turn.")
    if kind == "helical":
        return helical_path(slices, facts.pitch.value * collimation_mm, scanner.overrange_rotations, angular)
    if kind == "cone_beam":
        arc, start = (None if fact is None else fact.value for fact in (facts.arc_deg, facts.tube_angle_deg))
        return cone_beam_path(slices, collimation_mm, arc, start, angular)
    if kind == "localiser":
        return localiser_path(slices, facts.tube_angle_deg.value)
    return axial_path(slices, collimation_mm, facts.table_feed_mm and facts.table_feed_mm.value, angular)


def _bowtie_kind(facts: CTAcquisition, assumptions: list[str]) -> str:
    """Scanners put the head bowtie where they quote the 16 cm phantom, the body bowtie with the 32 cm one. Not all do
    for children's bodies, so that it is told."""
    if facts.bowtie is not None:
        return facts.bowtie.value
    kind = "head" if facts.ctdi_phantom_cm.value == 16 else "body"
    assumptions.append(f"The header does not name the bowtie: the {kind} bowtie goes with a CTDIvol of the "
                       f"{facts.ctdi_phantom_cm.value:g} cm phantom (protocol key bowtie).")
    return kind


def _focus_isocentre_mm(facts: CTAcquisition, scanner: Scanner, assumptions: list[str]) -> float:
    if facts.focus_isocentre_mm is not None:
        return float(facts.focus_isocentre_mm.value)
    assumptions.append(f"Focus-isocentre distance {scanner.focus_isocentre_mm:g} mm from scanner '{scanner.name}'.")
    return scanner.focus_isocentre_mm


def _isocentre_mm(study: CTStudy, assumptions: list[str]) -> tuple[float, float]:
    if study.acquisition.isocentre_mm is not None:
        return tuple(float(v) for v in study.acquisition.isocentre_mm.value)
    image = study.image
    centre = [o + 0.5 * s * (n - 1) for o, s, n in zip(image.GetOrigin(), image.GetSpacing(), image.GetSize())]
    assumptions.append(f"The header gives no isocentre: the centre of the image ({centre[0]:.0f}, {centre[1]:.0f} mm) "
                       "stands for it (protocol key isocentre_mm).")
    return centre[0], centre[1]
