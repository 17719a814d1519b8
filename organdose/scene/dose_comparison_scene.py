"""A comparison of two dose maps as Slicer nodes: both maps, difference, gamma, and tables of the figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_map_comparison import DoseMapComparison
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.errors import InputError
from organdose.export.dose_comparison_pictures import symmetric_limit
from organdose.export.dose_comparison_tables import FIGURE_COLUMNS, comparison_figures
from organdose.scene import subject_hierarchy
from organdose.scene.dose_display import (
    ABSORBED_DOSE_MGY,
    DOSE_UNIT_ATTRIBUTES,
    DOSE_VOLUME_ATTRIBUTE,
    QUANTITY_ATTRIBUTE,
    add_legend,
    dose_colour_node,
)
from organdose.scene.headless import start_slicer
from organdose.scene.organ_table_node import number_column
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.views import fit_to, go_to
from organdose.scene.volume_nodes import ct_volume_node, say_units, volume_node_from_image

# Node references from the table of figures to what it was computed from.
_ROLES = {"ct": "OrganDose.CT", "segmentation": "OrganDose.Segmentation", "reference": "OrganDose.ReferenceDose",
          "test": "OrganDose.TestDose", "difference": "OrganDose.DoseDifference", "gamma": "OrganDose.Gamma",
          "organ_table": "OrganDose.OrganComparison"}
_RESULT_ATTRIBUTE, _COMPARISON = "OrganDose.Result", "dose-comparison"
# ColorBrewer's RdBu and RdYlBu (Brewer, 2003), told apart by colour-blind readers: low, middle, high.
_DIFFERENCE_COLOURS = ((5, 48, 97), (67, 147, 195), (247, 247, 247), (214, 96, 77), (103, 0, 31))
_GAMMA_COLOURS = ((49, 54, 149), (116, 173, 209), (255, 255, 191), (244, 109, 67), (165, 0, 38))
_OPACITY = 0.7


@dataclass(frozen=True)
class DoseComparisonScene:
    """The nodes of one comparison; `ct`, `segmentation` and `organ_table` are None where there was no CT or no masks.

    Voxels that were not compared hold a value below the window in `difference` and -1 in `gamma`, as their
    descriptions say, and are not drawn.
    """

    reference: object
    test: object
    difference: object
    gamma: object
    figure_table: object
    organ_table: object | None
    ct: object | None
    segmentation: object | None

    def remove(self) -> None:
        """Take these nodes, with their display nodes, out of the scene; others stay."""
        scene = start_slicer()
        study = subject_hierarchy.study_of(self.reference)
        for field in fields(self):
            node = getattr(self, field.name)
            if node is not None and node.GetScene() is not None:
                _remove(scene, node)
        if study:
            subject_hierarchy.remove_empty(study)


def build_dose_comparison_scene(found: DoseMapComparison, organs: Sequence[OrganDoseDifference] | None = None, *,
                                ct: sitk.Image | None = None, masks: OrganMasks | None = None,
                                title: str = "Dose comparison") -> DoseComparisonScene:
    """Put a comparison into Slicer's scene, in one study `title`, and show the difference over CT or reference.

    The masks are shown where they lie on the grid of `ct`. Raises `InputError` as the nodes of CT and masks do.
    """
    scene, made = start_slicer(), []
    try:
        ct_node = _kept(made, ct_volume_node(ct)) if ct is not None else None
        segmentation = (_kept(made, segmentation_node_from_masks(masks, ct_node))
                        if ct_node is not None and masks is not None else None)
        maps = _volume_nodes(found, made)
        figures = [dict(zip(FIGURE_COLUMNS, figure)) for figure in comparison_figures(found)]
        table = _kept(made, _table_node("Dose comparison", FIGURE_COLUMNS, figures))
        organ_table = None
        if organs:
            columns = [field.name for field in fields(OrganDoseDifference)]
            organ_table = _kept(made, _table_node("Organ dose comparison", columns, [asdict(row) for row in organs]))
    except InputError:
        for node in made:
            _remove(scene, node)
        raise
    result = DoseComparisonScene(**maps, figure_table=table, organ_table=organ_table, ct=ct_node,
                                 segmentation=segmentation)
    _tie_together(result, title)
    _show(result, found)
    return result


def _remove(scene, node) -> None:
    shown = ([node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
             if node.IsA("vtkMRMLDisplayableNode") else [])
    for each in (node, *shown):
        scene.RemoveNode(each)


def _kept(made: list, node):
    made.append(node)
    return node


def _volume_nodes(found: DoseMapComparison, made: list) -> dict[str, object]:
    """Reference, test, difference and gamma as volume nodes."""
    pair, gamma = found.pair, found.gamma_global
    top_mgy = float(np.percentile(pair.reference_mgy[pair.region], 99.5))
    nodes = {name: _kept(made, _dose_node(image, f"{name.capitalize()} dose", top_mgy))
             for name, image in (("reference", pair.reference), ("test", pair.test))}
    limit = symmetric_limit(found.difference_mgy[pair.region])
    hidden = -2 * max(limit, float(np.abs(found.difference_mgy[pair.region]).max()))
    difference = np.where(pair.region, found.difference_mgy, np.float32(hidden))
    nodes["difference"] = _kept(made, _mapped_node(
        pair.image_of(difference), "Dose difference", "dose difference", (-limit, limit), hidden,
        _colour_node("Dose difference", _DIFFERENCE_COLOURS), "Test - reference (mGy)"))
    say_units(nodes["difference"], *ABSORBED_DOSE_MGY)
    values = np.where(np.isfinite(gamma.gamma), gamma.gamma, np.float32(-1))
    nodes["gamma"] = _kept(made, _mapped_node(
        pair.image_of(values), f"Gamma {gamma.criteria.title}", "gamma index", (0.0, 2.0), -1.0,
        _colour_node("Gamma index", _GAMMA_COLOURS), "Gamma"))
    return nodes


def _dose_node(image: sitk.Image, name: str, top_mgy: float):
    """A dose map with the house's dose colours up to `top_mgy`; what is no number holds -1 and is not drawn."""
    values = sitk.GetArrayFromImage(image)
    values[~np.isfinite(values)] = -1
    clean = sitk.GetImageFromArray(values)
    clean.CopyInformation(image)
    node = _mapped_node(clean, name, "absorbed dose", (0.0, top_mgy), -1.0, dose_colour_node(), "Absorbed dose (mGy)")
    say_units(node, *ABSORBED_DOSE_MGY)
    node.SetAttribute(DOSE_VOLUME_ATTRIBUTE, "1")
    for attribute, value in DOSE_UNIT_ATTRIBUTES.items():
        node.SetAttribute(attribute, value)
    return node


