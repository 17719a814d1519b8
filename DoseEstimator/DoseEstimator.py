"""Slicer module: from the CT exposure to dose map, organ table and DVH in the scene."""

import json
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


def _sameNode(one, other):
    return (None if one is None else one.GetID()) == (None if other is None else other.GetID())


class DoseEstimator(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        findOrganDose()
        from organdose.panels.module_texts import ACKNOWLEDGEMENT, CONTRIBUTORS, help_text
        from organdose.panels.sample_data import register_sample_data

        parent.title = _("Dose Estimator")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        parent.dependencies = []
        parent.contributors = list(CONTRIBUTORS)
        parent.helpText = help_text("dose-estimator", _(
            "Organ doses of a CT examination: a voxel dose map by Monte Carlo, an organ table with an uncertainty on "
            "every number, DVH and report. The table follows when masks are edited."))
        parent.acknowledgementText = ACKNOWLEDGEMENT
        slicer.app.connect("startupCompleted()", register_sample_data)


@parameterNodeWrapper
class DoseEstimatorParameterNode:
    """What the window shows, saved with the scene. `facts` and `engineParameters` are JSON."""

    ct: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    result: vtkMRMLTableNode
    factsCt: vtkMRMLScalarVolumeNode  # the CT that the facts were read from
    facts: str
    engine: str = "mc"
    engineParameters: str = "{}"
    voxelMm: Annotated[float, WithinRange(0.5, 20)] = 5.0
    opacity: Annotated[float, WithinRange(0, 1)] = 0.45
    isodoseLevels: str
    isodoseLines: bool = False
    isodoseSurfaces: bool = False
    reference: vtkMRMLScalarVolumeNode
    comparison: vtkMRMLTableNode
    gammaMm: Annotated[float, WithinRange(0.1, 50)] = 1.0
    gammaPercent: Annotated[float, WithinRange(0.1, 100)] = 1.0
    normalisationMgy: Annotated[float, WithinRange(0, 1e6)] = 0.0  # 0: the reference's maximum


class DoseEstimatorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The window: facts and parameters above, the result below."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.results = None
        self._parameterNode = None
        self._guiTag = None
        self._shown = {}  # what was last shown of parameters that are costly to show
        self._sheet = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DoseEstimator.ui"))
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
        return (self.ui.studyButton, self.ui.factsButton, self.ui.computationButton, self.ui.resultButton,
                self.ui.displayButton, self.ui.compareButton, self.ui.settingsButton)

    def _build(self):
        """Everything that needs the packages."""
        from organdose.ct.engines import engines
        from organdose.panels.ct_dose_results import CTDoseResults
        from organdose.panels.dose_comparison import DoseComparison
        from organdose.panels.engine_form import EngineForm
        from organdose.panels.facts_table import FactsTable
        from organdose.panels.hu_curve_editor import HUCurveEditor
        from organdose.panels.job_panel import JobPanel
        from organdose.panels.scanner_editor import ScannerEditor
        from organdose.panels.settings_panel import SettingsPanel

        self.facts = FactsTable(self.ui.factsTable, self._factsEdited, self._factRefused)
        self.form = EngineForm(engines(), self._formEdited,
                               editors={"scanner": ScannerEditor, "hu_curve": HUCurveEditor})
        self.ui.enginePlace.layout().addWidget(self.form.widget)
        self.job = JobPanel(_("Compute dose"), self.onRun, self._jobEnded)
        self.ui.jobPlace.layout().addWidget(self.job.widget)
        self.results = CTDoseResults(self.ui)
        self.comparison = DoseComparison(self.ui, lambda: self.parent.isEntered)
        self.settings = SettingsPanel()
        self.ui.settingsPlace.layout().addWidget(self.settings.widget)
        self.ui.allFactsCheck.toggled.connect(lambda *_args: self._showFacts())
        self.ui.levelsEdit.editingFinished.connect(lambda *_args: self._levelsEdited())
        self.ui.readHeaderButton.clicked.connect(lambda *_args: self._readFacts())
        for section in self._sections():
            section.enabled = True
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._nodeRemoved)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.logic = DoseEstimatorLogic()  # last: what is not whole is not used
        self.initializeParameterNode()

    def cleanup(self):
        self.setParameterNode(None)
        self.removeObservers()
        if self.logic is not None:
            self.job.stop()
            self.results.stop()
            self.comparison.stop()
            self.settings.stop()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.job.cancel()
        self.comparison.job.cancel()
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
        self._parameterNode, self._guiTag, self._shown = parameterNode, None, {}
        if parameterNode is not None:
            self._guiTag = bind(parameterNode, self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self._parametersChanged)
            self.results.filter_selector()
            self.comparison.filter_selectors()
            self._parametersChanged()

    def onRun(self):
        """Compute the dose of what is shown."""
        parameters, sheet = self._parameterNode, self._sheet
        inputs = self._inputs()
        ct, segmentation = parameters.ct, parameters.segmentation
        job = {"engine": self.form.engine, "engine_parameters": self.form.values(), "voxel_mm": parameters.voxelMm}

        def take(folder):
            result = yield from self.logic.takeResult(folder, ct, segmentation, inputs, sheet.patient_sex,
                                                      show=lambda: self.parent.isEntered)
            self.results.remember_folder(result, folder)
            if parameters.parameterNode.GetScene() is not None:  # whichever module is shown by now
                parameters.result = result.organ_table
            return self.results.headline(result)

        self.job.run("ct-dose", lambda folder: self.logic.makeJob(folder, ct, segmentation, sheet, job), take)

    def _parametersChanged(self, caller=None, event=None):
        parameters = self._parameterNode
        if parameters is None:
            return
        if not _sameNode(parameters.ct, parameters.factsCt) or (parameters.ct is None and parameters.facts):
            self._readFacts()
            return  # writing the facts comes here again
        if self._changed("facts", parameters.facts):
            from organdose.study.ct_fact_sheet import CTFactSheet

            self._sheet = CTFactSheet.from_json(parameters.facts)
        self.form.show(parameters.engine, json.loads(parameters.engineParameters))
        self._checkCanRun()
        self._showResults()

    def _showResults(self):
        self.results.show(self._parameterNode, self._inputs())
        self.comparison.show(self._parameterNode, self.results.shown)

    def _nodeRemoved(self, caller, event):
        if self._parameterNode is not None and not (self.results.is_whole and self.comparison.is_whole):
            self._showResults()

    def _changed(self, name, value):
        """Whether `value` differs from what was last shown under `name`."""
        if self._shown.get(name) == value:
            return False
        self._shown[name] = value
        return True

    def _checkCanRun(self):
        from organdose.scene.ct_facts import what_is_missing, why_no_ct

        parameters = self._parameterNode
        reason = why_no_ct(parameters.ct) or self.form.complaint()
        if not reason:
            engine = self.form.chosen
            reason = what_is_missing(parameters.ct, self._sheet, engine, engine.parameters(**self.form.values()))
        if not reason and not self.logic.hasSegments(parameters.segmentation):
            reason = _("Choose masks with at least one organ; OrganSegmenter makes them.")
        self.job.refuse(reason)
        self._showFacts()

    def _showFacts(self):
        from organdose.panels.job_panel import banner_style

        if self._parameterNode is None or self._sheet is None:
            return
        self.facts.show(self._sheet, everything=self.ui.allFactsCheck.checked)
        chosen = self._parameterNode.ct is not None
        self.ui.factsTable.visible = chosen
        remarks = list(self._sheet.remarks) if chosen else [_("Choose the CT: its facts are read from the header.")]
        self.ui.factsStatus.text = "\n".join(remarks)
        self.ui.factsStatus.styleSheet = banner_style("stale" if remarks and chosen else "")
        self.ui.factsStatus.visible = bool(remarks)

    def _readFacts(self):
        from organdose.scene.ct_facts import fact_sheet_of

        parameters = self._parameterNode
        # Not WaitCursor: it lets the application's events in, and we are in the middle of one.
        qt.QApplication.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            facts = "" if parameters.ct is None else fact_sheet_of(parameters.ct).to_json()
        finally:
            qt.QApplication.restoreOverrideCursor()
        with slicer.util.NodeModify(parameters):
            parameters.factsCt = parameters.ct
            parameters.facts = facts

    def _factsEdited(self):
        if self._parameterNode is None:
            return  # a cell that was open when another module was chosen
        self._parameterNode.facts = self._sheet.to_json()

    def _levelsEdited(self):
        # By hand: bound by the parameter node every key would draw the isodoses anew.
        if self._parameterNode is not None:
            self._parameterNode.isodoseLevels = self.ui.levelsEdit.text

    def _factRefused(self, message):
        self.job.say(message, "bad" if message else "")

    def _formEdited(self):
        if self._parameterNode is None:
            return  # half typed when another module was chosen
        with slicer.util.NodeModify(self._parameterNode):
            self._parameterNode.engine = self.form.engine
            self._parameterNode.engineParameters = json.dumps(self.form.values())

    def _jobEnded(self, outcome):
        if outcome.missing_facts and self._sheet is not None:
            self._sheet.missing = outcome.missing_facts
            self._showFacts()

    def _inputs(self):
        """What a result depends on, to tell when it is stale (`ct_dose_results.INPUT_TITLES`)."""
        parameters = self._parameterNode
        sheet = self._sheet
        return {"engine": self.form.engine, "engine_parameters": self.form.values(),
                "dose_voxel_mm": round(parameters.voxelMm, 3), "facts": {} if sheet is None else sheet.protocol()}


