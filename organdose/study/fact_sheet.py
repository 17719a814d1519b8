"""The acquisition facts as a form: what the header says, what the user wrote over it, what is still missing.

Windows show its rows and write into it; a job takes it as a protocol file that keeps each fact's origin.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import ClassVar, Self

from organdose.study.facts import Fact, Origin


class FactState(StrEnum):
    """How a row of the form stands."""

    known = "known"
    contradictory = "contradictory"
    missing = "missing"
    unknown = "unknown"  # not there, and not needed


@dataclass(frozen=True)
class FactRow:
    """One line of the form: `text` is the value as people write it, '' while nobody has said it."""

    name: str
    title: str
    unit: str
    text: str
    origin: str
    note: str
    state: FactState
    explanation: str


@dataclass
class FactSheet(ABC):
    """Facts by name; `header` is what was read, `user` what was typed, `missing` what an engine asks for.

    `remarks` are the header's warnings. Saved with a scene as JSON. What facts there are, their titles with units and
    their explanations, and how a text becomes a value, is said by the sheet of each kind of acquisition.
    """

    titles: ClassVar[dict[str, tuple[str, str]]] = {}
    explanations: ClassVar[dict[str, str]] = {}

    header: dict[str, Fact] = field(default_factory=dict)
    user: dict[str, Fact] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    patient_sex: str = ""

    @abstractmethod
    def parsed(self, name: str, text: str) -> object:
        """The value of a text that the user typed. Raises `InputError` for one that is none."""

    def rows(self) -> list[FactRow]:
        """Every fact there is a name for, in the order of `titles`."""
        return [self._row(name) for name in self.titles]

    def write(self, name: str, text: str) -> None:
        """Take `text` as the user's value of a fact; an empty text goes back to the header's.

        Raises `InputError` for a text that is no such value, in the words of the fact's explanation.
        """
        text = text.strip()
        before = self.header.get(name)
        if not text or (before is not None and text == shown(before.value)):
            self.user.pop(name, None)
            return
        value = self.parsed(name, text)
        note = f"replaces {shown(before.value)} ({before.origin.value})" if before is not None else ""
        self.user[name] = Fact(value, Origin.user, note)

    def to_json(self) -> str:
        return json.dumps({"header": {name: asdict(fact) for name, fact in self.header.items()},
                           "user": {name: asdict(fact) for name, fact in self.user.items()},
                           "remarks": self.remarks, "patient_sex": self.patient_sex})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A sheet from `to_json`; an empty one from an empty text."""
        if not text:
            return cls()
        content = json.loads(text)
        header, user = ({name: _fact(fact) for name, fact in content[part].items()} for part in ("header", "user"))
        return cls(header, user, remarks=tuple(content["remarks"]), patient_sex=content["patient_sex"])

    def _row(self, name: str) -> FactRow:
        fact = self.user.get(name) or self.header.get(name)
        if fact is None:
            state = FactState.missing if name in self.missing else FactState.unknown
        else:
            state = FactState.contradictory if fact.note and fact.origin is Origin.header else FactState.known
        return FactRow(name, *self.titles[name], "" if fact is None else shown(fact.value),
                       "" if fact is None else fact.origin.value, "" if fact is None else fact.note, state,
                       self.missing.get(name, self.explanations[name]))


def shown(value: object) -> str:
    """A value as people write it; per-slice values as their range, when there are more than two."""
    if isinstance(value, tuple) and len(value) > 2:
        return f"{min(value):.4g} to {max(value):.4g}"
    if isinstance(value, tuple):
        return ", ".join(f"{each:g}" for each in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _fact(content: dict) -> Fact:
    value = content["value"]
    return Fact(tuple(value) if isinstance(value, list) else value, Origin(content["origin"]), content["note"])
