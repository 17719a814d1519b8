"""The stand-in Slicer, importable and running, and a small scripted module to run in it."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed (pip install 'organdose[slicer]')")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed (pip install 'organdose[dev]')")

_TESTING = str(Path(__file__).resolve().parent.parent)
if _TESTING not in sys.path:
    sys.path.insert(0, _TESTING)

from host.fixtures import host  # noqa: E402, F401 - the fixture of every test here

_UI = """<ui version="4.0"><class>Greeter</class><widget class="qMRMLWidget" name="Greeter">
<layout class="QVBoxLayout" name="rows">
 <item><widget class="ctkCollapsibleButton" name="inputs"><property name="text"><string>Inputs</string></property>
  <layout class="QFormLayout" name="form">
   <item row="0" column="1"><widget class="qMRMLNodeComboBox" name="volumeSelector">
     <property name="nodeTypes"><stringlist notr="true"><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
     <property name="noneEnabled"><bool>true</bool></property>
     <property name="SlicerParameterName" stdset="0"><string>volume</string></property></widget></item>
   <item row="1" column="1"><widget class="ctkSliderWidget" name="level">
     <property name="SlicerParameterName" stdset="0"><string>level</string></property></widget></item>
   <item row="2" column="1"><widget class="ctkPathLineEdit" name="folder">
     <property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Readable</set></property></widget></item>
  </layout></widget></item>
 <item><widget class="QPushButton" name="applyButton"><property name="text"><string>Apply</string></property></widget>
 </item>
</layout></widget>
<connections><connection><sender>Greeter</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>volumeSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""

_SCRIPT = '''
from typing import Annotated

import slicer
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin


class Greeter(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Friendly greeter")
        self.parent.categories = [_("Nuclear Medicine")]
        self.parent.contributors = ["A", "B"]


@parameterNodeWrapper
class GreeterParameters:
    volume: vtkMRMLScalarVolumeNode
    level: Annotated[float, WithinRange(-10, 10)] = 2.5


class GreeterWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.log = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/Greeter.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = GreeterLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.parameters = GreeterParameters(self.logic.getParameterNode())
        named = {widget.property("SlicerParameterName"): widget for widget in vars(self.ui).values()}
        self.tag = self.parameters.connectParametersToGui({name: widget for name, widget in named.items() if name})

    def onApply(self):
        self.log.append("apply")

    def enter(self):
        self.log.append("enter")

    def exit(self):
        self.log.append("exit")

    def onSceneStartClose(self, caller, event):
        self.log.append("close")

    def cleanup(self):
        self.log.append("cleanup")
        self.parameters.disconnectGui(self.tag)
        self.removeObservers()


class GreeterLogic(ScriptedLoadableModuleLogic):
    pass


class GreeterTest(ScriptedLoadableModuleTest):
    ran = []

    def runTest(self):
        self.delayDisplay("testing")
        GreeterTest.ran.append(self.messageDelay)
'''


@pytest.fixture
def module_folder(tmp_path) -> Path:
    """The folder of a module `Greeter` as it lies in an extension."""
    folder = tmp_path / "Greeter"
    (folder / "Resources" / "UI").mkdir(parents=True)
    (folder / "Resources" / "UI" / "Greeter.ui").write_text(_UI, encoding="utf-8")
    (folder / "Greeter.py").write_text(_SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture
def greeter(host, module_folder):  # noqa: F811
    """The panel of the module, selected."""
    host.load_module(module_folder)
    host.select("Greeter")
    return host.widget("Greeter")
