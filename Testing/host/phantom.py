"""A small patient in the scene, for tests of the host: 64 x 64 x 64 voxels of 4 mm, soft tissue with bone in air."""

import numpy as np
import slicer
import vtk

AIR_HU, TISSUE_HU, BONE_HU = -1000, 40, 700
DOSE_MGY = 5.0


def add_ct():
    """A vtkMRMLScalarVolumeNode around the origin: an ellipse of tissue along z, in it a rod of bone, posterior."""
    _, j, i = np.mgrid[:64, :64, :64]
    hu = np.full((64, 64, 64), AIR_HU, np.int16)
    hu[((i - 31.5) / 25) ** 2 + ((j - 31.5) / 20) ** 2 < 1] = TISSUE_HU
    hu[bone()] = BONE_HU
    node = _add_volume("CT", hu)
    node.GetDisplayNode().SetWindowLevel(2000, 0)  # black at -1000 HU, white at 1000 HU
    return node


def add_dose():
    """Dose in the patient's right half only, in red where it is shown."""
    dose = np.zeros((64, 64, 64), np.float32)
    dose[:, 16:48, 8:32] = DOSE_MGY
    node = _add_volume("Dose", dose)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRed")
    display.SetWindowLevelMinMax(0, DOSE_MGY)
    display.SetThreshold(0.1, 2 * DOSE_MGY)
    display.ApplyThresholdOn()
    return node


def bone() -> np.ndarray:
    _, j, i = np.mgrid[:64, :64, :64]
    return (i - 31.5) ** 2 + (j - 44) ** 2 < 5**2


def add_segmentation(ct, **masks: np.ndarray):
    """A segmentation with one segment a keyword: its ID and name, and the voxels (k, j, i) that belong to it."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Organs")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct)
    for name, mask in masks.items():
        segment_id = node.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, segment_id, ct)
    return node


def show_in_slices(background, foreground=None, opacity: float = 0.5) -> None:
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetForegroundOpacity(opacity)


def _add_volume(name: str, values: np.ndarray):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, values)
    to_ras = vtk.vtkMatrix4x4()
    for axis, (step_mm, first_mm) in enumerate(((-4, 126), (-4, 126), (4, -126))):
        to_ras.SetElement(axis, axis, step_mm)
        to_ras.SetElement(axis, 3, first_mm)
    node.SetIJKToRASMatrix(to_ras)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().AutoWindowLevelOff()
    return node
