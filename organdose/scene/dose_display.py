"""Dose and uncertainty maps as volume nodes: colours, window, colour legend, and what SlicerRT's tools look for."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.scene.headless import start_slicer
from organdose.scene.volume_nodes import say_units, volume_node_from_image

# SlicerRT, vtkSlicerRtCommon: DICOMRTIMPORT_DOSE_VOLUME_IDENTIFIER_, _DOSE_UNIT_NAME_, _DOSE_UNIT_VALUE_ATTRIBUTE_NAME.
# Its modules read the first from the volume and the other two from the study in the subject hierarchy.
DOSE_VOLUME_ATTRIBUTE = "DicomRtImport.DoseVolume"
DOSE_UNIT_ATTRIBUTES = {"DicomRtImport.DoseUnitName": "mGy", "DicomRtImport.DoseUnitValue": "1"}
QUANTITY_ATTRIBUTE = "OrganDose.Quantity"  # on the volumes that OrganDose computed: they are nobody's input
ENGINE_ATTRIBUTE = "OrganDose.Engine"

ABSORBED_DOSE_MGY = (("128513", "DCM", "Absorbed Radiation Dose"), ("mGy", "UCUM", "milligray"))
_UNITS = {unit.lower(): unit for unit in ("mGy", "cGy", "Gy", "uGy")}
TRANSPARENT_BELOW = 0.03  # of the top of the window: what is hardly irradiated shows the CT unchanged
AIR_BELOW_G_CM3 = 0.1  # lungs are denser
LEGEND_TITLE = "Absorbed dose (mGy)"

# The dose wash of treatment planning systems: blue, cyan, green, yellow, red.
_WASH = ((0.0, (0, 0, 130)), (0.15, (0, 30, 255)), (0.35, (0, 220, 255)), (0.5, (0, 215, 70)), (0.67, (255, 245, 0)),
         (0.84, (255, 125, 0)), (1.0, (220, 0, 0)))
_NICE_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


def dose_volume_node(dose_map: DoseMap, name: str = "Dose"):
    """A volume node of `dose_map.dose_mgy` (float32 mGy), ready to lie over a CT, with a colour legend.

    Raises `InputError` when the map holds no dose, or a dose that is negative or not a number.
    """
    top_mgy = window_top_mgy(dose_map)
    node = volume_node_from_image(dose_map.dose_mgy, name)
    say_units(node, *ABSORBED_DOSE_MGY)
    node.SetAttribute(DOSE_VOLUME_ATTRIBUTE, "1")
    node.SetAttribute(QUANTITY_ATTRIBUTE, dose_map.quantity)
    for attribute, value in DOSE_UNIT_ATTRIBUTES.items():
        node.SetAttribute(attribute, value)
    node.SetAttribute(ENGINE_ATTRIBUTE, dose_map.engine)
    node.SetDescription(f"{dose_map.quantity}, mGy, {dose_map.engine}")
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(dose_colour_node().GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, top_mgy)
    display.AutoThresholdOff()
    display.SetThreshold(TRANSPARENT_BELOW * top_mgy, float(np.finfo(np.float32).max))
    display.ApplyThresholdOn()
    legend = add_legend(node)
    if top_mgy < 1:
        legend.SetLabelFormat("%.3g")  # one decimal, which Slicer writes, is none for the dose of a localiser
    return node


def dose_unit_of(node) -> str:
    """'mGy', 'cGy', 'Gy' or 'uGy', as a volume states the unit of its voxels itself; '' where it does not.

    What SlicerRT notes at the study is no statement of the volume: one study may hold doses in several units.
    """
    entry = node.GetVoxelValueUnits()
    for said in (entry.GetCodeValue() if entry is not None else "", node.GetAttribute("DicomRtImport.DoseUnitName")):
        if said and said.lower() in _UNITS:
            return _UNITS[said.lower()]
    return ""


def uncertainty_volume_node(relative_uncertainty: sitk.Image, name: str = "Dose uncertainty (relative)"):
    """A volume node of the relative standard uncertainty (1 = 100 %), shown from 0 to 20 %."""
    node = volume_node_from_image(relative_uncertainty, name)
    node.SetAttribute(QUANTITY_ATTRIBUTE, "relative uncertainty")
    node.SetDescription("relative standard uncertainty of the dose, 1 = 100 %")
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeIron")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, 0.2)
    return node


def window_top_mgy(dose_map: DoseMap) -> float:
    """The dose at the top of the colour scale: a round figure above 99.5 % of the irradiated tissue voxels.

    Single voxels of a Monte Carlo map scatter, those of air (no mass to speak of) most; the maximum alone would waste
    the scale on one of them. Doses above the top have its colour.
    """
    dose_mgy = sitk.GetArrayViewFromImage(dose_map.dose_mgy)
    if not np.isfinite(dose_mgy).all() or (dose_mgy < 0).any():
        raise InputError("the dose map holds values that are negative or not a number", mend="Compute the dose again.")
    tissue_mgy = dose_mgy[(dose_map.density_g_cm3 > AIR_BELOW_G_CM3) & (dose_mgy > 0)]
    if tissue_mgy.size == 0:
        raise InputError("the dose map is zero everywhere", mend="Check that the scan range meets the image.")
    high = float(np.percentile(tissue_mgy, 99.5))
    decade = 10.0 ** np.floor(np.log10(high))
    return float(decade * next(step for step in _NICE_STEPS if step * decade >= high * (1 - 1e-6)))


def dose_colour_node():
    """The dose colour table of the scene (vtkMRMLColorTableNode, saved with it); made when it is not there."""
    scene = start_slicer()
    node = scene.GetFirstNode("Dose wash", "vtkMRMLColorTableNode")
    if node is not None:
        return node
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "Dose wash")
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    places, colours = zip(*_WASH)
    for index, place in enumerate(np.linspace(0, 1, 256)):
        red, green, blue = (float(np.interp(place, places, component)) / 255 for component in zip(*colours))
        node.SetColor(index, f"{100 * place:.0f} %", red, green, blue, 1.0)
    node.SetDescription("Dose wash from blue (no dose) to red (top of the window)")
    return node


def add_legend(volume_node):
    """A colour legend (vtkMRMLColorLegendDisplayNode) beside the dose in every slice view."""
    import slicer

    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(volume_node)
    for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
        text.SetFontFamilyToArial()
        text.SetFontSize(12)
        text.SetBold(False)
        text.SetItalic(False)
    # After the fonts: the views look again when a property of the node itself changes.
    legend.SetNumberOfLabels(6)
    legend.SetSize(0.055, 0.5)
    legend.SetPosition(0.97, 0.55)
    legend.SetTitleText(LEGEND_TITLE)
    return legend
