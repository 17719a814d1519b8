"""Taking a node out of the scene with what belongs to it alone."""

from __future__ import annotations

from organdose.scene.headless import start_slicer


def remove_with_display(node) -> None:
    """Remove a node with its display and storage nodes; one that has left the scene already is left alone."""
    scene = start_slicer()
    if node.GetScene() is None:
        return  # somebody has removed it already
    attached = []
    if node.IsA("vtkMRMLDisplayableNode"):
        attached += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        attached += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for other in attached:
        if other is not None:
            scene.RemoveNode(other)
