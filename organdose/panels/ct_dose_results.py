"""CT doses in the DoseEstimator's window: how a job's result comes into the scene, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import ClassVar

from organdose.panels.descriptor_text import descriptor_lines, descriptor_remarks, descriptors_of
from organdose.panels.dose_results import INPUTS_ATTRIBUTE, DoseResults, added_body, check_there, report_in


def bring_into_scene(folder: Path, ct_node, segmentation_node, inputs: dict[str, object], *,
                     patient_sex: str = "", show: Callable[[], bool] = lambda: True) -> Generator:
    """Generator: the result in `folder`/result as nodes beside its CT and masks; returns the `CTDoseScene`.

    `patient_sex` ('M', 'F' or '') chooses the reference masses that an organ cut by the image is judged by. `show()`
    says whether the views shall show it.
    Raises `InputError` for a folder that is not whole, or when CT or masks have left the scene meanwhile. Then, and
    when it is not taken to its end, the scene is as it was.
    """
    from organdose.export.tables import read_dvh_csv, read_organs_csv
    from organdose.jobs.ct_dose_folder import BODY_NAME, read_contrast, read_ct_dose_map
    from organdose.scene.ct_dose_scene import add_ct_dose_result_steps
    from organdose.scene.live_results import SEX_ATTRIBUTE

    dose, record = read_ct_dose_map(folder / "result")
    yield 0.1
    rows = read_organs_csv(folder / "result" / "organs.csv")
    histograms = read_dvh_csv(folder / "result" / "dvh.csv")
    yield 0.2
    check_there(ct_node, segmentation_node)
    report = report_in(folder / "result")
    added = yield from added_body(folder / "result" / BODY_NAME, ct_node, segmentation_node)
    result = None
    try:
        result = yield from add_ct_dose_result_steps(ct_node, segmentation_node, dose, rows, histograms,
                                                     report_html=report, record=record,
                                                     descriptors=descriptors_of(record),
                                                     contrast=read_contrast(folder / "result"))
        result.organ_table.SetAttribute(INPUTS_ATTRIBUTE, json.dumps(inputs))
        result.organ_table.SetAttribute(SEX_ATTRIBUTE, patient_sex)
        for written in folder.iterdir():  # what the job was given: 200 MB for a large CT
            if written.is_file():
                written.unlink()
        yield 0.7
        if show():
            yield from _shown_in_views(result, dose)
    except BaseException:
        if result is not None:
            result.remove(inputs=False)
        if added:
            segmentation_node.GetSegmentation().RemoveSegment("body")
        raise
    return result


def _shown_in_views(result, dose) -> Generator:
    from organdose.scene import views

    views.show_in_slices(result.ct, result.dose, result.segmentation)
    views.go_to(views.dose_centre_ras(dose))
    yield 0.9
    views.show_table_and_chart(result.organ_table, result.dvh.chart if result.dvh else None)


class CTDoseResults(DoseResults):
    """Shows one CT dose: see `DoseResults`."""

    kind: ClassVar[str] = "ct-dose"
    input_titles: ClassVar[Mapping[str, str]] = {"engine": "engine", "engine_parameters": "engine parameters",
                                                 "dose_voxel_mm": "dose voxel", "facts": "acquisition facts"}

    @staticmethod
    def result_of(table_node):
        """See `DoseResults.result_of`."""
        from organdose.scene.ct_dose_scene import CTDoseScene

        return CTDoseScene.of_table(table_node)

    @staticmethod
    def lines(result) -> tuple[str, str]:
        """See `DoseResults.lines`."""
        return descriptor_lines(result.record), descriptor_remarks(result.record)
