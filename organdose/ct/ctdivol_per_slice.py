"""CTDIvol of each slice: as the header gives it, spread by the tube current, from mAs, or as for one fixed current."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.ct.additional_filter import filter_mm
from organdose.ct.scanner_definition import Scanner
from organdose.errors import InputError, MissingFacts
from organdose.study.facts import EXPLANATIONS, CTAcquisition, Fact, Origin


@dataclass(frozen=True)
class Output:
    """CTDIvol for each effective mAs (mGy per mAs), and the words for where it comes from."""

    mgy_per_mas: float
    source: str


def output_per_mas(facts: CTAcquisition, scanner: Scanner) -> Output | None:
    """From a measured CTDIw, else from the scanner's definition; None where neither says anything.

    The definition's output is that of one tube without additional filter. Raises `InputError` for a CTDIw measured at
    another voltage or in another phantom than the scan's.
    """
    if facts.measured_ctdiw_mgy_per_100mas is not None:
        _check_measurement(facts)
        value = facts.measured_ctdiw_mgy_per_100mas.value
        return Output(value / 100, f"the measured CTDIw, {value:g} mGy per 100 mAs")
    if facts.tube_voltage_kv is None or facts.ctdi_phantom_cm is None or facts.second_tube_voltage_kv is not None:
        return None
    if filter_mm(facts.tube_filter, "tube_filter"):
        return None
    per_mas = scanner.ctdivol_mgy_per_mas.get(f"{facts.tube_voltage_kv.value:g}/{facts.ctdi_phantom_cm.value:g}")
    return None if per_mas is None else Output(per_mas, f"{per_mas:g} mGy per mAs of scanner '{scanner.name}'")


def _check_measurement(facts: CTAcquisition) -> None:
    for name, scan, unit in (("measured_ctdiw_kv", facts.tube_voltage_kv, "kV"),
                             ("measured_ctdiw_phantom_cm", facts.ctdi_phantom_cm, "cm")):
        measured = getattr(facts, name)
        if measured is not None and scan is not None and abs(measured.value - scan.value) > 0.5:
            raise InputError(f"the CTDIw was measured at {measured.value:g} {unit}, the scan has {scan.value:g} {unit}",
                             mend=f"Give a CTDIw measured at {scan.value:g} {unit}, or leave {name} out if it was.")
    if facts.second_tube_voltage_kv is not None:
        raise InputError("a measured CTDIw says nothing of a scan with two tubes", mend="Give its CTDIvol.")


def measurement_lines(facts: CTAcquisition) -> list[str]:
    """What had to be assumed about how the CTDIw was measured."""
    lines = []
    for name, scan, what in (("measured_ctdiw_kv", facts.tube_voltage_kv, "tube voltage"),
                             ("measured_ctdiw_phantom_cm", facts.ctdi_phantom_cm, "CTDI phantom"),
                             ("measured_ctdiw_collimation_mm", facts.total_collimation_mm, "collimation")):
        measured = getattr(facts, name)
        if measured is None:
            lines.append(f"The CTDIw is taken to be measured with the scan's own {what}.")
        elif abs(measured.value - scan.value) > 0.05 * scan.value:
            lines.append(f"The CTDIw was measured with a {what} of {measured.value:g} mm and serves for "
                         f"{scan.value:g} mm: their over-beaming differs.")
    if filter_mm(facts.tube_filter, "tube_filter"):
        lines.append(f"The CTDIw is taken to be measured with the tube filter of the scan, {facts.tube_filter.value}.")
    return lines


def effective_mas(facts: CTAcquisition, fixed_ma: float | None = None) -> np.ndarray | None:
    """mA x s / pitch of each slice or one for all; None where the facts do not say it.

    Of axial scans mA x s of one rotation, of cone-beam rotations mA x s of their arc, of a localiser mA x s of the
    whole scan. With `fixed_ma` as if this had been the tube current throughout.
    """
    kind = facts.scan_kind.value if facts.scan_kind is not None else ""
    arc_deg = facts.arc_deg.value if kind == "cone_beam" and facts.arc_deg is not None else 360.0
    # Derived mAs are those of a whole rotation: the reader of headers knows of no arc.
    exposure = None if arc_deg != 360 and _is_derived(facts.exposure_mas) else facts.exposure_mas
    if fixed_ma is None and exposure is not None:
        return np.asarray(exposure.value, dtype=float)
    time = facts.scan_time_s if kind == "localiser" else facts.rotation_time_s
    if fixed_ma is not None and exposure is not None and facts.tube_current_ma is not None:
        return fixed_ma * np.asarray(exposure.value, dtype=float) / np.asarray(facts.tube_current_ma.value, dtype=float)
    if fixed_ma is not None:
        current_ma = np.array([fixed_ma])
    elif facts.tube_current_ma is not None:
        current_ma = np.asarray(facts.tube_current_ma.value, dtype=float)
    else:
        return None
    if time is None or (kind == "helical" and facts.pitch is None):
        return None
    return current_ma * time.value * arc_deg / 360 / (facts.pitch.value if kind == "helical" else 1.0)


def _is_derived(fact: Fact | None) -> bool:
    return fact is not None and fact.origin is Origin.derived


def missing_for_ctdivol(facts: CTAcquisition, scanner: Scanner, fixed_ma: float | None = None) -> dict[str, str]:
    """The facts, with their explanations, without which no CTDIvol can be stated; none where it can."""
    if facts.ctdivol_mgy is not None:
        wanted = () if fixed_ma is None or facts.tube_current_ma is not None else ("tube_current_ma",)
    elif output_per_mas(facts, scanner) is None:
        wanted = ("ctdivol_mgy",)
    elif effective_mas(facts, fixed_ma) is None:
        wanted = _for_exposure(facts, fixed_ma)
    else:
        wanted = ()
    return {name: EXPLANATIONS[name] for name in wanted}


def _for_exposure(facts: CTAcquisition, fixed_ma: float | None) -> tuple[str, ...]:
    if fixed_ma is None:
        return ("exposure_mas",)
    kind = facts.scan_kind.value if facts.scan_kind is not None else ""
    needed = ("scan_time_s",) if kind == "localiser" else ("rotation_time_s", *(["pitch"] if kind == "helical" else []))
    return tuple(name for name in needed if getattr(facts, name) is None)


def ctdivol_per_slice(facts: CTAcquisition, scanner: Scanner, count: int, scan_mm: float, lines: list[str], *,
                      fixed_ma: float | None = None) -> np.ndarray:
    """CTDIvol in mGy of `count` slices from feet to head of a scan of `scan_mm`; assumptions are added to `lines`.

    `fixed_ma`: as if the tube current had been that in every slice. Raises `MissingFacts`.
    """
    missing = missing_for_ctdivol(facts, scanner, fixed_ma)
    if missing:
        raise MissingFacts(missing)
    if facts.ctdivol_mgy is None:
        return _from_exposure(facts, scanner, count, scan_mm, lines, fixed_ma)
    as_scanned_mgy = _as_scanned(facts, count, lines)
    if fixed_ma is None:
        return as_scanned_mgy
    current_ma = _each(facts.tube_current_ma.value, count)
    tubes = "" if facts.second_tube_voltage_kv is None else ", that of both tubes alike"
    lines.append(f"Tube current scenario: {fixed_ma:g} mA in every slice, where the scan had {_range(current_ma)} mA; "
                 f"CTDIvol goes with the current{tubes}.")
    return as_scanned_mgy * fixed_ma / current_ma


def _from_exposure(facts: CTAcquisition, scanner: Scanner, count: int, scan_mm: float, lines: list[str],
                   fixed_ma: float | None) -> np.ndarray:
    output, mas = output_per_mas(facts, scanner), effective_mas(facts, fixed_ma)
    factor, why = _gap_factor(facts, scan_mm)
    lines.append(f"CTDIvol from the exposure: {output.source}, {_range(mas)} mAs{why}.")
    if facts.measured_ctdiw_mgy_per_100mas is not None:
        lines += measurement_lines(facts)
    if fixed_ma is not None:
        lines.append(f"Tube current scenario: {fixed_ma:g} mA in every slice.")
    return _each(output.mgy_per_mas * factor * mas, count)


def _gap_factor(facts: CTAcquisition, scan_mm: float) -> tuple[float, str]:
    """CTDIvol / CTDIw of scans without a helical pitch (IEC 60601-2-44: collimation / table feed), and words for it."""
    kind, feed = facts.scan_kind.value, facts.table_feed_mm
    if kind == "axial" and feed is not None and feed.value > 0:
        return facts.total_collimation_mm.value / feed.value, f", x collimation / table feed of {feed.value:g} mm"
    if kind == "localiser":
        return facts.total_collimation_mm.value / scan_mm, f", x collimation / length of {scan_mm:g} mm"
    return 1.0, ""


def _as_scanned(facts: CTAcquisition, count: int, lines: list[str]) -> np.ndarray:
    given_mgy = np.asarray(facts.ctdivol_mgy.value, dtype=float)
    if len(given_mgy) > 1:
        return given_mgy
    for fact, name in ((facts.exposure_mas, "exposure (mAs)"), (facts.tube_current_ma, "tube current")):
        if fact is not None and len(fact.value) > 1 and not _doubtful(fact):
            values = np.asarray(fact.value, dtype=float)
            lines.append(f"One CTDIvol ({given_mgy[0]:g} mGy) is given for the scan while its {name} goes from "
                         f"{_range(values)}: it follows the {name} of each slice, the mean over the slices being the "
                         "given value.")
            return given_mgy[0] * values / values.mean()
    if facts.exposure_mas is None and facts.tube_current_ma is None:
        lines.append("No tube current is known: the CTDIvol is taken to be the same in every slice.")
    return np.full(count, given_mgy[0])


def _doubtful(fact: Fact) -> bool:
    """A header's value that the rest of the header contradicts."""
    return fact.origin is Origin.header and bool(fact.note)


def _each(values: np.ndarray | tuple[float, ...], count: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, dtype=float), count).copy()


def _range(values: np.ndarray) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
