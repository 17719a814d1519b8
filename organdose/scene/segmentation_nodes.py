"""Organ masks as one Slicer segmentation node and back: shared label layers, codes, colours, reference geometry."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known, organ
from organdose.errors import InputError
from organdose.scene.headless import start_slicer
from organdose.scene.volume_nodes import ijk_to_ras, image_from_volume_node

BINARY_LABELMAP = "Binary labelmap"  # vtkSegmentationConverter::GetBinaryLabelmapRepresentationName
ORIGIN_ATTRIBUTE = "OrganDose.Origin"
NOTE_TAG = "OrganDose.Note"
# Slicer ships this context; the codes themselves come from the vocabulary.
_TERMINOLOGY_CONTEXT = "Segmentation category and type - DICOM master list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"
# Outer surfaces: they would hide every organ in 3D, and in a patient they show a face.
_NEVER_IN_3D = frozenset({"body", "skin", "remainder", "subcutaneous_fat", "skeletal_muscle", "couch", "face"})


def segmentation_node_from_masks(masks: OrganMasks, ct_node, name: str = "Organs"):
    """A new vtkMRMLSegmentationNode: a segment an organ (its ID is the vocabulary's name), layers shared as in `masks`.

    The reference geometry is that of `ct_node`. Raises `InputError` when the masks lie on another grid than the CT,
    or for an organ that the vocabulary does not know.
    """
    _check_grid(masks, ct_node)
    node = start_slicer().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct_node)
    node.SetAttribute(ORIGIN_ATTRIBUTE, masks.origin)
    node.CreateDefaultDisplayNodes()
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName(BINARY_LABELMAP)
    layers = [_oriented_image(layer, masks.reference) for layer in masks.layers]
    was_modifying = node.StartModify()
    for organ_name, (layer, value) in masks.segments.items():
        segment = _segment(organ_name, masks.notes.get(organ_name, ""))
        segment.SetLabelValue(value)
        segment.AddRepresentation(BINARY_LABELMAP, layers[layer])
        segmentation.AddSegment(segment, organ_name)
    node.EndModify(was_modifying)
    _show_outlines(node)
    return node


def masks_from_segmentation_node(node, ct_node) -> OrganMasks:
    """The masks of a segmentation node on the grid of `ct_node`, with the layers as Slicer shares them now.

    Segments are recognised by their ID, or (drawn in Slicer) by their name, as a name or title of the vocabulary.
    Raises `InputError` for a segment that is neither.
    """
    reference = image_from_volume_node(ct_node)
    masks = OrganMasks(reference=reference, origin=node.GetAttribute(ORIGIN_ATTRIBUTE) or "")
    segmentation = node.GetSegmentation()
    for layer in range(segmentation.GetNumberOfLayers(BINARY_LABELMAP)):
        image = segmentation.GetLayerDataObject(layer, BINARY_LABELMAP)
        masks.layers.append(_labels_on_grid(image, reference))
        for segment_id in segmentation.GetSegmentIDsForLayer(layer, BINARY_LABELMAP):
            segment = segmentation.GetSegment(segment_id)
            organ_name = _organ_of(segment_id, segment, node)
            if organ_name in masks.segments:
                raise InputError(f"two segments of {node.GetName()!r} are the organ {organ_name!r}",
                                 mend="Join them, or rename one of them.")
            masks.segments[organ_name] = (layer, segment.GetLabelValue())
            if note := _tag(segment, NOTE_TAG):
                masks.notes[organ_name] = note
    order = {_organ_of(i, segmentation.GetSegment(i), node): None for i in segmentation.GetSegmentIDs()}
    masks.segments = {organ_name: masks.segments[organ_name] for organ_name in order if organ_name in masks.segments}
    return masks


def organs_shown_in_3d(organ_names) -> list[str]:
    """Those whose surface is worth looking at: never the skin, and no group beside its members."""
    names = set(organ_names) - _NEVER_IN_3D
    return [name for name in organ_names if name in names and not names.intersection(organ(name).members)]


def terminology_entry(organ_name: str) -> str:
    """Slicer's serialized terminology entry of an organ of the vocabulary ('' when it has no SNOMED code)."""
    import slicer

    entry = organ(organ_name)
    if not entry.snomed_code:
        return ""
    modifier = (entry.modifier[0], "SCT", entry.modifier[1]) if entry.modifier else ("", "", "")
    return slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(
        _TERMINOLOGY_CONTEXT, entry.category_code, "SCT", entry.category_meaning,
        entry.snomed_code, "SCT", entry.snomed_meaning, *modifier, _REGION_CONTEXT, *([""] * 6))


def _check_grid(masks: OrganMasks, ct_node) -> None:
    matrix, wanted = ijk_to_ras(masks.reference), ijk_to_ras(image_from_volume_node(ct_node))
    same = all(abs(matrix.GetElement(i, j) - wanted.GetElement(i, j)) < 1e-3 for i in range(3) for j in range(4))
    if not same or masks.shape != tuple(reversed(ct_node.GetImageData().GetDimensions())):
        raise InputError("the masks lie on another grid than the CT", mend="Use masks drawn on this CT.")


def _segment(organ_name: str, note: str):
    import slicer

    entry = organ(organ_name)
    segment = slicer.vtkSegment()
    segment.SetName(entry.title)
    segment.SetColor(*(component / 255 for component in entry.colour_rgb))
    if terminology := terminology_entry(organ_name):
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology)
    if note:
        segment.SetTag(NOTE_TAG, note)
    return segment


def _show_outlines(node) -> None:
    """Outlines over the dose instead of fillings that would hide it; a thin line, for many organs touch."""
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(2)
    segment_ids = node.GetSegmentation().GetSegmentIDs()
    shown = set(organs_shown_in_3d(segment_ids))
    for segment_id in segment_ids:
        display.SetSegmentVisibility3D(segment_id, segment_id in shown)
        # Groups repeat their members' outlines.
        if set(organ(segment_id).members).intersection(segment_ids):
            display.SetSegmentVisibility(segment_id, False)


def _oriented_image(labels: np.ndarray, reference: sitk.Image):
    """A vtkOrientedImageData with a copy of `labels` (z, y, x) on the grid of `reference`."""
    import slicer
    from vtk.util.numpy_support import numpy_to_vtk

    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*reference.GetSize())
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(labels).ravel(), deep=True))
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


def _organ_of(segment_id: str, segment, node) -> str:
    spoken = segment.GetName().strip().lower().replace(" ", "_")
    for candidate in (segment_id, spoken):
        if is_known(candidate):
            return candidate
    raise InputError(f"the segment {segment.GetName()!r} of {node.GetName()!r} is not an organ of the vocabulary",
                     mend="Give it a name from Resources/organs.csv, for example kidney_left.")


def _tag(segment, name: str) -> str:
    import vtk

    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
