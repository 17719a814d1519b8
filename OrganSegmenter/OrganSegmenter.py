"""Slicer module: organs of a CT segmented by an engine, corrected by hand, brought in from and out to other formats."""

import json
import shutil
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


class OrganSegmenter(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        findOrganDose()
        from organdose.panels.module_texts import ACKNOWLEDGEMENT, CONTRIBUTORS, help_text
        from organdose.panels.sample_data import register_sample_data

        parent.title = _("Organ Segmenter")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        parent.dependencies = []
        parent.contributors = list(CONTRIBUTORS)
        parent.helpText = help_text("organ-segmenter", _(
            "Organ masks of a CT: drawn by an engine, corrected by hand, imported from and exported to .seg.nrrd, "
            "DICOM SEG and RTSTRUCT. Dose tables of the other modules follow each correction."))
        parent.acknowledgementText = ACKNOWLEDGEMENT
        slicer.app.connect("startupCompleted()", register_sample_data)


@parameterNodeWrapper
class OrganSegmenterParameterNode:
    """What the window shows, saved with the scene. `engineParameters` and `organs` are JSON; '' stands for the engine
    to begin with here, and for all its organs."""

    ct: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    reference: vtkMRMLSegmentationNode
    engine: str = ""
    engineParameters: str = "{}"
    organs: str = ""


class OrganSegmenterWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The window: engine and organs above; below what is done with masks: findings, segment editor, review."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.editor = None
        self._parameterNode = None
        self._guiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/OrganSegmenter.ui"))
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
        ui = self.ui
        return (ui.studyButton, ui.computationButton, ui.findingsButton, ui.correctionButton, ui.reviewButton,
                ui.compareButton, ui.filesButton, ui.trainingButton, ui.settingsButton)

    def _build(self):
        """Everything that needs the packages."""
        from organdose.panels.job_panel import JobPanel
        from organdose.panels.mask_files import MaskFiles
        from organdose.panels.mask_work import MaskWork
        from organdose.panels.region_rerun import RegionRerun
        from organdose.panels.result_following import result_following
        from organdose.panels.segment_editor import EmbeddedSegmentEditor
        from organdose.panels.segmentation_choice import SegmentationChoice
        from organdose.panels.settings_panel import SettingsPanel
        from organdose.panels.training_case import TrainingCasePanel

        self.choice = SegmentationChoice(self._choiceEdited)
        self.ui.enginePlace.layout().addWidget(self.choice.widget)
        self.form, self.organs = self.choice.form, self.choice.organs
        self.job = JobPanel(_("Segment"), self.onRun)
        self.ui.jobPlace.layout().addWidget(self.job.widget)
        self.editor = EmbeddedSegmentEditor(self.ui.editorPlace)
        rerun = RegionRerun(lambda: (self.form.engine, self.form.values()), self.editor.save_for_undo)
        self.work = MaskWork(self.ui, self.editor, rerun)
        self.files = MaskFiles(self.ui, self._take)
        self.filesJob = self.files.job
        self.training = TrainingCasePanel()
        self.ui.trainingPlace.layout().addWidget(self.training.widget)
        self.settings = SettingsPanel(self._parametersChanged)
        self.ui.settingsPlace.layout().addWidget(self.settings.widget)
        for section in self._sections():
            section.enabled = True
        result_following()  # dose tables follow the corrections made here
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.logic = OrganSegmenterLogic()  # last: what is not whole is not used
        self.initializeParameterNode()

    def cleanup(self):
        self.setParameterNode(None)
        self.removeObservers()
        if self.logic is not None:
            self.job.stop()
            self.filesJob.stop()
            self.training.stop()
            self.settings.stop()
            self.work.stop()
            self.editor.stop()

    def enter(self):
        if self.editor is not None:
            self.editor.enter()
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)
        if self.editor is not None:
            self.editor.exit()

    def onSceneStartClose(self, caller, event):
        self.job.cancel()
        self.filesJob.cancel()
        self.training.leave()
        self.setParameterNode(None)
        self.work.leave()
        self.editor.show(None, None)

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

    def onRun(self):
        """Segment the CT that is shown into a new segmentation."""
        parameters = self._parameterNode
        ct, job = parameters.ct, self.choice.job()
        self.job.run("segment", lambda folder: self.logic.makeJob(folder, ct, job),
                     self._take(ct, self.form.engine, self.choice.expected()))

    def _take(self, ct, name, wanted=()):
        from organdose.panels.segmentation_choice import absent_line

        parameters = self._parameterNode

        def take(folder):
            node, line = yield from self.logic.takeMasks(folder, ct, name)
            if parameters.parameterNode.GetScene() is not None:  # whichever module is shown by now
                parameters.segmentation = node
            return f"{line} {absent_line([o for o in wanted if node.GetSegmentation().GetSegment(o) is None])}".strip()

        return take

    def _parametersChanged(self, caller=None, event=None):
        parameters = self._parameterNode
        if parameters is None:
            return
        self.choice.show(parameters.engine, json.loads(parameters.engineParameters),
                         json.loads(parameters.organs) if parameters.organs else None)
        self.editor.show(parameters.segmentation, parameters.ct)
        self.work.show(parameters.segmentation, parameters.ct, parameters.reference)
        self._checkCanRun()

    def _checkCanRun(self):
        from organdose.scene.ct_facts import why_no_ct

        parameters = self._parameterNode
        reason = why_no_ct(parameters.ct)
        hasCt = not reason
        if hasCt:
            reason = self.choice.complaint()
        self.job.refuse(reason)
        hasMasks = parameters.segmentation is not None
        self.ui.editNote.text = "" if hasMasks else _("Choose masks above, or press Segment: then correct them here.")
        self.ui.editNote.visible = not hasMasks
        self.files.show(parameters.ct, parameters.segmentation)
        self.training.show(parameters.ct, parameters.segmentation)

    def _choiceEdited(self):
        if self._parameterNode is None:
            return  # half typed when another module was chosen
        engine, values, organs = self.choice.state()
        with slicer.util.NodeModify(self._parameterNode):
            self._parameterNode.engine = engine
            self._parameterNode.engineParameters = json.dumps(values)
            self._parameterNode.organs = "" if organs is None else json.dumps(organs)


