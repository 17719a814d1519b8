"""The nodes of a comparison of two dose maps: difference and gamma in colours, tables of figures, what ties them.

Without the libraries that a comparison is computed with: windows bring finished ones in.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.export.difference_scale import symmetric_limit
from organdose.export.public_record import without_paths
from organdose.scene import subject_hierarchy
from organdose.scene.dose_display import ABSORBED_DOSE_MGY, QUANTITY_ATTRIBUTE, add_legend
from organdose.scene.headless import start_slicer
from organdose.scene.node_removal import remove_with_display
from organdose.scene.organ_table_node import number_column, text_column
from organdose.scene.volume_nodes import say_units, volume_node_from_image

RESULT_ATTRIBUTE, COMPARISON = "OrganDose.Result", "dose-comparison"
_RECORD_ATTRIBUTE = "OrganDose.Record"
# Node references from the table of figures to what it was computed from.
_ROLES = {"ct": "OrganDose.CT", "segmentation": "OrganDose.Segmentation", "reference": "OrganDose.ReferenceDose",
          "test": "OrganDose.TestDose", "difference": "OrganDose.DoseDifference", "gamma": "OrganDose.Gamma",
          "organ_table": "OrganDose.OrganComparison"}
# ColorBrewer's RdBu and RdYlBu (Brewer, 2003), told apart by colour-blind readers: low, middle, high.
_DIFFERENCE_COLOURS = ((5, 48, 97), (67, 147, 195), (247, 247, 247), (214, 96, 77), (103, 0, 31))
_GAMMA_COLOURS = ((49, 54, 149), (116, 173, 209), (255, 255, 191), (244, 109, 67), (165, 0, 38))
_OPACITY = 0.7
_LEGEND_LABELS = 5  # an odd number names the middle
_COLUMN_TITLES = {"organ": "Organ", "volume_ml": "Volume (mL)", "compared_percent": "Compared (%)",
                  "test_mgy": "Test (mGy)", "reference_mgy": "Reference (mGy)", "difference_mgy": "Difference (mGy)",
                  "relative_percent": "Difference (%)", "test_uncertainty_percent": "Test ± (%)",
                  "reference_uncertainty_percent": "Reference ± (%)", "z": "z", "gamma_pass_percent": "Gamma pass (%)",
                  "in_summary": "In summary", "note": "Note", "quantity": "Figure", "value": "Value", "unit": "Unit",
                  "definition": "Definition"}

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class DoseComparisonScene:
    """The nodes of one comparison.

    None: `reference`, where it was a file; `ct`, `segmentation`, `organ_table`, where there was no CT or no masks.

    Voxels that were not compared hold a value below the window in `difference` and -1 in `gamma`, as their
    descriptions say, and are not drawn.
    """

    reference: object | None
    test: object
    difference: object
    gamma: object
    figure_table: object
    organ_table: object | None
    ct: object | None
    segmentation: object | None

    @property
    def record(self) -> dict[str, object]:
        """The run's record (`run.json`) without its paths, as far as it was kept with the scene; {} without."""
        return json.loads(self.figure_table.GetAttribute(_RECORD_ATTRIBUTE) or "{}")

    def remove(self, *, inputs: bool = True) -> None:
        """Take these nodes, with their display and storage nodes, out of the scene; others stay.

        Both doses, CT and masks stay too without `inputs`.
        """
        folder = subject_hierarchy.parent_of(self.difference)
        nodes = [self.difference, self.gamma, self.figure_table, self.organ_table]
        if inputs:
            nodes += [self.reference, self.test, self.ct, self.segmentation]
        for node in nodes:
            if node is not None:
                remove_with_display(node)
        if folder:
            subject_hierarchy.remove_empty(folder)


def add_dose_comparison_steps(difference: sitk.Image, region: sitk.Image, gamma: sitk.Image, criteria: str,
                              figures: Rows, organs: Rows, *, test, reference, ct, segmentation,
                              title: str = "Dose comparison", record: Mapping[str, object] | None = None
                              ) -> Generator[float, None, DoseComparisonScene]:
    """Put a finished comparison beside the nodes of the scene that were compared, in short steps.

    `difference` (mGy) and `gamma` (of `criteria`) are maps with NaN where there is none, `region` marks the compared
    voxels (not 0). Yields the part done. Whenever it is not taken to its end, the scene is as it was.
    """
    made: list = []
    title = start_slicer().GenerateUniqueName(title)
    try:
        compared = sitk.GetArrayViewFromImage(region) != 0
        made.append(shown := difference_node(difference, compared))
        yield 0.4
        made.append(index := gamma_node(gamma, criteria))
        yield 0.8
        made.append(table := table_node(title, figures))
        made.append(organ_table := table_node(f"{title}: organs", organs) if organs else None)
        table.SetAttribute(_RECORD_ATTRIBUTE, json.dumps(without_paths(record or {}), default=str))
        yield 0.9
    except BaseException:
        for node in made:
            if node is not None:
                remove_with_display(node)
        raise
    result = DoseComparisonScene(reference, test, shown, index, table, organ_table, ct, segmentation)
    tie_together(result, subject_hierarchy.folder_item(title, subject_hierarchy.dose_study_of(ct)), inputs=False)
    return result


