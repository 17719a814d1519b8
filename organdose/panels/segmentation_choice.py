"""What is segmented, and with what: engine, parameters, organs, and whether it can run here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_MOST_ABSENT = 8  # organs that are named in a line, more are counted


class SegmentationChoice:
    """The form of an engine, the tree of its organs, and what is to be known of it.

    `on_changed` is called after each change by the user; `state` then says what to keep.
    """

    def __init__(self, on_changed: Callable[[], None]):
        import qt

        from organdose.panels.engine_form import EngineForm
        from organdose.panels.engine_table_editor import EngineTableEditor
        from organdose.panels.organ_tree import OrganTree
        from organdose.panels.segmentation_editors import segmentation_editors
        from organdose.segmentation.engines import engine, engine_names

        self._on_changed = on_changed
        self._wanted: list[str] | None = None  # None: all that the engine draws
        self._engine = ""  # whose organs are shown
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.form = EngineForm({name: engine(name) for name in engine_names()}, self._form_edited,
                               editors=segmentation_editors(EngineTableEditor))
        column.addWidget(self.form.widget)
        self.obstacle, self.note = _label("engineObstacle"), _label("engineNote")
        # It may hold a path, a word that would widen the panel.
        self.obstacle.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        column.addWidget(self.obstacle)
        column.addWidget(self.note)
        self.organs = OrganTree(self._organs_edited)
        column.addWidget(self.organs.widget)

    def show(self, engine: str, parameters: Mapping[str, object], organs: Sequence[str] | None) -> None:
        """Choose an engine ('': the one to begin with here), its parameters and organs (None: all)."""
        from organdose.panels.job_packages import installed_for_jobs
        from organdose.segmentation.engine_needs import first_engine

        self.form.show(engine or first_engine(installed_for_jobs), parameters)
        self._engine, self._wanted = self.form.engine, None if organs is None else list(organs)
        self._show_organs()
        self._show_note()

    def state(self) -> tuple[str, dict[str, object], list[str] | None]:
        """(engine, parameters, organs or None for all): what `show` takes."""
        return self.form.engine, self.form.values(), self._wanted

    def complaint(self) -> str:
        """Why this cannot run, in one line; '' when it can."""
        return self.form.complaint() or self._obstacle() or (
            "" if self._wanted is None or self.organs.ticked() else "Tick at least one organ.")

    def job(self) -> dict[str, object]:
        """The part of a 'segment' job that is chosen here."""
        wanted = {} if self._wanted is None else {"organs": self.organs.ticked()}
        return {"engine": self.form.engine, "engine_parameters": self.form.values(), **wanted}

    def expected(self) -> list[str]:
        """The organs that were asked for by name: not those that are up to the model of an engine."""
        if self._wanted is None and getattr(self.form.chosen, "organs_by_model", False):
            return []
        return self.organs.ticked()

    def _form_edited(self) -> None:
        if self.form.engine != self._engine:
            self._engine, self._wanted = self.form.engine, None
        self._show_organs()
        self._show_note()
        self._on_changed()

    def _organs_edited(self) -> None:
        ticked = self.organs.ticked()
        self._wanted = None if ticked == self._drawn() else ticked
        self._on_changed()

    def _show_organs(self) -> None:
        self.organs.show(self._drawn(), self._wanted)

    def _drawn(self) -> list[str]:
        """The organs that the engine draws with the parameters it has now; all it may draw while they are wrong."""
        from organdose.segmentation.engine_needs import drawn_organs

        if self.form.chosen is None:
            return []
        if self.form.complaint():
            return list(self.form.chosen.organs)
        return list(drawn_organs(self.form.chosen, self.form.chosen.parameters(**self.form.values())))

    def _obstacle(self) -> str:
        """Why the engine cannot run in the Python that runs jobs; '' when it can or its parameters are wrong."""
        from organdose.panels.job_packages import installed_for_jobs
        from organdose.segmentation.engine_needs import why_not_ready

        if self.form.complaint():
            return ""
        return why_not_ready(self.form.chosen, self.form.chosen.parameters(**self.form.values()), installed_for_jobs)

    def _show_note(self) -> None:
        from organdose.panels.job_panel import banner_style

        reason, chosen = self._obstacle(), self.form.chosen
        self.obstacle.text = f"It cannot run yet: {reason}" if reason else ""
        self.obstacle.styleSheet = banner_style("stale" if reason else "")
        self.obstacle.visible = bool(reason)
        self.note.text = "" if chosen is None else (
            f"Licence: {chosen.licence}. Runs on: {', '.join(chosen.devices)}.\nIt takes: {chosen.cost}.")


def absent_line(names: Sequence[str]) -> str:
    """What to say of organs that were asked for and are not in the CT; '' for none."""
    from organdose.anatomy.organs import describe

    titles = [describe(name).title for name in names[:_MOST_ABSENT]]
    more = len(names) - len(titles)
    return f"Not in this CT: {', '.join(titles)}{f' and {more} more' if more else ''}." if names else ""


def _label(name: str):
    import qt

    label = qt.QLabel()
    label.objectName = name
    label.wordWrap = True
    label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
    return label
