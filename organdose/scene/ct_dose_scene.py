"""The whole result of a CT dose computation as a Slicer scene: built, saved as .mrb, opened again."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.export.public_record import without_paths
from organdose.scene import subject_hierarchy, views
from organdose.scene.at_once import at_once
from organdose.scene.descriptor_table_node import descriptor_table_node
from organdose.scene.dose_display import dose_volume_node, uncertainty_volume_node
from organdose.scene.dvh_plot import DvhPlot, dvh_plot, dvh_plot_of_chart, plot_curves, update_dvhs
from organdose.scene.headless import start_slicer, vtk_messages_kept
from organdose.scene.isodose import remove_isodoses
from organdose.scene.node_removal import remove_with_display
from organdose.scene.organ_table_node import organ_table_node
from organdose.scene.patient_density import CONTRAST_ROLE, contrast_node, keep_density_facts
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node

# Node references from the organ table to what it was computed from: references, not names, tie the data together.
_REFERENCE_ROLES = {"ct": "OrganDose.CT", "dose": "OrganDose.Dose", "uncertainty": "OrganDose.Uncertainty",
                    "segmentation": "OrganDose.Segmentation", "chart": "OrganDose.DVH", "report": "OrganDose.Report",
                    "descriptors": "OrganDose.Descriptors", "contrast": CONTRAST_ROLE}
_RESULT_ATTRIBUTE, _CT_DOSE = "OrganDose.Result", "ct-dose"
_RECORD_ATTRIBUTE = "OrganDose.Record"
_CURVES_A_STEP = 8


@dataclass(frozen=True)
class CTDoseScene:
    """The nodes of one CT dose computation.

    `uncertainty` is None when the engine states none, `dvh` when there are no histograms, `report` (a text node with
    HTML), `descriptors` (a table node) and `contrast` (a volume node) when none were given. The handles are valid until
    `remove` or until the scene is cleared.
    """

    ct: object
    dose: object
    uncertainty: object | None
    segmentation: object
    organ_table: object
    dvh: DvhPlot | None
    report: object | None = None
    descriptors: object | None = None
    contrast: object | None = None

    @property
    def record(self) -> dict[str, object]:
        """The run's record (`run.json`) without its paths, as far as it was kept with the scene; {} without."""
        return json.loads(self.organ_table.GetAttribute(_RECORD_ATTRIBUTE) or "{}")

    def remove(self, *, inputs: bool = True) -> None:
        """Take these nodes, with their display and storage nodes, out of the scene; others stay.

        CT and segmentation stay too without `inputs`.
        """
        study = subject_hierarchy.study_of(self.dose)
        remove_isodoses(self.dose)
        nodes = [self.dose, self.uncertainty, self.organ_table, self.report, self.descriptors, self.contrast]
        if inputs:
            nodes += [self.ct, self.segmentation]
        if self.dvh:
            nodes += [self.dvh.chart, *self.dvh.series, self.dvh.table]
        for node in nodes:
            if node is not None:
                remove_with_display(node)
        if study:
            subject_hierarchy.remove_empty(study)


def build_ct_dose_scene(ct: sitk.Image, dose: DoseMap, masks: OrganMasks, rows: list[OrganDose],
                        dvhs: list[DoseVolumeHistogram], *, title: str = "CT dose",
                        descriptors: Sequence[Descriptor] = (), contrast: sitk.Image | None = None) -> CTDoseScene:
    """Put CT (HU), dose (mGy), masks, organ table and DVHs into Slicer's scene and show them.

    Everything lies in one study `title` of the subject hierarchy; the organ table refers to the other nodes. The slice
    views show the dose over the CT through the centre of the dose. Raises `InputError` (masks on another grid, no
    dose, unknown organ); the scene is then as it was.
    """
    start_slicer()
    made = []
    try:
        made.append(ct_node := ct_volume_node(ct))
        made.append(segmentation := segmentation_node_from_masks(masks, ct_node))
        study = subject_hierarchy.study_item(title)
        subject_hierarchy.put_under(study, [ct_node, segmentation])
        result = add_ct_dose_result(ct_node, segmentation, dose, rows, dvhs, descriptors=descriptors,
                                    contrast=contrast)
    except InputError:
        for node in made:
            remove_with_display(node)
        if len(made) > 1:
            subject_hierarchy.remove_empty(study)
        raise
    views.show_in_slices(ct_node, result.dose, segmentation)
    views.go_to(views.dose_centre_ras(dose))
    views.show_table_and_chart(result.organ_table, result.dvh.chart if result.dvh else None)
    return result