def find_comparisons() -> list[DoseComparisonScene]:
    """The comparisons in Slicer's scene whose maps and test are still there."""
    import slicer

    found = []
    for table in slicer.util.getNodesByClass("vtkMRMLTableNode", start_slicer()):
        if table.GetAttribute(RESULT_ATTRIBUTE) != COMPARISON:
            continue
        nodes = {name: table.GetNodeReference(role) for name, role in _ROLES.items()}
        if all(nodes[name] is not None for name in ("test", "difference", "gamma")):
            found.append(DoseComparisonScene(figure_table=table, **nodes))
    return found


def tie_together(result: DoseComparisonScene, item: int, *, inputs: bool = True) -> None:
    """Node references from the table of figures, and a place under `item` of the hierarchy (not for the `inputs`)."""
    result.figure_table.SetAttribute(RESULT_ATTRIBUTE, COMPARISON)
    for name, role in _ROLES.items():
        if (node := getattr(result, name)) is not None:
            result.figure_table.SetNodeReferenceID(role, node.GetID())
    parts = [result.ct, result.segmentation, result.reference, result.test] if inputs else []
    parts += [result.difference, result.gamma, result.figure_table, result.organ_table]
    subject_hierarchy.put_under(item, [node for node in parts if node is not None])


def show_over_ct(result: DoseComparisonScene, volume_node) -> None:
    """Difference or gamma over the CT (without one over a dose) in every slice view, and the tables' layout."""
    import slicer

    scene = start_slicer()
    background = result.ct or result.reference or result.test
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(volume_node.GetID())
        composite.SetLabelVolumeID(None)
        composite.SetForegroundOpacity(_OPACITY)
        composite.SetLinkedControl(True)
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpTableView)
    application = slicer.app.applicationLogic()
    application.GetSelectionNode().SetActiveTableID((result.organ_table or result.figure_table).GetID())
    application.PropagateTableSelection()
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(volume_node)
    if legend is not None:
        legend.Modified()  # views that did not show it when it was added look again


def difference_node(difference: sitk.Image, region: np.ndarray):
    """Test minus reference (mGy) in diverging colours about zero; outside `region` (bool) it is hidden."""
    values = sitk.GetArrayViewFromImage(difference)
    compared = values[region]
    limit = symmetric_limit(compared)
    hidden = -2 * max(limit, float(np.abs(compared).max()))
    node = mapped_node(_like(difference, np.where(region, values, np.float32(hidden))), "Dose difference",
                       "dose difference", (-limit, limit), hidden,
                       _colour_node("Dose difference", _DIFFERENCE_COLOURS), "Test - reference (mGy)")
    say_units(node, *ABSORBED_DOSE_MGY)
    return node


def gamma_node(gamma: sitk.Image, criteria: str):
    """Gamma from 0 to 2, its colours parting at 1; where it is no number it is hidden."""
    values = sitk.GetArrayViewFromImage(gamma)
    return mapped_node(_like(gamma, np.where(np.isfinite(values), values, np.float32(-1))), f"Gamma {criteria}",
                       "gamma index", (0.0, 2.0), -1.0, _colour_node("Gamma index", _GAMMA_COLOURS), "Gamma")


def mapped_node(image: sitk.Image, name: str, quantity: str, window: tuple[float, float], hidden: float, colours,
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
    shown = add_legend(node)
    shown.SetNumberOfLabels(_LEGEND_LABELS)
    shown.SetLabelFormat("%.3g")
    shown.SetTitleText(legend)
    return node


def table_node(name: str, rows: Rows):
    """A locked table: text where the values are text, yes or no for flags, else numbers (NaN: no meaning)."""
    node = start_slicer().AddNewNodeByClass("vtkMRMLTableNode", name)
    for column, first in rows[0].items():
        values = [row[column] for row in rows]
        if isinstance(first, bool):
            node.AddColumn(text_column(column, ["yes" if value else "no" for value in values]))
        elif isinstance(first, str):
            node.AddColumn(text_column(column, values))
        else:
            node.AddColumn(number_column(column, [float(value) for value in values]))
        node.SetColumnTitle(column, _COLUMN_TITLES.get(column, column))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def _like(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(values)
    made.CopyInformation(image)
    return made


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
