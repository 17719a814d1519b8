"""Acquisition facts out of the headers of a CT series, and what the headers contradict themselves in.

Attributes: PS3.3 C.8.2.1 (CT Image) under whose names `enhanced_ct` also brings those of Enhanced CT (C.8.15.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from organdose.study.dicom_exposure import check_exposure_time, effective_exposure
from organdose.study.dicom_motion import (
    declared_kind,
    pitch_factor,
    rotation_time,
    scan_kind,
    table_feed,
    total_collimation,
    tube_angle_deg,
)
from organdose.study.dicom_tubes import TubeFacts, second_tube, tin_filter, tubes_of
from organdose.study.facts import CTAcquisition, Fact, Origin
from organdose.study.header_slices import HeaderSlices
from organdose.study.header_values import numbers, text
from organdose.study.patient_facts import patient_facts

# IEC dosimetry phantoms of CTDIPhantomTypeCodeSequence (CID 4052) and their diameters in cm.
_CTDI_PHANTOMS_CM = {"113690": 16.0, "113691": 32.0}


def acquisition_facts(headers: Sequence[Dataset]) -> CTAcquisition:
    """What the headers (one a slice, feet to head) say of the exposure.

    What they do not say stays None. Where a header contradicts itself its value is kept and a warning says so.
    """
    slices = HeaderSlices(headers)
    tubes = tubes_of(slices)
    collimation_mm, declared = total_collimation(slices), declared_kind(slices)
    rotation_time_s = rotation_time(slices, declared)
    pitch = pitch_factor(slices, declared, rotation_time_s, collimation_mm)
    voltage_kv, current_ma, exposure_mas = _first_tube(slices, tubes, rotation_time_s, pitch)
    check_exposure_time(slices, declared, rotation_time_s, pitch)
    _warn_of_several_events(slices)
    return CTAcquisition(
        tube_voltage_kv=voltage_kv,
        tube_filter=_tube_filter(slices, tubes[0].tin if tubes else None),
        bowtie=slices.common("FilterType", _bowtie),
        tube_current_ma=current_ma,
        exposure_mas=exposure_mas,
        rotation_time_s=rotation_time_s,
        pitch=pitch,
        table_feed_mm=table_feed(slices, pitch, collimation_mm),
        total_collimation_mm=collimation_mm,
        ctdivol_mgy=slices.per_slice(("CTDIvol", 1.0)),
        ctdi_phantom_cm=slices.common("the CTDI phantom", _phantom_cm),
        focus_isocentre_mm=slices.one("DistanceSourceToPatient", "mm"),
        isocentre_mm=slices.common("DataCollectionCenterPatient", _isocentre_mm),
        scan_kind=scan_kind(slices, pitch, collimation_mm),
        tube_angle_deg=slices.common("TubeAngle", tube_angle_deg) if declared == "localiser" else None,
        manufacturer=slices.common("Manufacturer", lambda header: text(header, "Manufacturer")),
        model=slices.common("ManufacturerModelName", lambda header: text(header, "ManufacturerModelName")),
        **patient_facts(headers),
        **second_tube(slices, tubes),
        warnings=tuple(slices.warnings),
    )


def _first_tube(slices: HeaderSlices, tubes: tuple[TubeFacts, ...], rotation_time_s: Fact[float] | None,
                pitch: Fact[float] | None) -> tuple[Fact | None, Fact | None, Fact | None]:
    """kV, mA and effective mAs of the only tube, or of the first one of several."""
    if tubes:
        first = tubes[0]
        return tuple(None if each is None else Fact(each, Origin.header)
                     for each in (first.tube_voltage_kv, first.tube_current_ma, first.exposure_mas))
    current_ma = slices.per_slice(("XRayTubeCurrent", 1.0), ("XRayTubeCurrentInmA", 1.0), ("XRayTubeCurrentInuA", 1e-3))
    return slices.one("KVP", "kV"), current_ma, effective_exposure(slices, current_ma, rotation_time_s, pitch)


def _tube_filter(slices: HeaderSlices, of_first_tube: str | None) -> Fact[str] | None:
    """The tin filter of the first tube. Without its thickness it is told and left out."""
    tin = max(map(tin_filter, slices.headers)) if of_first_tube is None else of_first_tube
    if tin == "Sn":
        slices.warn("the header names a tin filter but not its thickness: without it the spectrum is too soft; give "
                    "tube_filter, for example 'Sn 0.6'")
    return Fact(tin, Origin.header) if " " in tin else None


def _bowtie(header: Dataset) -> str:
    """GE writes 'BODY FILTER' or 'HEAD FILTER'; the letters and numbers of other makers do not say what they shape."""
    words = text(header, "FilterType").upper().split()
    return next((kind for kind in ("body", "head") if kind.upper() in words), "")


def _warn_of_several_events(slices: HeaderSlices) -> None:
    """Times the radiation was on (IrradiationEventUID, PS3.3 C.7.10.1.1.1): the series may be two scans in one."""
    events = {str(header.get("IrradiationEventUID") or "") for header in slices.headers} - {""}
    if len(events) > 1:
        slices.warn(f"the slices come from {len(events)} irradiation events: they are taken for one scan")


def _phantom_cm(header: Dataset) -> float | None:
    codes = header.get("CTDIPhantomTypeCodeSequence") or []
    return _CTDI_PHANTOMS_CM.get(text(codes[0], "CodeValue")) if len(codes) else None


def _isocentre_mm(header: Dataset) -> tuple[float, float] | None:
    centre_mm = numbers(header, "DataCollectionCenterPatient")
    if centre_mm is None or len(centre_mm) != 3 or not np.isfinite(centre_mm).all():
        return None
    return round(centre_mm[0], 3), round(centre_mm[1], 3)