def add_ct_dose_result(ct_node, segmentation_node, dose: DoseMap, rows: list[OrganDose],
                       dvhs: list[DoseVolumeHistogram], **more) -> CTDoseScene:
    """Put a dose computed on a CT and a segmentation of the scene beside them: `add_ct_dose_result_steps` at once."""
    return at_once(add_ct_dose_result_steps(ct_node, segmentation_node, dose, rows, dvhs, **more))


def add_ct_dose_result_steps(ct_node, segmentation_node, dose: DoseMap, rows: list[OrganDose],
                             dvhs: list[DoseVolumeHistogram], *, report_html: str = "",
                             record: dict[str, object] | None = None, descriptors: Sequence[Descriptor] = (),
                             contrast: sitk.Image | None = None) -> Generator[float, None, CTDoseScene]:
    """Put a dose computed on a CT and a segmentation of the scene beside them, in the study of the CT, in short steps.

    Yields the part done. Raises `InputError` (no dose, unknown organ). Then, and when it is not taken to its end, the
    scene is as it was.
    """
    scene, made, plot = start_slicer(), [], None
    try:
        made.append(dose_node := dose_volume_node(dose, scene.GenerateUniqueName("Dose")))
        yield 0.1
        uncertainty = dose.relative_uncertainty
        made.append(uncertainty_node := None if uncertainty is None else uncertainty_volume_node(uncertainty))
        yield 0.2
        made.append(table := organ_table_node(rows, scene.GenerateUniqueName("Organ doses")))
        made.append(report := _report_node(report_html) if report_html else None)
        made.append(described := descriptor_table_node(descriptors) if descriptors else None)
        made.append(enhanced := contrast_node(contrast) if contrast is not None else None)
        keep_density_facts(table, dose.facts)
        table.SetAttribute(_RECORD_ATTRIBUTE, json.dumps(without_paths(record or {}), default=str))
        yield 0.3
        if dvhs:
            plot = dvh_plot(dvhs[:_CURVES_A_STEP])
            for start in range(_CURVES_A_STEP, len(dvhs), _CURVES_A_STEP):
                yield 0.3 + 0.6 * start / len(dvhs)
                update_dvhs(plot.chart, dvhs[start:start + _CURVES_A_STEP])
            plot_curves(plot.chart)
            plot = dvh_plot_of_chart(plot.chart)
        yield 0.9
    except BaseException:
        parts = [*dvh_plot_of_chart(plot.chart).series, plot.table, plot.chart] if plot else []
        for node in made + parts:
            if node is not None:
                remove_with_display(node)
        raise
    result = CTDoseScene(ct_node, dose_node, uncertainty_node, segmentation_node, table, plot, report, described,
                         enhanced)
    _tie_together(result)
    return result


def save_scene(path: str | Path) -> None:
    """Write the whole scene as a .mrb bundle; the file appears complete or not at all. Raises `InputError`."""
    path = Path(path).absolute()  # Slicer's scene reader takes a relative bundle for a broken one
    if path.suffix.lower() != ".mrb":
        raise InputError("a scene is saved as a .mrb file", where=path, mend="Give the name the ending .mrb.")
    try:
        with tempfile.TemporaryDirectory(prefix=".scene-", dir=path.parent) as folder:
            # The bundle's inner folder has the file's name: write it under the final one.
            whole = Path(folder) / path.name
            with vtk_messages_kept() as messages:
                written = start_slicer().WriteToMRB(str(whole))
            if not written or not whole.is_file():
                raise InputError(f"the scene could not be written ({_last_line(messages())})", where=path,
                                 mend="Check free disk space and write permission.")
            os.replace(whole, path)
    except OSError as error:
        raise InputError(f"the scene could not be written ({error.strerror})", where=path,
                         mend="Check the folder, free disk space and write permission.") from error


