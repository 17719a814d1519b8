"""Acquisition facts out of the headers of a CT series, and what the headers contradict themselves in.

Attributes: PS3.3 C.8.2.1 (CT Image) under whose names `enhanced_ct` also brings those of Enhanced CT (C.8.15.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset

from organdose.study.facts import CTAcquisition, Fact, Origin
from organdose.study.header_values import number, numbers, text, texts

# IEC dosimetry phantoms of CTDIPhantomTypeCodeSequence (CID 4052) and their diameters in cm.
_CTDI_PHANTOMS_CM = {"113690": 16.0, "113691": 32.0}
# Macros of Enhanced CT that `enhanced_ct` leaves as sequences when they have an item for each of several sources.
_ONE_SOURCE_MACROS = ("CTExposureSequence", "CTXRayDetailsSequence", "CTAcquisitionDetailsSequence")
# Headers round mA, s and mAs to whole numbers; beyond this, two values do not belong together.
_AGREEMENT = 0.05
_ROUNDING_MAS = 1.0


class _Headers:
    """The headers of the slices from feet to head, asked fact by fact; what is odd about them gathers in `warnings`."""

    def __init__(self, headers: Sequence[Dataset]):
        self.headers = headers
        self.warnings: list[str] = []

    def each(self, *sources: tuple[str, float]) -> np.ndarray | None:
        """Positive values, one a slice, from the first of `sources` (keyword, factor to our unit) that all slices have.

        Scanners write 0 for what they do not know, so 0 counts as absent.
        """
        for keyword, factor in sources:
            found = [number(header, keyword) for header in self.headers]
            given = sum(value is not None and value > 0 for value in found)
            if given == len(found):
                return np.array(found) * factor
            if given:
                self.warnings.append(f"{keyword} stands in {given} of {len(found)} slices only: not used")
        return None

    def per_slice(self, *sources: tuple[str, float]) -> Fact[tuple[float, ...]] | None:
        values = self.each(*sources)
        return None if values is None else Fact(_collapsed(values), Origin.header)

    def one(self, keyword: str, unit: str = "", factor: float = 1.0) -> Fact[float] | None:
        """A positive value that holds for the whole scan; one that changes from slice to slice is not used."""
        values = self.each((keyword, factor))
        if values is None:
            return None
        if np.ptp(values) > 1e-3 * values.max():
            self.warnings.append(f"{keyword} changes between slices, from {values.min():g} to "
                                 f"{values.max():g} {unit}: not used".replace(" :", ":"))
            return None
        return Fact(float(values[0]), Origin.header)

    def common(self, what: str, read: Callable[[Dataset], object]) -> Fact | None:
        """What `read` finds in every header, if they agree."""
        found = {read(header) for header in self.headers} - {None, ""}
        if len(found) > 1:
            self.warnings.append(f"{what} changes between slices: not used")
        return Fact(found.pop(), Origin.header) if len(found) == 1 else None


def _collapsed(values: np.ndarray) -> tuple[float, ...]:
    """One value where all slices have the same, else one a slice."""
    listed = tuple(float(value) for value in values)
    return listed[:1] if len(set(listed)) == 1 else listed


def acquisition_facts(headers: Sequence[Dataset]) -> CTAcquisition:
    """What the headers (one a slice, feet to head) say of the exposure.

    What they do not say stays None. Where a header contradicts itself its value is kept and a warning says so.
    """
    slices = _Headers(headers)
    if any(macro in header for header in headers for macro in _ONE_SOURCE_MACROS):
        slices.warnings.append("the header describes two or more X-ray sources: their exposures are not used")
    if any(name.upper() in ("TIN", "SN") for header in headers for name in texts(header, "FilterMaterial")):
        slices.warnings.append("the header names a tin filter, which the scanner models lack: the spectrum is too soft")
    rotation_time_s = slices.one("RevolutionTime", "s")
    collimation_mm = slices.one("TotalCollimationWidth", "mm")
    if rotation_time_s is None:
        rotation_time_s = _rotation_from_table(slices)
    pitch = _pitch(slices, rotation_time_s, collimation_mm)
    current_ma = slices.per_slice(("XRayTubeCurrent", 1.0), ("XRayTubeCurrentInuA", 1e-3))
    return CTAcquisition(
        tube_voltage_kv=slices.one("KVP", "kV"),
        tube_current_ma=current_ma,
        exposure_mas=_exposure(slices, current_ma, rotation_time_s, pitch),
        rotation_time_s=rotation_time_s,
        pitch=pitch,
        total_collimation_mm=collimation_mm,
        ctdivol_mgy=slices.per_slice(("CTDIvol", 1.0)),
        ctdi_phantom_cm=slices.common("the CTDI phantom", _phantom_cm),
        focus_isocentre_mm=slices.one("DistanceSourceToPatient", "mm"),
        isocentre_mm=slices.common("DataCollectionCenterPatient", _isocentre_mm),
        scan_kind=_scan_kind(slices, pitch),
        manufacturer=slices.common("Manufacturer", lambda header: text(header, "Manufacturer")),
        model=slices.common("ManufacturerModelName", lambda header: text(header, "ManufacturerModelName")),
        warnings=tuple(dict.fromkeys(slices.warnings)),
    )


def _phantom_cm(header: Dataset) -> float | None:
    codes = header.get("CTDIPhantomTypeCodeSequence") or []
    return _CTDI_PHANTOMS_CM.get(text(codes[0], "CodeValue")) if len(codes) else None


def _isocentre_mm(header: Dataset) -> tuple[float, float] | None:
    centre_mm = numbers(header, "DataCollectionCenterPatient")
    if centre_mm is None or len(centre_mm) != 3 or not np.isfinite(centre_mm).all():
        return None
    return round(centre_mm[0], 3), round(centre_mm[1], 3)


def _rotation_from_table(slices: _Headers) -> Fact[float] | None:
    feed_mm, speed_mm_s = (slices.one(keyword, unit) for keyword, unit in
                           (("TableFeedPerRotation", "mm"), ("TableSpeed", "mm/s")))
    if feed_mm is None or speed_mm_s is None:
        return None
    return Fact(feed_mm.value / speed_mm_s.value, Origin.derived, "table feed per rotation / table speed")


def _pitch(slices: _Headers, rotation_time_s: Fact | None, collimation_mm: Fact | None) -> Fact[float] | None:
    """SpiralPitchFactor; where it is absent, from the table feed; 0 for scans that declare themselves sequential."""
    told = slices.one("SpiralPitchFactor")
    if told is None and _declared_kind(slices) == "axial":
        return Fact(0.0, Origin.derived, "axial scan")
    if collimation_mm is None:
        return told
    from_table = {words: feed_mm / collimation_mm.value
                  for words, feed_mm in _table_feeds_mm(slices, rotation_time_s).items()}
    reference = told.value if told is not None else next(iter(from_table.values()), None)
    odd = [f"{words} / total collimation = {pitch:.3f}" for words, pitch in from_table.items()
           if abs(pitch - reference) > _AGREEMENT * reference]
    if told is None and odd:
        slices.warnings.append(f"the table feeds in the header give different pitches ({reference:.3f}; "
                               f"{'; '.join(odd)}): none is used")
        return None
    if told is None:
        return None if reference is None else Fact(reference, Origin.derived, f"{next(iter(from_table))} / collimation")
    if odd:
        slices.warnings.append(f"SpiralPitchFactor {told.value:g} disagrees with {'; '.join(odd)}: "
                               "SpiralPitchFactor is kept")
    return Fact(told.value, told.origin, f"disagrees with {'; '.join(odd)}" if odd else "")


def _table_feeds_mm(slices: _Headers, rotation_time_s: Fact | None) -> dict[str, float]:
    """The table feed per rotation in mm in each way the header gives it."""
    feeds_mm = {}
    feed_mm, speed_mm_s = slices.one("TableFeedPerRotation", "mm"), slices.one("TableSpeed", "mm/s")
    if feed_mm is not None:
        feeds_mm["table feed per rotation"] = feed_mm.value
    if speed_mm_s is not None and rotation_time_s is not None:
        feeds_mm["table speed x rotation time"] = speed_mm_s.value * rotation_time_s.value
    return feeds_mm


def _scan_kind(slices: _Headers, pitch: Fact | None) -> Fact[str] | None:
    declared = _declared_kind(slices)
    moving = pitch is not None and pitch.value > 0
    if declared is None:
        return Fact("helical", Origin.derived, "it has a pitch") if moving else None
    if declared == "axial" and moving:
        slices.warnings.append(f"the header calls the scan axial and gives a pitch of {pitch.value:g}: axial is kept")
    return Fact(declared, Origin.header)


def _declared_kind(slices: _Headers) -> str | None:
    """'helical' or 'axial' where all headers that say something say the same."""
    kinds = {_kind_of(header) for header in slices.headers} - {None}
    return kinds.pop() if len(kinds) == 1 else None


def _kind_of(header: Dataset) -> str | None:
    """AcquisitionType where it is given, else what scanners write in ScanOptions (GE) or ImageType (Siemens).

    The value AXIAL of ImageType means the plane of the image, not the motion of the table.
    """
    kind = text(header, "AcquisitionType").upper()
    if kind:
        return {"SPIRAL": "helical", "SEQUENCED": "axial", "STATIONARY": "axial"}.get(kind)
    words = {word for value in texts(header, "ImageType")[2:] + texts(header, "ScanOptions")
             for word in value.replace("_", " ").split()}
    if words & {"HELICAL", "HELIX", "SPIRAL", "SPI"}:
        return "helical"
    scan_options = {word for value in texts(header, "ScanOptions") for word in value.replace("_", " ").split()}
    return "axial" if "SEQ" in words or scan_options & {"AXIAL", "SEQUENTIAL", "SEQUENCE"} else None


def _exposure(slices: _Headers, current_ma: Fact | None, rotation_time_s: Fact | None,
              pitch: Fact | None) -> Fact[tuple[float, ...]] | None:
    """Effective mAs (mA x s / pitch): Exposure where it is given, else from current, rotation time and pitch."""
    told_mas = slices.each(("Exposure", 1.0), ("ExposureInuAs", 1e-3))
    per_rotation_mas = effective_mas = None
    if current_ma is not None and rotation_time_s is not None and pitch is not None:
        per_rotation_mas = np.array(current_ma.value) * rotation_time_s.value
        effective_mas = per_rotation_mas / (pitch.value or 1.0)
    if told_mas is None:
        return None if effective_mas is None else Fact(
            _collapsed(effective_mas), Origin.derived, "tube current x rotation time / pitch")
    note = ""
    if effective_mas is not None:
        note = _contradiction(told_mas, {"mA x rotation time / pitch": effective_mas})
        if note and not _contradiction(told_mas, {"": per_rotation_mas}):
            note = f"{note}; it is mA x rotation time, not divided by the pitch of {pitch.value:g}"
    elif current_ma is not None:
        note = _compared_with_exposure_time(slices, told_mas, np.array(current_ma.value), pitch)
    if note:
        slices.warnings.append(f"Exposure contradicts the rest of the header: {note}; the value of Exposure is kept")
    return Fact(_collapsed(told_mas), Origin.header, note)


def _compared_with_exposure_time(slices: _Headers, told_mas: np.ndarray, current_ma: np.ndarray,
                                 pitch: Fact | None) -> str:
    """Philips writes the time a point is in the beam as ExposureTime, Siemens the time of a rotation: both may fit."""
    time_s = slices.each(("ExposureTime", 1e-3), ("ExposureTimeInuS", 1e-6))
    if time_s is None:
        return ""
    expected = {"mA x exposure time": current_ma * time_s}
    if pitch is not None and pitch.value > 0:
        expected["mA x exposure time / pitch"] = current_ma * time_s / pitch.value
    return _contradiction(told_mas, expected)


def _contradiction(told_mas: np.ndarray, expected_mas: dict[str, np.ndarray]) -> str:
    """'' when one of the expectations holds in every slice; else the worst slice of the first, in words."""
    for expected in expected_mas.values():
        if (np.abs(told_mas - expected) <= _ROUNDING_MAS + _AGREEMENT * expected).all():
            return ""
    name, expected = next(iter(expected_mas.items()))
    expected = np.broadcast_to(expected, told_mas.shape)
    off = np.abs(told_mas - expected) > _ROUNDING_MAS + _AGREEMENT * expected
    worst = int(np.argmax(np.abs(np.log(told_mas / expected))))
    return (f"{told_mas[worst]:g} mAs where {name} gives {expected[worst]:.4g} mAs "
            f"({int(off.sum())} of {told_mas.size} slices)")
