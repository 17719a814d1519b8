"""Slicer module: from PET or SPECT frames to absorbed dose from the radiopharmaceutical."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
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
            "Organ doses of a radiopharmaceutical from PET or SPECT frames, by several engines side by side, and their "
            "total with the dose of the CT."))
        parent.acknowledgementText = ACKNOWLEDGEMENT
        slicer.app.connect("startupCompleted()", register_sample_data)


@parameterNodeWrapper
class InternalDosimetryParameterNode:
    """What the window shows, saved with the scene. Texts but `engine`, `timeModel` and levels are JSON."""

    frames: list[vtkMRMLScalarVolumeNode]
    ct: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    result: vtkMRMLTableNode
    ctResult: vtkMRMLTableNode
    frameFacts: str = "[]"  # a `NuclearFactSheet` a frame
    factsFrames: list[vtkMRMLScalarVolumeNode]  # the frames that these are of
    timeModel: str
    timeParameters: str = "{}"
    engine: str
    compareWith: str = "[]"
    engineParameters: str = "{}"  # by engine
    registration: str = "{}"
    options: str = "{}"
    voxelMm: Annotated[float, WithinRange(0, 20)] = 0.0  # 0: the voxels of the first frame
    opacity: Annotated[float, WithinRange(0, 1)] = 0.45
    isodoseLevels: str
    isodoseLines: bool = False
    isodoseSurfaces: bool = False


class InternalDosimetryWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The window: study, facts and curves above, engines in the middle, the result below."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/InternalDosimetry.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        from organdose.panels.needed_packages import NeededPackages, missing_packages

        self.packages = NeededPackages(self._build)
        self.ui.packagesPlace.layout().addWidget(self.packages.widget)
        self._enableSections(False)
        if not missing_packages():
            self._build()

    def _enableSections(self, enabled):
        for name in ("study", "facts", "time", "computation", "result", "display", "total", "settings"):
            getattr(self.ui, f"{name}Button").enabled = enabled

    def _build(self):
        """Everything that needs the packages."""
        from organdose.panels.activity_curves import ActivityCurves
        from organdose.panels.examination_total import ExaminationTotal
        from organdose.panels.frame_facts_table import FrameFactsTable
        from organdose.panels.frame_list import FrameList
        from organdose.panels.internal_dose_forms import InternalDoseForms
        from organdose.panels.internal_dose_results import InternalDoseResults
        from organdose.panels.job_panel import JobPanel
        from organdose.panels.settings_panel import SettingsPanel

        self.frames = FrameList(self.ui.framesList, self._framesEdited)
        self.facts = FrameFactsTable(self.ui, self._factsEdited, self._factRefused)
        self.curves = ActivityCurves(self.ui, self.facts.choose)
        self.forms = InternalDoseForms(self.ui, self._formEdited)
        self.job = JobPanel(_("Compute dose"), self.onRun, self._jobEnded)
        self.ui.jobPlace.layout().addWidget(self.job.widget)
        self.results = InternalDoseResults(self.ui)
        self.total = ExaminationTotal(self.ui)
        self.settings = SettingsPanel()
        self.ui.settingsPlace.layout().addWidget(self.settings.widget)
        self.ui.readHeaderButton.clicked.connect(lambda *_args: self._readFacts(again=True))
        self.ui.levelsEdit.editingFinished.connect(lambda *_args: self._levelsEdited())
        self._enableSections(True)
        scene = slicer.mrmlScene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
            self.addObserver(scene, event, self._nodesChanged)
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        for event in (scene.EndCloseEvent, scene.EndImportEvent):
            self.addObserver(scene, event, self.onSceneEndClose)
        self.logic = InternalDosimetryLogic()  # last: what is not whole is not used
        self.initializeParameterNode()

    def cleanup(self):
        self.setParameterNode(None)
        self.removeObservers()
        if self.logic is not None:
            for part in (self.job, self.curves, self.results, self.total, self.settings):
                part.stop()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.job.cancel()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        self.setParameterNode(None)
        self.curves.forget()
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
            self.curves.pause()
        self._parameterNode, self._guiTag = parameterNode, None
        if parameterNode is not None:
            self._guiTag = bind(parameterNode, self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged)
            self.results.filter_selector()
            self.total.filter_selector()
            if parameterNode.ctResult is None and parameterNode.result is not None:
                parameterNode.ctResult = self.total.only_ct_dose()
            self._parametersChanged()

    def onRun(self):
        """Compute the dose of what is shown."""
        parameters, facts = self._parameterNode, self.facts.facts
        frames, inputs = self.logic.frames(parameters), self._inputs()
        ct, segmentation = parameters.ct, parameters.segmentation
        job = self.forms.job(len(frames)) | {"voxel_mm": parameters.voxelMm or None}

        def take(folder):
            result = yield from self.logic.takeResult(folder, ct, segmentation, inputs, facts.sheet.patient_sex,
                                                      show=lambda: self.parent.isEntered)
            self.results.remember_folder(result, folder)
            if parameters.parameterNode.GetScene() is not None:  # whichever module is shown by now
                parameters.result = result.organ_table
                parameters.ctResult = parameters.ctResult or self.total.only_ct_dose()
            return self.results.headline(result)

        self.job.run("internal-dose", lambda folder: self.logic.makeJob(folder, frames, ct, segmentation, facts, job),
                     take)

    def _parametersChanged(self, caller=None, event=None):
        parameters = self._parameterNode
        if parameters is None or slicer.mrmlScene.IsImporting():
            return  # while a scene is read, references to nodes lack that come later
        frames = self.logic.frames(parameters)
        if _ids(frames) != _ids(parameters.factsFrames):
            self._readFacts()
            return  # writing the facts comes here again
        self.forms.show(parameters, len(frames))
        self.frames.show(parameters.frames)
        self._checkCanRun()
        self.curves.show(frames, self.facts.facts.sheets, parameters.ct, parameters.segmentation,
                         *self.forms.time_model(len(frames)))
        self._showResults()

    def _showResults(self):
        self.results.show(self._parameterNode, self._inputs())
        shown = self.results.shown
        self.total.show(self._parameterNode.ctResult, shown and shown.organ_table)

    def _checkCanRun(self):
        parameters = self._parameterNode
        frames = self.logic.frames(parameters)
        missing = self.facts.show(frames, parameters.frameFacts, self.curves.missing)
        reason = self.forms.complaint(len(frames)) or self.logic.complaint(parameters)
        if missing and not reason:
            reason = _("Fill in: {facts}.").format(facts=missing)
        if not reason and 0 < parameters.voxelMm < 0.5:
            reason = _("Dose voxel: 0.5 mm or more, or 0 for the voxels of the PET or SPECT.")
        self.job.refuse(reason)

    def _readFacts(self, again=False):
        """Facts of frames that are new from their headers, of all frames with `again`."""
        parameters = self._parameterNode
        frames = self.logic.frames(parameters)
        # Not WaitCursor: it lets the application's events in, and we are in the middle of one.
        qt.QApplication.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            facts = self.facts.read(frames, [] if again else parameters.factsFrames, parameters.frameFacts)
        finally:
            qt.QApplication.restoreOverrideCursor()
        with slicer.util.NodeModify(parameters):
            parameters.factsFrames = frames
            parameters.frameFacts = facts.to_json()

    def _framesEdited(self):
        self._parameterNode.frames = self.frames.ticked()

    def _nodesChanged(self, caller, event):
        if self._parameterNode is None or slicer.mrmlScene.IsImporting():
            return
        self.frames.show(self._parameterNode.frames)
        if _ids(self.logic.frames(self._parameterNode)) != _ids(self._parameterNode.factsFrames):
            self._parametersChanged()
        else:
            self.facts.show_facts()
            if not self.results.is_whole:
                self._showResults()

    def _factsEdited(self):
        if self._parameterNode is None:
            return  # a cell that was open when another module was chosen
        self._parameterNode.frameFacts = self.facts.facts.to_json()

    def _factRefused(self, message):
        self.job.say(message, "bad" if message else "")

    def _levelsEdited(self):
        # By hand: bound by the parameter node every key would draw the isodoses anew.
        if self._parameterNode is not None:
            self._parameterNode.isodoseLevels = self.ui.levelsEdit.text

    def _formEdited(self):
        if self._parameterNode is None:
            return  # half typed when another module was chosen
        with slicer.util.NodeModify(self._parameterNode):
            self.forms.write(self._parameterNode)

    def _jobEnded(self, outcome):
        if outcome.missing_facts and self._parameterNode is not None:
            self.facts.ask_for(outcome.missing_facts)

    def _inputs(self):
        """What a result depends on, to tell when it is stale (`InternalDoseResults.input_titles`)."""
        parameters, frames = self._parameterNode, self.logic.frames(self._parameterNode)
        chosen = self.forms.job(len(frames))
        return {"engine": chosen["engine"], "compare_with": chosen["compare_with"],
                "engine_parameters": chosen["engine_parameters"], "dose_voxel_mm": round(parameters.voxelMm, 3),
                "time_model": [chosen["tia"], chosen["tia_parameters"]], "registration": chosen["registration"],
                "options": [chosen[name] for name in ("outside_body", "couch", "recovery", "recovery_organs")],
                "frames": [frame.GetName() for frame in frames],
                "facts": [sheet.protocol() for sheet in self.facts.facts.sheets]}


def _ids(nodes):
    return [node and node.GetID() for node in nodes]


class InternalDosimetryLogic(ScriptedLoadableModuleLogic):
    """The module without its window: job of frames, CT and masks in the scene, and its result back into the scene."""

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
    def frames(parameters):
        """The ticked frames that are still in the scene."""
        return [frame for frame in parameters.frames if frame is not None]

    @staticmethod
    def complaint(parameters):
        """What the study lacks, in one line; '' when it is complete."""
        if not InternalDosimetryLogic.frames(parameters):
            return _("Tick the PET or SPECT frames.")
        if parameters.ct is None:
            return _("Choose the CT.")
        if parameters.segmentation is None:
            return _("Choose the masks.")
        if parameters.segmentation.GetSegmentation().GetNumberOfSegments() == 0:
            return _("Choose masks with at least one organ; OrganSegmenter makes them.")
        return ""

    @staticmethod
    def makeJob(folder, frames, ctNode, segmentationNode, facts, job):
        """Generator that writes the inputs of an 'internal-dose' job, yields (stage, fraction), returns the job.

        `facts` are the `FrameFacts` of the frames, `job` further values of `InternalDoseJob`. Raises `InputError`.
        """
        from organdose.panels.frame_input import frames_input_steps
        from organdose.scene.job_files import ct_file_steps, masks_file_steps, masks_of_node_steps, staged

        yield from staged(_("Writing the CT"), ct_file_steps(ctNode, folder / "ct.nrrd"))
        masks = yield from staged(_("Copying the masks"), masks_of_node_steps(segmentationNode, ctNode))
        yield from staged(_("Writing the masks"), masks_file_steps(masks, folder / "masks.seg.nrrd"))
        paths, protocol = yield from frames_input_steps(folder, frames, facts, _("Writing frame"))
        return {**job, "pet": [str(path) for path in paths], "protocol": str(protocol), "ct": str(folder / "ct.nrrd"),
                "segmentation": str(folder / "masks.seg.nrrd"), "out": str(folder / "result"), "scene": False}

    @staticmethod
    def takeResult(folder, ctNode, segmentationNode, inputs, patientSex="", show=lambda: True):
        """Generator that brings a finished job into the scene in short steps, returns its `InternalDoseScene`.

        `inputs` (JSON-able, by name) are what the result is compared with later to tell whether it is stale. `show()`
        says whether the views shall show it: not while somebody draws in another module.
        """
        from organdose.panels.internal_dose_results import bring_into_scene

        return (yield from bring_into_scene(folder, ctNode, segmentationNode, inputs, patient_sex=patientSex,
                                            show=show))


class InternalDosimetryTest(ScriptedLoadableModuleTest):
    """Computes the dose of F-18 in a water cylinder in the running Slicer and looks at the organ table."""

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
        self.test_uniformCylinder()

    def test_uniformCylinder(self):
        from organdose.panels.self_test import assert_beta_dose, uniform_activity, wait_for_job, water_cylinder
        from organdose.scene.at_once import at_once

        self.delayDisplay("Computing the dose of F-18 in a water cylinder")
        ct, segmentation, _sheet = water_cylinder()
        logic = InternalDosimetryLogic()
        frame, facts = uniform_activity(ct)
        job = {"engine": "mc", "engine_parameters": {"mc": {"histories": 20000}}}
        folder = wait_for_job("internal-dose",
                              lambda folder: logic.makeJob(folder, [frame], ct, segmentation, facts, job))
        result = at_once(logic.takeResult(folder, ct, segmentation, {}))
        assert_beta_dose(result)
        shutil.rmtree(folder, ignore_errors=True)
        self.delayDisplay("Test passed")
