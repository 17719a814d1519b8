"""The density of a CT's voxels in the scene as the computation of a dose had it: HU curve and contrast medium."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.assess.hu_density import EnhancedVoxels, HUDensity
from organdose.errors import InputError
from organdose.scene.dose_display import QUANTITY_ATTRIBUTE
from organdose.scene.segment_edits import patient_grid
from organdose.scene.volume_nodes import volume_node_from_image

_DENSITY_ATTRIBUTE = "OrganDose.Density"  # of the organ table: what differs from Schneider's curve, as JSON
_FACTS = ("density_nodes_hu_g_cm3", "contrast_density_line_g_cm3")
CONTRAST_ROLE = "OrganDose.Contrast"  # from the organ table to the voxels with contrast medium


def contrast_node(contrast: sitk.Image, name: str = "Contrast medium found"):
    """A volume node of the voxels that were taken for contrast medium (0 or 1)."""
    node = volume_node_from_image(contrast, name)
    node.SetAttribute(QUANTITY_ATTRIBUTE, "contrast medium")
    return node


def keep_density_facts(organ_table, facts: Mapping[str, object]) -> None:
    """Write on the organ table of a result what its densities were made with, as its `facts` say."""
    kept = {name: facts[name] for name in _FACTS if name in facts}
    if kept:
        organ_table.SetAttribute(_DENSITY_ATTRIBUTE, json.dumps(kept))


def density_of_result(hu: np.ndarray, organ_table) -> HUDensity:
    """Densities of the CT with the voxels `hu` (z, y, x, turned to the patient's axes) of a result.

    Raises `InputError` when contrast medium was found and its voxels have left the scene.
    """
    import slicer

    facts, tissues = json.loads(organ_table.GetAttribute(_DENSITY_ATTRIBUTE) or "{}"), schneider2000()
    if nodes := facts.get("density_nodes_hu_g_cm3"):
        node_hu, node_density = np.asarray(nodes, dtype=float).T
        tissues = replace(tissues, node_hu=node_hu, node_density_g_cm3=node_density)
    line = facts.get("contrast_density_line_g_cm3")
    if line is None:
        return HUDensity(hu, tissues)
    found = organ_table.GetNodeReference(CONTRAST_ROLE)
    if found is None or found.GetImageData() is None:
        raise InputError("the voxels with contrast medium are no longer in the scene", mend="Compute the dose again.")
    voxels = patient_grid(found, "contrast medium").turned(slicer.util.arrayFromVolume(found))
    if voxels.shape != hu.shape:
        raise InputError("the voxels with contrast medium lie on another grid than the CT",
                         mend="Compute the dose again.")
    return HUDensity(hu, tissues, EnhancedVoxels(voxels, *line))
