"""The protocol file: acquisition facts a person writes down because the header lacks them or has them wrong."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from organdose.errors import InputError
from organdose.study.facts import EXPLANATIONS, PER_SLICE, CTAcquisition, Fact, Origin

_SAME = 1e-3
_OF_THE_SCANNER = ("focus_isocentre_mm", "isocentre_mm", "manufacturer", "model")


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _between(low: float, high: float):
    """A number in one unit: the limits catch values in another (V for kV, ms for s, cm for mm)."""
    return Annotated[float, Field(ge=low, le=high)]


def _per_slice(low: float, high: float):
    return Annotated[list[_between(low, high)], BeforeValidator(_listed), Field(min_length=1)]


class Protocol(BaseModel):
    """Facts under the names of `facts.EXPLANATIONS`, in its units, and an `explanation` in free words.

    A window that read the headers itself hands facts on with their `origins` and `notes` by fact, the headers'
    `remarks` and the `patient_sex`; who writes a protocol by hand leaves these out.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    tube_voltage_kv: _between(20, 300) | None = None
    tube_filter: str | None = None
    bowtie: Literal["body", "head", "none"] | None = None
    tube_current_ma: _per_slice(0.1, 5000) | None = None
    exposure_mas: _per_slice(0.01, 50_000) | None = None
    rotation_time_s: _between(0.05, 120) | None = None
    pitch: _between(0, 5) | None = None
    table_feed_mm: _between(0, 1000) | None = None
    total_collimation_mm: _between(0.1, 500) | None = None
    ctdivol_mgy: _per_slice(0.001, 5000) | None = None
    ctdi_phantom_cm: Annotated[float, Field(ge=16, le=32)] | None = None
    measured_ctdiw_mgy_per_100mas: _between(0.01, 1000) | None = None
    measured_ctdiw_kv: _between(20, 300) | None = None
    measured_ctdiw_phantom_cm: Annotated[float, Field(ge=16, le=32)] | None = None
    measured_ctdiw_collimation_mm: _between(0.1, 500) | None = None
    focus_isocentre_mm: _between(50, 2000) | None = None
    isocentre_mm: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    scan_kind: Literal["helical", "axial", "cone_beam", "localiser"] | None = None
    scan_range_mm: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    scan_time_s: _between(0.01, 1000) | None = None
    tube_angle_deg: _between(-360, 360) | None = None
    arc_deg: _between(1, 720) | None = None
    angular_current: Annotated[list[_between(0, 1e9)], Field(min_length=4, max_length=3600)] | None = None
    second_tube_voltage_kv: _between(20, 300) | None = None
    second_tube_exposure_mas: _per_slice(0.01, 50_000) | None = None
    second_tube_share: _between(0, 1) | None = None
    second_tube_filter: str | None = None
    second_tube_offset_deg: _between(-360, 360) | None = None
    manufacturer: str | None = None
    model: str | None = None
    contrast_agent: Annotated[str, Field(min_length=1)] | None = None
    scan_region: Literal["head", "head_and_neck", "neck", "chest", "abdomen_and_pelvis", "trunk"] | None = None
    age_group: Literal["0y", "1y", "5y", "10y", "adult"] | None = None
    explanation: str = ""
    origins: dict[str, Literal["header", "protocol", "user", "derived"]] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)
    remarks: list[str] = Field(default_factory=list)
    patient_sex: Literal["M", "F", ""] = ""

    def given(self) -> dict[str, object]:
        """The facts it states, lists as tuples, by name."""
        stated = {name: getattr(self, name) for name in EXPLANATIONS if getattr(self, name) is not None}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}


def read_protocol(path: Path) -> Protocol:
    """Read and check a protocol file (JSON).

    Raises `InputError` for a file that is no JSON object, for names it does not know, and for values of the wrong
    type, sign or magnitude.
    """
    content = read_json_object(path, example='{"tube_voltage_kv": 120, "ctdivol_mgy": 20}')
    try:
        protocol = Protocol.model_validate(content)
    except ValidationError as error:
        raise refusal(error, path, EXPLANATIONS) from error
    _check_values(protocol, path)
    return protocol


def read_json_object(path: Path, *, example: str) -> dict:
    """The object in a protocol file. Raises `InputError` for a file that holds none; `example` shows one."""
    mend = f"Write it like {example}."
    try:
        # Editors on Windows put a byte-order mark in front.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError("the protocol file cannot be opened", where=path, mend="Check its path.") from error
    except UnicodeDecodeError as error:
        raise InputError("the protocol file is no text", where=path, mend="Give a JSON file.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"the protocol file is no valid JSON ({error.msg}, line {error.lineno})", where=path,
                         mend=mend) from error
    if not isinstance(content, dict):
        raise InputError("the protocol file is no JSON object", where=path, mend=mend)
    return content


