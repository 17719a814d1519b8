"""Several engines as one: each organ from the engine that draws it best, chosen in a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known, organ
from organdose.anatomy.review import Drawn, estimated_names, mark_drawn
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.atlas_overlap import ALTERED, INSIDE, without_seen
from organdose.segmentation.engine_needs import CONTEXTS, Installed, context_of, drawn_organs, why_not_ready
from organdose.segmentation.engines import engine, engine_names
from organdose.segmentation.network_labels import members
from organdose.study.ct_study import CTStudy

NAME = "combined"
_FROM_HU = "analytic"


class EngineTable(BaseModel):
    """Which engine draws which organ.

    `engines`: engine -> its parameters; where organs of two engines overlap, the engine that stands first keeps voxels.
    `organs`: organ -> the engines to take it from, best first; the row of a group holds for its members. An organ that
    is not listed comes from the first of `engines` that draws it. `fallback`: what no engine draws of body, lungs,
    bones and air comes from HU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engines: dict[str, dict[str, object]] = Field(min_length=1)
    organs: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    fallback: bool = True

    @field_validator("organs", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: (chosen,) if isinstance(chosen, str) else chosen for name, chosen in value.items()}

    @model_validator(mode="after")
    def _known(self) -> EngineTable:
        for name in self.engines:
            if name == NAME or name not in engine_names():
                raise ValueError(f"unknown engine {name!r}")
        for name, chosen in self.organs.items():
            if not is_known(name):
                raise ValueError(f"unknown organ {name!r}")
            missing = [each for each in chosen if each not in self.engines]
            if missing or not chosen:
                raise ValueError(f"{name} is to come from {', '.join(missing) or 'nothing'}, not among the engines")
        return self


def read_engine_table(path: Path) -> EngineTable:
    """The table of a JSON file. Raises `InputError` in one line for what is none."""
    try:
        return EngineTable(**json.loads(Path(path).read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"not a table of engines: {f'{place}: ' if place else ''}{first['msg']}", where=path,
                         mend='Write it as {"engines": {"totalsegmentator": {}, "res-u2net": {}}, '
                              '"organs": {"thymus": "res-u2net"}}.') from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"the table of engines cannot be read ({error})", where=path,
                         mend="Check its path and that it is JSON.") from error


class CombinedParameters(BaseModel):
    """Settings of the combined engine."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = Field(None, title="Table of engines", description="JSON with engines, their parameters, and "
                               "which organ comes from which.", json_schema_extra={"in_form": False})
    table: EngineTable | None = Field(None, title="Table", description="The same, written here.",
                                      json_schema_extra={"wide": True})


class CombinedEngine:
    """Runs each engine of a table once and joins their masks; the note of an organ says which engine drew it."""

    name = NAME
    title = "Several engines, the best for each organ"
    organs_by_model = True
    licence = "those of its engines"
    cost = "the memory of the largest of its engines, the time of all"
    devices = ("cpu", "cuda")
    parameters = CombinedParameters

    @property
    def organs(self) -> tuple[str, ...]:
        drawn = (name for each in engine_names() if each != NAME for name in engine(each).organs)
        return tuple(dict.fromkeys(drawn))

    def segment(self, study: CTStudy, parameters: CombinedParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT. Raises what its engines raise, and `InputError` without a table."""
        return combine(study, _table_of(parameters or CombinedParameters()), progress)

    def organs_with(self, parameters: CombinedParameters) -> tuple[str, ...]:
        """What the engines of the table draw. Raises `InputError` without a table."""
        table = _table_of(parameters)
        names = [*table.engines, *([_FROM_HU] if table.fallback else [])]
        return tuple(dict.fromkeys(organ for each in names for organ in drawn_organs(
            engine(each), _checked(each, table.engines.get(each, {})))))

    def context_with(self, parameters: CombinedParameters) -> str:
        """The most that any of the engines must see. Raises `InputError` without a table."""
        table = _table_of(parameters)
        names = [*table.engines, *([_FROM_HU] if table.fallback else [])]
        return max((context_of(engine(each), _checked(each, table.engines.get(each, {}))) for each in names),
                   key=CONTEXTS.index)

    def check_ready(self, parameters: CombinedParameters, installed: Installed) -> None:
        """Raises `InputError` without a table, and for the first of its engines that cannot run."""
        for name, given in _table_of(parameters).engines.items():
            if reason := why_not_ready(engine(name), _checked(name, given), installed):
                raise InputError(f"{name}: {reason.rstrip('.')}", mend="Or take it out of the table of engines.")


def _table_of(parameters: CombinedParameters) -> EngineTable:
    if (parameters.model is None) == (parameters.table is None):
        raise InputError("the combined engine needs one table of engines", mend="Tick engines for it (on the command "
                         "line: give its file with --model).")
    return parameters.table or read_engine_table(parameters.model)


def combine(study: CTStudy, table: EngineTable, progress: Progress | None = None) -> OrganMasks:
    """Run the engines of a table and join what they draw."""
    progress = progress or Progress()
    settings = {name: _checked(name, given) for name, given in table.engines.items()}
    names = list(settings)
    if table.fallback and _FROM_HU not in names:
        names.append(_FROM_HU)
    drawn = {name: engine(name).segment(study, settings.get(name), _StagesOf(progress, name)) for name in names}
    return joined(study, table, drawn)


