"""What the Organ Segmenter's window does with masks that are there: findings, actions, review, comparison."""

from __future__ import annotations

from collections.abc import Callable

from organdose.panels.job_panel import JobPanel, banner_style


class MaskWork:
    """Works in the places of the module's .ui (`findingsPlace`, `actionsPlace`, `reviewPlace`, `comparePlace`), beside
    the embedded segment `editor`.

    `rerun`: more that can be done to the chosen organ, with `widget`, `show(segmentation, segment_id, ct)`, `cancel`
    and `stop`; None for nothing.
    """

    def __init__(self, ui, editor, rerun=None):
        from organdose.panels.mask_actions import MaskActions
        from organdose.panels.mask_comparison import MaskComparison
        from organdose.panels.mask_findings_list import MaskFindingsList
        from organdose.panels.mask_following import MaskFollowing
        from organdose.panels.mask_review import MaskReview

        self._editor, self._rerun = editor, rerun
        self._segmentation = self._ct = None
        self.following = MaskFollowing(self._masks_changed)
        self.findings = MaskFindingsList(self._go_to)
        self.check_job = JobPanel("Check again", self._check_again, lambda _outcome: self._show_all())
        self.actions = MaskActions(editor.save_for_undo, self._check_sides)
        self.review = MaskReview(self._organ_chosen, self._review)
        self.comparison = MaskComparison(ui.comparePlace, self.following)
        self._lay_out(ui)
        editor.on_selected(self._segment_selected)

    def show(self, segmentation_node, ct_node, reference_node) -> None:
        """Work on these masks of a CT, any of them None."""
        self._segmentation, self._ct = segmentation_node, ct_node
        self.following.follow(segmentation_node, ct_node)
        self.comparison.show(segmentation_node, reference_node, ct_node)
        self._show_all()

    def leave(self) -> None:
        """The scene goes away: end what is under way."""
        self.check_job.cancel()
        self.comparison.job.cancel()
        if self._rerun is not None:
            self._rerun.cancel()
        self.show(None, None, None)

    def stop(self) -> None:
        self.check_job.stop()
        self.comparison.stop()
        if self._rerun is not None:
            self._rerun.stop()
        self.following.stop()

    def _lay_out(self, ui) -> None:
        import qt

        self.headline = qt.QLabel()
        self.headline.objectName = "findingsHeadline"
        self.headline.wordWrap = True
        self.headline.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        for widget in (self.headline, self.findings.widget, self.check_job.widget):
            ui.findingsPlace.layout().addWidget(widget)
        ui.actionsPlace.layout().addWidget(self.actions.widget)
        if self._rerun is not None:
            ui.actionsPlace.layout().addWidget(self._rerun.widget)
        ui.reviewPlace.layout().addWidget(self.review.widget)

    def _show_all(self) -> None:
        from organdose.panels.mask_findings_list import headline
        from organdose.scene.mask_findings_node import mask_check_of

        node, states = self._segmentation, self.following.states
        check = mask_check_of(node) if node is not None else None
        now = {name: state.fingerprint for name, state in states.items()}
        edited = check.edited_since(now) if check and now else set()
        found = check.findings if check else ()
        self.findings.show(found, edited)
        line, kind = headline(check, edited, has_masks=node is not None)
        self.headline.text, self.headline.styleSheet, self.headline.visible = line, banner_style(kind), bool(line)
        self.check_job.refuse(self._why_no_check())
        self.review.show(states, found, edited if check else set(states), self.following.complaint)
        self._segment_selected()

    def _why_no_check(self) -> str:
        if self._ct is None or self._segmentation is None:
            return "Choose CT and masks above."
        return self.following.complaint if self.following.masks is None else ""

    def _masks_changed(self, lost: tuple[str, ...]) -> None:
        from organdose.anatomy.organs import describe

        self._show_all()
        self.comparison.show_state()
        if lost:
            titles = ", ".join(describe(name).title for name in lost)
            self.review.say(f"Edited, and no longer approved: {titles}.", "stale")

    def _segment_selected(self) -> None:
        """Another segment is edited, or the segments are others."""
        segment_id = self._editor.segment_id if self._segmentation is not None else ""
        self.actions.show(self._segmentation, segment_id)
        if self._rerun is not None:
            self._rerun.show(self._segmentation, segment_id, self._ct)
        name = next((name for name, state in self.following.states.items() if state.segment_id == segment_id), "")
        self.review.select(name)

    def _organ_chosen(self, name: str) -> None:
        state = self.following.states.get(name)
        if state is not None:
            self._editor.select(state.segment_id)

    def _go_to(self, finding) -> None:
        """Where a finding is: the slice views go there, and the editor takes the organ."""
        from organdose.scene.views import go_to

        left, posterior, superior = finding.place_mm
        go_to((-left, -posterior, superior))
        self._organ_chosen(finding.organ)

    def _check_again(self) -> None:
        from organdose.panels.mask_check import MaskCheckJob

        check = MaskCheckJob(self._segmentation, self._ct, self.following.masks)
        self.check_job.run("check-masks", check.make_job, check.take)

    def _check_sides(self, segment_id: str, tell: Callable) -> None:
        def look() -> None:
            name = next((name for name, state in self.following.states.items() if state.segment_id == segment_id), "")
            tell(self.following.masks.side_findings(name))

        self.following.when_current(
            look, lambda: self.actions.say("The mask was edited meanwhile: press again.", "stale"))

    def _review(self, line_of: Callable) -> None:
        """A person approves or withdraws, of the masks as they are at this moment."""
        def act() -> None:
            from organdose.errors import InputError

            self._editor.save_for_undo()
            try:
                line, kind = line_of(self.following.masks)
            except InputError as error:
                line, kind = str(error), "bad"
            self._show_all()
            self.review.say(line, kind)

        self.following.when_current(
            act, lambda: self.review.say("The masks were edited meanwhile: look again, then press again.", "stale"))
