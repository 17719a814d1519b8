"""The volumes of the scene, each with a check mark: which are the PET or SPECT frames."""

from __future__ import annotations

from collections.abc import Callable

_MOST_ROWS = 6  # shown at once; more scroll


class FrameList:
    """Shows the scalar volumes of the scene in a QListWidget of the module's .ui; `on_changed` after each tick."""

    def __init__(self, widget, on_changed: Callable[[], None]):
        self.widget, self._on_changed, self._ids = widget, on_changed, []
        widget.itemChanged.connect(lambda *_: self._on_changed())

    def show(self, ticked) -> None:
        """Offer the volumes there are now, with the nodes in `ticked` ticked."""
        import qt
        import slicer

        from organdose.scene.dose_display import QUANTITY_ATTRIBUTE

        chosen = {node.GetID() for node in ticked if node is not None}
        volumes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
                   if node.GetClassName() == "vtkMRMLScalarVolumeNode"  # label maps are of a class derived from it
                   and not node.GetHideFromEditors() and not node.GetAttribute(QUANTITY_ATTRIBUTE)]
        was_blocked = self.widget.blockSignals(True)
        self.widget.clear()
        self._ids = [node.GetID() for node in volumes]
        for node in volumes:
            item = qt.QListWidgetItem(node.GetName())
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if node.GetID() in chosen else qt.Qt.Unchecked)
            self.widget.addItem(item)
        self.widget.blockSignals(was_blocked)
        self.widget.visible = bool(volumes)
        rows = min(max(len(volumes), 1), _MOST_ROWS)
        height = self.widget.sizeHintForRow(0) if volumes else 20
        self.widget.setFixedHeight(rows * height + 2 * self.widget.frameWidth + 4)

    def ticked(self) -> list:
        import qt
        import slicer

        nodes = [slicer.mrmlScene.GetNodeByID(node_id) for index, node_id in enumerate(self._ids)
                 if self.widget.item(index).checkState() == qt.Qt.Checked]
        return [node for node in nodes if node is not None]
