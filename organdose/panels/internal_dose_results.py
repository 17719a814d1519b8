"""Internal doses in the InternalDosimetry window: how a job's result comes into the scene, and what is said of it."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from organdose.panels.descriptor_text import descriptor_remarks, descriptors_of
from organdose.panels.dose_results import INPUTS_ATTRIBUTE, DoseResults, added_body, check_there, report_in

if TYPE_CHECKING:
    from organdose.assess.dose_descriptors import Descriptor

COLUMNS = ("organ", "mean_mgy", "uncertainty_percent", "mean_mgy_per_mbq", "tia_mbq_h", "tiac_h", "d98_mgy", "d2_mgy",
           "max_mgy", "mass_g", "in_image_percent", "mask")
DOSE, ACTIVITY = "Absorbed dose", "Time-integrated activity"
ORGANS, ENGINES = "Organ doses", "Engines compared"
# Descriptors shown above the table, and what they are called there.
_DESCRIPTORS = {"administered_mbq": "administered", "total_tia_mbq_h": "decays in the patient",
                "effective_dose_organs_msv": "effective dose"}
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
    descriptors = _descriptors(folder / "result" / "dose_descriptors.csv")
    stated = [{**asdict(row), "value": None if math.isnan(row.value) else row.value} for row in descriptors]
    record = {**found.record, "facts": {**found.record["facts"], "descriptors": stated}}
    yield 0.2
    check_there(ct_node, segmentation_node)
    report = report_in(folder / "result")
    added = yield from added_body(folder / "result" / BODY_NAME, ct_node, segmentation_node)
    result = None
    try:
        result = yield from add_internal_dose_steps(ct_node, segmentation_node, _of_folder(found, descriptors),
                                                    report_html=report, record=record)
        for each in InternalDoseScene.in_scene():
            if each.tia is result.tia:
                each.organ_table.SetAttribute(INPUTS_ATTRIBUTE, json.dumps(inputs))
                each.organ_table.SetAttribute(SEX_ATTRIBUTE, patient_sex)
        for written in folder.iterdir():  # what the job was given
            if written.is_file():
                written.unlink()
            elif written.name.startswith("frame_"):
                shutil.rmtree(written, ignore_errors=True)
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


def _descriptors(path: Path) -> tuple[Descriptor, ...]:
    """The numbers of the whole examination, as the job has written them."""
    from organdose.assess.dose_descriptors import Descriptor

    with open(path, encoding="utf-8", newline="") as file:
        return tuple(Descriptor(row["name"], row["title"], float(row["value"] or "nan"), row["unit"], row["remark"])
                     for row in csv.DictReader(file))


def _of_folder(found, descriptors: tuple[Descriptor, ...]):
    """What a result folder holds, as the scene takes it; engines by the titles of the registry."""
    from organdose.nuclear.engines import engines
    from organdose.scene.internal_dose_scene import EngineDose, InternalDose

    titles = {name: engine.title for name, engine in engines().items()}
    chosen = EngineDose(found.engine, titles.get(found.engine, found.engine), found.dose, found.rows, found.histograms)
    others = [EngineDose(name, titles.get(name, name), dose, found.other_rows[name])
              for name, dose in found.others.items()]
    return InternalDose((chosen, *others), found.tia, found.curves, found.administered_mbq,
                        descriptors)


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
    def lines(result) -> tuple[str, str]:
        """See `DoseResults.lines`."""
        facts, rows = result.record.get("facts", {}), {row.name: row for row in descriptors_of(result.record)}
        shown = [f"{title} {rows[name].value:.4g} {rows[name].unit}" for name, title in _DESCRIPTORS.items()
                 if name in rows and math.isfinite(rows[name].value)]
        covered = rows["tissue_weight_known"].value if "tissue_weight_known" in rows else 1.0
        if 0 < covered < 1 - 1e-4:
            shown.append(f"(incomplete: {covered:.2f} of the tissue weights)")
        by = [facts.get("radionuclide", ""), f"engine {result.engine}", f"time model {facts.get('time_model', '')}"]
        if "histories" in facts and result.engine == facts.get("engine"):
            by.append(f"{facts['histories']:,.0f} decays")
        said = [descriptor_remarks(result.record),
                *facts.get("warnings", ()), *facts.get("study_assumptions", ()), *facts.get("activity_notes", ())]
        return f"{', '.join(filter(None, by))}\n{', '.join(shown)}".replace(", (", " ("), "\n".join(filter(None, said))

    def show(self, parameters, inputs: dict[str, object]) -> None:
        """See `DoseResults.show`."""
        before = self._shown.get("table")
        super().show(parameters, inputs)
        there = self._result is not None
        if there and self._result.organ_table is not before:  # as the views show a new result
            for box, index in ((self._ui.overlayBox, 0), (self._ui.tableBox, int(self._result.comparison is not None)),
                               (self._ui.plotBox, 0)):
                box.currentIndex = index
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