class OrganSegmenterLogic(ScriptedLoadableModuleLogic):
    """The module without its window: jobs on a CT of the scene, and their masks back into the scene."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._parameters = None

    def getParameterNode(self):
        """One wrapper for one node: each leaves observers on it."""
        node = super().getParameterNode()
        if self._parameters is None or self._parameters.parameterNode is not node:
            self._parameters = OrganSegmenterParameterNode(node)
        return self._parameters

    def forgetParameterNode(self):
        self._parameters = None

    @staticmethod
    def makeJob(folder, ctNode, job):
        """Generator: writes the CT to `folder`, yields (stage, fraction), returns a 'segment' job with `job` in it."""
        from organdose.scene.job_files import ct_file_steps, staged

        yield from staged(_("Writing the CT"), ct_file_steps(ctNode, folder / "ct.nrrd"))
        return {**job, "ct": str(folder / "ct.nrrd"), "out": str(folder / "result.seg.nrrd"), "compressed": False}

    @staticmethod
    def takeMasks(folder, ctNode, name):
        """Generator: the masks a job made as a new segmentation node; returns (node, line that says what came out)."""
        from organdose.panels.masks_into_scene import masks_into_scene

        taken = yield from masks_into_scene(folder / "result.seg.nrrd", ctNode, name)
        shutil.rmtree(folder, ignore_errors=True)  # with the CT as it was written for the job
        return taken


class OrganSegmenterTest(ScriptedLoadableModuleTest):
    """Segments a water cylinder with the analytic engine in the running Slicer."""

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
        self.test_waterCylinder()

    def test_waterCylinder(self):
        from organdose.panels.self_test import wait_for_job, water_cylinder
        from organdose.scene.at_once import at_once

        self.delayDisplay("Segmenting a water cylinder")
        ct, truth, _sheet = water_cylinder()
        logic = OrganSegmenterLogic()
        folder = wait_for_job("segment", lambda folder: logic.makeJob(folder, ct, {"engine": "analytic"}))
        node, _line = at_once(logic.takeMasks(folder, ct, "test"))
        drawn, known = (slicer.util.arrayFromSegmentBinaryLabelmap(each, "body", ct) for each in (node, truth))
        dice = 2 * (drawn & known).sum() / (drawn.sum() + known.sum())
        self.assertGreater(dice, 0.95)
        self.delayDisplay("Test passed")