def open_scene(path: str | Path) -> CTDoseScene:
    """Open a .mrb bundle in place of the present scene and find the CT dose result in it.

    Raises `InputError` when the file is no readable bundle (the scene is then as it was) or holds no CT dose result.
    """
    path = Path(path).absolute()  # Slicer's scene reader takes a relative bundle for a broken one
    _check_bundle(path)
    scene = start_slicer()
    with vtk_messages_kept() as messages:
        read = scene.ReadFromMRB(str(path), True)
    if not read:
        raise InputError(f"the scene could not be read ({_last_line(messages())})", where=path,
                         mend="Save it again from Slicer.")
    results = find_results()
    if not results:
        raise InputError("the scene holds no CT dose result", where=path,
                         mend="Open a scene.mrb that organdose ct-dose has written.")
    return results[0]


def find_results() -> list[CTDoseScene]:
    """The CT dose results in Slicer's scene."""
    import slicer

    tables = slicer.util.getNodesByClass("vtkMRMLTableNode", start_slicer())
    results = []
    for table in tables:
        if table.GetAttribute(_RESULT_ATTRIBUTE) != _CT_DOSE:
            continue
        nodes = {key: table.GetNodeReference(role) for key, role in _REFERENCE_ROLES.items()}
        if all(nodes[key] is not None for key in ("ct", "dose", "segmentation")):
            plot = dvh_plot_of_chart(nodes["chart"]) if nodes["chart"] else None
            results.append(CTDoseScene(nodes["ct"], nodes["dose"], nodes["uncertainty"], nodes["segmentation"], table,
                                       plot, nodes["report"], nodes["descriptors"], nodes["contrast"]))
    return results


def _tie_together(result: CTDoseScene) -> None:
    result.organ_table.SetAttribute(_RESULT_ATTRIBUTE, _CT_DOSE)
    nodes = {"ct": result.ct, "dose": result.dose, "uncertainty": result.uncertainty, "report": result.report,
             "segmentation": result.segmentation, "chart": result.dvh.chart if result.dvh else None,
             "descriptors": result.descriptors, "contrast": result.contrast}
    for key, node in nodes.items():
        if node is not None:
            result.organ_table.SetNodeReferenceID(_REFERENCE_ROLES[key], node.GetID())
    result.dose.SetNodeReferenceID(_REFERENCE_ROLES["ct"], result.ct.GetID())
    study = subject_hierarchy.dose_study_of(result.ct)
    parts = (result.dose, result.uncertainty, result.organ_table, result.descriptors, result.contrast, result.report)
    subject_hierarchy.put_under(study, [node for node in parts if node])
    if result.dvh:
        subject_hierarchy.put_under(study, [result.dvh.chart])
        curves = subject_hierarchy.folder_item("DVH curves", study)
        subject_hierarchy.put_under(curves, [result.dvh.table, *result.dvh.series])


def _report_node(html: str):
    node = start_slicer().AddNewNodeByClass("vtkMRMLTextNode", "Report (HTML)")
    node.SetText(html)
    return node


def _check_bundle(path: Path) -> None:
    """Look into the bundle before the present scene is given up for it."""
    if not path.is_file():
        raise InputError("there is no such file", where=path, mend="Give the path of a .mrb file.")
    try:
        with zipfile.ZipFile(path) as bundle:
            damaged = bundle.testzip()
            has_scene = any(name.endswith(".mrml") for name in bundle.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"this is no readable Slicer bundle ({error})", where=path, mend="Copy it again.") from error
    if damaged or not has_scene:
        raise InputError(f"the Slicer bundle is damaged ({damaged or 'no .mrml file inside'})", where=path,
                         mend="Copy it again.")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
