"""Activity of the frames before any dose is computed: what each shows, and the curves of the organs over time."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from organdose.errors import InputError, MissingFacts

_SETTLE_MS = 150  # one stroke of a brush is several events
_CHART_ATTRIBUTE = "OrganDose.LiveActivity"
_FRAME_HEADINGS = ("Frame", "Start\nh p.i.", "At scan\nMBq", "At admin.\nMBq", "Of given\n%")
_CURVE_HEADINGS = ("Organ", "TIA\nMBq h", "TIAC\nh", "±\n%")
_FRAME_HINT = ("Activity in the field of view at the start of the frame, the same decay corrected to the "
               "administration, and that as a part of the net administered activity. h p.i.: hours after "
               "administration. Click a row to see the facts of this frame.")


class ActivityCurves:
    """Frame table, organ curves and their chart in the widgets of the module's .ui (`ui`).

    `on_frame(index)` is called when the user chooses another frame in the table. The sums over organs are made in
    short steps by a timer, again for each edit of the masks; facts and models only fit them anew.
    """

    def __init__(self, ui, on_frame: Callable[[int], None]):
        import qt

        from organdose.panels.number_table import NumberTable
        from organdose.panels.steps import Steps
        from organdose.scene.frame_activity import ActivityOfFrames

        self._ui, self._on_frame = ui, on_frame
        self._activity, self._steps, self._asked = ActivityOfFrames(), Steps(), {}
        self._curves, self._tags, self._observed = [], [], None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._sum)
        self.frame_table = NumberTable(ui.framesTable, (100, 46, 58, 66, 54), sortable=False)
        self.curve_table = NumberTable(ui.curvesTable, (124, 64, 76, 40), digits=3)
        ui.framesTable.toolTip = _FRAME_HINT
        ui.framesTable.itemSelectionChanged.connect(lambda *_: self._frame_chosen())
        ui.curvesTable.itemSelectionChanged.connect(lambda *_: self._draw())
        ui.curvesButton.clicked.connect(lambda *_: self.show_chart())

    @property
    def is_busy(self) -> bool:
        """Whether sums over organs are being made or are waiting to be."""
        return self._steps.is_busy or self._timer.active

    @property
    def curves(self) -> list:
        """The `TimeActivityCurve`s that are shown."""
        return self._curves

    def missing(self, frames: Sequence, sheets: Sequence) -> list[dict[str, str]]:
        """By frame, the facts without which there are no Bq/ml, by the names of a protocol."""
        found = []
        for frame, sheet in zip(frames, sheets, strict=True):
            try:
                found.append(self._activity.missing(frame, sheet))
            except InputError:
                found.append({})  # said by the frame's row
        return found

    def show(self, frames: Sequence, sheets: Sequence, ct, segmentation, model: str,
             parameters: Mapping[str, object]) -> None:
        """Show what belongs to these; sums are made when frames, CT and masks are all there."""
        before = self._asked
        self._asked = {"frames": list(frames), "sheets": list(sheets), "ct": ct, "segmentation": segmentation,
                       "model": model, "parameters": dict(parameters)}
        self._show_frames()
        self._observe(segmentation if frames and ct is not None else None)
        if not frames or ct is None or segmentation is None:
            self._steps.stop()
            self._timer.stop()
            self._curves = []
            self._say("" if not frames else "Curves need CT and masks.")
            self._show_curves()
            return
        same = all(before.get(name) == self._asked[name] for name in ("frames", "ct", "segmentation"))
        if same and not self.is_busy:
            self._fit()
        elif not same:
            self._timer.start()

    def pause(self) -> None:
        """Another module is shown, or the scene closes."""
        self._steps.stop()
        self._timer.stop()
        self._observe(None)
        self._asked = {}

    def forget(self) -> None:
        """What was summed is of the scene before."""
        from organdose.scene.frame_activity import ActivityOfFrames

        self.pause()
        self._activity, self._curves = ActivityOfFrames(), []

    def stop(self) -> None:
        """The window goes away."""
        self.forget()
        self._steps.discard()
        self._timer.timeout.disconnect(self._sum)

    def show_chart(self) -> None:
        """Show the curves in the plot view."""
        from organdose.scene.views import show_chart

        if (chart := _live_chart()) is not None:
            show_chart(chart)

    def _observe(self, segmentation) -> None:
        from organdose.scene.segment_edits import observe_edits, stop_observing

        if segmentation is self._observed:
            return
        if self._observed is not None:
            stop_observing(self._observed, self._tags)
        self._observed = segmentation
        self._tags = [] if segmentation is None else observe_edits(segmentation, lambda *_: self._timer.start())

    def _sum(self) -> None:
        asked = self._asked
        if asked:
            self._say("Adding up the activity in the organs ...")
            self._steps.run(self._activity.follow(asked["frames"], asked["ct"], asked["segmentation"]),
                            on_done=lambda _: self._fit(), on_error=self._failed)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, InputError):
            logging.error("the activity of the organs could not be added up", exc_info=error)
        self._curves = []
        self._say(str(error))
        self._show_curves()

    def _fit(self) -> None:
        asked = self._asked
        if not asked:
            return
        try:
            self._curves = self._activity.curves(asked["frames"], asked["sheets"], asked["model"], asked["parameters"])
        except MissingFacts:
            self._curves = []
            self._say("The curves appear when the missing facts above are filled in.")
        except InputError as error:
            self._curves = []
            self._say(str(error))
        else:
            self._say("As the frames lie, before registration." if len(asked["frames"]) > 1 else "")
        self._show_curves()

    def _say(self, text: str) -> None:
        self._ui.curvesStatus.text, self._ui.curvesStatus.visible = text, bool(text)

    def _show_frames(self) -> None:
        rows, hints = [], []
        for frame, sheet in zip(self._asked["frames"], self._asked["sheets"], strict=True):
            try:
                found, hint = self._activity.row(frame, sheet), ""
            except InputError as error:
                found, hint = None, str(error)
            hints.append(hint or _FRAME_HINT)
            rows.append([frame.GetName(), *_numbers_of(found)])
        self._ui.framesTable.visible = bool(rows)
        self.frame_table.show(_FRAME_HEADINGS, rows, [str(index) for index in range(len(rows))], hints)

    def _frame_chosen(self) -> None:
        chosen = self.frame_table.selected()
        if chosen:
            self._on_frame(int(chosen[0]))

    def _show_curves(self) -> None:
        from organdose.anatomy.organs import describe

        rows = [[describe(curve.organ).title, curve.integral_bq_s / 3.6e9, curve.tiac_h, _percent(curve)]
                for curve in self._curves]
        self._ui.curvesTable.visible = bool(rows)
        self._ui.curvesButton.enabled = bool(rows)
        self._ui.curvesButton.toolTip = ("Curves of the main organs, or of the selected rows, in the plot view."
                                         if rows else "There are no curves yet.")
        self.curve_table.show(_CURVE_HEADINGS, rows, [curve.organ for curve in self._curves],
                              [curve.note for curve in self._curves])
        self._draw()

    def _draw(self) -> None:
        """The curves of the selected rows, else of the main organs."""
        from organdose.scene.internal_dose_scene import main_curves
        from organdose.scene.time_activity_plot import draw_curves

        chart = _live_chart()
        if chart is None and not self._curves:
            return
        chosen = set(self.curve_table.selected())
        drawn = [curve for curve in self._curves if curve.organ in chosen] or main_curves(self._curves)
        draw_curves(chart or _new_chart(self._asked["ct"]), drawn)


def _numbers_of(row) -> list[float | None]:
    if row is None:
        return [None] * 4
    scaled = ((row.start_s, 1 / 3600), (row.at_scan_bq, 1e-6), (row.at_administration_bq, 1e-6), (row.fraction, 100))
    return [None if value is None else value * factor for value, factor in scaled]


def _percent(curve) -> float:
    known = curve.integral_bq_s > 0 and not math.isnan(curve.integral_uncertainty_bq_s)
    return 100 * curve.integral_uncertainty_bq_s / curve.integral_bq_s if known else math.nan


def _live_chart():
    import slicer

    return next((node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
                 if node.GetAttribute(_CHART_ATTRIBUTE)), None)


def _new_chart(ct):
    from organdose.scene import subject_hierarchy
    from organdose.scene.time_activity_plot import time_activity_plot

    plot = time_activity_plot([], "Time-activity curves of the frames")
    plot.chart.SetAttribute(_CHART_ATTRIBUTE, "1")
    if study := subject_hierarchy.study_of(ct):
        subject_hierarchy.put_under(study, [plot.chart, plot.table])
    return plot.chart
