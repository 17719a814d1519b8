"""Whether an engine can run with what is there: packages of a Python, weights on disk; and which one to offer first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from pydantic import BaseModel, ValidationError

from organdose.errors import InputError
from organdose.segmentation.engines import SegmentationEngine, engine, engine_names

Installed = Callable[[str], bool]  # whether a Python has a module of that name

CONTEXTS = ("surroundings", "slices", "ct")  # from the least on

_OURS, _ANYWHERE = "res-u2net", "analytic"


def is_here(module: str) -> bool:
    """Whether this Python has a module."""
    return find_spec(module) is not None


def why_not_ready(chosen: SegmentationEngine, parameters: BaseModel, installed: Installed = is_here) -> str:
    """Why an engine cannot run in the Python that `installed` tells of, and how to mend it: one line, '' when it can.

    No package is imported and no weights are read: what is in them shows when it runs.
    """
    check = getattr(chosen, "check_ready", None)
    try:
        if check is not None:
            check(parameters, installed)
    except InputError as error:
        return str(error)
    return ""


def drawn_organs(chosen: SegmentationEngine, parameters: BaseModel) -> tuple[str, ...]:
    """The organs an engine draws with these parameters, as far as can be told before it runs."""
    look = getattr(chosen, "organs_with", None)
    try:
        return look(parameters) if look is not None else tuple(chosen.organs)
    except InputError:
        return tuple(chosen.organs)


def context_of(chosen: SegmentationEngine, parameters: BaseModel) -> str:
    """What an engine must see around the voxels it draws, one of `CONTEXTS`: the surroundings, whole slices (one that
    knows the body by the air around it), or the whole CT (one that fits a body to it)."""
    look = getattr(chosen, "context_with", None)
    return look(parameters) if look is not None else getattr(chosen, "context", CONTEXTS[0])


def first_engine(installed: Installed = is_here) -> str:
    """The engine to offer before anybody chose: our own network where it can run, else what runs anywhere."""
    ours = engine(_OURS)
    return _ANYWHERE if why_not_ready(ours, ours.parameters(), installed) else _OURS


def why_not_drawn(name: str, given: Mapping[str, object], organ: str, title: str, installed: Installed = is_here
                  ) -> str:
    """Why the engine of that name cannot draw an organ (`title` to people) with these parameters; '' when it can."""
    if name not in engine_names():
        return "Choose an engine first."
    chosen = engine(name)
    try:
        parameters = chosen.parameters(**given)
    except ValidationError as error:
        return f"Parameters of {name}: {error.errors()[0]['msg']}"
    if organ not in drawn_organs(chosen, parameters):
        return f"The engine {name} does not draw {title}: choose another engine."
    return why_not_ready(chosen, parameters, installed)
