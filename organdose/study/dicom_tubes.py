"""The second X-ray source of dual-source and dual-energy scans, out of headers.

CT Additional X-Ray Source (PS3.3 C.8.15.3.11), or two items in CT X-Ray Details and CT Exposure, which multi-energy
images carry in their functional groups or in the Multi-energy CT Acquisition Sequence (C.8.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from organdose.study.facts import Fact, Origin
from organdose.study.header_slices import HeaderSlices, collapsed
from organdose.study.header_values import number, text, texts

_ADDITIONAL, _ENERGIES = "CTAdditionalXRaySourceSequence", "MultienergyCTAcquisitionSequence"
_MACROS = ("CTExposureSequence", "CTXRayDetailsSequence")


@dataclass(frozen=True)
class TubeFacts:
    """One X-ray source: kV, mA and mAs of each slice (None where not said), and its tin filter ('Sn 0.4', 'Sn', '')."""

    tube_voltage_kv: float | None
    tube_current_ma: tuple[float, ...] | None
    exposure_mas: tuple[float, ...] | None
    tin: str


def tubes_of(slices: HeaderSlices) -> tuple[TubeFacts, ...]:
    """The sources that headers list one by one, none where they speak of one tube only.

    Three or more, sources that differ from slice to slice in number or voltage, and a tube that switches its voltage
    within the rotation, are told and not used.
    """
    listed = [_sources(header) for header in slices.headers]
    counts = {len(each) for each in listed}
    if counts <= {0, 1}:
        if any(name in header and len(header[name].value) > 1 for header in slices.headers for name in _MACROS):
            slices.warn("the header lists the X-ray sources incompletely: their exposures are not used")
        return ()
    if counts != {2}:
        slices.warn(f"the header describes {max(counts)} X-ray sources, not the same in all slices: their exposures "
                    "are not used" if len(counts) > 1 else
                    f"the header describes {max(counts)} X-ray sources: their exposures are not used")
        return ()
    if any(_switches(header) for header in slices.headers):
        slices.warn("the tube switches its voltage while it turns: the two are taken for two tubes at one place "
                    "(second_tube_offset_deg 0)")
    tubes = tuple(_one_tube([sources[k] for sources in listed]) for k in (0, 1))
    if any(tube.tube_voltage_kv is None for tube in tubes):
        slices.warn("the header describes two X-ray sources, but not one tube voltage of each: not used")
        return ()
    return tubes


def second_tube(slices: HeaderSlices, tubes: tuple[TubeFacts, ...]) -> dict[str, Fact]:
    """Facts of the second tube by name."""
    if not tubes:
        return {}
    second = tubes[1]
    found = {"second_tube_voltage_kv": Fact(second.tube_voltage_kv, Origin.header)}
    if second.exposure_mas is not None:
        found["second_tube_exposure_mas"] = Fact(second.exposure_mas, Origin.header)
    if second.tin:
        found["second_tube_filter"] = Fact(second.tin, Origin.header)
    if any(_switches(header) for header in slices.headers):
        found["second_tube_offset_deg"] = Fact(0.0, Origin.derived, "one tube switches its voltage")
    return found


def tin_filter(header: Dataset) -> str:
    """'Sn 0.4' (mm) where the header names a tin filter and its thickness, 'Sn' without, '' where it names none."""
    if not any(name in ("TIN", "SN") for name in texts(header, "FilterMaterial")):
        return ""
    limits_mm = [number(header, keyword) for keyword in ("FilterThicknessMinimum", "FilterThicknessMaximum")]
    known = [each for each in limits_mm if each]
    return f"Sn {sum(known) / len(known):g}" if known and len(texts(header, "FilterMaterial")) == 1 else "Sn"


def _sources(header: Dataset) -> list[dict]:
    """kV, mA, mAs and tin of each source that the header lists."""
    if header.get(_ADDITIONAL):
        return [_source(header, header), *(_source(item, item) for item in header[_ADDITIONAL].value)]
    holder = header.get(_ENERGIES) or [header]
    exposures, details = (list(holder[0].get(name) or []) for name in _MACROS)
    if len(exposures) < 2 or len(exposures) != len(details):
        return []
    exposures.sort(key=lambda item: number(item, "ReferencedXRaySourceIndex") or 0)
    details.sort(key=lambda item: number(item, "ReferencedPathIndex") or 0)
    return [_source(*pair) for pair in zip(details, exposures, strict=True)]


def _source(details: Dataset, exposure: Dataset) -> dict:
    first = {name: next((value for keyword in keywords if (value := number(item, keyword)) is not None and value > 0),
                        None)
             for name, item, keywords in (("kv", details, ("KVP",)),
                                          ("ma", exposure, ("XRayTubeCurrentInmA", "XRayTubeCurrent")),
                                          ("mas", exposure, ("ExposureInmAs", "Exposure")))}
    return {**first, "tin": tin_filter(details)}


def _one_tube(sources: list[dict]) -> TubeFacts:
    voltages = {source["kv"] for source in sources}
    ma, mas = (None if None in (values := [source[name] for source in sources]) else collapsed(values)
               for name in ("ma", "mas"))
    return TubeFacts(voltages.pop() if len(voltages) == 1 else None, ma, mas,
                     max(each["tin"] for each in sources))


def _switches(header: Dataset) -> bool:
    holder = (header.get(_ENERGIES) or [header])[0]
    return any(text(item, "MultienergySourceTechnique").upper() == "SWITCHING_SOURCE"
               for item in holder.get("MultienergyCTXRaySourceSequence") or [])
