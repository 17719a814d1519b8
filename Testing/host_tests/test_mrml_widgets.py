"""The stand-in node combo boxes follow the scene as Slicer's do."""

import pytest
import shiboken6
from host.mrml_widgets import qMRMLCheckableNodeComboBox, qMRMLColorTableComboBox, qMRMLNodeComboBox


@pytest.fixture
def scene(host):
    return host.scene


@pytest.fixture
def volumes(scene):
    """A combo box of volumes, and a function that adds a volume."""
    combo = qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    combo.setMRMLScene(scene)
    return combo, lambda name: scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def names(combo):
    return [combo.nodeFromIndex(index).GetName() for index in range(combo.nodeCount())]


def heard(signal):
    """What a signal sends from now on."""
    values = []
    signal.connect(values.append)
    return values


def test_the_list_follows_nodes_that_are_added_renamed_hidden_and_removed(volumes, scene):
    combo, add = volumes
    ct, dose = add("CT"), add("Dose")
    scene.AddNewNodeByClass("vtkMRMLModelNode", "Liver")
    assert names(combo) == ["CT", "Dose"]
    dose.SetName("PET")
    assert names(combo) == ["CT", "PET"]
    ct.SetHideFromEditors(True)
    assert names(combo) == ["PET"]
    scene.RemoveNode(dose)
    assert names(combo) == []


def test_the_first_node_is_chosen_unless_none_is_a_choice(volumes, scene):
    combo, add = volumes
    heard_nodes = heard(combo.currentNodeChanged)
    ct = add("CT")
    add("Dose")
    assert combo.currentNode() is ct and heard_nodes == [ct]
    other = qMRMLNodeComboBox()
    other.nodeTypes = ["vtkMRMLVolumeNode"]
    other.noneEnabled = True
    other.setMRMLScene(scene)
    assert other.currentNode() is None and other.currentNodeID == "" and other.nodeCount() == 2


def test_when_the_current_node_goes_the_one_above_it_is_chosen(volumes, scene):
    combo, add = volumes
    ct, dose = add("CT"), add("Dose")
    combo.setCurrentNode(dose)
    heard_ids = heard(combo.currentNodeIDChanged)
    scene.RemoveNode(dose)
    assert combo.currentNode() is ct
    scene.RemoveNode(ct)
    assert combo.currentNode() is None and heard_ids == ["vtkMRMLScalarVolumeNode1", ""]


def test_closing_the_scene_empties_the_list_and_says_so_once(volumes, scene):
    combo, add = volumes
    for name in ("CT", "Dose", "PET"):
        add(name)
    combo.setCurrentNodeIndex(2)
    heard_nodes = heard(combo.currentNodeChanged)
    scene.Clear(False)
    assert combo.nodeCount() == 0 and heard_nodes == [None]


def test_renaming_the_current_node_signals_it_again(volumes):
    combo, add = volumes
    ct = add("CT")
    heard_nodes = heard(combo.currentNodeChanged)
    ct.SetName("CT thorax")
    assert heard_nodes == [ct]
    ct.SetDescription("modified, not renamed")
    assert heard_nodes == [ct]


def test_a_choice_made_before_there_is_a_scene_is_kept(scene):
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    dose = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Dose")
    combo = qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    combo.setCurrentNode(dose)
    assert not combo.isEnabled() and combo.currentNode() is None
    heard_nodes = heard(combo.currentNodeChanged)
    combo.setMRMLScene(scene)
    assert combo.isEnabled() and combo.currentNode() is dose and heard_nodes == [dose]


def test_attributes_and_child_types_narrow_the_list(volumes, scene):
    combo, add = volumes
    ct, dose = add("CT"), add("Dose")
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    assert names(combo) == ["CT", "Dose", "Labels"]
    combo.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert names(combo) == ["CT", "Dose"]
    dose.SetAttribute("DicomRtImport.DoseVolume", "1")
    combo.addAttribute("vtkMRMLScalarVolumeNode", "DicomRtImport.DoseVolume", "1")
    assert names(combo) == ["Dose"] and combo.currentNode() is not ct
    ct.SetAttribute("DicomRtImport.DoseVolume", "1")
    combo.hideChildNodeTypes = []
    labels.SetAttribute("DicomRtImport.DoseVolume", "0")
    assert names(combo) == ["CT", "Dose"]


def test_new_nodes_get_name_and_attribute_and_are_chosen(volumes):
    combo, add = volumes
    add("CT")
    combo.baseName = "Dose"
    combo.addAttribute("vtkMRMLScalarVolumeNode", "DicomRtImport.DoseVolume", "1")
    added = heard(combo.nodeAddedByUser)
    node = combo.addNode()
    assert added == [node] and combo.currentNode() is node
    assert node.GetName() == "Dose" and node.GetAttribute("DicomRtImport.DoseVolume") == "1"


def test_a_menu_item_acts_and_is_never_the_current_item(volumes, scene):
    combo, add = volumes
    ct = add("CT")
    box = combo._box
    item = box.findText("Create new Volume")
    box.setCurrentIndex(item)
    box.activated.emit(item)
    assert combo.currentNode() is not ct and combo.nodeCount() == 2
    box.activated.emit(box.findText("Delete current Volume"))
    assert combo.currentNode() is ct and box.currentText() == "CT"


def test_a_deleted_combo_box_no_longer_hears_the_scene(volumes, scene, capfd):
    combo, add = volumes
    ct = add("CT")
    shiboken6.delete(combo)
    ct.SetName("renamed")
    add("Dose")
    assert "Error" not in capfd.readouterr().err


def test_checked_nodes_are_told_and_outlive_changes_of_the_list(scene):
    combo = qMRMLCheckableNodeComboBox()
    combo.nodeTypes = ["vtkMRMLTableNode"]
    combo.setMRMLScene(scene)
    first, second = (scene.AddNewNodeByClass("vtkMRMLTableNode", name) for name in ("a", "b"))
    changes = []
    combo.checkedNodesChanged.connect(lambda: changes.append([node.GetName() for node in combo.checkedNodes()]))
    combo.check(second)
    first.SetName("c")
    combo.check(first)
    combo.uncheck(second)
    scene.RemoveNode(first)
    assert changes == [["b"], ["c", "b"], ["c"], []]


def test_the_colour_combo_box_lists_slicers_own_tables(scene):
    combo = qMRMLColorTableComboBox()
    combo.setMRMLScene(scene)
    assert {"Grey", "Rainbow", "PET-Heat"} <= set(names(combo))
    combo.setCurrentNodeID("vtkMRMLColorTableNodeRainbow")
    assert combo.currentNode().GetName() == "Rainbow"
