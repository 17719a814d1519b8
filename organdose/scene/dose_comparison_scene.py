"""A comparison of two dose maps as a Slicer scene of its own: both maps, difference, gamma, and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dose_map_comparison import DoseMapComparison
from organdose.assess.organ_dose_comparison import OrganDoseDifference
from organdose.errors import InputError
from organdose.export.dose_comparison_tables import FIGURE_COLUMNS, comparison_figures
from organdose.scene import subject_hierarchy
from organdose.scene.dose_comparison_nodes import (
    DoseComparisonScene,
    difference_node,
    gamma_node,
    mapped_node,
    show_over_ct,
    table_node,
    tie_together,
)
from organdose.scene.dose_display import (
    ABSORBED_DOSE_MGY,
    DOSE_UNIT_ATTRIBUTES,
    DOSE_VOLUME_ATTRIBUTE,
    dose_colour_node,
)
from organdose.scene.headless import start_slicer
from organdose.scene.node_removal import remove_with_display
from organdose.scene.segmentation_nodes import segmentation_node_from_masks
from organdose.scene.views import fit_to, go_to
from organdose.scene.volume_nodes import ct_volume_node, say_units


def build_dose_comparison_scene(found: DoseMapComparison, organs: Sequence[OrganDoseDifference] | None = None, *,
                                ct: sitk.Image | None = None, masks: OrganMasks | None = None,
                                title: str = "Dose comparison") -> DoseComparisonScene:
    """Put a comparison into Slicer's scene, in one study `title`, and show the difference over CT or reference.

    The masks are shown where they lie on the grid of `ct`. Raises `InputError` as the nodes of CT and masks do.
    """
    start_slicer()
    made: list = []
    try:
        ct_node = _kept(made, ct_volume_node(ct)) if ct is not None else None
        segmentation = (_kept(made, segmentation_node_from_masks(masks, ct_node))
                        if ct_node is not None and masks is not None else None)
        maps = _volume_nodes(found, made)
        figures = [dict(zip(FIGURE_COLUMNS, figure)) for figure in comparison_figures(found)]
        table = _kept(made, table_node("Dose comparison", figures))
        organ_table = (_kept(made, table_node("Organ dose comparison", [asdict(row) for row in organs]))
                       if organs else None)
    except InputError:
        for node in made:
            remove_with_display(node)
        raise
    result = DoseComparisonScene(**maps, figure_table=table, organ_table=organ_table, ct=ct_node,
                                 segmentation=segmentation)
    tie_together(result, subject_hierarchy.study_item(title))
    _show(result, found)
    return result


def _kept(made: list, node):
    made.append(node)
    return node


def _volume_nodes(found: DoseMapComparison, made: list) -> dict[str, object]:
    """Reference, test, difference and gamma as volume nodes."""
    pair, gamma = found.pair, found.gamma_global
    top_mgy = float(np.percentile(pair.reference_mgy[pair.region], 99.5))
    nodes = {name: _kept(made, _dose_node(image, f"{name.capitalize()} dose", top_mgy))
             for name, image in (("reference", pair.reference), ("test", pair.test))}
    nodes["difference"] = _kept(made, difference_node(pair.image_of(found.difference_mgy), pair.region))
    nodes["gamma"] = _kept(made, gamma_node(pair.image_of(gamma.gamma), gamma.criteria.title))
    return nodes


def _dose_node(image: sitk.Image, name: str, top_mgy: float):
    """A dose map with the house's dose colours up to `top_mgy`; what is no number holds -1 and is not drawn."""
    values = sitk.GetArrayFromImage(image)
    values[~np.isfinite(values)] = -1
    clean = sitk.GetImageFromArray(values)
    clean.CopyInformation(image)
    node = mapped_node(clean, name, "absorbed dose", (0.0, top_mgy), -1.0, dose_colour_node(), "Absorbed dose (mGy)")
    say_units(node, *ABSORBED_DOSE_MGY)
    node.SetAttribute(DOSE_VOLUME_ATTRIBUTE, "1")
    for attribute, value in DOSE_UNIT_ATTRIBUTES.items():
        node.SetAttribute(attribute, value)
    return node


def _show(result: DoseComparisonScene, found: DoseMapComparison) -> None:
    """The difference over the CT (without one over the reference), at the middle of the dose; figures in the table."""
    import slicer

    show_over_ct(result, result.difference)
    centre, corners = _places_ras(found)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", start_slicer()):
        if not hasattr(slicer.app, "layoutManager"):
            node.SetDimensions(800, 600, 1)  # a window would have set its size
        fit_to(node, corners)
    go_to(centre)


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
