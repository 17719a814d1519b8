"""What dose results in Slicer's scene have in common: their nodes, what ties them together, how they come and go."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.export.public_record import without_paths
from organdose.scene import subject_hierarchy, views
from organdose.scene.dose_display import dose_volume_node, uncertainty_volume_node
from organdose.scene.dvh_plot import DvhPlot, dvh_plot, dvh_plot_of_chart, plot_curves, update_dvhs
from organdose.scene.headless import start_slicer
from organdose.scene.isodose import remove_isodoses
from organdose.scene.node_removal import remove_with_display
from organdose.scene.organ_table_node import organ_table_node
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node

RESULT_ATTRIBUTE = "OrganDose.Result"  # of the organ table: the kind of result
RECORD_ATTRIBUTE = "OrganDose.Record"
_CURVES_A_STEP = 8


@dataclass(frozen=True)
class DoseResult:
    """The nodes of one computed dose. Kinds of results add theirs, and say in `roles` how the organ table refers to it.

    `uncertainty` is None when the engine states none, `dvh` when there are no histograms, `report` (a text node with
    HTML) when none was given. The handles are valid until `remove` or until the scene is cleared.
    """

    kind: ClassVar[str] = ""
    # Node references from the organ table to what it was computed from: references, not names, tie the data together.
    roles: ClassVar[Mapping[str, str]] = {
        "ct": "OrganDose.CT", "dose": "OrganDose.Dose", "uncertainty": "OrganDose.Uncertainty",
        "segmentation": "OrganDose.Segmentation", "dvh": "OrganDose.DVH", "report": "OrganDose.Report"}

    ct: object
    dose: object
    uncertainty: object | None
    segmentation: object
    organ_table: object
    dvh: DvhPlot | None
    report: object | None = None

    @property
    def record(self) -> dict[str, object]:
        """The run's record (`run.json`) without its paths, as far as it was kept with the scene; {} without."""
        return json.loads(self.organ_table.GetAttribute(RECORD_ATTRIBUTE) or "{}")

    @property
    def parts(self) -> list:
        """The nodes that were computed, those of charts among them."""
        return _parts_of([getattr(self, each.name) for each in fields(self)
                          if each.name not in ("ct", "segmentation")])

    def remove(self, *, inputs: bool = True) -> None:
        """Take these nodes, with their display and storage nodes, out of the scene; others stay.

        CT and segmentation stay too without `inputs`, and what other results of the kind refer to.
        """
        study = subject_hierarchy.study_of(self.dose)
        shared = {node.GetID() for result in type(self).in_scene() if result.organ_table is not self.organ_table
                  for node in result.parts}
        remove_isodoses(self.dose)
        for node in self.parts + ([self.ct, self.segmentation] if inputs else []):
            if node.GetID() not in shared:
                remove_with_display(node)
        if study:
            subject_hierarchy.remove_empty(study)

    @classmethod
    def in_scene(cls) -> list[Self]:
        """The results of this kind in Slicer's scene."""
        import slicer

        tables = slicer.util.getNodesByClass("vtkMRMLTableNode", start_slicer())
        found = [cls.of_table(table) for table in tables]
        return [result for result in found if result is not None]

    @classmethod
    def of_table(cls, table) -> Self | None:
        """The result with this organ table; None for other tables, and where CT, masks or dose have gone."""
        if table.GetAttribute(RESULT_ATTRIBUTE) != cls.kind:
            return None
        nodes = {field: table.GetNodeReference(role) for field, role in cls.roles.items()}
        if any(nodes[field] is None for field in ("ct", "dose", "segmentation")):
            return None
        nodes["dvh"] = dvh_plot_of_chart(nodes["dvh"]) if nodes["dvh"] else None
        return cls(organ_table=table, **nodes)


