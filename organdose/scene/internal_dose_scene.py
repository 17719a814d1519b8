"""The whole result of an internal dose computation in Slicer's scene: dose of each engine, activity, tables, plots."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.internal_organ_dose import InternalOrganDose
from organdose.assess.organ_dose import DoseVolumeHistogram
from organdose.dose_map import DoseMap
from organdose.export.main_organs import is_main_organ
from organdose.nuclear.time_activity import TimeActivityCurve
from organdose.scene import subject_hierarchy
from organdose.scene.at_once import at_once
from organdose.scene.derived_tables import (
    COMPARISON_ROLE,
    ENGINE_ATTRIBUTE,
    ENGINE_TITLE_ATTRIBUTE,
    engine_comparison_node,
)
from organdose.scene.descriptor_table_node import descriptor_table_node
from organdose.scene.dose_display import ENGINE_ATTRIBUTE as DOSE_ENGINE_ATTRIBUTE
from organdose.scene.dose_display import QUANTITY_ATTRIBUTE, add_legend
from organdose.scene.dose_result import DoseResult, add_result_steps, build_scene
from organdose.scene.live_results import ADMINISTERED_ATTRIBUTE, TIA_ROLE
from organdose.scene.time_activity_plot import time_activity_plot
from organdose.scene.volume_nodes import say_units, volume_node_from_image

_TIA_MBQ_H_ML = (("time-integrated-activity-concentration", "99ORGANDOSE", "Time-integrated activity concentration"),
                 ("MBq.h/mL", "UCUM", "megabecquerel hour per millilitre"))
_MOST_CURVES = 6  # more cannot be told apart
FOLDER = "Internal dose"


@dataclass(frozen=True)
class EngineDose:
    """What one engine computed: `name` and `title` of the registry, map, organ table, histograms where there are any.
    """

    name: str
    title: str
    dose: DoseMap
    rows: list[InternalOrganDose]
    histograms: Sequence[DoseVolumeHistogram] = ()


@dataclass(frozen=True)
class InternalDose:
    """A whole result: `engines`, the chosen one first; `tia`: time-integrated activity on the dose grid, MBq h/ml;
    `curves` of the organs; `administered_mbq`: net, None where nobody said; `descriptors` of the examination.
    """

    engines: tuple[EngineDose, ...]
    tia: sitk.Image
    curves: Sequence[TimeActivityCurve]
    administered_mbq: float | None
    descriptors: Sequence[Descriptor] = ()


@dataclass(frozen=True)
class InternalDoseScene(DoseResult):
    """The nodes of one engine's internal dose. Activity (`tia`, a volume in MBq h/ml; `activity`, a chart), the table
    of engines (`comparison`, None for a single one) and that of `descriptors` are shared with the other engines of the
    same run."""

    kind: ClassVar[str] = "internal-dose"
    roles: ClassVar[Mapping[str, str]] = DoseResult.roles | {
        "tia": TIA_ROLE, "activity": "OrganDose.TimeActivity", "comparison": COMPARISON_ROLE,
        "descriptors": "OrganDose.Descriptors"}

    tia: object | None = None
    activity: object | None = None
    comparison: object | None = None
    descriptors: object | None = None

    @property
    def engine(self) -> str:
        """The engine with its version, as 'mc 0.1.0'."""
        return self.dose.GetAttribute(DOSE_ENGINE_ATTRIBUTE) or ""


def build_internal_dose_scene(ct: sitk.Image, masks: OrganMasks, result: InternalDose, *,
                              title: str = "Internal dose") -> InternalDoseScene:
    """Put CT (HU), masks, and all of `result` into Slicer's scene and show them: see `dose_result.build_scene`.

    Returns the nodes of the chosen engine; `remove_run` takes all away again.
    """
    return build_scene(ct, masks, result.engines[0].dose, title, lambda ct_node, segmentation: at_once(
        add_internal_dose_steps(ct_node, segmentation, result)))


def add_internal_dose_steps(ct_node, segmentation_node, result: InternalDose, *, report_html: str = "",
                            record: Mapping[str, object] | None = None) -> Generator[float, None, InternalDoseScene]:
    """Put an internal dose beside the CT and masks of the scene that it was computed with, in short steps.

    Yields the part done, returns the nodes of the chosen engine. Raises `InputError`; then, and when it is not taken to
    its end, the scene is as it was.
    """
    made: list[InternalDoseScene] = []
    try:
        for index, each in enumerate(result.engines):
            adding = _engine_steps(ct_node, segmentation_node, result, each, made[0] if made else None,
                                   report_html=report_html, record=record)
            while True:
                try:
                    fraction = next(adding)
                except StopIteration as end:
                    made.append(end.value)
                    break
                yield (index + fraction) / len(result.engines)
        if len(made) > 1:
            comparison = engine_comparison_node([each.organ_table for each in made])
            subject_hierarchy.put_under(subject_hierarchy.parent_of(made[0].organ_table), [comparison])
    except BaseException:
        for each in made:
            each.remove(inputs=False)
        raise
    return InternalDoseScene.of_table(made[0].organ_table)


def _engine_steps(ct_node, segmentation_node, result: InternalDose, engine: EngineDose,
                  first: InternalDoseScene | None, **said) -> Generator[float, None, InternalDoseScene]:
    if first is None:
        shared = {"tia": lambda: tia_volume_node(result.tia), "activity": lambda: _activity_chart(result.curves),
                  "descriptors": lambda: descriptor_table_node(result.descriptors) if result.descriptors else None}
    else:
        shared = {}
        said["report_html"] = ""
    added = yield from add_result_steps(
        InternalDoseScene, ct_node, segmentation_node, engine.dose, engine.rows, list(engine.histograms),
        names=(f"Internal dose ({engine.title})", f"Internal organ doses ({engine.title})"), folder=FOLDER, more=shared,
        **said)
    table = added.organ_table
    table.SetAttribute(ENGINE_ATTRIBUTE, engine.name)
    table.SetAttribute(ENGINE_TITLE_ATTRIBUTE, engine.title)
    if result.administered_mbq is not None:
        table.SetAttribute(ADMINISTERED_ATTRIBUTE, repr(result.administered_mbq))
    if first is not None:
        for field in ("tia", "activity", "report", "descriptors"):
            if (node := getattr(first, field)) is not None:
                table.SetNodeReferenceID(InternalDoseScene.roles[field], node.GetID())
    return InternalDoseScene.of_table(table)


def remove_run(result: InternalDoseScene, *, inputs: bool = True) -> None:
    """Take away the results of all engines of the run that `result` belongs to; CT and masks too with `inputs`."""
    others = [each for each in InternalDoseScene.in_scene()
              if each.tia is not None and each.tia is result.tia and each.organ_table is not result.organ_table]
    for each in others:
        each.remove(inputs=False)
    result.remove(inputs=inputs)


def tia_volume_node(tia: sitk.Image, name: str = "Time-integrated activity"):
    """A volume node of time-integrated activity (MBq h/ml) with hot colours and a legend, not shown by itself."""
    node = volume_node_from_image(tia, name)
    say_units(node, *_TIA_MBQ_H_ML)
    node.SetAttribute(QUANTITY_ATTRIBUTE, "time-integrated activity concentration")
    node.SetDescription("time-integrated activity concentration, MBq h/ml")
    values = sitk.GetArrayViewFromImage(tia)
    held = values[values > 0]
    top = float(np.percentile(held, 99.5)) if held.size else 1.0
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeIron")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, top)
    display.AutoThresholdOff()
    display.SetThreshold(0.03 * top, float(np.finfo(np.float32).max))
    display.ApplyThresholdOn()
    legend = add_legend(node)
    legend.SetTitleText("TIA (MBq h/ml)")
    legend.SetLabelFormat("%.3g")
    return node


def _activity_chart(curves: Sequence[TimeActivityCurve]):
    return time_activity_plot(main_curves(curves)).chart if curves else None


def main_curves(curves: Sequence[TimeActivityCurve], most: int = _MOST_CURVES) -> list[TimeActivityCurve]:
    """At most `most` curves by falling integral: the main organs (`export.main_organs`), or all where none is one."""
    drawn = [curve for curve in curves if curve.integral_bq_s > 0]
    chosen = [curve for curve in drawn if is_main_organ(curve.organ)] or drawn
    return sorted(chosen, key=lambda curve: -curve.integral_bq_s)[:most]
