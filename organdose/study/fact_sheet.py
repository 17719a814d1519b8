"""The acquisition facts as a form: what the header says, what the user wrote over it, what is still missing.

Windows show its rows and write into it; a job takes it as a protocol file that keeps each fact's origin.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from organdose.errors import InputError
from organdose.study.facts import EXPLANATIONS, CTAcquisition, Fact, Origin

# What the windows call the facts, with their units.
TITLES = {
    "tube_voltage_kv": ("Tube voltage", "kV"),
    "tube_current_ma": ("Tube current", "mA"),
    "exposure_mas": ("Exposure (mA s / pitch)", "mAs"),
    "rotation_time_s": ("Rotation time", "s"),
    "pitch": ("Pitch", ""),
    "total_collimation_mm": ("Total collimation", "mm"),
    "ctdivol_mgy": ("CTDIvol", "mGy"),
    "ctdi_phantom_cm": ("CTDI phantom", "cm"),
    "focus_isocentre_mm": ("Focus to isocentre", "mm"),
    "isocentre_mm": ("Isocentre x, y (LPS)", "mm"),
    "scan_kind": ("Scan kind", ""),
    "manufacturer": ("Manufacturer", ""),
    "model": ("Model", ""),
}
_TEXTS = frozenset({"scan_kind", "manufacturer", "model"})
_LISTS = frozenset({"tube_current_ma", "exposure_mas", "ctdivol_mgy", "isocentre_mm"})


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
class FactSheet:
    """Facts of one CT by name; `header` is what was read, `user` what was typed, `missing` what the engine asks for.

    `remarks` are the header's warnings. Saved with a scene as JSON.
    """

    header: dict[str, Fact] = field(default_factory=dict)
    user: dict[str, Fact] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    patient_sex: str = ""

    @classmethod
    def of(cls, acquisition: CTAcquisition, patient_sex: str = "") -> FactSheet:
        return cls(header=acquisition.known(), remarks=acquisition.warnings, patient_sex=patient_sex)

    def rows(self) -> list[FactRow]:
        """Every fact there is a name for, in the order of `TITLES`."""
        return [self._row(name) for name in TITLES]

    def write(self, name: str, text: str) -> None:
        """Take `text` as the user's value of a fact; an empty text goes back to the header's.

        Raises `InputError` for a text that is no such value, in the words of the fact's explanation.
        """
        text = text.strip()
        before = self.header.get(name)
        if not text or (before is not None and text == shown(before.value)):
            self.user.pop(name, None)
            return
        value = _parsed(name, text)
        note = f"replaces {shown(before.value)} ({before.origin.value})" if before is not None else ""
        self.user[name] = Fact(value, Origin.user, note)

    def acquisition(self) -> CTAcquisition:
        """The facts as the engines take them."""
        return CTAcquisition(**(self.header | self.user), warnings=self.remarks)

    def protocol(self) -> dict[str, object]:
        """The content of a protocol file (`study.protocol`) that carries all of it, with origins and notes."""
        facts = self.header | self.user
        values = {name: list(fact.value) if isinstance(fact.value, tuple) else fact.value
                  for name, fact in facts.items()}
        return {**values, "origins": {name: fact.origin.value for name, fact in facts.items()},
                "notes": {name: fact.note for name, fact in facts.items() if fact.note},
                "remarks": list(self.remarks), "patient_sex": self.patient_sex}

    def to_json(self) -> str:
        return json.dumps({"header": {name: asdict(fact) for name, fact in self.header.items()},
                           "user": {name: asdict(fact) for name, fact in self.user.items()},
                           "remarks": self.remarks, "patient_sex": self.patient_sex})

    @classmethod
    def from_json(cls, text: str) -> FactSheet:
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
        return FactRow(name, *TITLES[name], "" if fact is None else shown(fact.value),
                       "" if fact is None else fact.origin.value, "" if fact is None else fact.note, state,
                       self.missing.get(name, EXPLANATIONS[name]))


def shown(value: object) -> str:
    """A value as people write it; per-slice values as their range when there are more than two."""
    if isinstance(value, tuple) and len(value) > 2:
        return f"{min(value):g} to {max(value):g} ({len(value)} slices)"
    if isinstance(value, tuple):
        return ", ".join(f"{each:g}" for each in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _fact(content: dict) -> Fact:
    value = content["value"]
    return Fact(tuple(value) if isinstance(value, list) else value, Origin(content["origin"]), content["note"])


def _parsed(name: str, text: str) -> object:
    """The value of a text, checked by the rules of the protocol file."""
    from organdose.study.protocol import check_fact

    if name in _TEXTS:
        return check_fact(name, text.lower() if name == "scan_kind" else text)
    try:
        numbers = [float(part) for part in text.replace(";", ",").split(",")]
    except ValueError as error:
        raise InputError(f"{TITLES[name][0]}: {text!r} is no number",
                         mend=f"It is the {EXPLANATIONS[name]}.") from error
    if name in _LISTS:
        return tuple(check_fact(name, numbers))
    if len(numbers) > 1:
        raise InputError(f"{TITLES[name][0]}: {len(numbers)} values where one is asked for",
                         mend="Write decimals with a point.")
    return check_fact(name, numbers[0])
