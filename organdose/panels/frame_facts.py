"""The facts of several PET or SPECT frames: what holds for the administration stands once, the rest for each frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from organdose.study.nuclear_fact_sheet import NuclearFactSheet

# Facts of administration and patient: whoever says them of one frame says them of all.
COMMON = frozenset({"nuclide", "administered_mbq", "administered_at", "half_life_s", "patient_mass_kg",
                    "patient_height_m", "residual_mbq", "residual_at"})
NEEDED = ("nuclide", "administered_mbq", "administered_at", "scan_start_at", "duration_s", "image_unit",
          "decay_correction")


class FrameFacts:
    """One `NuclearFactSheet` a frame; to a `FactsTable` it looks like the sheet of the frame chosen by `index`."""

    def __init__(self, sheets: Sequence[NuclearFactSheet] = ()):
        self.sheets, self.index = list(sheets), 0

    @classmethod
    def joined(cls, sheets: Sequence[NuclearFactSheet], before: Sequence[NuclearFactSheet] = ()) -> FrameFacts:
        """Of these sheets; what was typed of the administration in one of `before` holds for all of them."""
        typed = {name: fact for sheet in before for name, fact in sheet.user.items() if name in COMMON}
        for sheet in sheets:
            sheet.user = typed | sheet.user
        return cls(sheets)

    @classmethod
    def from_json(cls, text: str) -> FrameFacts:
        """From `to_json`; none from an empty text."""
        return cls([NuclearFactSheet.from_json(each) for each in json.loads(text or "[]")])

    def to_json(self) -> str:
        return json.dumps([sheet.to_json() for sheet in self.sheets])

    @property
    def sheet(self) -> NuclearFactSheet:
        """The sheet of the chosen frame; an empty one without frames."""
        return self.sheets[min(self.index, len(self.sheets) - 1)] if self.sheets else NuclearFactSheet()

    def rows(self):
        """See `FactSheet.rows`."""
        return self.sheet.rows()

    def write(self, name: str, text: str) -> None:
        """See `FactSheet.write`."""
        for sheet in self.sheets if name in COMMON else [self.sheet]:
            sheet.write(name, text)

    def missing(self) -> list[str]:
        """The facts that nobody has said of some frame, in the order of the form; notes them in the sheets."""
        found: set[str] = set()
        for sheet in self.sheets:
            for name in NEEDED:
                if name not in sheet.header | sheet.user:
                    sheet.missing.setdefault(name, sheet.explanations[name])
            found |= sheet.missing.keys()
        return [name for name in NuclearFactSheet.titles if name in found]

    def forget_missing(self) -> None:
        for sheet in self.sheets:
            sheet.missing = {}

    def protocols(self, *, typed_only: Sequence[bool]) -> tuple[dict[str, object], list[dict[str, object]]]:
        """The content of a protocol file for all frames, and what beside it belongs to each frame alone.

        `typed_only` says of each frame that its job reads the header itself (`NuclearFactSheet.protocol`).
        """
        if len(self.sheets) == 1:
            return self.sheets[0].protocol(typed_only=typed_only[0]), [{}]
        whole, own, origins = {}, [], {}
        common = {NuclearFactSheet.protocol_name(name) for name in COMMON} | {"patient_sex"}
        for sheet, only in zip(self.sheets, typed_only, strict=True):
            stated = sheet.protocol(typed_only=only)
            origins = stated.pop("origins") | origins
            whole = {name: value for name, value in stated.items() if name in common} | whole
            own.append({name: value for name, value in stated.items() if name not in common})
        return {**whole, "origins": origins}, own


def form_names(missing: Mapping[str, str]) -> dict[str, str]:
    """Facts by the names of a protocol, with their explanations, by the names of the form; others are left out."""
    names = {NuclearFactSheet.protocol_name(name): name for name in NuclearFactSheet.titles}
    return {names[name]: why for name, why in missing.items() if name in names}
