"""Job descriptions from loose values, with one clear line for each value that does not fit."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from organdose.ct.engines import engine
from organdose.errors import InputError
from organdose.jobs.ct_dose_job import CTDoseJob

# Where the command line's option is not the parameter's name.
_OPTIONS = {"uncertainty_percent": "uncertainty"}
_ENGINE_PARAMETERS = ("scanner", "histories", "uncertainty_percent", "seed", "device", "couch", "hu_curve", "contrast",
                      "extend", "scenario", "fixed_ma", "start_angle", "start_angles", "start_angle_deg")


def ct_dose_job(**values: object) -> CTDoseJob:
    """A `CTDoseJob`; values that belong to the engine go to it, None means 'not given'.

    Raises `InputError` for the first value that does not fit the job or its engine.
    """
    given = {name: value for name, value in values.items() if value is not None}
    own_engine = {name: given.pop(name) for name in _ENGINE_PARAMETERS if name in given}
    job = checked(CTDoseJob, **given, engine_parameters=own_engine)
    checked(engine(job.engine).parameters, **own_engine)
    return job


def checked(model: type[BaseModel], **values: object) -> BaseModel:
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
    import json

    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable job ({error})", where=path, mend="Give a job or a run.json.") from error
    return checked(model, **(data.get("job", data) if isinstance(data, dict) else {}))
