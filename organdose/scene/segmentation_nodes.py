"""Organ masks as one Slicer segmentation node and back: shared label layers, codes, colours, reference geometry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from functools import cache

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import describe, expand, organs
from organdose.anatomy.review import REVIEW_TAGS, Review, refresh_reviews, review_from_tags, review_tags
from organdose.errors import InputError
from organdose.export.seg_nrrd import terminology_entry
from organdose.scene.at_once import at_once
from organdose.scene.headless import start_slicer
from organdose.scene.volume_nodes import check_usable, ijk_to_ras, image_from_volume_node
from organdose.segmentation.organ_names import own_name, vocabulary_name

BINARY_LABELMAP = "Binary labelmap"  # vtkSegmentationConverter::GetBinaryLabelmapRepresentationName
ORIGIN_ATTRIBUTE = "OrganDose.Origin"
ORGAN_TAG, NOTE_TAG = "OrganDose.Organ", "OrganDose.Note"
# Tissues all over the body: their outlines double those of the organs they surround.
_SPREAD = frozenset({"skin", "remainder", "subcutaneous_fat", "torso_fat", "skeletal_muscle"})
# Surfaces that would hide every organ in 3D; those of body and skin show a patient's face.
_NEVER_IN_3D = _SPREAD | {"body", "couch", "face"}
_SEE_THROUGH_OPACITY = 0.4
_STEP_VOXELS = 16_000_000


def segmentation_node_from_masks(masks: OrganMasks, ct_node, name: str = "Organs"):
    """A new segmentation node: `segmentation_node_steps` at once."""
    return at_once(segmentation_node_steps(masks, ct_node, name))


def segmentation_node_steps(masks: OrganMasks, ct_node, name: str = "Organs") -> Generator[float, None, object]:
    """A new vtkMRMLSegmentationNode: a segment an organ (its ID is the vocabulary's name), layers shared as in `masks`.

    The reference geometry is that of `ct_node`. A name that the vocabulary does not know becomes a tissue of that name.
    Yields the part done between short steps; the node comes at the end. Raises `InputError` when the masks lie on
    another grid than the CT.
    """
    _check_grid(masks, ct_node)
    layers = yield from _oriented_layers(masks)
    node = start_slicer().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct_node)
    node.SetAttribute(ORIGIN_ATTRIBUTE, masks.origin)
    node.CreateDefaultDisplayNodes()
    node.GetSegmentation().SetSourceRepresentationName(BINARY_LABELMAP)
    _add_segments(node, masks, layers)
    _show_outlines(node)
    return node


def add_masks_steps(node, masks: OrganMasks) -> Generator[float, None, None]:
    """Add organs to a segmentation node that does not have them, in short steps, in layers of their own."""
    layers = yield from _oriented_layers(masks)
    _add_segments(node, masks, layers)
    display = node.GetDisplayNode()
    for organ_name in masks.segments if display is not None else ():
        display.SetSegmentVisibility3D(organ_name, organ_name not in _NEVER_IN_3D)
        display.SetSegmentVisibility2DFill(organ_name, False)


def _oriented_layers(masks: OrganMasks) -> Generator[float, None, list]:
    """The layers as vtkOrientedImageData, copied some slices a step."""
    from vtk.util.numpy_support import vtk_to_numpy

    images = [_oriented_image(masks.reference) for _ in masks.layers]
    for index, (labels, image) in enumerate(zip(masks.layers, images)):
        copy = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(labels.shape)
        at_once = max(1, _STEP_VOXELS // labels[0].size)
        for first in range(0, labels.shape[0], at_once):
            copy[first:first + at_once] = labels[first:first + at_once]
            yield 0.9 * (index + first / labels.shape[0]) / len(images)
    return images


def _add_segments(node, masks: OrganMasks, layers: list) -> None:
    segmentation = node.GetSegmentation()
    was_modifying = node.StartModify()
    for organ_name in _fullest_layer_first(masks):
        layer, value = masks.segments[organ_name]
        segment = _segment(organ_name, masks.notes.get(organ_name, ""))
        put_review(segment, masks.reviews.get(organ_name))
        segment.SetLabelValue(value)
        segment.AddRepresentation(BINARY_LABELMAP, layers[layer])
        segmentation.AddSegment(segment, organ_name)
    node.EndModify(was_modifying)


def masks_from_segmentation_node(node, ct_node) -> OrganMasks:
    """The masks of a segmentation node on the grid of `ct_node`, with the layers as Slicer shares them now.

    A segment that `segmentation_node_from_masks` made keeps its organ; one drawn or renamed in Slicer is recognised by
    its name, as in `organdose.segmentation`. Raises `InputError` when two segments are the same organ.
    """
    reference = image_from_volume_node(ct_node)
    segmentation = node.GetSegmentation()
    places: dict[str, tuple[int, int]] = {}  # by segment ID
    masks = OrganMasks(reference=reference, origin=node.GetAttribute(ORIGIN_ATTRIBUTE) or "")
    for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        masks.layers.append(_labels_on_grid(segmentation.GetLayerDataObject(layer, BINARY_LABELMAP), reference))
        for segment_id in segmentation.GetSegmentIDsForLayer(layer, BINARY_LABELMAP):
            places[segment_id] = (layer, segmentation.GetSegment(segment_id).GetLabelValue())
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        name = organ_of_segment(segment_id, segment)
        if name in masks.segments:
            raise InputError(f"two segments of {node.GetName()!r} are the organ {name!r}",
                             mend="Join them, or rename one of them.")
        masks.segments[name] = places[segment_id]
        if note := note_of_segment(segment):
            masks.notes[name] = note
        if review := review_of_segment(segment):
            masks.reviews[name] = review
    refresh_reviews(masks)
    return masks


def organ_of_segment(segment_id: str, segment) -> str:
    """The organ that a vtkSegment stands for, as `masks_from_segmentation_node` names it."""
    tagged = _tag(segment, ORGAN_TAG)
    if tagged and segment.GetName() == describe(tagged).title:
        return tagged
    # Drawn or renamed in Slicer.
    return vocabulary_name(segment.GetName(), identifier=segment_id) or own_name(segment.GetName())


def note_of_segment(segment) -> str:
    """The remark that came with a mask; '' without one."""
    return _tag(segment, NOTE_TAG)


def put_review(segment, review: Review | None) -> None:
    """Keep the review of a mask with its vtkSegment, which a saved scene or .seg.nrrd keeps too; None takes it away."""
    tags = review_tags(review) if review else {}
    for tag in REVIEW_TAGS.values():
        if tag in tags:
            segment.SetTag(tag, tags[tag])
        else:
            segment.RemoveTag(tag)


def review_of_segment(segment) -> Review | None:
    """The review that was given to a segment, whatever has become of its voxels since (see `current_review`)."""
    return review_from_tags({tag: text for tag in REVIEW_TAGS.values() if (text := _tag(segment, tag))})


def organs_shown_in_3d(organ_names) -> list[str]:
    """Those whose surface is worth looking at: never the skin, and no group beside its members."""
    names = set(organ_names) - _NEVER_IN_3D
    return [name for name in organ_names if name in names and not names.intersection(_members(name))]


def _fullest_layer_first(masks: OrganMasks) -> list[str]:
    """The organs by layer: Slicer saves slowly (the whole image for each) what does not lie in the first layer."""
    filled = Counter(layer for layer, _ in masks.segments.values())
    return sorted(masks.segments, key=lambda name: (-filled[masks.segments[name][0]], masks.segments[name][0]))


def _check_grid(masks: OrganMasks, ct_node) -> None:
    import vtk

    check_usable(ct_node)
    matrix, wanted = ijk_to_ras(masks.reference), vtk.vtkMatrix4x4()
    ct_node.GetIJKToRASMatrix(wanted)
    same = all(abs(matrix.GetElement(i, j) - wanted.GetElement(i, j)) < 1e-3 for i in range(3) for j in range(4))
    if not same or masks.shape != tuple(reversed(ct_node.GetImageData().GetDimensions())):
        raise InputError("the masks lie on another grid than the CT", mend="Use masks drawn on this CT.")


def _segment(organ_name: str, note: str):
    import slicer

    organ = describe(organ_name)
    segment = slicer.vtkSegment()
    segment.SetName(organ.title)
    segment.SetColor(*(component / 255 for component in organ.colour_rgb))
    segment.SetTag(ORGAN_TAG, organ_name)
    segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_entry(organ))
    if note:
        segment.SetTag(NOTE_TAG, note)
    return segment


def _show_outlines(node) -> None:
    """Thin outlines over the dose instead of fillings that would hide it; in 3D the bones are seen through."""
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(1)
    segment_ids = node.GetSegmentation().GetSegmentIDs()
    in_3d, see_through = set(organs_shown_in_3d(segment_ids)), _see_through()
    for segment_id in segment_ids:
        is_group = bool(_members(segment_id).intersection(segment_ids))  # repeats the outlines of its members
        display.SetSegmentVisibility2DOutline(segment_id, segment_id not in _SPREAD and not is_group)
        display.SetSegmentVisibility3D(segment_id, segment_id in in_3d)
        if segment_id in see_through:
            display.SetSegmentOpacity3D(segment_id, _SEE_THROUGH_OPACITY)


@cache
def _see_through() -> frozenset[str]:
    """What lies before the organs: the single bones, cartilages and breasts."""
    single = [organ.name for organ in organs().values() if not organ.members]
    return frozenset(part for name in ("bones", "costal_cartilages", "breast") for part in expand(name, single))


def _oriented_image(reference: sitk.Image):
    """A vtkOrientedImageData of uint8 on the grid of `reference`, not filled."""
    import slicer
    import vtk

    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*reference.GetSize())
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    image.SetGeometryFromImageToWorldMatrix(ijk_to_ras(reference))
    return image


def _labels_on_grid(image, reference: sitk.Image) -> np.ndarray:
    """The labels of an oriented image on the grid of `reference`, uint8 (z, y, x): nearest voxel, 0 outside."""
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    grid = slicer.vtkOrientedImageData()
    grid.SetExtent(*(bound for size in reference.GetSize() for bound in (0, size - 1)))
    grid.SetGeometryFromImageToWorldMatrix(ijk_to_ras(reference))
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, grid, resampled)
    labels = vtk_to_numpy(resampled.GetPointData().GetScalars()).reshape(tuple(reversed(reference.GetSize())))
    if labels.max() > 255:
        raise InputError("a segmentation with more than 255 organs in one layer is not supported")
    return labels.astype(np.uint8)  # copies: the VTK array dies with `resampled`


def _members(organ_name: str) -> set[str]:
    return set(describe(organ_name).members)


def _tag(segment, name: str) -> str:
    import vtk

    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