def joined(study: CTStudy, table: EngineTable, drawn: dict[str, OrganMasks]) -> OrganMasks:
    """The masks of several engines as one: each organ from the first engine in its row that found it.

    An organ wanted from an engine that did not find it comes from the next in its row, with a note. Where organs of
    different engines overlap, the one of the engine that stands first in `drawn` keeps the voxels, unless one lies in
    the other by right: the body holds all, a group its members, an organ its tumours. Estimated organs come after all
    that were seen in the image, wherever their engine stands, take no voxel from these, and stay marked.
    """
    masks = OrganMasks(study.image, origin=", ".join(each.origin for each in drawn.values()))
    rows = _rows_of_members(table)
    sources = _sources(rows, drawn)
    claims = _Claims(masks.shape)
    estimated = {name for name, who in sources.items() if name in estimated_names(drawn[who])}
    for name, who in sorted(sources.items(), key=lambda item: (item[0] in estimated, list(drawn).index(item[1]))):
        mask, lost = claims.left_for(name, who, drawn[who].mask(name))
        if name in estimated:
            seen = masks.segments.keys() - estimated
            left = _within_seen_groups(name, without_seen(name, mask, masks, seen), masks, seen)
            mask, lost = left, lost + int(np.count_nonzero(mask)) - int(np.count_nonzero(left))
        wanted = rows.get(name, (who,))[0]
        notes = [f"by {who}", drawn[who].notes.get(name, ""), f"{wanted} did not find it" if wanted != who else "",
                 f"{lost} voxels are organs of engines that stand before it" if lost else ""]
        masks.notes[name] = "; ".join(filter(None, notes))
        if mask.any():
            masks.add(name, mask)
    for name in table.organs:
        if name not in sources and not members(name) & sources.keys():
            masks.notes[name] = f"not found by {', '.join(table.organs[name])}"
    for who, each in drawn.items():
        for name in each.notes.keys() - each.segments.keys() - masks.notes.keys():
            masks.notes[name] = f"{who}: {each.notes[name]}"
    mark_drawn(masks, Drawn.ESTIMATED, estimated & masks.segments.keys())
    return masks


def _rows_of_members(table: EngineTable) -> dict[str, tuple[str, ...]]:
    """The rows of the table, in which the row of a group is also that of its members without one of their own."""
    rows = {part: row for name, row in table.organs.items() for part in members(name)}
    return {**rows, **table.organs}


def _within_seen_groups(name: str, mask: np.ndarray, masks: OrganMasks, seen: Iterable[str]) -> np.ndarray:
    """An estimated part of a group that was seen lies in it: the kidney of a phantom in the kidneys of the image."""
    for group in seen:
        if name in members(group):
            mask = mask & masks.mask(group)
    return mask


def _sources(rows: dict[str, tuple[str, ...]], drawn: dict[str, OrganMasks]) -> dict[str, str]:
    """Organ -> the engine it is taken from, for all that any engine of its row found."""
    found: dict[str, str] = {}
    last = list(drawn)[-1]
    for name in dict.fromkeys(name for each in drawn.values() for name in each.names):
        row = (*rows[name], _FROM_HU) if name in rows else (
            sorted(drawn, key=lambda each: name in estimated_names(drawn[each])))
        who = next((each for each in row if each in drawn and name in drawn[each].segments), None)
        if who is not None:
            found[name] = who
    estimated = {name for name, who in found.items() if name in estimated_names(drawn[who])}
    from_hu = {name for name, who in found.items() if who == last == _FROM_HU}
    in_parts = {name for name in from_hu | estimated if _all_parts(name, found)}
    in_parts |= {name for name in estimated if members(name) & (found.keys() - estimated)}
    return {name: who for name, who in found.items() if name in rows or name not in in_parts}


def _all_parts(name: str, found: dict[str, str]) -> bool:
    """Whether a group is drawn by its members: lungs from HU only where nobody drew their lobes."""
    parts = organ(name).members if is_known(name) else ()
    return bool(parts) and all(part in found for part in parts)


class _Claims:
    """Which organ each voxel belongs to, by the engines that came before."""

    def __init__(self, shape: tuple[int, int, int]):
        self._owner = np.zeros(shape, np.uint16)
        self._organs: list[tuple[str, str]] = [("", "")]

    def left_for(self, name: str, who: str, mask: np.ndarray) -> tuple[np.ndarray, int]:
        """The voxels of a mask that no other engine's organ holds, which this organ now owns; how many it lost."""
        owners = self._owner[mask]
        allowed = np.array([owner in ("", who) or _may_overlap(name, other) for other, owner in self._organs])
        kept = mask.copy()
        kept[mask] = allowed[owners]
        if not _holds_others(name):
            self._organs.append((name, who))
            self._owner[kept & (self._owner == 0)] = len(self._organs) - 1
        return kept, int(np.count_nonzero(~allowed[owners]))


def _may_overlap(one: str, other: str) -> bool:
    """Whether an organ may share voxels with one drawn by another engine."""
    if _holds_others(one) or _holds_others(other):
        return True
    return any(part.startswith(inside) and whole.startswith(outside) for part, whole in ((one, other), (other, one))
               for inside, outside in INSIDE)


def _holds_others(name: str) -> bool:
    """The body, groups such as bones, and what lies in organs: none of them takes voxels from others."""
    if name in ("body", "skin", "air_internal") or name.endswith("_contents"):
        return True
    return is_known(name) and (bool(organ(name).members) or organ(name).category_meaning == ALTERED)


def _checked(name: str, given: dict[str, object]) -> BaseModel:
    try:
        return engine(name).parameters(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=f"parameters of {name}",
                         mend="Correct the table of engines.") from error


class _StagesOf(Progress):
    """A progress whose stages are named after the engine; cancelling the outer one cancels it."""

    def __init__(self, outer: Progress, who: str):
        super().__init__()
        self._outer, self._who = outer, who

    def cancel(self) -> None:
        self._outer.cancel()

    @property
    def cancelled(self) -> bool:
        return self._outer.cancelled

    def report(self, stage: str, fraction: float, message: str = "") -> None:
        self._outer.report(f"{self._who}: {stage}", fraction, message)


ENGINE = CombinedEngine()
