"""The facts of the ticked frames in the InternalDosimetry window: read, shown, written over, asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from organdose.panels.frame_facts import FrameFacts, form_names


class FrameFactsTable:
    """Shows the `FrameFacts` of some frames in the widgets of the module's .ui (`ui`), one frame's at a time.

    `on_edited` is called after each accepted value, `on_refused(message)` for one that cannot be ('' once mended).
    """

    def __init__(self, ui, on_edited: Callable[[], None], on_refused: Callable[[str], None]):
        from organdose.panels.facts_table import FactsTable

        self._ui, self._frames, self.facts = ui, [], FrameFacts()
        self.table = FactsTable(ui.factsTable, on_edited, on_refused)
        ui.allFactsCheck.toggled.connect(lambda *_: self.show_facts())

    def show(self, frames: Sequence, text: str, missing: Callable[[Sequence, Sequence], list[dict[str, str]]]) -> str:
        """Show the facts `text` (JSON of `FrameFacts`) of these frames; returns which are still missing, as titles.

        `missing(frames, sheets)` gives, by frame, what its unit needs beside what every frame needs.
        """
        self._frames = list(frames)
        if self.facts.to_json() != text:
            index, self.facts = self.facts.index, FrameFacts.from_json(text)
            self.facts.index = min(index, max(0, len(frames) - 1))
        self.facts.forget_missing()
        for sheet, lacking in zip(self.facts.sheets, missing(frames, self.facts.sheets), strict=True):
            sheet.missing = form_names(lacking)
        names = self.facts.missing()
        self.show_facts()
        return ", ".join(self.facts.sheet.titles[name][0] for name in names)

    def ask_for(self, missing: dict[str, str]) -> None:
        """Mark facts, by the names of a protocol, as missing."""
        for sheet in self.facts.sheets:
            sheet.missing = form_names(missing)
        self.show_facts()

    def choose(self, index: int) -> None:
        """Show the facts of another frame."""
        self.facts.index = index
        self.show_facts()

    @staticmethod
    def read(frames: Sequence, before: Sequence, text: str) -> FrameFacts:
        """The facts of `frames` from their headers; those of the frames `before` are in `text` already."""
        from organdose.scene.nuclear_facts import fact_sheet_of_frame

        known = dict(zip([node and node.GetID() for node in before], FrameFacts.from_json(text).sheets))
        return FrameFacts.joined([known.get(frame.GetID()) or fact_sheet_of_frame(frame) for frame in frames],
                                 list(known.values()))

    def show_facts(self) -> None:
        """Show the chosen frame's facts, as they are now."""
        from organdose.panels.job_panel import banner_style

        ui, chosen = self._ui, bool(self._frames)
        self.table.show(self.facts, everything=ui.allFactsCheck.checked)
        hint = ("Tick the frames: their facts are read from the header." if ui.framesList.count else
                "Load a PET or SPECT study first.")
        remarks = list(self.facts.sheet.remarks) if chosen else [hint]
        ui.factsStatus.text = "\n".join(remarks)
        ui.factsStatus.styleSheet = banner_style("stale" if remarks and chosen else "")
        ui.factsStatus.visible = bool(remarks)
        ui.factsTable.visible = chosen
        ui.factsOfLabel.visible = len(self._frames) > 1
        if len(self._frames) > 1:
            name = self._frames[self.facts.index].GetName()
            ui.factsOfLabel.text = (f"Facts of {name}. What was given is common to all frames; click another frame "
                                    "above to see its own.")
