"""Stands for Slicer's MRML widgets that choose nodes: `qMRMLNodeComboBox` and what derives from it.

The combo boxes list the nodes of a scene and follow it as Slicer's do: the list changes with every node that is added,
renamed, hidden or removed, but stands still while the scene is being closed; renaming the current node signals it as
changed; when the current node is removed, the one above it becomes current. Methods that PythonQt does not show
(setters of plain properties) are not here either. Nodes travel as Python objects.
"""

from functools import partial

from PySide6.QtCore import Property, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QSizePolicy, QWidget

from host.native_widgets import native_widget
from host.observations import Observations


def _option(kind, name: str) -> Property:
    """A property of a combo box that decides what is listed."""

    def read(self):
        return self._options[name]

    def write(self, value):
        self._options[name] = list(value) if kind == "QStringList" else value
        self._refresh()

    return Property(kind, read, write)


@native_widget
class qMRMLNodeComboBox(QWidget):
    """A combo box of the nodes of a scene, with menu items that add, rename and remove nodes."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeEdited = Signal(object)
    currentNodeRenamed = Signal(str)

    showHidden = _option(bool, "showHidden")
    showChildNodeTypes = _option(bool, "showChildNodeTypes")
    hideChildNodeTypes = _option("QStringList", "hideChildNodeTypes")
    noneEnabled = _option(bool, "noneEnabled")
    noneDisplay = _option(str, "noneDisplay")
    addEnabled = _option(bool, "addEnabled")
    removeEnabled = _option(bool, "removeEnabled")
    renameEnabled = _option(bool, "renameEnabled")
    editEnabled = _option(bool, "editEnabled")
    baseName = _option(str, "baseName")
    selectNodeUponCreation = _option(bool, "selectNodeUponCreation")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._options = {"nodeTypes": [], "showHidden": False, "showChildNodeTypes": True, "hideChildNodeTypes": [],
                         "noneEnabled": False, "noneDisplay": "None", "addEnabled": True, "removeEnabled": True,
                         "renameEnabled": False, "editEnabled": False, "baseName": "", "selectNodeUponCreation": True}
        self._attributes, self._type_labels, self._actions = {}, {}, {}
        self._scene = None
        self._listed: dict[str, str] = {}  # node ID: name, in the order of the list
        self._current_id = self._signalled_id = ""
        self._scene_observations, self._node_observations = Observations(self), Observations(self)
        self._box = QComboBox(self)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._box.setMinimumContentsLength(12)
        self._box.activated.connect(self._on_activated)
        QHBoxLayout(self).addWidget(self._box)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setEnabled(False)

    def _node_types(self):
        return self._options["nodeTypes"]

    def _set_node_types(self, types):
        self._options["nodeTypes"] = [name for name in types if name]
        self._listed = {}  # another list: choose in it as in a new one
        self._refresh()

    nodeTypes = Property("QStringList", _node_types, _set_node_types)

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene) -> None:
        if scene is self._scene:
            return
        self._scene_observations.clear()
        self._scene, self._listed = scene, {}
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent,
                          scene.EndBatchProcessEvent):
                self._scene_observations.observe(scene, event, self._refresh)
        self.setEnabled(scene is not None)
        self._refresh()

    def addAttribute(self, node_type: str, name: str, value=None) -> None:
        """List only nodes of a type that have an attribute (with this value, unless None); new nodes get it."""
        self._attributes[node_type] = (name, None if value is None else str(value))
        self._refresh()

    def removeAttribute(self, node_type: str, name: str) -> None:
        if self._attributes.get(node_type, ("",))[0] == name:
            del self._attributes[node_type]
        self._refresh()

    def setNodeTypeLabel(self, label: str, node_type: str) -> None:
        self._type_labels[node_type] = label
        self._refresh()

    def nodeTypeLabel(self, node_type: str) -> str:
        label = self._type_labels.get(node_type)
        if not label and self._scene is not None:
            label = self._scene.GetTypeDisplayNameByClassName(node_type)
        return label or "node"

    def nodeCount(self) -> int:
        return len(self._listed)

    def nodeFromIndex(self, index: int):
        return self._node(list(self._listed)[index]) if 0 <= index < len(self._listed) else None

    def currentNode(self):
        return self._node(self._current_id)

    def _current_node_id(self) -> str:
        return self._current_id if self.currentNode() is not None else ""

    def setCurrentNodeID(self, node_id: str | None) -> None:
        """Choose a node by ID; one that is not listed chooses none. Remembered until there is a scene."""
        node_id = node_id or ""
        if self._scene is not None and node_id not in self._listed:
            node_id = ""
        self._choose(node_id)

    currentNodeID = Property(str, _current_node_id, setCurrentNodeID, notify=currentNodeIDChanged)

    def setCurrentNode(self, node) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def addNode(self, node_type: str | None = None):
        """Add a node of one of the node types (the first unless told) to the scene; its name comes from `baseName`."""
        if self._scene is None or not self.nodeTypes:
            return None
        node_type = node_type or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(node_type)
        node.UnRegister(None)  # the scene hands over a reference that Python does not count
        node.SetName(self._scene.GenerateUniqueName(self.baseName or node.GetNodeTagName()))
        name, value = self._attributes.get(node_type, (None, None))
        if name is not None:
            node.SetAttribute(name, value or "")
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def renameCurrentNode(self) -> None:
        node = self.currentNode()
        if node is None:
            return
        name, agreed = QInputDialog.getText(self, f"Rename {self.nodeTypeLabel(node.GetClassName())}", "New name:",
                                            text=node.GetName())
        if agreed and name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def _node(self, node_id: str):
        return self._scene.GetNodeByID(node_id) if self._scene is not None and node_id else None

    def _has_type(self, node) -> bool:
        return not self.nodeTypes or any(node.IsA(node_type) for node_type in self.nodeTypes)

    def _accepts(self, node) -> bool:
        if not self._has_type(node) or (node.GetHideFromEditors() and not self.showHidden):
            return False
        if not self.showChildNodeTypes and self.nodeTypes and node.GetClassName() not in self.nodeTypes:
            return False
        if self.showChildNodeTypes and any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
            return False
        return all(self._has_attribute(node, *wanted) for node_type, wanted in self._attributes.items()
                   if node.IsA(node_type))

    @staticmethod
    def _has_attribute(node, name: str, value: str | None) -> bool:
        found = node.GetAttribute(name)
        return found is not None and value in (None, found)

    def _listing(self) -> dict[str, str]:
        return {node.GetID(): node.GetName() or "" for node in self._scene.GetNodes() if self._accepts(node)}

    def _on_node_modified(self) -> None:
        if not self._scene.IsClosing() and self._listing() != self._listed:
            self._refresh()

    def _refresh(self) -> None:
        """Bring list and choice up to date with the scene."""
        if self._scene is not None and self._scene.IsClosing():
            return  # the end of closing is an event as well
        before, self._listed = self._listed, self._listing() if self._scene is not None else {}
        self._node_observations.clear()
        for node in self._scene.GetNodes() if self._scene is not None else ():
            if self._has_type(node):
                self._node_observations.observe(node, "ModifiedEvent", self._on_node_modified)
        self._fill()
        for node_id in self._listed:
            if node_id not in before:
                self.nodeAdded.emit(self._node(node_id))
        current_id = self._current_after(before)
        self._choose(current_id, renamed=current_id in before and before[current_id] != self._listed.get(current_id))

    def _current_after(self, before: dict[str, str]) -> str:
        """The current node after the list has changed."""
        if self._scene is None or self._current_id in self._listed:
            return self._current_id
        if self._current_id in before:  # it has gone: as in any combo box, the item above it takes its place
            above = list(before)[:list(before).index(self._current_id)]
            return next((node_id for node_id in reversed(above) if node_id in self._listed), "")
        return next(iter(self._listed), "") if not before and not self.noneEnabled else ""

    def _choose(self, node_id: str, renamed: bool = False) -> None:
        self._current_id = node_id
        self._show_current()
        signalled, self._signalled_id = self._signalled_id, self._current_node_id()
        if renamed or signalled != self._signalled_id:
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(self._signalled_id)

    def _show_current(self) -> None:
        self._box.setCurrentIndex(self._box.findData(self._current_id))

    def _fill(self) -> None:
        self._box.clear()
        self._box.setPlaceholderText(f"Select a {self.nodeTypeLabel(next(iter(self.nodeTypes), ''))}")
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        for node_id, name in self._listed.items():
            self._box.addItem(name, node_id)
        self._actions = self._menu_actions()
        if self._actions:
            self._box.insertSeparator(self._box.count())
        for text in self._actions:
            self._box.addItem(text)

    def _menu_actions(self) -> dict:
        label = self.nodeTypeLabel(self.nodeTypes[0]) if len(self.nodeTypes) == 1 else "node"
        actions = {}
        if self.renameEnabled:
            actions[f"Rename current {label}"] = self.renameCurrentNode
        if self.editEnabled:
            actions[f"Edit current {label}"] = self.editCurrentNode
        if self.addEnabled:
            for node_type in self.nodeTypes:
                actions[f"Create new {self.nodeTypeLabel(node_type)}"] = partial(self._create, node_type)
        if self.removeEnabled:
            actions[f"Delete current {label}"] = self.removeCurrentNode
        return actions

    def _create(self, node_type: str) -> None:
        node = self.addNode(node_type)
        self.setCurrentNode(node)
        self.nodeAddedByUserAction.emit(node)

    def _on_activated(self, index: int) -> None:
        node_id = self._box.itemData(index)
        if node_id is not None:
            self._choose(node_id)
            self.nodeActivated.emit(self.currentNode())
            return
        self._show_current()
        self._actions.get(self._box.itemText(index), lambda: None)()


@native_widget
class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """A combo box in which any number of nodes are checked; it shows the names of those that are."""

    checkedNodesChanged = Signal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self._checked: set[str] = set()
        self._box.model().itemChanged.connect(self._on_item_changed)

    def checkedNodes(self) -> list:
        return [self._node(node_id) for node_id in self._listed if node_id in self._checked]

    def uncheckedNodes(self) -> list:
        return [self._node(node_id) for node_id in self._listed if node_id not in self._checked]

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

    def checkState(self, node) -> Qt.CheckState:
        return Qt.CheckState.Checked if node in self.checkedNodes() else Qt.CheckState.Unchecked

    def setCheckState(self, node, state) -> None:
        index = self._box.findData(node.GetID()) if node is not None else -1
        if index >= 0:
            self._box.model().item(index).setCheckState(Qt.CheckState(state))

    def check(self, node) -> None:
        self.setCheckState(node, Qt.CheckState.Checked)

    def uncheck(self, node) -> None:
        self.setCheckState(node, Qt.CheckState.Unchecked)

    def _fill(self) -> None:
        before, self._checked = self._checked, self._checked & self._listed.keys()
        with QSignalBlocker(self._box.model()):
            super()._fill()
            for index in range(self._box.count()):
                node_id = self._box.itemData(index)
                if node_id:
                    item = self._box.model().item(index)
                    item.setCheckable(True)
                    item.setCheckState(Qt.CheckState(2 if node_id in self._checked else 0))
        if before != self._checked:
            self.checkedNodesChanged.emit()

    def _show_current(self) -> None:
        names = [name for node_id, name in self._listed.items() if node_id in self._checked]
        self._box.setPlaceholderText(", ".join(names) or self.noneDisplay)
        self._box.setCurrentIndex(-1)

    def _on_item_changed(self, item) -> None:
        node_id = item.data(Qt.ItemDataRole.UserRole)
        checked = item.checkState() == Qt.CheckState.Checked
        if node_id and checked != (node_id in self._checked):
            self._checked ^= {node_id}
            self._show_current()
            self.checkedNodesChanged.emit()


@native_widget
class qMRMLColorTableComboBox(qMRMLNodeComboBox):
    """A combo box of colour tables, hidden ones (Slicer's own) included."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.addEnabled = self.removeEnabled = False
        self.showHidden = True
        self.nodeTypes = ["vtkMRMLColorNode"]