def add_result_steps(kind: type[DoseResult], ct_node, segmentation_node, dose: DoseMap, rows: list[OrganDose],
                     dvhs: list[DoseVolumeHistogram], *, names: tuple[str, str] = ("Dose", "Organ doses"),
                     report_html: str = "", record: Mapping[str, object] | None = None, folder: str = "",
                     more: Mapping[str, Callable[[], object]] | None = None) -> Generator[float, None, DoseResult]:
    """Put a dose computed on a CT and a segmentation of the scene beside them, in the study of the CT, in short steps.

    `names` of dose and table, `folder`: of the study, for all nodes; `more` makes the further nodes of the kind. Yields
    the part done. Raises `InputError` (no dose, unknown organ). Then, and when it is not taken to its end, the scene is
    as it was.
    """
    scene, made, plot = start_slicer(), {}, None
    try:
        made["dose"] = dose_volume_node(dose, scene.GenerateUniqueName(names[0]))
        yield 0.1
        uncertainty = dose.relative_uncertainty
        made["uncertainty"] = None if uncertainty is None else uncertainty_volume_node(uncertainty)
        yield 0.2
        made["organ_table"] = organ_table_node(rows, scene.GenerateUniqueName(names[1]))
        made["report"] = _report_node(report_html) if report_html else None
        for field, make in (more or {}).items():
            made[field] = make()
        made["organ_table"].SetAttribute(RECORD_ATTRIBUTE, json.dumps(without_paths(dict(record or {})), default=str))
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
        for node in _parts_of([*made.values(), plot and dvh_plot_of_chart(plot.chart)]):
            remove_with_display(node)
        raise
    result = kind(ct=ct_node, segmentation=segmentation_node, dvh=plot, **made)
    _tie_together(result, folder)
    return result


def build_scene(ct: sitk.Image, masks: OrganMasks, dose: DoseMap, title: str,
                add: Callable[[object, object], DoseResult]) -> DoseResult:
    """Put CT (HU) and masks into Slicer's scene, in a new study `title`, and what `add(CT node, masks node)` computes.

    The slice views show the dose over the CT through the centre of the dose, the others table and chart. Raises
    `InputError` as `add` does, and for masks on another grid; the scene is then as it was.
    """
    start_slicer()
    made = []
    try:
        made.append(ct_node := ct_volume_node(ct))
        made.append(segmentation := segmentation_node_from_masks(masks, ct_node))
        study = subject_hierarchy.study_item(title)
        subject_hierarchy.put_under(study, [ct_node, segmentation])
        result = add(ct_node, segmentation)
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


def _parts_of(values: list) -> list:
    """The nodes among `values`; of charts all that they draw, table last."""
    parts = []
    for value in filter(None, values):
        if hasattr(value, "chart"):
            parts += [value.chart, *value.series, value.table]
        elif value.IsA("vtkMRMLPlotChartNode"):
            plot = dvh_plot_of_chart(value)
            parts += [plot.chart, *plot.series, plot.table]
        else:
            parts.append(value)
    return [node for node in parts if node is not None]


def _tie_together(result: DoseResult, folder: str) -> None:
    """References, and one place in the subject hierarchy: the study of the CT, or a folder of it."""
    result.organ_table.SetAttribute(RESULT_ATTRIBUTE, result.kind)
    nodes = {field: getattr(result, field) for field in result.roles}
    nodes["dvh"] = result.dvh.chart if result.dvh else None
    for field, node in nodes.items():
        if node is not None:
            result.organ_table.SetNodeReferenceID(result.roles[field], node.GetID())
    result.dose.SetNodeReferenceID(result.roles["ct"], result.ct.GetID())
    place = subject_hierarchy.dose_study_of(result.ct)
    if folder:
        place = subject_hierarchy.folder_named(folder, place)
    del nodes["ct"], nodes["segmentation"]
    drawn = {node for node in nodes.values() if node is not None and node.IsA("vtkMRMLPlotChartNode")}
    first = (result.dose, result.uncertainty, result.organ_table)
    others = [node for node in nodes.values() if node is not None and node not in drawn and node not in first]
    subject_hierarchy.put_under(place, [node for node in (*first, *others) if node])
    for field, chart in nodes.items():
        if chart in drawn:
            subject_hierarchy.put_under(place, [chart])
            plot = dvh_plot_of_chart(chart)
            curves = subject_hierarchy.folder_item("DVH curves" if field == "dvh" else f"{chart.GetName()}: curves",
                                                   place)
            subject_hierarchy.put_under(curves, [plot.table, *plot.series])


def _report_node(html: str):
    node = start_slicer().AddNewNodeByClass("vtkMRMLTextNode", "Report (HTML)")
    node.SetText(html)
    return node
