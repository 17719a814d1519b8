"""The section that compares the dose shown with another dose map: what with, the job, and the figures that came out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from organdose.panels.comparison_into_scene import comparison_into_scene, comparison_job_steps, masks_have_changed
from organdose.panels.job_panel import JobPanel, banner_style
from organdose.panels.result_folders import ResultFolders, ask_and_copy
from organdose.panels.result_following import result_following

# The figures worth a narrow panel, by their names in comparison.csv; the table in the scene has all.
_SHOWN = ("ME", "MAE", "RE", "RAE", "SSIM", "PSNR", "z mean", "z SD", "z within 2", "explained by statistics",
          "difference beyond statistics")
_PASS_RATE = "pass rate"
_ROW_HEIGHT, _NAME_WIDTH = 22, 220  # pixels


class DoseComparison:
    """Works on the widgets of the module's .ui (`ui`); `is_entered()` says whether the module is the one shown."""

    def __init__(self, ui, is_entered: Callable[[], bool] = lambda: True):
        self._ui, self._is_entered = ui, is_entered
        self._parameters, self._result, self._comparison = None, None, None
        self._folders = ResultFolders()
        self.job = JobPanel("Compare", self._run)
        ui.compareJobPlace.layout().addWidget(self.job.widget)
        ui.referencePath.textChanged.connect(lambda *_: self._path_edited())
        ui.referenceFileButton.clicked.connect(lambda *_: self._choose_file())
        ui.unitBox.currentIndexChanged.connect(lambda *_: self._check())
        ui.differenceButton.clicked.connect(lambda *_: self._show_over_ct(self._comparison.difference))
        ui.gammaButton.clicked.connect(lambda *_: self._show_over_ct(self._comparison.gamma))
        ui.saveComparisonButton.clicked.connect(
            lambda *_: ask_and_copy(self._folders.of(self._comparison.figure_table), "dose-comparison"))
        ui.removeComparisonButton.clicked.connect(lambda *_: self._remove())
        self._lay_out_table()
        result_following().listen(self._table_changed)

    def stop(self) -> None:
        result_following().unlisten(self._table_changed)
        self.job.stop()
        self._folders.remove_all()

    def filter_selectors(self) -> None:
        """Offer doses as references, and comparisons alone as comparisons."""
        from organdose.scene.dose_comparison_nodes import COMPARISON, RESULT_ATTRIBUTE
        from organdose.scene.dose_display import DOSE_VOLUME_ATTRIBUTE

        self._ui.referenceSelector.addAttribute("vtkMRMLScalarVolumeNode", DOSE_VOLUME_ATTRIBUTE, "1")
        self._ui.comparisonSelector.addAttribute("vtkMRMLTableNode", RESULT_ATTRIBUTE, COMPARISON)

    @property
    def is_whole(self) -> bool:
        """Whether all that is shown is still in the scene."""
        shown = self._comparison
        return shown is None or all(node.GetScene() is not None for node in (
            shown.test, shown.difference, shown.gamma, shown.figure_table))

    def show(self, parameters, result) -> None:
        """Show the comparison that `parameters` (the module's) names; `result` (CTDoseScene or None) is the test."""
        self._parameters, self._result = parameters, result
        if parameters.reference is not None and self._ui.referencePath.text:
            self._ui.referencePath.text = ""  # one reference: what was chosen last
        self._ui.testName.text = "" if result is None else f"{result.dose.GetName()} ({result.organ_table.GetName()})"
        self._check()
        self._comparison = _comparison_of(parameters.comparison)
        self._show_figures()
        self._show_status()
        there = self._comparison is not None
        for button in (self._ui.differenceButton, self._ui.gammaButton, self._ui.removeComparisonButton):
            button.enabled = there
        self._ui.saveComparisonButton.enabled = there and self._folders.has(self._comparison.figure_table)

    def _table_changed(self, table_node) -> None:
        if self._result is not None and table_node is self._result.organ_table and self.is_whole:
            self._show_status()

    def _path(self) -> str:
        return self._ui.referencePath.text.strip()

    def _unit(self) -> str | None:
        return self._ui.unitBox.currentText if self._ui.unitBox.currentIndex > 0 else None

    def _path_edited(self) -> None:
        if self._path() and self._parameters is not None and self._parameters.reference is not None:
            self._parameters.reference = None
        self._check()

    def _choose_file(self) -> None:
        import qt
        import slicer

        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), "Dose map to compare with", "",
                                              "Dose map (*.nrrd *.nhdr *.nii *.nii.gz)")
        if path:
            self._ui.referencePath.text = path

    def _check(self) -> None:
        self.job.refuse("" if self._parameters is None else self._why_not())

    def _why_not(self) -> str:
        """Why nothing can be compared now; '' when it can."""
        from organdose.scene.dose_display import dose_unit_of

        reference, path = self._parameters.reference, self._path()
        if self._result is None:
            return "Compute a dose, or choose a result above: it is the test."
        if reference is None and not path:
            return "Choose the reference: a dose of the scene, or a file."
        if path:
            return "" if os.path.exists(path) else "There is no such file or folder."
        if reference is self._result.dose:
            return "The reference is the test itself: choose another dose."
        if not dose_unit_of(reference) and self._unit() is None:
            return "The reference does not say the unit of its doses: choose it below."
        return ""

    def _run(self) -> None:
        parameters, result, path = self._parameters, self._result, self._path()
        reference = None if path else parameters.reference
        options = {"units": self._unit(), "gamma_mm": round(parameters.gammaMm, 3),
                   "gamma_percent": round(parameters.gammaPercent, 3)}
        if parameters.normalisationMgy > 0:
            options["normalisation_mgy"] = round(parameters.normalisationMgy, 3)

        def take(folder):
            found = yield from comparison_into_scene(folder, result, reference, show=self._is_entered)
            self._folders.remember(found.figure_table, folder)
            if parameters.parameterNode.GetScene() is not None:  # whichever module is shown by now
                parameters.comparison = found.figure_table
            return _headline(found)

        self.job.run("compare", lambda folder: comparison_job_steps(
            folder, result, reference, Path(path).absolute() if path else None, **options), take)

    def _lay_out_table(self) -> None:
        import qt

        table = self._ui.figuresTable
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels(["Test against reference", "Value"])
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        table.horizontalHeader().setStretchLastSection(True)
        table.setColumnWidth(0, _NAME_WIDTH)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)

    def _show_figures(self) -> None:
        import qt

        table = self._ui.figuresTable
        rows = [] if self._comparison is None else main_figures(self._comparison)
        table.visible = bool(rows)
        table.setRowCount(len(rows))
        for index, (name, text, definition) in enumerate(rows):
            for column, cell in enumerate((name, text)):
                item = qt.QTableWidgetItem(cell)
                item.setToolTip(definition)
                table.setItem(index, column, item)
        height = table.horizontalHeader().height + 2 * table.frameWidth
        table.setFixedHeight(height + sum(table.rowHeight(index) for index in range(len(rows))))

    def _show_status(self) -> None:
        """The warnings of the comparison, and whether it still is of what the scene holds."""
        found, remarks = self._comparison, []
        if found is None and self._parameters.comparison is not None:
            remarks.append("The doses or maps of this comparison are no longer in the scene.")
        if found is not None:
            if self._result is not None and found.test is not self._result.dose:
                remarks.append("This comparison is of another result than the one above.")
            elif self._result is not None and masks_have_changed(found, self._result.organ_table):
                remarks.append("Stale: the masks were edited since. Compare again.")
            remarks += [f"{line[:1].upper()}{line[1:]}." for line in found.record.get("facts", {}).get("warnings", ())]
        self._ui.comparisonStatus.text = "\n".join(remarks)
        self._ui.comparisonStatus.styleSheet = banner_style("stale" if remarks else "")
        self._ui.comparisonStatus.visible = bool(remarks)

    def _show_over_ct(self, volume_node) -> None:
        from organdose.scene.dose_comparison_nodes import show_over_ct

        show_over_ct(self._comparison, volume_node)

    def _remove(self) -> None:
        found, self._comparison = self._comparison, None
        found.remove(inputs=False)