def check_fact(name: str, value: object) -> object:
    """The value of one fact by the rules of the protocol file. Raises `InputError` for one that does not fit."""
    try:
        protocol = Protocol.model_validate({name: value})
    except ValidationError as error:
        raise refusal(error, None, EXPLANATIONS) from error
    _check_values(protocol, None)
    return getattr(protocol, name)


def _check_values(protocol: Protocol, where: Path | None) -> None:
    """What limits of single numbers cannot say."""
    for name in ("ctdi_phantom_cm", "measured_ctdiw_phantom_cm"):
        if getattr(protocol, name) not in (None, 16, 32):
            raise InputError(f"{name} is {getattr(protocol, name):g}", where=where,
                             mend=f"It is the {EXPLANATIONS[name]}.")
    if protocol.scan_range_mm is not None and not protocol.scan_range_mm[0] < protocol.scan_range_mm[1]:
        raise InputError(f"scan_range_mm goes from {protocol.scan_range_mm[0]:g} to {protocol.scan_range_mm[1]:g}",
                         where=where, mend=f"It is the {EXPLANATIONS['scan_range_mm']}.")
    if protocol.angular_current is not None and not any(protocol.angular_current):
        raise InputError("angular_current is 0 at every angle", where=where,
                         mend=f"It is the {EXPLANATIONS['angular_current']}.")


def refusal(error: ValidationError, where: Path | None, explanations: dict[str, str]) -> InputError:
    """The first complaint of pydantic in the words of the protocol's key."""
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key.lower(), explanations, n=1)
        mend = f"Did you mean {close[0]!r}?" if close else f"The keys are {', '.join(explanations)} and explanation."
        return InputError(f"the protocol file has the unknown key {key!r}", where=where, mend=mend)
    reason = first["msg"][0].lower() + first["msg"][1:]
    value = json.dumps(first["input"], default=str)
    if len(value) > 40:
        value = f"{value[:37]}..."
    which = "".join(f", value {part + 1}" for part in first["loc"][1:] if isinstance(part, int))
    mend = f"It is the {explanations[key]}." if key in explanations else ""
    return InputError(f"{key}{which} is {value}: {reason}", where=where, mend=mend)


def apply_protocol(acquisition: CTAcquisition, protocol: Protocol, *, slices: int, where: object) -> CTAcquisition:
    """`acquisition` with the protocol's facts in place; where both speak and differ, the protocol wins with a warning.

    A localiser beside the images of another scan takes nothing of that scan's exposure.
    Raises `InputError` when a list of per-slice values is not as long as the study has slices.
    """
    acquisition = _without_another_scan(acquisition, protocol)
    facts, warnings = {}, [*acquisition.warnings, *protocol.remarks]
    if protocol.explanation.strip():
        warnings.append(f"protocol file: {protocol.explanation.strip()}")
    for name, value in protocol.given().items():
        if name in PER_SLICE and len(value) not in (1, slices):
            raise InputError(f"{name} has {len(value)} values, the CT has {slices} slices", where=where,
                             mend="Give one number, or one for each slice from feet to head.")
        header = getattr(acquisition, name)
        note = ""
        if header is not None and not _agree(header.value, value):
            warnings.append(f"{name}: {_shown(value)} of the protocol file replaces {_shown(header.value)} "
                            f"({header.origin.value})")
            note = f"replaces {_shown(header.value)} ({header.origin.value})"
        facts[name] = Fact(value, Origin(protocol.origins.get(name, "protocol")), protocol.notes.get(name, note))
    return replace(acquisition, **facts, warnings=tuple(warnings))


def _without_another_scan(acquisition: CTAcquisition, protocol: Protocol) -> CTAcquisition:
    """A localiser is computed in the images of the scan it planned: of their headers only the scanner's facts hold."""
    kind = acquisition.scan_kind
    if protocol.scan_kind != "localiser" or (kind is not None and kind.value == "localiser"):
        return acquisition
    kept = {name: fact for name, fact in acquisition.known().items() if name in _OF_THE_SCANNER}
    if len(kept) == len(acquisition.known()):
        return acquisition
    return CTAcquisition(**kept, warnings=("the protocol file describes a localiser: the exposure in the headers is "
                                           "that of another scan and is not used",))


def _agree(a: object, b: object) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        longest = max(len(a), len(b))
        a, b = (each * longest if len(each) == 1 else each for each in (a, b))
        return len(a) == len(b) and all(map(_agree, a, b))
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= _SAME * max(abs(a), abs(b))
    return a == b


def _shown(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 2:
        return f"{min(value):g} to {max(value):g}"
    if isinstance(value, tuple):
        return ", ".join(f"{each:g}" for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)

