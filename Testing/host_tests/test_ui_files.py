"""`.ui` files with the widgets of CTK and Slicer."""

import pytest

_FRAME = """<ui version="4.0"><class>Form</class><widget class="qMRMLWidget" name="Form">
<layout class="QVBoxLayout" name="rows"><item>{item}</item></layout></widget>
<connections>{connections}</connections></ui>"""


@pytest.fixture
def load(host, tmp_path):
    import slicer

    def load(item, connections=""):
        file = tmp_path / "Form.ui"
        file.write_text(_FRAME.format(item=item, connections=connections), encoding="utf-8")
        return slicer.util.loadUI(str(file))

    return load


def test_children_are_variables_by_name_and_have_slicers_classes(load):
    import ctk
    import slicer

    ui = slicer.util.childWidgetVariables(load('<widget class="qMRMLNodeComboBox" name="ct"/></item><item>'
                                               '<widget class="ctkPathLineEdit" name="folder"/>'))
    assert type(ui.ct) == slicer.qMRMLNodeComboBox and type(ui.folder) == ctk.ctkPathLineEdit  # noqa: E721


def test_properties_enums_and_dynamic_properties_are_read(load):
    import ctk

    form = load('<widget class="ctkPathLineEdit" name="folder"><property name="filters">'
                '<set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Readable</set></property>'
                '<property name="currentPath"><string>/data</string></property>'
                '<property name="SlicerParameterName" stdset="0"><string>folder</string></property></widget>')
    folder = form.findChild("ctkPathLineEdit")
    assert folder.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Readable
    assert folder.currentPath == "/data" and folder.property("SlicerParameterName") == "folder"


def test_the_scene_reaches_the_children_that_the_file_connects(load):
    import slicer

    form = load('<widget class="qMRMLNodeComboBox" name="connected"/></item><item>'
                '<widget class="qMRMLNodeComboBox" name="forgotten"/>',
                "<connection><sender>Form</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>"
                "<receiver>connected</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>")
    form.setMRMLScene(slicer.mrmlScene)
    ui = slicer.util.childWidgetVariables(form)
    assert ui.connected.mrmlScene() is slicer.mrmlScene and ui.forgotten.mrmlScene() is None


def test_plain_connections_work_as_well(load):
    form = load('<widget class="QCheckBox" name="more"/></item><item><widget class="QLabel" name="text"/>',
                "<connection><sender>more</sender><signal>toggled(bool)</signal>"
                "<receiver>text</receiver><slot>setDisabled(bool)</slot></connection>")
    form.findChild("QCheckBox").checked = True
    assert form.findChild("QLabel").enabled is False


@pytest.mark.parametrize(("item", "problem"), [
    ('<widget class="qMRMLMagicWidget" name="x"/>', "qMRMLMagicWidget"),
    ('<widget class="ctkSliderWidget" name="x"><property name="minimun"><double>1</double></property></widget>',
     "minimun"),
    ('<widget class="ctkPathLineEdit" name="x"><property name="filters"><set>ctkPathLineEdit::Fils</set></property>'
     '</widget>', "Fils"),
])
def test_what_qt_would_only_warn_about_is_an_error(load, item, problem):
    with pytest.raises(RuntimeError, match=problem):
        load(item)


def test_a_connection_to_a_slot_that_is_not_there_is_an_error(load):
    with pytest.raises(RuntimeError, match="cannot connect"):
        load('<widget class="QLabel" name="text"/>',
             "<connection><sender>Form</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>"
             "<receiver>text</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>")


def test_a_missing_file_is_an_error(host):
    import slicer

    with pytest.raises(RuntimeError, match="not found"):
        slicer.util.loadUI("/no/such/file.ui")