def main_figures(comparison) -> list[tuple[str, str, str]]:
    """(figure, value with unit, definition) of a comparison's main figures; the last are of statistics."""
    figures = _figures(comparison)
    names = [name for name in figures if name in _SHOWN or name.endswith(_PASS_RATE)]
    rows = [(_shown_name(name), _text(*figures[name][:2]), figures[name][2]) for name in names]
    if "z SD" not in figures:
        why = [line for line in comparison.record.get("facts", {}).get("assumptions", ()) if "z-scores" in line]
        rows.append(("statistical agreement", "not known", " ".join(why)))
    return rows


def _figures(comparison) -> dict[str, tuple[float, str, str]]:
    table = comparison.figure_table.GetTable()
    columns = [table.GetColumnByName(name) for name in ("quantity", "value", "unit", "definition")]
    rows = [[column.GetValue(row) for column in columns] for row in range(table.GetNumberOfRows())]
    return {name: (value, unit, definition) for name, value, unit, definition in rows}


def _shown_name(name: str) -> str:
    return name.replace("z within 2", "|z| within 2")


def _text(value: float, unit: str) -> str:
    return "–" if math.isnan(value) else f"{value:.3g} {'' if unit == '1' else unit}".strip()


def _headline(comparison) -> str:
    figures = _figures(comparison)
    passed = next(name for name in figures if name.endswith(_PASS_RATE))
    return (f"Done: {_text(*figures[passed][:2])} pass {passed.removesuffix(' ' + _PASS_RATE)}, "
            f"MAE {_text(*figures['MAE'][:2])}.")


def _comparison_of(table_node):
    from organdose.scene.dose_comparison_nodes import find_comparisons

    if table_node is None:
        return None
    return next((found for found in find_comparisons() if found.figure_table is table_node), None)
