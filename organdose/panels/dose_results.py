"""The lower half of a dose module's window: a result of the scene, how it is shown, and whether it is stale."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import ClassVar

from organdose.errors import InputError
from organdose.panels.result_folders import ResultFolders, ask_and_copy
from organdose.panels.result_following import STALE_ATTRIBUTES, result_following

RESULT_ATTRIBUTE = "OrganDose.Result"
INPUTS_ATTRIBUTE = "OrganDose.Inputs"  # JSON of what the result was computed from, by the keys of `input_titles`


def check_there(ct_node, segmentation_node) -> None:
    """Raises `InputError` when one of them has left the scene."""
    for node, what in ((ct_node, "CT"), (segmentation_node, "segmentation")):
        if node.GetScene() is None:
            raise InputError(f"the {what} was deleted while its dose was computed", mend="Load it and compute again.")


def report_in(result: Path) -> str:
    """The report of a result folder. Raises `InputError` without one."""
    try:
        return (result / "report.html").read_text(encoding="utf-8")
    except OSError as error:
        raise InputError("the result folder is not whole", where=result, mend="Compute the dose again.") from error


def added_body(path: Path, ct_node, segmentation_node) -> Generator:
    """The body outline that the job drew becomes a segment, so that it can be seen, corrected and followed.

    Returns whether there was one.
    """
    from organdose.scene.job_files import masks_from_file_steps
    from organdose.scene.segmentation_nodes import add_masks_steps

    if not path.exists() or segmentation_node.GetSegmentation().GetSegment("body") is not None:
        return False
    masks = yield from masks_from_file_steps(path, ct_node)
    yield from add_masks_steps(segmentation_node, masks)
    return True


class DoseResults:
    """Shows one result in the widgets of the module's .ui (`ui`): table, descriptors, isodoses, opacity, files.

    Each kind of dose says in the class variables what it is called, which columns its table has (None: those of
    `OrganDoses`), and the words for the inputs that a result is compared with.
    """

    kind: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...] | None] = None
    input_titles: ClassVar[Mapping[str, str]] = {}

    def __init__(self, ui):
        from organdose.panels.organ_doses import OrganDoses

        self._ui, self._result, self._parameters = ui, None, None
        self._folders = ResultFolders()
        self._shown: dict[str, object] = {}
        self.table = OrganDoses(ui.organTable, self.columns)
        self._connect()
        result_following().listen(self._table_changed)

    def stop(self) -> None:
        result_following().unlisten(self._table_changed)
        self._folders.remove_all()

    def filter_selector(self) -> None:
        """Offer organ tables of doses of this kind only."""
        self._ui.resultSelector.addAttribute("vtkMRMLTableNode", RESULT_ATTRIBUTE, self.kind)

    def remember_folder(self, result, folder: Path) -> None:
        """Where the files of a result lie as long as Slicer runs."""
        self._folders.remember(result.organ_table, folder)

    @property
    def shown(self):
        """The `scene.dose_result.DoseResult` that is shown; None without."""
        return self._result

    @staticmethod
    def result_of(table_node):
        """The result of the kind with this organ table; None without."""
        raise NotImplementedError

    @staticmethod
    def lines(result) -> tuple[str, str]:
        """What stands above the table of a result, and its tooltip."""
        raise NotImplementedError

    @property
    def is_whole(self) -> bool:
        """Whether all that is shown is still in the scene."""
        if self._result is None:
            return True
        result, plot = self._result, self._result.dvh
        nodes = [result.ct, result.segmentation, result.dose, result.organ_table, result.uncertainty, result.report]
        nodes += [plot.chart, plot.table] if plot else []
        return all(node is None or node.GetScene() is not None for node in nodes)

    @staticmethod
    def headline(result) -> str:
        """What came out, in one line."""
        from organdose.anatomy.organs import describe
        from organdose.scene.organ_table_node import rows_from_table_node

        rows = [row for row in rows_from_table_node(result.organ_table) if not math.isnan(row.mean_mgy)]
        highest = max(rows, key=lambda row: row.mean_mgy, default=None)
        if highest is None:
            return "Done: no organ has a dose."
        return (f"Done: {len(rows)} organs, highest mean dose {highest.mean_mgy:.3g} mGy "
                f"({describe(highest.organ).title}).")

    def show(self, parameters, inputs: dict[str, object]) -> None:
        """Show the result that `parameters` (the module's parameter node) names; `inputs` are the present ones."""
        from organdose.scene.isodose import remove_isodoses

        before, self._parameters = self._result, parameters
        self._result = parameters.result and self.result_of(parameters.result)
        table = None if self._result is None else self._result.organ_table
        if self._changed("table", table):
            if before is not None and before.dose.GetScene() is not None:
                remove_isodoses(before.dose)  # lines of two doses cannot be told apart
            self._shown = {"table": table}
            self.table.show(table)
            said = ("", "") if self._result is None else self.lines(self._result)
            self._ui.descriptorsLabel.text, self._ui.descriptorsLabel.toolTip = said
        self._show_buttons()
        self._show_staleness(inputs)
        self._show_display()

    def _connect(self) -> None:
        ui = self._ui
        ui.organTable.itemSelectionChanged.connect(lambda *_: self._plot_selected())
        ui.copyButton.clicked.connect(lambda *_: self.table.copy())
        ui.csvButton.clicked.connect(lambda *_: self._save_csv())
        ui.reportButton.clicked.connect(lambda *_: self._open_report())
        ui.saveButton.clicked.connect(lambda *_: ask_and_copy(self._folders.of(self._shown["table"]), self.kind))
        ui.showButton.clicked.connect(lambda *_: self._show_in_views())
        ui.removeButton.clicked.connect(lambda *_: self._remove())

    def _changed(self, name: str, value: object) -> bool:
        before, self._shown[name] = self._shown.get(name), value
        return before != value

    def _table_changed(self, table_node) -> None:
        if self._result is not None and table_node is self._result.organ_table:
            self.table.show(table_node)
            if self._parameters is not None:
                self._show_staleness(self._shown.get("inputs", {}))

    def _show_buttons(self) -> None:
        ui, there = self._ui, self._result is not None
        for widget in (ui.copyButton, ui.csvButton, ui.showButton, ui.removeButton):
            widget.enabled = there
        for widget in (ui.organTable, ui.descriptorsLabel):
            widget.visible = there
        ui.displayButton.enabled = there
        ui.reportButton.enabled = there and self._result.report is not None
        ui.saveButton.enabled = self._folders.has(self._shown.get("table"))
        ui.saveButton.toolTip = ("Dose map (NRRD), tables, report and record of the run." if ui.saveButton.enabled else
                                 "Only for results computed since Slicer was started.")

    def _show_staleness(self, inputs: dict[str, object]) -> None:
        from organdose.panels.job_panel import banner_style

        self._shown["inputs"] = inputs
        if self._result is not None:
            text = " ".join(_why_stale(self._result, self._parameters, inputs, self.input_titles))
        elif self._parameters.result is not None:
            text = "The CT, the masks or the dose of this table are no longer in the scene."
        else:
            text = "No dose computed yet."
        self._ui.staleLabel.text = text
        self._ui.staleLabel.visible = bool(text)
        self._ui.staleLabel.styleSheet = banner_style("stale" if self._result is not None else "")

    def _show_display(self) -> None:
        """Opacity and isodoses, as far as they changed."""
        from organdose.scene import isodose, views

        if self._result is None:
            self._ui.displayStatus.visible = False
            return
        parameters, dose = self._parameters, self._result.dose
        if self._ui.levelsEdit.text != parameters.isodoseLevels and not self._ui.levelsEdit.hasFocus():
            self._ui.levelsEdit.text = parameters.isodoseLevels
        if self._changed("opacity", parameters.opacity):
            views.set_dose_opacity(dose, parameters.opacity)
        levels = self._levels(parameters.isodoseLevels)
        lines, surfaces = parameters.isodoseLines, parameters.isodoseSurfaces
        if not self._changed("isodoses", (lines, surfaces, levels)):
            return
        if not (lines or surfaces):
            isodose.remove_isodoses(dose)
        elif levels and (self._changed("levels", levels) or not isodose.isodose_models(dose)):
            isodose.show_isodoses(dose, levels, lines=lines, surfaces=surfaces)
        else:
            isodose.show_lines_and_surfaces(dose, lines=lines, surfaces=surfaces)

    def _levels(self, text: str) -> list[float]:
        """The isodoses (mGy) that are asked for; what is wrong with the text is shown, and there are none."""
        from organdose.scene import isodose

        complaint, levels = "", []
        try:
            levels = (isodose.levels_from_text(text) if text.strip() else
                      isodose.suggested_levels_mgy(self._result.dose))
        except InputError as error:
            complaint = str(error)
        self._ui.displayStatus.text, self._ui.displayStatus.visible = complaint, bool(complaint)
        return levels

    def _plot_selected(self) -> None:
        from organdose.scene.dvh_plot import plot_curves

        if self._result is not None and self._result.dvh:
            plot_curves(self._result.dvh.chart, self.table.selected())

    def _save_csv(self) -> None:
        from organdose.panels.organ_doses import save_csv

        path = _asked("Save the organ table", "organs.csv", "Table (*.csv)")
        if path:
            _tell_errors(lambda: save_csv(self._result.organ_table, path))

    def _open_report(self) -> None:
        import qt
        import slicer

        path = Path(tempfile.mkdtemp(prefix="report-", dir=slicer.app.temporaryPath)) / "report.html"
        path.write_text(self._result.report.GetText(), encoding="utf-8")
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))

    def _show_in_views(self) -> None:
        from organdose.scene import views

        result = self._result
        views.show_in_slices(result.ct, result.dose, result.segmentation, self._parameters.opacity)
        views.show_table_and_chart(result.organ_table, result.dvh.chart if result.dvh else None)

    def _remove(self) -> None:
        result, self._result = self._result, None
        result.remove(inputs=False)


def _why_stale(result, parameters, inputs: dict[str, object], titles: Mapping[str, str]) -> list[str]:
    """Sentences on how the window differs from what the result was computed from; none while it stands."""
    then = json.loads(result.organ_table.GetAttribute(INPUTS_ATTRIBUTE) or "{}")
    now = json.loads(json.dumps(inputs))
    changed = [title for key, title in titles.items() if key in then and key in now and then[key] != now[key]]
    sentences = [f"Stale: {', '.join(changed)} changed since this was computed."] if changed else []
    for what, chosen, its in (("CT", parameters.ct, result.ct),
                              ("masks", parameters.segmentation, result.segmentation)):
        if chosen is not None and chosen is not its:
            sentences.append(f"The {what} of this result: {its.GetName()}, not what is chosen above.")
    for attribute in STALE_ATTRIBUTES:
        if said := result.organ_table.GetAttribute(attribute):
            sentences.append(f"Stale: {said}.")
    return sentences


def _asked(title: str, name: str, kinds: str) -> str:
    import qt
    import slicer

    return qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, name, kinds)


def _tell_errors(action) -> None:
    import slicer

    try:
        action()
    except InputError as error:
        slicer.util.errorDisplay(str(error))
