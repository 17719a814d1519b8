"""Segments are read where Slicer keeps them, as `masks_from_segmentation_node` reads them by copying."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from organdose.errors import InputError
from organdose.scene.segment_edits import SegmentEdits, observe_edits, patient_grid, stop_observing
from organdose.scene.segmentation_nodes import (
    BINARY_LABELMAP,
    masks_from_segmentation_node,
    segmentation_node_from_masks,
)
from organdose.scene.volume_nodes import ct_volume_node, volume_node_from_image


@pytest.fixture
def ct_node(scene, ct_image):
    return ct_volume_node(ct_image)


@pytest.fixture
def node(ct_node, masks):
    return segmentation_node_from_masks(masks, ct_node)


def _assert_as_copied(node, ct_node):
    drawing, copied = SegmentEdits(node, ct_node).drawing(), masks_from_segmentation_node(node, ct_node)
    assert sorted(drawing.segments) == sorted(copied.names)
    for name, (layer, value) in drawing.segments.items():
        labels, corner = drawing.layer(layer)
        whole = np.zeros(copied.shape, np.uint8)
        whole[tuple(slice(start, start + size) for start, size in zip(corner, labels.shape))] = labels
        assert np.array_equal(whole == value, copied.mask(name)), name
        assert labels.dtype == np.uint8
    return drawing


def _add_labelmap(node, name, labels, first_ijk, spacing_mm, origin_ras_mm):
    """A segment with a label map of its own geometry; axes along RAS."""
    image = slicer.vtkOrientedImageData()
    size = labels.shape[::-1]
    image.SetExtent(*(bound for first, count in zip(first_ijk, size) for bound in (first, first + count - 1)))
    image.GetPointData().SetScalars(numpy_to_vtk(labels.ravel(), deep=True))
    image.SetSpacing(*spacing_mm)
    image.SetOrigin(*origin_ras_mm)
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetLabelValue(int(labels.max()))
    segment.AddRepresentation(BINARY_LABELMAP, image)
    node.GetSegmentation().AddSegment(segment, name)


def test_labels_are_views_of_what_slicer_holds(node, ct_node, masks):
    drawing = _assert_as_copied(node, ct_node)
    assert not drawing.layer(0)[0].flags.owndata
    assert drawing.notes == masks.notes


def test_label_maps_smaller_than_the_ct_begin_at_their_voxel(node, ct_node):
    node.GetSegmentation().RemoveSegment("body")
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    image = node.GetSegmentation().GetLayerDataObject(0, BINARY_LABELMAP)
    slicer.vtkOrientedImageDataResample.PadImageToContainImage(image, image, image, (5, 50, 8, 40, 3, 20))
    small = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.CopyImage(image, small, (5, 50, 8, 40, 3, 20))
    image.DeepCopy(small)
    drawing = _assert_as_copied(node, ct_node)
    assert drawing.layer(0)[1] == (3, 8, 5)
    assert not drawing.layer(0)[0].flags.owndata


def test_a_label_map_of_another_geometry_is_resampled_once(node, ct_node):
    labels = np.ones((20, 30, 30), np.uint8)
    _add_labelmap(node, "Spleen", labels, (0, 0, 0), (3.0, 3.0, 3.0), (-20.0, -30.0, -350.0))
    drawing = _assert_as_copied(node, ct_node)
    layer = drawing.segments["spleen"][0]
    assert drawing.layer(layer)[0] is drawing.layer(layer)[0]
    assert (drawing.layer(layer)[0] == 1).any()


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int32])
def test_labels_of_another_type_are_taken_over(node, ct_node, kind):
    i_mm, j_mm, k_mm = ct_node.GetSpacing()
    ct_node.GetIJKToRASMatrix(matrix := vtk.vtkMatrix4x4())
    labels = np.full((4, 5, 6), 7, kind)
    _add_labelmap(node, "Spleen", labels, (2, 3, 4), (i_mm, j_mm, k_mm), (0, 0, 0))
    segment = node.GetSegmentation().GetSegment("Spleen")
    segment.GetRepresentation(BINARY_LABELMAP).SetGeometryFromImageToWorldMatrix(matrix)
    drawing = _assert_as_copied(node, ct_node)
    assert drawing.layer(drawing.segments["spleen"][0])[1] == (4, 3, 2)


def test_more_labels_than_a_byte_holds_are_refused(node, ct_node):
    _add_labelmap(node, "Spleen", np.full((4, 5, 6), 300, np.int16), (2, 3, 4), (1, 1, 1), (0, 0, -300))
    drawing = SegmentEdits(node, ct_node).drawing()
    with pytest.raises(InputError, match="more than 255 organs"):
        drawing.layer(drawing.segments["spleen"][0])


def test_labels_beyond_the_ct_are_cut_off(node, ct_node):
    ct_node.GetIJKToRASMatrix(matrix := vtk.vtkMatrix4x4())
    for name, first in (("Spleen", (60, 40, -3)), ("Heart", (-9, 90, 0))):
        _add_labelmap(node, name, np.ones((10, 12, 14), np.uint8), first, (1, 1, 1), (0, 0, 0))
        segment = node.GetSegmentation().GetSegment(name)
        segment.GetRepresentation(BINARY_LABELMAP).SetGeometryFromImageToWorldMatrix(matrix)
    drawing = _assert_as_copied(node, ct_node)
    assert drawing.layer(drawing.segments["spleen"][0])[0].shape == (7, 8, 4)
    assert drawing.layer(drawing.segments["heart"][0])[0].size == 0


def test_a_stamp_changes_with_its_layer_only(node, ct_node, masks):
    edits = SegmentEdits(node, ct_node)
    before = edits.drawing().stamps
    assert edits.drawing().stamps == before
    labels, _ = edits.drawing().layer(1)
    labels[0, 0, 0] = 1
    node.GetSegmentation().GetLayerDataObject(1, BINARY_LABELMAP).GetPointData().GetScalars().Modified()
    after = edits.drawing().stamps
    assert after[0] == before[0] and after[1] != before[1]


def test_a_second_segment_of_one_name_gets_a_number(node, ct_node):
    segmentation = node.GetSegmentation()
    for segment_id, name in (("a", "Liver"), ("b", "liver"), ("c", "Liver 2")):
        segmentation.AddEmptySegment(segment_id, name)
    ids = SegmentEdits(node, ct_node).drawing().segment_ids
    assert (ids["liver"], ids["liver_2"], ids["liver_3"]) == ("liver", "a", "b")
    assert len(ids) == 7


def test_a_segmentation_without_segments_is_an_empty_drawing(ct_node):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert SegmentEdits(node, ct_node).drawing().segments == {}


def test_a_segmentation_of_surfaces_only_is_refused(node, ct_node):
    segmentation = node.GetSegmentation()
    segmentation.CreateRepresentation("Closed surface")
    segmentation.SetSourceRepresentationName("Closed surface")
    segmentation.RemoveRepresentation(BINARY_LABELMAP)
    with pytest.raises(InputError, match="no binary labelmap"):
        SegmentEdits(node, ct_node).drawing()


def test_a_segmentation_under_a_transform_is_refused(node, ct_node, scene):
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="stands under a transform"):
        SegmentEdits(node, ct_node).drawing()


def test_an_oblique_ct_is_refused(scene, ct_image):
    ct_image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    with pytest.raises(InputError, match="the CT grid is not aligned"):
        patient_grid(ct_volume_node(ct_image), "CT")


def test_the_grid_of_a_node_is_that_of_its_image(scene, ct_image):
    image = sitk.PermuteAxes(ct_image, (2, 0, 1))
    grid = patient_grid(volume_node_from_image(image, "CT"), "CT")
    assert grid.origin_mm == pytest.approx(ct_image.GetOrigin())
    assert grid.spacing_mm == pytest.approx(ct_image.GetSpacing())
    assert np.array_equal(grid.turned(sitk.GetArrayFromImage(image)), sitk.GetArrayFromImage(ct_image))


def test_edits_of_one_segmentation_are_shared_and_of_another_are_not(node, ct_node, masks):
    edits = SegmentEdits.of(node, ct_node)
    assert SegmentEdits.of(node, ct_node) is edits
    assert SegmentEdits.of(segmentation_node_from_masks(masks, ct_node), ct_node) is not edits


def test_each_kind_of_edit_is_told(node, ct_node):
    told = []
    tags = observe_edits(node, lambda *_: told.append(1))
    segmentation = node.GetSegmentation()
    for edit in (lambda: segmentation.AddEmptySegment("a", "Spleen"),
                 lambda: segmentation.GetSegment("a").SetName("Heart"),
                 lambda: segmentation.RemoveSegment("a"),
                 lambda: segmentation.ClearSegment("liver"),
                 lambda: node.SetAndObserveSegmentation(slicer.vtkSegmentation())):
        told.clear()
        edit()
        assert told
    stop_observing(node, tags)
    told.clear()
    node.GetSegmentation().AddEmptySegment("a", "Spleen")
    assert not told