def _mapped_node(image: sitk.Image, name: str, quantity: str, window: tuple[float, float], hidden: float, colours,
                 legend: str):
    """A volume node with window, colours and legend; voxels that hold `hidden` (below all others) are not drawn."""
    node = volume_node_from_image(image, name)
    node.SetAttribute(QUANTITY_ATTRIBUTE, quantity)
    node.SetDescription(f"{quantity}; voxels without one hold {hidden:.6g}")
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colours.GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*window)
    display.InterpolateOff()  # between a voxel and one that holds `hidden` there is nothing to show
    display.AutoThresholdOff()
    display.SetThreshold(0.75 * hidden, float(np.finfo(np.float32).max))
    display.ApplyThresholdOn()
    add_legend(node).SetTitleText(legend)
    return node


def _colour_node(name: str, colours: Sequence[tuple[int, int, int]]):
    """A table of 256 colours from the first over the middle one to the last; saved with the scene, made once."""
    scene = start_slicer()
    node = scene.GetFirstNode(name, "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    places = np.linspace(0, 1, len(colours))
    for index, place in enumerate(np.linspace(0, 1, 256)):
        node.SetColor(index, f"{100 * place:.0f} %",
                      *(float(np.interp(place, places, part)) / 255 for part in zip(*colours)), 1.0)
    return node


def _table_node(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]):
    """A locked table: text where the values are text, yes or no for flags, else numbers (NaN: no meaning)."""
    import vtk

    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for column in columns:
        values = [row[column] for row in rows]
        if values and not isinstance(values[0], (str, bool)):
            node.AddColumn(number_column(column, [float(value) for value in values]))
            continue
        texts = vtk.vtkStringArray()
        texts.SetName(column)
        for value in values:
            # Slicer's table files know no escape for quotes and tabs.
            texts.InsertNextValue(("yes" if value else "no") if isinstance(value, bool)
                                  else " ".join(value.replace('"', "'").split()))
        node.AddColumn(texts)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def _tie_together(result: DoseComparisonScene, title: str) -> None:
    result.figure_table.SetAttribute(_RESULT_ATTRIBUTE, _COMPARISON)
    for name, role in _ROLES.items():
        if (node := getattr(result, name)) is not None:
            result.figure_table.SetNodeReferenceID(role, node.GetID())
    parts = (result.ct, result.segmentation, result.reference, result.test, result.difference, result.gamma,
             result.figure_table, result.organ_table)
    subject_hierarchy.put_under(subject_hierarchy.study_item(title), [node for node in parts if node is not None])


def _show(result: DoseComparisonScene, found: DoseMapComparison) -> None:
    """The difference over the CT (without one over the reference), at the middle of the dose; figures in the table."""
    import slicer

    scene = start_slicer()
    background = result.ct or result.reference
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(result.difference.GetID())
        composite.SetLabelVolumeID(None)
        composite.SetForegroundOpacity(_OPACITY)
        composite.SetLinkedControl(True)
    centre, corners = _places_ras(found)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        if not hasattr(slicer.app, "layoutManager"):
            node.SetDimensions(800, 600, 1)  # a window would have set its size
        fit_to(node, corners)
    go_to(centre)
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpTableView)
    application = slicer.app.applicationLogic()
    application.GetSelectionNode().SetActiveTableID((result.organ_table or result.figure_table).GetID())
    application.PropagateTableSelection()


def _places_ras(found: DoseMapComparison) -> tuple[np.ndarray, np.ndarray]:
    """The centre of the dose in the region, and two opposite corners of the region (RAS, mm)."""
    region = found.pair.region
    dose = np.where(region, np.maximum(found.pair.reference_mgy, 0), 0)
    centre, low, high = [], [], []
    for axis in (2, 1, 0):
        others = tuple({0, 1, 2} - {axis})
        along = dose.sum(axis=others, dtype=np.float64)
        held = np.flatnonzero(region.any(axis=others))
        low.append(held[0])
        high.append(held[-1])
        total = along.sum()
        centre.append(float(np.dot(np.arange(len(along)), along) / total) if total > 0 else math.floor(held.mean()))
    places = [found.pair.reference.TransformContinuousIndexToPhysicalPoint([float(v) for v in place])
              for place in (centre, low, high)]
    ras = np.array(places) * (-1, -1, 1)
    return ras[0], np.array([ras[1:].min(axis=0), ras[1:].max(axis=0)])
