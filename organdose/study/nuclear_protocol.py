"""The protocol file of a PET or SPECT study: facts that a person writes down where headers lack them or are wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from organdose.errors import InputError
from organdose.study.fact_sheet import shown
from organdose.study.facts import Fact, Origin
from organdose.study.moments import shown_moment
from organdose.study.nuclear_facts import EXPLANATIONS, NuclearAcquisition
from organdose.study.protocol import read_json_object, refusal

_MOMENTS = ("injected_at", "residual_at", "scan_start_at", "reference_at")
_SAME = 1e-3
_EXAMPLE = '{"radionuclide": "Lu-177", "injected_activity_bq": 7.4e9, "injected_at": "2025-03-14 09:30:00"}'


def _between(low: float, high: float):
    return Annotated[float, Field(ge=low, le=high)]


class NuclearFacts(BaseModel):
    """Facts under the names of `nuclear_facts.EXPLANATIONS`; moments as ISO 8601 ('2025-03-14 09:30:00+01:00')."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    radionuclide: Annotated[str, Field(pattern=r"^[A-Z][a-z]?-\d{1,3}m?$")] | None = None
    radiopharmaceutical: str | None = None
    half_life_s: _between(1, 1e12) | None = None
    injected_activity_bq: _between(1e3, 1e12) | None = None
    injected_at: str | None = None
    residual_bq: _between(0, 1e12) | None = None
    residual_at: str | None = None
    patient_mass_kg: _between(0.2, 600) | None = None
    patient_height_m: _between(0.2, 2.8) | None = None
    patient_sex: Literal["M", "F"] | None = None
    units: Literal["BQML", "BQ", "GML", "CM2ML", "CNTS", "CPS"] | None = None
    suv_type: Literal["BW", "LBMJANMA", "LBMJAMES128", "LBM", "IBW", "BSA"] | None = None
    calibration_bq_ml_per_count: Annotated[float, Field(gt=0)] | None = None
    sensitivity_cps_per_mbq: Annotated[float, Field(gt=0)] | None = None
    decay_correction: Literal["NONE", "START", "ADMIN"] | None = None
    scan_start_at: str | None = None
    scan_start_s: _between(0, 1e9) | None = None
    reference_at: str | None = None
    duration_s: _between(0.001, 1e6) | None = None
    attenuation_corrected: Literal["yes", "no"] | None = None

    def given(self) -> dict[str, object]:
        """The facts it states, moments as `datetime`."""
        stated = {name: getattr(self, name) for name in EXPLANATIONS if getattr(self, name) is not None}
        return {name: _moment(name, value) if name in _MOMENTS else value for name, value in stated.items()}


class NuclearProtocol(NuclearFacts):
    """Facts that hold for every series, and under `series` those of one, by its SeriesNumber or SeriesInstanceUID; of
    an NRRD or NIfTI file by the file's name.

    A window hands facts on with their `origins` by fact.
    """

    explanation: str = ""
    origins: dict[str, Literal["header", "protocol", "user", "derived"]] = Field(default_factory=dict)
    series: dict[str, NuclearFacts] = Field(default_factory=dict)


def read_nuclear_protocol(path: Path) -> NuclearProtocol:
    """Read and check a protocol file (JSON). Raises `InputError` for unknown names and values that cannot be."""
    try:
        protocol = NuclearProtocol.model_validate(read_json_object(path, example=_EXAMPLE))
        for part in (protocol, *protocol.series.values()):
            part.given()
    except ValidationError as error:
        raise refusal(error, path, EXPLANATIONS) from error
    except InputError as error:
        raise error if error.where is not None else InputError(error.what, where=path, mend=error.mend) from error
    return protocol


def check_nuclear_fact(name: str, value: object) -> object:
    """The value of one fact by the rules of the protocol file. Raises `InputError` for one that does not fit."""
    try:
        return NuclearFacts.model_validate({name: value}).given()[name]
    except ValidationError as error:
        raise refusal(error, None, EXPLANATIONS) from error


def with_protocol(acquisition: NuclearAcquisition, protocol: NuclearProtocol | None,
                  *names: str) -> NuclearAcquisition:
    """`acquisition` with the protocol's facts, those of the series called `names` last; differences become warnings."""
    if protocol is None:
        return acquisition
    given = protocol.given()
    for name in filter(None, names):
        given |= protocol.series[name].given() if name in protocol.series else {}
    facts, warnings = {}, list(acquisition.warnings)
    for name, value in given.items():
        before, note = getattr(acquisition, name), ""
        if before is not None and not _agree(before.value, value):
            note = f"replaces {_shown(before.value)} ({before.origin.value})"
            warnings.append(f"{name}: {_shown(value)} of the protocol file {note}")
        facts[name] = Fact(value, Origin(protocol.origins.get(name, "protocol")), note)
    if _is_of_another_nuclide(acquisition, given):
        told = acquisition.half_life_s
        warnings.append(f"half_life_s: {_shown(told.value)} ({told.origin.value}) is that of "
                        f"{acquisition.radionuclide.value} and is not used")
        facts["half_life_s"] = None
    if protocol.explanation.strip():
        warnings.append(f"protocol file: {protocol.explanation.strip()}")
    return replace(acquisition, **facts, warnings=tuple(warnings))


def _is_of_another_nuclide(acquisition: NuclearAcquisition, given: dict[str, object]) -> bool:
    """Whether the half-life of the header belongs to a radionuclide that `given` replaces."""
    before = acquisition.value("radionuclide")
    return (acquisition.half_life_s is not None and "half_life_s" not in given
            and before is not None and given.get("radionuclide", before) != before)


def _moment(name: str, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"{name} is {value[:40]!r}, which is no date with time",
                         mend=f"It is the {EXPLANATIONS[name]}.") from error
    if len(value.strip()) < len("2025-03-14 09:30"):
        raise InputError(f"{name} is {value!r}, without a time of day", mend=f"It is the {EXPLANATIONS[name]}.")
    return moment


def _agree(one: object, other: object) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return _shown(one.replace(tzinfo=None)) == _shown(other.replace(tzinfo=None))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) <= _SAME * max(abs(one), abs(other))
    return one == other


def _shown(value: object) -> str:
    return shown_moment(value) if isinstance(value, datetime) else shown(value)
