"""Internal doses in the InternalDosimetry window: how a job's result comes into the scene, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import ClassVar

from organdose.panels.dose_results import INPUTS_ATTRIBUTE, DoseResults, added_body, check_there, report_in

COLUMNS = ("organ", "mean_mgy", "uncertainty_percent", "mean_mgy_per_mbq", "tia_mbq_h", "tiac_h", "d98_mgy", "d2_mgy",
           "max_mgy", "mass_g", "in_image_percent")
DOSE, ACTIVITY = "Absorbed dose", "Time-integrated activity"
ORGANS, ENGINES = "Organ doses", "Engines compared"
DVH, CURVES = "Dose-volume histogram", "Activity over time"


def bring_into_scene(folder: Path, ct_node, segmentation_node, inputs: dict[str, object], *, patient_sex: str = "",
                     show: Callable[[], bool] = lambda: True) -> Generator:
    """Generator: the result in `folder`/result as nodes beside its CT and masks; returns the `InternalDoseScene` of the
    chosen engine.

    `patient_sex`, `show` and what is raised as in `ct_dose_results.bring_into_scene`.
    """
    from organdose.jobs.ct_dose_folder import BODY_NAME
    from organdose.jobs.internal_dose_folder import read_internal_dose_folder
    from organdose.scene.internal_dose_scene import InternalDoseScene, add_internal_dose_steps, remove_run
    from organdose.scene.live_results import SEX_ATTRIBUTE

    found = read_internal_dose_folder(folder / "result")
    yield 0.2
    check_there(ct_node, segmentation_node)
    report = report_in(folder / "result")
    added = yield from added_body(folder / "result" / BODY_NAME, ct_node, segmentation_node)
    result = None
    try:
        result = yield from add_internal_dose_steps(ct_node, segmentation_node, _of_folder(found), report_html=report,
                                                    record=found.record)
        for each in InternalDoseScene.in_scene():
            if each.tia is result.tia:
                each.organ_table.SetAttribute(INPUTS_ATTRIBUTE, json.dumps(inputs))
                each.organ_table.SetAttribute(SEX_ATTRIBUTE, patient_sex)
        for written in folder.iterdir():  # what the job was given
            if written.is_file():
                written.unlink()
        yield 0.7
        if show():
            yield from _shown_in_views(result, found.dose)
    except BaseException:
        if result is not None:
            remove_run(result, inputs=False)
        if added:
            segmentation_node.GetSegmentation().RemoveSegment("body")
        raise
    return result


def _of_folder(found):
    """What a result folder holds, as the scene takes it; engines by the titles of the registry."""
    from organdose.nuclear.engines import engines
    from organdose.scene.internal_dose_scene import EngineDose, InternalDose

    titles = {name: engine.title for name, engine in engines().items()}
    chosen = EngineDose(found.engine, titles.get(found.engine, found.engine), found.dose, found.rows, found.histograms)
    others = [EngineDose(name, titles.get(name, name), dose, found.other_rows[name])
              for name, dose in found.others.items()]
    return InternalDose((chosen, *others), found.tia, found.curves, found.administered_mbq)


def _shown_in_views(result, dose) -> Generator:
    from organdose.scene import views

    views.show_in_slices(result.ct, result.dose, result.segmentation)
    views.go_to(views.dose_centre_ras(dose))
    yield 0.9
    views.show_table_and_chart(result.comparison or result.organ_table, result.dvh.chart if result.dvh else None)


class InternalDoseResults(DoseResults):
    """Shows one engine's internal dose: see `DoseResults`. Combo boxes choose overlay, table and plot of the views."""

    kind: ClassVar[str] = "internal-dose"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    input_titles: ClassVar[Mapping[str, str]] = {
        "engine": "engine", "compare_with": "engines to compare", "engine_parameters": "engine parameters",
        "dose_voxel_mm": "dose voxel", "time_model": "time model", "registration": "registration",
        "options": "advanced options", "frames": "frames", "facts": "facts of the radiopharmaceutical"}

    def __init__(self, ui):
        super().__init__(ui)
        for box, words in ((ui.overlayBox, (DOSE, ACTIVITY)), (ui.tableBox, (ORGANS, ENGINES)),
                           (ui.plotBox, (DVH, CURVES))):
            for word in words:
                box.addItem(word)
            box.activated.connect(lambda *_: self._show_in_views())

    @staticmethod
    def result_of(table_node):
        """See `DoseResults.result_of`."""
        from organdose.scene.internal_dose_scene import InternalDoseScene

        return InternalDoseScene.of_table(table_node)

    @staticmethod
    def lines(record: Mapping[str, object]) -> tuple[str, str]:
        """See `DoseResults.lines`."""
        facts = record.get("facts", {})
        given, total = facts.get("administered_mbq"), facts.get("total_tia_mbq_h")
        parts = [f"{facts.get('radionuclide', 'unknown nuclide')}"]
        if given:
            parts.append(f"{given:.4g} MBq administered")
        if total:
            parts.append(f"{total:.4g} MBq h in the patient" + (f" ({total / given:.3g} h)" if given else ""))
        second = [f"engine {facts.get('engine', '')}", f"time model {facts.get('time_model', '')}"]
        if "histories" in facts:
            second.append(f"{facts['histories']:,.0f} decays followed")
        effective = facts.get("effective_dose_organs_msv")
        if effective:
            second.append(f"effective dose {effective:.3g} mSv")
        said = [*facts.get("warnings", ()), *facts.get("study_assumptions", ()), *facts.get("activity_notes", ()),
                *facts.get("assumptions", ())]
        return ", ".join(parts) + "\n" + ", ".join(second), "\n".join(said)

    def show(self, parameters, inputs: dict[str, object]) -> None:
        """See `DoseResults.show`."""
        super().show(parameters, inputs)
        there = self._result is not None
        for box in (self._ui.overlayBox, self._ui.tableBox, self._ui.plotBox):
            box.enabled = there

    def _show_in_views(self) -> None:
        from organdose.scene import views

        ui, result = self._ui, self._result
        overlay = result.tia if ui.overlayBox.currentText == ACTIVITY and result.tia else result.dose
        table = result.comparison if ui.tableBox.currentText == ENGINES and result.comparison else result.organ_table
        curves = ui.plotBox.currentText == CURVES or not result.dvh
        views.show_in_slices(result.ct, overlay, result.segmentation, self._parameters.opacity)
        views.show_table_and_chart(table, result.activity if curves else result.dvh.chart)
