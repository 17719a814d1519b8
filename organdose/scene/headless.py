"""Slicer's scene and logics without the Slicer application.

Desktop Slicer brings its scene, module logics and views. The pip package `slicer-core` brings the classes only; this
file puts them together in the order in which the application does, and hangs them where `slicer.util` looks:
`slicer.mrmlScene`, `slicer.modules.<name>.logic()` and `slicer.app`.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import shutil
import tempfile
from contextlib import contextmanager
from types import SimpleNamespace

from organdose.errors import InputError

# Module name as in `slicer.modules`, its name in the application logic, its logic class.
_MODULE_LOGICS = (
    ("colors", "Colors", "vtkSlicerColorLogic"),
    ("units", "Units", "vtkSlicerUnitsLogic"),
    ("terminologies", "Terminologies", "vtkSlicerTerminologiesModuleLogic"),
    ("volumes", "Volumes", "vtkSlicerVolumesLogic"),
    ("models", "Models", "vtkSlicerModelsLogic"),
    ("markups", "Markups", "vtkSlicerMarkupsLogic"),
    ("subjecthierarchy", "SubjectHierarchy", "vtkSlicerSubjectHierarchyModuleLogic"),
    ("segmentations", "Segmentations", "vtkSlicerSegmentationsModuleLogic"),
    ("tables", "Tables", "vtkSlicerTablesLogic"),
    ("plots", "Plots", "vtkSlicerPlotsLogic"),
    ("texts", "Texts", "vtkSlicerTextsLogic"),
)

_kept_alive: dict[str, object] = {}  # what nothing in C++ owns; empty in desktop Slicer


def start_slicer():
    """Slicer's scene (`vtkMRMLScene`): the running application's, or a headless one made at the first call.

    Raises `InputError` when neither desktop Slicer nor the package slicer-core is there.
    """
    try:
        import slicer
    except ImportError as error:
        raise InputError("scenes need 3D Slicer's classes, which are not installed",
                         mend="Install them with: pip install 'organdose[slicer]'") from error
    if getattr(slicer, "mrmlScene", None) is None:
        _start_headless(slicer)
    return slicer.mrmlScene


def is_headless() -> bool:
    """True when `start_slicer` made the scene: no window, no layout manager."""
    return bool(_kept_alive)


def clear_scene() -> None:
    """Empty the scene and free the memory of its nodes. Views, colour tables and the layout start afresh."""
    scene = start_slicer()
    scene.Clear(False)
    if is_headless():
        _show_four_up(scene)


@contextmanager
def vtk_messages_kept():
    """What VTK would print, collected: yields a function that gives the text so far.

    Errors of VTK's readers and writers go to a log window or to stderr; callers here turn them into one line.
    """
    import vtk

    before = vtk.vtkOutputWindow.GetInstance()
    kept = vtk.vtkStringOutputWindow()
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    vtk.vtkOutputWindow.SetInstance(kept)
    try:
        yield kept.GetOutput
    finally:
        vtk.vtkOutputWindow.SetInstance(before)
        vtk.vtkLogger.SetStderrVerbosity(verbosity)


def _slicer_version() -> str:
    """What Slicer would write into its scenes: a scene of another application is opened with a warning."""
    major, minor, revision, *_ = importlib.metadata.version("slicer-core").split(".")
    return f"Slicer {major}.{minor}.0 {revision}"


def _start_headless(slicer) -> None:
    scene = slicer.vtkMRMLScene()
    scene.SetVersion(_slicer_version())
    application = slicer.vtkSlicerApplicationLogic()
    slicer.mrmlScene = scene
    slicer.modules = SimpleNamespace()
    slicer.app = SimpleNamespace(applicationLogic=lambda: application, coreIOManager=lambda: _SceneFiles(scene))
    _kept_alive.update(application=application, scene=scene)
    # The wheel lacks the application's share folder (colour files, terminologies), and the logics complain of it.
    with vtk_messages_kept():
        _add_crosshair(slicer, scene)
        application.SetMRMLScene(scene)
        _add_bundle_reading(slicer, application, scene)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
        for module, name, logic_class in _MODULE_LOGICS:
            _add_module(slicer, application, scene, module, name, logic_class)
        _add_colours(slicer, application, scene)
        _add_views(slicer, application, scene)


class _SceneFiles:
    """The part of the application's input/output manager that `slicer.util.saveScene` and `loadScene` use."""

    def __init__(self, scene):
        self._scene = scene

    def saveNodes(self, filetype: str, properties: dict, messages=None) -> bool:
        self._check(filetype)
        return self._scene.WriteToMRB(properties["fileName"], None, messages)

    def loadNodes(self, filetype: str, properties: dict, loaded_nodes=None, messages=None) -> bool:
        self._check(filetype)
        return self._scene.ReadFromMRB(properties["fileName"], bool(properties.get("clear", False)), messages)

    @staticmethod
    def _check(filetype: str) -> None:
        if filetype != "SceneFile":
            raise NotImplementedError(f"the headless Slicer reads and writes scenes (.mrb) only, not {filetype}")


def _add_crosshair(slicer, scene) -> None:
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)


def _add_bundle_reading(slicer, application, scene) -> None:
    """Bundles are unpacked in the cache folder of the scene's data manager."""
    folder = tempfile.mkdtemp(prefix="organdose-slicer-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    application.SetTemporaryPath(folder)
    remote_io, data_io = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
    remote_io.GetCacheManager().SetRemoteCacheDirectory(folder)
    application.SetMRMLSceneDataIO(scene, remote_io, data_io)
    _kept_alive.update(remote_io=remote_io, data_io=data_io)


def _add_module(slicer, application, scene, module: str, name: str, logic_class: str) -> None:
    logic = getattr(slicer, logic_class)()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)
    application.SetModuleLogic(name, logic)
    setattr(slicer.modules, module, SimpleNamespace(logic=lambda: logic))
    _kept_alive[module] = logic


def _add_colours(slicer, application, scene) -> None:
    """The built-in colour tables, and one in the place of the file that label maps use by default."""
    logic = slicer.modules.colors.logic()
    application.SetColorLogic(logic)
    logic.AddDefaultColorNodes()
    generic = slicer.vtkMRMLColorTableNode()
    generic.SetTypeToRandom()
    generic.SetName("GenericColors")
    generic.SetSingletonTag("FileGenericColors.txt")
    generic.SetHideFromEditors(True)
    generic.SetSaveWithScene(False)
    scene.AddNode(generic)


def _add_views(slicer, application, scene) -> None:
    """The layout with its view nodes, and one slice logic for each slice view (as the slice widgets hold them)."""
    import vtk

    factories = slicer.vtkMRMLThreeDViewDisplayableManagerFactory, slicer.vtkMRMLSliceViewDisplayableManagerFactory
    for factory in factories:
        factory.GetInstance().SetMRMLApplicationLogic(application)
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    layout = slicer.vtkMRMLLayoutLogic()
    layout.SetMRMLScene(scene)
    _kept_alive["layout"] = layout
    _show_four_up(scene)
    for name in ("Red", "Yellow", "Green"):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        logic.SetSliceNode(scene.GetNodeByID(f"vtkMRMLSliceNode{name}"))
        application.GetSliceLogics().AddItem(logic)


def _show_four_up(scene) -> None:
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
