"""SimpleITK images (LPS) as Slicer volume nodes (RAS) and back, in memory."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.scene.headless import start_slicer

# DICOM coded entries (value, scheme, meaning): CID 7180 quantities, CID 82 units.
HOUNSFIELD = (("112031", "DCM", "Attenuation Coefficient"), ("[hnsf'U]", "UCUM", "Hounsfield unit"))
CT_WINDOW_HU, CT_LEVEL_HU = 400, 40  # soft tissue

_LPS_TO_RAS = np.diag((-1.0, -1.0, 1.0))


def volume_node_from_image(image: sitk.Image, name: str):
    """A new vtkMRMLScalarVolumeNode with the voxels (one copy, same type) and geometry of `image`, with a display node.

    Raises `InputError` when the image is not a volume of one value a voxel.
    """
    import slicer

    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{name} has {image.GetDimension()} dimensions and {image.GetNumberOfComponentsPerPixel()} "
                         "values a voxel; a scene shows volumes with one value a voxel")
    node = start_slicer().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(ijk_to_ras(image))
    slicer.util.updateVolumeFromArray(node, sitk.GetArrayViewFromImage(image))
    node.CreateDefaultDisplayNodes()
    return node


def ct_volume_node(ct: sitk.Image, name: str = "CT"):
    """A volume node of a CT in HU, shown in a soft tissue window."""
    node = volume_node_from_image(ct, name)
    say_units(node, *HOUNSFIELD)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.AutoWindowLevelOff()
    display.SetWindowLevel(CT_WINDOW_HU, CT_LEVEL_HU)
    return node


def image_from_volume_node(node) -> sitk.Image:
    """The voxels (a copy, same type) and geometry of a volume node as an image in LPS.

    Raises `InputError` when the node is empty or stands under a transform.
    """
    import slicer

    check_usable(node)
    image = sitk.GetImageFromArray(slicer.util.arrayFromVolume(node))
    _place(image, node)
    return image


def grid_of_volume_node(node) -> sitk.Image:
    """The geometry of a volume node as an image of zeros (uint8) in LPS, for what needs no voxels.

    Raises `InputError` as `image_from_volume_node`.
    """
    check_usable(node)
    image = sitk.Image(node.GetImageData().GetDimensions(), sitk.sitkUInt8)
    _place(image, node)
    return image


def check_usable(node) -> None:
    """Raises `InputError` for a volume that is empty or stands under a transform."""
    if node.GetImageData() is None:
        raise InputError(f"the volume {node.GetName()!r} is empty", mend="Load it again.")
    if node.GetParentTransformNode() is not None:
        raise InputError(f"the volume {node.GetName()!r} stands under a transform",
                         mend="Harden the transform in the Data module.")


def direction_of_volume_node(node) -> tuple[float, ...]:
    """The direction cosines of a volume node in LPS, as SimpleITK has them."""
    directions = np.zeros((3, 3))
    node.GetIJKToRASDirections(directions)
    return tuple((_LPS_TO_RAS @ directions).ravel().tolist())


def _place(image: sitk.Image, node) -> None:
    image.SetDirection(direction_of_volume_node(node))
    image.SetOrigin((_LPS_TO_RAS @ node.GetOrigin()).tolist())
    image.SetSpacing(node.GetSpacing())


def ijk_to_ras(image: sitk.Image):
    """The vtkMatrix4x4 from voxel index (i, j, k) to RAS millimetres."""
    import vtk

    affine = np.eye(4)
    affine[:3, :3] = _LPS_TO_RAS @ (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())
    affine[:3, 3] = _LPS_TO_RAS @ image.GetOrigin()
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(affine.ravel())
    return matrix


def say_units(node, quantity: tuple[str, str, str], units: tuple[str, str, str]) -> None:
    """Write what the voxels are and their unit as coded entries (value, scheme, meaning) on a volume node."""
    import slicer

    for entry, setter in ((quantity, node.SetVoxelValueQuantity), (units, node.SetVoxelValueUnits)):
        code = slicer.vtkCodedEntry()
        code.SetValueSchemeMeaning(*entry)
        setter(code)
