"""Job descriptions from loose values, with one clear line for each value that does not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from organdose.ct.engines import engine
from organdose.errors import InputError
from organdose.jobs.ct_dose_job import CTDoseJob

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseJob

# Where the command line's option is not the parameter's name.
_OPTIONS = {"uncertainty_percent": "uncertainty"}
_ENGINE_PARAMETERS = ("scanner", "histories", "uncertainty_percent", "seed", "device", "couch", "hu_curve", "contrast",
                      "extend", "scenario", "fixed_ma", "start_angle", "start_angles", "start_angle_deg")
_OF_MONTE_CARLO = ("histories", "uncertainty_percent", "seed", "device")


def ct_dose_job(**values: object) -> CTDoseJob:
    """A `CTDoseJob`; values that belong to the engine go to it, None means 'not given'.

    Raises `InputError` for the first value that does not fit the job or its engine.
    """
    given = {name: value for name, value in values.items() if value is not None}
    own_engine = {name: given.pop(name) for name in _ENGINE_PARAMETERS if name in given}
    job = checked(CTDoseJob, **given, engine_parameters=own_engine)
    checked(engine(job.engine).parameters, **own_engine)
    return job


def internal_dose_job(settings: Sequence[str] = (), **values: object) -> InternalDoseJob:
    """An `InternalDoseJob`; histories, uncertainty_percent, seed and device belong to Monte Carlo, None means 'not
    given'. `register`: method of registration; `lesions`: texts 'X,Y,Z,RADIUS' (mm, LPS). `settings`: further
    parameters as 'tia.NAME=VALUE', 'registration.NAME=VALUE', 'lesion.NAME=VALUE' or 'ENGINE.NAME=VALUE'.

    Raises `InputError` for the first value that does not fit the job, an engine or the model of activity over time.
    """
    from organdose.jobs.internal_dose_job import InternalDoseJob
    from organdose.nuclear.engines import engine as internal_engine
    from organdose.nuclear.integration_models import integration_model

    given = {name: value for name, value in values.items() if value is not None}
    own = {name: given.pop(name) for name in _OF_MONTE_CARLO if name in given}
    parts = _settings(settings)
    for name, value in own.items():
        parts.setdefault("mc", {}).setdefault(name, value)
    tia = parts.pop("tia", {})
    for field, of in (("registration", "registration"), ("lesion_parameters", "lesion")):
        if of in parts:
            given[field] = parts.pop(of)
    if (method := given.pop("register", None)) is not None:
        given["registration"] = {"method": method, **given.get("registration", {})}
    if "lesions" in given:
        given["lesions"] = tuple(_sphere(text) for text in given["lesions"])
    job = checked(InternalDoseJob, **given, engine_parameters=parts, tia_parameters=tia)
    engines = (job.engine, *job.compare_with)
    for name in engines:
        checked(internal_engine(name).parameters, **parts.get(name, {}))
    for name, unused in parts.items():
        if name not in engines:
            option = _OPTIONS.get(next(iter(unused)), next(iter(unused)))
            raise InputError(f"--{option}: a parameter of {name!r}, which is not among the engines "
                             f"({', '.join(engines)})", mend="Leave it out, or choose the engine.")
    if job.tia != "auto":
        checked(integration_model(job.tia).parameters, **tia)
    return job


def _sphere(text: str) -> dict[str, object]:
    try:
        x, y, z, radius = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--lesion {text!r} is no sphere", mend="Give X,Y,Z,RADIUS in mm, for example 12,-40,310,25."
                         ) from error
    if not radius > 0:
        raise InputError(f"--lesion {text!r} has no size", mend="Give a radius above 0.")
    return {"centre_mm": (x, y, z), "radius_mm": radius}


def _settings(texts: Sequence[str]) -> dict[str, dict[str, object]]:
    """Parameters by what they belong to; a value is JSON where it is such, else a text."""
    parts: dict[str, dict[str, object]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        of, dot, parameter = name.strip().partition(".")
        if not (equals and dot and of and parameter):
            raise InputError(f"--set {text!r} is not understood", mend="Write --set tia.uptake=true, for example.")
        try:
            parts.setdefault(of, {})[parameter] = json.loads(value)
        except ValueError:
            parts.setdefault(of, {})[parameter] = value
    return parts


def checked(model: type[BaseModel], /, **values: object) -> BaseModel:
    """`model(**values)`; raises `InputError` naming the first value that does not fit."""
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        name = _OPTIONS.get(name, name).replace("_", "-")
        raise InputError(f"--{name}: {first['msg'].lower()} (given: {first['input']})",
                         mend="Correct the value.") from error


def read_job(path: Path, model: type[BaseModel]) -> BaseModel:
    """A job saved as JSON, or the 'job' of a run.json. Raises `InputError`."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable job ({error})", where=path, mend="Give a job or a run.json.") from error
    return checked(model, **(data.get("job", data) if isinstance(data, dict) else {}))