class DoseEstimatorLogic(ScriptedLoadableModuleLogic):
    """The module without its window: job of a CT in the scene, and its result back into the scene."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self._parameters = None

    def getParameterNode(self):
        """One wrapper for one node: each leaves observers on it."""
        node = super().getParameterNode()
        if self._parameters is None or self._parameters.parameterNode is not node:
            self._parameters = DoseEstimatorParameterNode(node)
        return self._parameters

    def forgetParameterNode(self):
        self._parameters = None

    @staticmethod
    def hasSegments(segmentationNode):
        return segmentationNode is not None and segmentationNode.GetSegmentation().GetNumberOfSegments() > 0

    @staticmethod
    def makeJob(folder, ctNode, segmentationNode, sheet, job):
        """Generator that writes the inputs of a 'ct-dose' job to `folder`, yields (stage, fraction), returns the job.

        `sheet` is the `CTFactSheet` of the CT, `job` the further values of `CTDoseJob`. Raises `InputError`.
        """
        from organdose.scene.job_files import ct_file_steps, masks_file_steps, masks_of_node_steps, staged

        yield from staged(_("Writing the CT"), ct_file_steps(ctNode, folder / "ct.nrrd"))
        masks = yield from staged(_("Copying the masks"), masks_of_node_steps(segmentationNode, ctNode))
        yield from staged(_("Writing the masks"), masks_file_steps(masks, folder / "masks.seg.nrrd"))
        (folder / "protocol.json").write_text(json.dumps(sheet.protocol()), encoding="utf-8")
        return {**job, "ct": str(folder / "ct.nrrd"), "segmentation": str(folder / "masks.seg.nrrd"),
                "protocol": str(folder / "protocol.json"), "out": str(folder / "result"), "scene": False}

    @staticmethod
    def takeResult(folder, ctNode, segmentationNode, inputs, patientSex="", show=lambda: True):
        """Generator that brings a finished job into the scene in short steps and returns its `CTDoseScene`.

        `inputs` (JSON-able, by name) are what the result is compared with later to tell whether it is stale. `show()`
        says whether the views shall show it: not while somebody draws in another module.
        """
        from organdose.panels.ct_dose_results import bring_into_scene

        return (yield from bring_into_scene(folder, ctNode, segmentationNode, inputs, patient_sex=patientSex,
                                            show=show))


class DoseEstimatorTest(ScriptedLoadableModuleTest):
    """Computes the dose of a water cylinder in the running Slicer and looks at the organ table."""

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
        from organdose.panels.self_test import assert_centre_below_surface, wait_for_job, water_cylinder
        from organdose.scene.at_once import at_once

        self.delayDisplay("Computing the dose of a water cylinder")
        ct, segmentation, sheet = water_cylinder()
        logic = DoseEstimatorLogic()
        job = {"engine": "mc", "engine_parameters": {"histories": 200000}, "voxel_mm": 10}
        folder = wait_for_job("ct-dose", lambda folder: logic.makeJob(folder, ct, segmentation, sheet, job))
        result = at_once(logic.takeResult(folder, ct, segmentation, {}))
        assert_centre_below_surface(result)
        shutil.rmtree(folder, ignore_errors=True)
        self.delayDisplay("Test passed")
