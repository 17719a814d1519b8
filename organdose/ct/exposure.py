"""What the scan did, from the acquisition facts: where the tube shone along the patient and with how much dose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.ct.scanner import Scanner
from organdose.ct.xray_source import TubePath
from organdose.errors import InputError, MissingFacts
from organdose.study.ct_study import CTStudy
from organdose.study.facts import EXPLANATIONS, CTAcquisition


@dataclass(frozen=True)
class Exposure:
    """One scan, ready to be simulated.

    `path`: the beam centre along z, weighted by CTDIvol. `dlp_mgy_mm`: CTDIvol integrated over the path, overranging
    included. `ctdivol_mgy`: per slice. `phantom_cm`: the CTDI phantom that CTDIvol refers to. `assumptions`: lines for
    the report about everything the headers did not say.
    """

    tube_voltage_kv: float
    total_collimation_mm: float
    focus_isocentre_mm: float
    isocentre_mm: tuple[float, float]
    phantom_cm: float
    path: TubePath
    ctdivol_mgy: np.ndarray
    dlp_mgy_mm: float
    assumptions: tuple[str, ...]

    @property
    def bowtie_kind(self) -> str:
        """Scanners put the head bowtie where they quote the 16 cm phantom, the body bowtie with the 32 cm one."""
        return "head" if self.phantom_cm == 16 else "body"


def exposure_of(study: CTStudy, scanner: Scanner) -> Exposure:
    """The exposure of a study on a scanner.

    Raises `MissingFacts` for whatever the dose cannot be computed without (tube voltage, collimation, CTDI phantom,
    scan kind, pitch of a helical scan, and CTDIvol or what it can be derived from), `InputError` for impossible values.
    """
    facts = study.acquisition
    where = study.files[0].parent if len(study.files) > 1 else (study.files[0] if study.files else None)
    needed = ["tube_voltage_kv", "total_collimation_mm", "ctdi_phantom_cm", "scan_kind"]
    if facts.scan_kind is not None and facts.scan_kind.value == "helical":
        needed.append("pitch")
    absent = {name: EXPLANATIONS[name] for name in needed if getattr(facts, name) is None}
    if facts.ctdivol_mgy is None and not _ctdivol_derivable(facts, scanner):
        absent["ctdivol_mgy"] = EXPLANATIONS["ctdivol_mgy"]
    if absent:
        raise MissingFacts(absent, where=where)
    phantom_cm = float(facts.ctdi_phantom_cm.value)
    if phantom_cm not in (16.0, 32.0):
        raise InputError(f"the CTDI phantom is given as {phantom_cm:g} cm", where=where,
                         mend="CTDIvol refers to the 16 cm (head) or the 32 cm (body) phantom.")
    if facts.scan_kind.value == "helical" and not facts.pitch.value > 0:
        raise InputError(f"a helical scan with a pitch of {facts.pitch.value:g}", where=where,
                         mend="Give the pitch, or scan_kind 'axial', with --protocol.")
    assumptions: list[str] = []
    ctdivol_mgy = _ctdivol_per_slice(study, scanner, phantom_cm, assumptions)
    path = _path(study, scanner, ctdivol_mgy, assumptions)
    return Exposure(
        tube_voltage_kv=facts.tube_voltage_kv.value,
        total_collimation_mm=facts.total_collimation_mm.value,
        focus_isocentre_mm=_focus_isocentre_mm(facts, scanner, assumptions),
        isocentre_mm=_isocentre_mm(study, assumptions),
        phantom_cm=phantom_cm,
        path=path,
        ctdivol_mgy=ctdivol_mgy,
        dlp_mgy_mm=float(path.weight[0] if len(path.z_mm) == 1 else np.trapezoid(path.weight, path.z_mm)),
        assumptions=tuple(assumptions),
    )


def _ctdivol_key(facts: CTAcquisition) -> str:
    return f"{facts.tube_voltage_kv.value:g}/{facts.ctdi_phantom_cm.value:g}"


def _ctdivol_derivable(facts: CTAcquisition, scanner: Scanner) -> bool:
    return (facts.exposure_mas is not None and facts.tube_voltage_kv is not None and facts.ctdi_phantom_cm is not None
            and _ctdivol_key(facts) in scanner.ctdivol_mgy_per_mas)


def _ctdivol_per_slice(study: CTStudy, scanner: Scanner, phantom_cm: float, assumptions: list[str]) -> np.ndarray:
    facts, count = study.acquisition, study.image.GetDepth()
    if facts.ctdivol_mgy is None:
        per_mas = scanner.ctdivol_mgy_per_mas[_ctdivol_key(facts)]
        assumptions.append(f"CTDIvol from the exposure: {per_mas:g} mGy per mAs of scanner '{scanner.name}' "
                           f"({phantom_cm:g} cm phantom).")
        return per_mas * np.broadcast_to(facts.exposure_mas.value, count).astype(float)
    given_mgy = facts.ctdivol_mgy.value
    if len(given_mgy) > 1:
        return np.asarray(given_mgy, dtype=float)
    for fact, name in ((facts.exposure_mas, "exposure (mAs)"), (facts.tube_current_ma, "tube current")):
        if fact is not None and len(fact.value) > 1:
            values = np.asarray(fact.value, dtype=float)
            assumptions.append(f"One CTDIvol is given for the scan; it follows the {name} of each slice, the mean over "
                               "the slices being the given value.")
            return given_mgy[0] * values / values.mean()
    if facts.exposure_mas is None and facts.tube_current_ma is None:
        assumptions.append("No tube current is known: the CTDIvol is taken to be the same in every slice.")
    return np.full(count, float(given_mgy[0]))


def _path(study: CTStudy, scanner: Scanner, ctdivol_mgy: np.ndarray, assumptions: list[str]) -> TubePath:
    """Where the beam's centre goes: over the slices, and for helical scans the overranging beyond them.

    The slices reach half a slice beyond their centres. An axial scan's beam covers just the images, so that its centre
    stays half a collimation inside them.
    """
    facts = study.acquisition
    z_mm = np.asarray(study.slice_positions_mm)
    half_slice_mm, collimation_mm = 0.5 * study.image.GetSpacing()[2], facts.total_collimation_mm.value
    if facts.scan_kind.value == "helical":
        overrange_mm = 0.5 * scanner.overrange_rotations * facts.pitch.value * collimation_mm
        assumptions.append(f"Overranging: {overrange_mm:.1f} mm at each end (in total "
                           f"{scanner.overrange_rotations:g} rotation(s)) with the tube current of the end slice.")
        extra_mm = half_slice_mm + overrange_mm
        return TubePath(np.concatenate([[z_mm[0] - extra_mm], z_mm, [z_mm[-1] + extra_mm]]),
                        np.concatenate([[ctdivol_mgy[0]], ctdivol_mgy, [ctdivol_mgy[-1]]]))
    dlp_mgy_mm = 2 * half_slice_mm * ctdivol_mgy.sum()
    first_mm, last_mm = z_mm[0] - half_slice_mm + 0.5 * collimation_mm, z_mm[-1] + half_slice_mm - 0.5 * collimation_mm
    if last_mm - first_mm < 1e-6:
        return TubePath(np.array([0.5 * (z_mm[0] + z_mm[-1])]), np.array([dlp_mgy_mm]))
    inner = z_mm[(z_mm > first_mm) & (z_mm < last_mm)]
    path_mm = np.concatenate([[first_mm], inner, [last_mm]])
    weight = np.interp(path_mm, z_mm, ctdivol_mgy)
    return TubePath(path_mm, weight * dlp_mgy_mm / np.trapezoid(weight, path_mm))


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
