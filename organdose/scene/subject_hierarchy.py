"""The nodes of one computation in one study of the subject hierarchy, as SlicerRT's tools expect dose to lie."""

from __future__ import annotations

from organdose.scene.dose_display import DOSE_UNIT_ATTRIBUTES
from organdose.scene.headless import start_slicer

# Which subject hierarchy plugin draws a node in the Data module when no application is there to choose one.
_OWNER_PLUGINS = {"vtkMRMLScalarVolumeNode": "Volumes", "vtkMRMLSegmentationNode": "Segmentations",
                  "vtkMRMLTableNode": "Tables", "vtkMRMLModelNode": "Models", "vtkMRMLTextNode": "Texts",
                  "vtkMRMLPlotChartNode": "Plots", "vtkMRMLPlotSeriesNode": "Plots"}


def study_item(title: str) -> int:
    """A new study at the top of the subject hierarchy, without a patient; it carries the dose unit for SlicerRT."""
    hierarchy = _hierarchy()
    return _with_dose_unit(hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), title))


def dose_study_of(ct_node) -> int:
    """The study a CT lies in, or a new one for a CT that lies in none; it carries the dose unit for SlicerRT."""
    study = study_of(ct_node)
    return _with_dose_unit(study) if study else study_item("OrganDose")


def _with_dose_unit(study: int) -> int:
    for attribute, value in DOSE_UNIT_ATTRIBUTES.items():
        _hierarchy().SetItemAttribute(study, attribute, value)
    return study


def folder_item(title: str, parent: int) -> int:
    """A new folder under the item `parent`."""
    return _hierarchy().CreateFolderItem(parent, title)


def folder_named(title: str, parent: int) -> int:
    """The folder of this name right below the item `parent`; a new one where there is none."""
    return _hierarchy().GetItemChildWithName(parent, title) or folder_item(title, parent)


def put_under(item: int, nodes) -> None:
    """Put data nodes under an item of the subject hierarchy, in this order."""
    hierarchy = _hierarchy()
    for node in nodes:
        place = hierarchy.GetItemByDataNode(node)
        if place:
            hierarchy.SetItemParent(place, item)
        else:
            place = hierarchy.CreateItem(item, node)
        hierarchy.RequestOwnerPluginSearch(place)
        if not hierarchy.GetItemOwnerPluginName(place):
            hierarchy.SetItemOwnerPluginName(place, _OWNER_PLUGINS[node.GetClassName()])


def study_of(node) -> int:
    """The study item above a data node; 0 when there is none."""
    import slicer

    hierarchy = _hierarchy()
    place = hierarchy.GetItemByDataNode(node)
    study = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelStudy()
    return hierarchy.GetItemAncestorAtLevel(place, study) if place else 0


def parent_of(node) -> int:
    """The item above a data node; 0 when it is not in the hierarchy."""
    hierarchy = _hierarchy()
    place = hierarchy.GetItemByDataNode(node)
    return hierarchy.GetItemParent(place) if place else 0


def remove_empty(item: int) -> None:
    """Take an item out of the hierarchy with all below it that has no data node; what users put there stays."""
    import slicer

    hierarchy = _hierarchy()
    # Leaves first: a recursive RemoveItem does not end when no application answers its events (Slicer 5.13).
    for place in (*reversed(slicer.util.getSubjectHierarchyItemChildren(item, recursive=True)), item):
        node = hierarchy.GetItemDataNode(place)
        is_gone = node is None or node.GetScene() is None
        if is_gone and not slicer.util.getSubjectHierarchyItemChildren(place):
            hierarchy.RemoveItem(place, False, False)


def _hierarchy():
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(start_slicer())
