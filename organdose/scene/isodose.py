"""Isodose surfaces of a dose volume as models: surfaces in 3D, lines where the slice views cut them."""

from __future__ import annotations

import math

import numpy as np

from organdose.errors import InputError
from organdose.scene import subject_hierarchy
from organdose.scene.headless import start_slicer

DOSE_ROLE = "OrganDose.IsodoseOf"  # node reference from a surface to its dose volume
LEVEL_ATTRIBUTE = "OrganDose.IsodoseMGy"
_PERCENT = (10, 30, 50, 70, 90)  # of the top of the colour scale
_OPACITY_3D = 0.35
_LINE_WIDTH = 2


def suggested_levels_mgy(dose_node) -> list[float]:
    """Five doses (mGy) that divide the colour scale of a dose volume, rounded to two digits."""
    top_mgy = dose_node.GetDisplayNode().GetWindowLevelMax()
    return [_rounded(top_mgy * percent / 100) for percent in _PERCENT]


def levels_from_text(text: str) -> list[float]:
    """Doses (mGy) from '5, 10, 20', rising and each once. Raises `InputError` for anything else."""
    try:
        levels = sorted({float(part) for part in text.replace(";", ",").split(",") if part.strip()})
    except ValueError as error:
        raise InputError(f"isodose levels {text!r} are no numbers",
                         mend="Write doses in mGy, like 5, 10, 20.") from error
    if not levels or levels[0] <= 0 or not all(map(math.isfinite, levels)):
        raise InputError(f"isodose levels {text!r} are no doses", mend="Write doses above 0 mGy, like 5, 10, 20.")
    return levels


def isodose_models(dose_node) -> list:
    """The isodose surfaces (vtkMRMLModelNode) of a dose volume, by rising dose."""
    import slicer

    models = [node for node in slicer.util.getNodesByClass("vtkMRMLModelNode", start_slicer())
              if node.GetNodeReferenceID(DOSE_ROLE) == dose_node.GetID()]
    return sorted(models, key=lambda node: float(node.GetAttribute(LEVEL_ATTRIBUTE)))


def show_isodoses(dose_node, levels_mgy: list[float], *, lines: bool = True, surfaces: bool = False) -> list:
    """Replace the isodoses of a dose volume; returns the models. Levels above the highest dose give no surface.

    `lines`: where the slice views cut the surfaces; `surfaces`: in 3D. Raises `InputError` for an empty volume.
    """
    remove_isodoses(dose_node)
    image = _image_in_ras(dose_node)
    highest_mgy = image.GetScalarRange()[1]
    models = [_model(dose_node, image, level) for level in levels_mgy if level < highest_mgy]
    if models:
        study = subject_hierarchy.study_of(dose_node)
        if study:
            subject_hierarchy.put_under(subject_hierarchy.folder_item("Isodoses", study), models)
    show_lines_and_surfaces(dose_node, lines=lines, surfaces=surfaces)
    return models


def show_lines_and_surfaces(dose_node, *, lines: bool, surfaces: bool) -> None:
    """Switch the isodoses of a dose volume on and off in the slice views and in 3D."""
    for model in isodose_models(dose_node):
        display = model.GetDisplayNode()
        display.SetVisibility(lines or surfaces)
        display.SetVisibility2D(lines)
        display.SetVisibility3D(surfaces)


def remove_isodoses(dose_node) -> None:
    """Take the isodoses of a dose volume, and their folder, out of the scene."""
    scene = start_slicer()
    models = isodose_models(dose_node)
    folder = subject_hierarchy.parent_of(models[0]) if models else 0
    for model in models:
        for display in [model.GetNthDisplayNode(index) for index in range(model.GetNumberOfDisplayNodes())]:
            scene.RemoveNode(display)
        scene.RemoveNode(model)
    if folder and folder != subject_hierarchy.study_of(dose_node):
        subject_hierarchy.remove_empty(folder)


def _model(dose_node, image, level_mgy: float):
    import vtk

    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level_mgy)
    contour.ComputeNormalsOn()
    contour.ComputeScalarsOff()
    contour.ComputeGradientsOff()
    contour.Update()
    node = start_slicer().AddNewNodeByClass("vtkMRMLModelNode", f"Isodose {level_mgy:g} mGy")
    node.SetAndObservePolyData(contour.GetOutput())
    node.SetAttribute(LEVEL_ATTRIBUTE, repr(level_mgy))
    node.SetNodeReferenceID(DOSE_ROLE, dose_node.GetID())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*_colour(dose_node, level_mgy))
    display.SetOpacity(_OPACITY_3D)
    display.SetBackfaceCulling(False)
    display.SetSliceIntersectionThickness(_LINE_WIDTH)
    return node


def _colour(dose_node, level_mgy: float) -> list[float]:
    """The colour that the dose wash has at this dose."""
    display = dose_node.GetDisplayNode()
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    colours = display.GetColorNode()
    place = float(np.clip((level_mgy - low) / (high - low), 0, 1))
    rgba = [0.0] * 4
    colours.GetColor(round(place * (colours.GetNumberOfColors() - 1)), rgba)
    return rgba[:3]


def _image_in_ras(dose_node):
    """The voxels (shared) with the geometry of the node, so that surfaces come out in RAS millimetres."""
    import vtk

    if dose_node.GetImageData() is None:
        raise InputError(f"the volume {dose_node.GetName()!r} is empty", mend="Compute the dose again.")
    image, directions = vtk.vtkImageData(), vtk.vtkMatrix3x3()
    image.ShallowCopy(dose_node.GetImageData())
    axes = [[0.0] * 3 for _ in range(3)]
    dose_node.GetIJKToRASDirections(axes)
    directions.DeepCopy([component for row in axes for component in row])
    image.SetDirectionMatrix(directions)
    image.SetSpacing(dose_node.GetSpacing())
    image.SetOrigin(dose_node.GetOrigin())
    return image


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
