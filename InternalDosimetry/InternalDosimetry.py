"""Slicer module: from PET or SPECT frames to absorbed dose from the radiopharmaceutical."""

import json
import sys
from pathlib import Path

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


def findOrganDose():
    """The package lies beside the installed module, and one folder up in a source checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here, here.parent):
        if (folder / "organdose" / "__init__.py").is_file():
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))  # before any other organdose that was installed with pip
            return


class InternalDosimetry(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        findOrganDose()
        from organdose.panels.module_texts import ACKNOWLEDGEMENT, CONTRIBUTORS, help_text
        from organdose.panels.sample_data import register_sample_data

        parent.title = _("Internal Dosimetry")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        parent.dependencies = []
        parent.contributors = list(CONTRIBUTORS)
        parent.helpText = help_text("internal-dosimetry", _(
            "Organ doses of a radiopharmaceutical from PET or SPECT frames. This version gathers the study and its "
            "facts; the engines that compute the dose are not part of it yet."))
        parent.acknowledgementText = ACKNOWLEDGEMENT
        slicer.app.connect("startupCompleted()", register_sample_data)


@parameterNodeWrapper
class InternalDosimetryParameterNode:
    """What the window shows, saved with the scene. `facts` and `engineParameters` are JSON."""

    frames: list[vtkMRMLScalarVolumeNode]
    ct: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    facts: str
    factsOf: vtkMRMLScalarVolumeNode  # the frame that the facts were read from
    engine: str
    engineParameters: str = "{}"


class InternalDosimetryWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The window: frames and facts; its engines appear as soon as the registry has some."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None
        self._sheet = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/InternalDosimetry.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        from organdose.panels.needed_packages import NeededPackages, missing_packages

        self.packages = NeededPackages(self._build)
        self.ui.packagesPlace.layout().addWidget(self.packages.widget)
        for section in self._sections():
            section.enabled = False
        if not missing_packages():
            self._build()

    def _sections(self):
        return (self.ui.studyButton, self.ui.factsButton, self.ui.computationButton, self.ui.settingsButton)

    def _build(self):
        """Everything that needs the packages."""
        from organdose.nuclear.engines import engine, engine_names
        from organdose.panels.engine_form import EngineForm
        from organdose.panels.facts_table import FactsTable
        from organdose.panels.frame_list import FrameList
        from organdose.panels.job_panel import JobPanel
        from organdose.panels.settings_panel import SettingsPanel

        self.frames = FrameList(self.ui.framesList, self._framesEdited)
        self.facts = FactsTable(self.ui.factsTable, self._factsEdited, self._factRefused)
        self.form = EngineForm({name: engine(name) for name in engine_names()}, self._formEdited)
        self.ui.enginePlace.layout().addWidget(self.form.widget)
        self.form.widget.visible = bool(engine_names())
        self.job = JobPanel(_("Compute dose"))
        self.ui.jobPlace.layout().addWidget(self.job.widget)
        self.settings = SettingsPanel()
        self.ui.settingsPlace.layout().addWidget(self.settings.widget)
        self.ui.allFactsCheck.toggled.connect(lambda *_args: self._showFacts())
        self.ui.readHeaderButton.clicked.connect(lambda *_args: self._readFacts())
        for section in self._sections():
            section.enabled = True
        for event in (slicer.mrmlScene.NodeAddedEvent, slicer.mrmlScene.NodeRemovedEvent):
            self.addObserver(slicer.mrmlScene, event, self._nodesChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.logic = InternalDosimetryLogic()  # last: what is not whole is not used
        self.initializeParameterNode()

    def cleanup(self):
        self.setParameterNode(None)
        self.removeObservers()
        if self.logic is not None:
            self.job.stop()
            self.settings.stop()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        self.setParameterNode(None)
        self.logic.forgetParameterNode()  # what it remembers is of the scene before
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        if self.logic is not None:
            self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode):
        """Show another parameter node, or none."""
        from organdose.panels.parameter_binding import bind

        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged)
        self._parameterNode, self._guiTag = parameterNode, None
        if parameterNode is not None:
            self._guiTag = bind(parameterNode, self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged)
            self._parametersChanged()

    def _parametersChanged(self, caller=None, event=None):
        from organdose.study.nuclear_fact_sheet import NuclearFactSheet

        parameters = self._parameterNode
        if parameters is None:
            return
        first = self.logic.firstFrame(parameters)
        if (first and first.GetID()) != (parameters.factsOf and parameters.factsOf.GetID()):
            self._readFacts()
            return  # writing the facts comes here again
        self._sheet = NuclearFactSheet.from_json(parameters.facts)
        if self.form.engine:
            self.form.show(parameters.engine or self.form.engine, json.loads(parameters.engineParameters))
        self.frames.show(parameters.frames)
        self._showFacts()
        self._checkCanRun()

    def _checkCanRun(self):
        note = "" if self.form.engine else _(
            "This version has no engine for internal dose yet: it gathers the study and its facts. The engines "
            "appear here by themselves with the version that brings them.")
        self.ui.engineNote.text = note
        self.ui.engineNote.visible = bool(note)
        reason = self.form.complaint() or self.logic.complaint(self._parameterNode)
        missing = self.logic.missingFacts(self._sheet)
        if missing and not reason:
            titles = ", ".join(self._sheet.titles[name][0] for name in missing)
            reason = _("Fill in: {facts}.").format(facts=titles)
        self.job.refuse(reason)

    def _showFacts(self):
        from organdose.panels.job_panel import banner_style

        if self._parameterNode is None or self._sheet is None:
            return
        chosen = self.logic.firstFrame(self._parameterNode) is not None
        self._sheet.missing = self.logic.missingFacts(self._sheet) if chosen else {}
        self.facts.show(self._sheet, everything=self.ui.allFactsCheck.checked)
        remarks = list(self._sheet.remarks) if chosen else [
            _("Tick the frames: their facts are read from the header.") if self.ui.framesList.count else
            _("Load a PET or SPECT study first.")]
        self.ui.factsStatus.text = "\n".join(remarks)
        self.ui.factsStatus.styleSheet = banner_style("stale" if remarks and chosen else "")
        self.ui.factsStatus.visible = bool(remarks)
        self.ui.factsTable.visible = chosen

    def _readFacts(self):
        parameters = self._parameterNode
        first = self.logic.firstFrame(parameters)
        sheet = self.logic.readFacts(first)
        with slicer.util.NodeModify(parameters):
            parameters.factsOf = first
            parameters.facts = sheet.to_json()

    def _framesEdited(self):
        self._parameterNode.frames = self.frames.ticked()

    def _nodesChanged(self, caller, event):
        if self._parameterNode is not None:
            self.frames.show(self._parameterNode.frames)
            self._showFacts()

    def _factsEdited(self):
        if self._parameterNode is None:
            return  # a cell that was open when another module was chosen
        self._parameterNode.facts = self._sheet.to_json()

    def _factRefused(self, message):
        self.job.say(message, "bad" if message else "")

    def _formEdited(self):
        if self._parameterNode is None:
            return  # half typed when another module was chosen
        with slicer.util.NodeModify(self._parameterNode):
            self._parameterNode.engine = self.form.engine
            self._parameterNode.engineParameters = json.dumps(self.form.values())


class InternalDosimetryLogic(ScriptedLoadableModuleLogic):
    """The module without its window."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._parameters = None

    def getParameterNode(self):
        """One wrapper for one node: each leaves observers on it."""
        node = super().getParameterNode()
        if self._parameters is None or self._parameters.parameterNode is not node:
            self._parameters = InternalDosimetryParameterNode(node)
        return self._parameters

    def forgetParameterNode(self):
        self._parameters = None

    @staticmethod
    def firstFrame(parameters):
        """The first frame that is still in the scene; None without."""
        return next((frame for frame in parameters.frames if frame is not None), None)

    @staticmethod
    def readFacts(frameNode):
        """What the header of a frame says, as a `NuclearFactSheet`."""
        from organdose.scene.nuclear_facts import fact_sheet_of_frame

        return fact_sheet_of_frame(frameNode)

    @staticmethod
    def missingFacts(sheet):
        """The facts no internal dose can be computed without and nobody has said: name to explanation."""
        needed = ("nuclide", "administered_mbq", "administered_at", "scan_start_at", "image_unit", "decay_correction")
        return {name: sheet.explanations[name] for name in needed if name not in sheet.header | sheet.user}

    @staticmethod
    def complaint(parameters):
        """What the study lacks, in one line; '' when it is complete."""
        if InternalDosimetryLogic.firstFrame(parameters) is None:
            return _("Tick the PET or SPECT frames.")
        if parameters.ct is None:
            return _("Choose the CT.")
        return "" if parameters.segmentation is not None else _("Choose the masks.")


class InternalDosimetryTest(ScriptedLoadableModuleTest):
    """Opens the module with an empty study in the running Slicer."""

    def setUp(self):
        from organdose.panels.needed_packages import missing_packages

        if missing_packages():
            self.skipTest(f"{', '.join(missing_packages())} must be installed first (see the module)")
        slicer.mrmlScene.Clear()

    def runTest(self):
        from organdose.panels.needed_packages import missing_packages

        if missing_packages():
            self.delayDisplay(f"Not tested: {', '.join(missing_packages())} must be installed first (see the module).")
            return
        self.setUp()
        self.test_whatAnEmptyStudyLacksIsSaid()

    def test_whatAnEmptyStudyLacksIsSaid(self):
        logic = InternalDosimetryLogic()
        parameters = logic.getParameterNode()
        self.assertIn("frames", logic.complaint(parameters))
        parameters.frames = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "PET")]
        self.assertIn("CT", logic.complaint(parameters))
        sheet = logic.readFacts(parameters.frames[0])
        self.assertIn("administered_mbq", logic.missingFacts(sheet))
        sheet.write("administered_mbq", "185")
        self.assertNotIn("administered_mbq", logic.missingFacts(sheet))
        self.delayDisplay("Test passed")
