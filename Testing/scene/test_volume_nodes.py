"""Images become volume nodes and come back as they were."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.errors import InputError
from organdose.scene.volume_nodes import ct_volume_node, image_from_volume_node, volume_node_from_image


def test_a_voxel_lies_where_it_lay_with_left_and_posterior_turned(scene, ct_image):
    import vtk

    node = volume_node_from_image(ct_image, "CT")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    index = (10, 20, 5)
    left, posterior, superior = ct_image.TransformIndexToPhysicalPoint(index)
    assert matrix.MultiplyPoint((*index, 1))[:3] == pytest.approx((-left, -posterior, superior))
    assert slicer.util.arrayFromVolume(node)[5, 20, 10] == ct_image[index]


@pytest.mark.parametrize("pixel", [sitk.sitkInt16, sitk.sitkUInt8, sitk.sitkInt32, sitk.sitkFloat32, sitk.sitkFloat64])
def test_voxels_type_and_geometry_come_back(scene, ct_image, pixel):
    image = sitk.Cast(ct_image, pixel)
    back = image_from_volume_node(volume_node_from_image(image, "image"))
    assert back.GetPixelID() == pixel
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(back, get)() == pytest.approx(getattr(image, get)(), abs=1e-9)


def test_an_oblique_direction_comes_back(scene, ct_image):
    cosine, sine = np.cos(0.3), np.sin(0.3)
    ct_image.SetDirection((cosine, -sine, 0, sine, cosine, 0, 0, 0, 1))
    assert image_from_volume_node(volume_node_from_image(ct_image, "x")).GetDirection() == pytest.approx(
        ct_image.GetDirection())


def test_the_node_does_not_change_with_the_image(scene, ct_image):
    node = volume_node_from_image(ct_image, "CT")
    before = slicer.util.arrayFromVolume(node).copy()
    ct_image += 1000
    assert np.array_equal(slicer.util.arrayFromVolume(node), before)


def test_a_ct_is_shown_in_a_soft_tissue_window_and_says_hounsfield(scene, ct_image):
    node = ct_volume_node(ct_image)
    assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == (400, 40)
    assert node.GetVoxelValueUnits().GetCodeMeaning() == "Hounsfield unit"


def test_a_colour_image_is_refused(scene):
    with pytest.raises(InputError, match="3 values a voxel"):
        volume_node_from_image(sitk.Image((4, 4, 4), sitk.sitkVectorUInt8, 3), "photo")


def test_a_volume_under_a_transform_is_refused(scene, ct_image):
    node = volume_node_from_image(ct_image, "CT")
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="under a transform"):
        image_from_volume_node(node)


def test_an_empty_volume_is_refused(scene):
    with pytest.raises(InputError, match="empty"):
        image_from_volume_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"))
