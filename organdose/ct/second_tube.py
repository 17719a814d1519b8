"""The second tube of a dual-source scan, or the second voltage of a tube that switches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.ct.additional_filter import filter_mm
from organdose.ct.scanner_definition import Scanner
from organdose.errors import InputError
from organdose.study.facts import CTAcquisition

# Where neither facts nor scanner say it: the tubes of the first dual-source scanner stand a quarter turn apart (Flohr
# et al., Eur Radiol 16 (2006) 256).
_USUAL_OFFSET_DEG = 90.0


@dataclass(frozen=True)
class SecondTube:
    """`filter_mm`: additional filters, mm by element. `ctdivol_share`: its part of the scan's CTDIvol; None where only
    the mAs are known, then `mas_ratio` is its mAs over the first tube's."""

    tube_voltage_kv: float
    filter_mm: dict[str, float]
    offset_deg: float
    ctdivol_share: float | None
    mas_ratio: float | None


def second_tube_of(facts: CTAcquisition, scanner: Scanner, lines: list[str]) -> SecondTube | None:
    """The second tube that the facts describe, None where there is none; assumptions are added to `lines`.

    Raises `InputError` for a filter that cannot be understood and for a share that leaves the first tube nothing.
    """
    if facts.second_tube_voltage_kv is None:
        return None
    share, ratio = facts.second_tube_share, None
    if share is not None and not share.value < 1:
        raise InputError("the second tube has all of the CTDIvol", mend="Give its voltage as tube_voltage_kv instead.")
    if share is None:
        ratio = float(np.mean(facts.second_tube_exposure_mas.value) / np.mean(facts.exposure_mas.value))
        lines.append(f"The tubes share the CTDIvol by their mAs ({ratio:.3g} to 1) and the output per mAs of their "
                     "simulated spectra.")
    elif facts.second_tube_exposure_mas is not None:
        lines.append("The share of the CTDIvol that is given for the second tube is used, not its mAs.")
    return SecondTube(facts.second_tube_voltage_kv.value,
                      filter_mm(facts.second_tube_filter, "second_tube_filter"), _offset_deg(facts, scanner, lines),
                      None if share is None else share.value, ratio)


def _offset_deg(facts: CTAcquisition, scanner: Scanner, lines: list[str]) -> float:
    if facts.second_tube_offset_deg is not None:
        return facts.second_tube_offset_deg.value
    offset_deg = _USUAL_OFFSET_DEG if scanner.second_tube is None else scanner.second_tube.offset_deg
    lines.append(f"The second tube stands {offset_deg:g} degrees after the first "
                 + ("(usual of dual-source scanners; protocol key second_tube_offset_deg)."
                    if scanner.second_tube is None else f"(scanner '{scanner.name}')."))
    return offset_deg
