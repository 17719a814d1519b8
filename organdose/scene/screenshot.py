"""A picture of the scene as Slicer's four-up layout shows it, drawn off screen by Slicer's displayable managers."""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
from contextlib import contextmanager, suppress

import numpy as np

from organdose.errors import InputError
from organdose.export.whole_file import whole_file
from organdose.scene.dose_display import add_legend
from organdose.scene.headless import start_slicer, vtk_messages_kept
from organdose.scene.segmentation_nodes import organs_shown_in_3d
from organdose.scene.views import filled_corners_ras, fit_to

PICTURE_SIZE = (1600, 1200)
_HEADER_HEIGHT = 26
_GAP = 4
# The header colours and letters of Slicer's views.
_SLICE_VIEWS = {"Red": ("R", (243, 74, 51)), "Yellow": ("Y", (237, 213, 76)), "Green": ("G", (110, 176, 75))}
_THREE_D_HEADER = ("1", (116, 131, 224))
_SURFACE = "Closed surface"
_FRAME_COLOUR = (45, 45, 48)
_SLICE_MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLColorLegendDisplayableManager",
                   "vtkMRMLOrientationMarkerDisplayableManager", "vtkMRMLRulerDisplayableManager")
_THREE_D_MANAGERS = ("vtkMRMLCameraDisplayableManager", "vtkMRMLViewDisplayableManager",
                     "vtkMRMLSegmentationsDisplayableManager3D", "vtkMRMLOrientationMarkerDisplayableManager")


def scene_picture(result, size: tuple[int, int] = PICTURE_SIZE) -> np.ndarray:
    """Axial, 3D, coronal and sagittal view of a `CTDoseScene` as Slicer lays them out: uint8 RGB (height, width, 3).

    Slices show CT, dose, colour legend and organ outlines; the 3D view shows organ surfaces, never the skin. Raises
    `InputError` when the machine can draw nothing (no OpenGL, not even in software).
    """
    _check_drawing()
    width, height = (size[0] - _GAP) // 2, (size[1] - _GAP) // 2
    views = {name: _slice_picture(name, width, height, result) for name in _SLICE_VIEWS}
    views["3D"] = _three_d_picture(result.segmentation, width, height)
    picture = np.empty((2 * height + _GAP, 2 * width + _GAP, 3), np.uint8)
    picture[:] = _FRAME_COLOUR
    for name, top, left in (("Red", 0, 0), ("3D", 0, 1), ("Green", 1, 0), ("Yellow", 1, 1)):
        row, column = top * (height + _GAP), left * (width + _GAP)
        picture[row:row + height, column:column + width] = views[name]
    return picture


def save_picture(picture: np.ndarray, path) -> None:
    """Write an RGB picture (height, width, 3; uint8) as PNG, whole or not at all. Raises `InputError`."""
    import vtk

    writer = vtk.vtkPNGWriter()
    writer.SetInputData(_vtk_image(picture))
    with whole_file(path) as temporary, vtk_messages_kept():
        writer.SetFileName(str(temporary))
        writer.Write()
        if writer.GetErrorCode():
            raise OSError(f"VTK's writer failed with code {writer.GetErrorCode()}")


def _check_drawing() -> None:
    with vtk_messages_kept():
        able = _window_class() is not None and _off_screen_window(16, 16).SupportsOpenGL()
    if not able:
        raise InputError("this machine cannot draw pictures of scenes: no OpenGL library",
                         mend="Install one that draws in software; on Debian: apt install libegl1 libgl1-mesa-dri.")


def _slice_picture(name: str, width: int, height: int, result) -> np.ndarray:
    import slicer

    letter, colour = _SLICE_VIEWS[name]
    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName(name)
    node = logic.GetSliceNode()
    height -= _HEADER_HEIGHT
    with _marks_shown(node):
        logic.ResizeSliceNode(width, height)
        fit_to(node, filled_corners_ras(result.segmentation))
        window, renderer, group = _view(node, width, height, _SLICE_MANAGERS)
        _renew_legend(result.dose)
        renderer.AddViewProp(_slice_image(logic))
        opacity = round(100 * logic.GetSliceCompositeNode().GetForegroundOpacity())
        renderer.AddViewProp(_text(f"F: {result.dose.GetName()} ({opacity}%)\nB: {result.ct.GetName()}", 10, 10, 14))
        picture = _pixels(window)
        _release(window, group)
    place = "{}: {:.1f} mm".format({"Axial": "S", "Coronal": "A", "Sagittal": "R"}.get(node.GetOrientation(), ""),
                                   logic.GetSliceOffset())
    return np.vstack([_header(letter, node.GetOrientation(), place, colour, width), picture])


def _three_d_picture(segmentation_node, width: int, height: int) -> np.ndarray:
    node = start_slicer().GetFirstNodeByClass("vtkMRMLViewNode")
    height -= _HEADER_HEIGHT
    with _marks_shown(node), _surfaces(segmentation_node):
        box, labels = node.GetBoxVisible(), node.GetAxisLabelsVisible()
        node.SetBoxVisible(False)
        node.SetAxisLabelsVisible(False)
        window, renderer, group = _view(node, width, height, _THREE_D_MANAGERS)
        _look_from_the_front(renderer)
        picture = _pixels(window)
        _release(window, group)
        node.SetBoxVisible(box)
        node.SetAxisLabelsVisible(labels)
    return np.vstack([_header(_THREE_D_HEADER[0], "", "", _THREE_D_HEADER[1], width), picture])


def _view(node, width: int, height: int, managers):
    """An off-screen window whose displayable managers follow a view node."""
    import slicer
    import vtk

    window = _off_screen_window(width, height)
    renderer = vtk.vtkRenderer()
    renderer.SetUseDepthPeeling(True)
    renderer.SetUseFXAA(True)
    window.AddRenderer(renderer)
    interactor = vtk.vtkGenericRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    for name in managers:
        manager = getattr(slicer, name)()
        manager.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        group.AddDisplayableManager(manager)
    group.SetMRMLDisplayableNode(node)
    return window, renderer, group


def _off_screen_window(width: int, height: int):
    window = _window_class()()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetAlphaBitPlanes(1)
    window.SetSize(width, height)
    return window


def _window_class():
    """The class of VTK's windows that works here, None when none does.

    Without a display VTK's own choice (VTK 9.6) tries X first, and ends the process where libX11 is missing.
    """
    import vtk

    if sys.platform != "linux" or os.environ.get("DISPLAY"):
        return vtk.vtkRenderWindow
    for library, name in (("libEGL.so.1", "vtkEGLRenderWindow"), ("libOSMesa.so.8", "vtkOSOpenGLRenderWindow")):
        with suppress(OSError):
            ctypes.CDLL(library)
            return getattr(vtk, name)
    return None


def _release(window, group) -> None:
    group.SetMRMLDisplayableNode(None)
    window.Finalize()


def _slice_image(logic):
    """The blended slice, as the slice widget shows it: values are colours already."""
    import vtk

    mapper = vtk.vtkImageMapper()
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    mapper.SetInputConnection(logic.GetImageDataConnection())
    actor = vtk.vtkActor2D()
    actor.SetMapper(mapper)
    actor.GetProperty().SetDisplayLocationToBackground()
    return actor


def _renew_legend(dose_node) -> None:
    """Make the colour legend anew: its manager sees only legends that are added after the view is there."""
    import slicer

    old = slicer.modules.colors.logic().GetColorLegendDisplayNode(dose_node)
    if old is not None:
        start_slicer().RemoveNode(old)
        add_legend(dose_node)


def _look_from_the_front(renderer) -> None:
    """From anterior, slightly from the patient's left and above, filling the view."""
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(0, 0, 0)
    camera.SetPosition(-0.45, 1.0, 0.18)  # RAS: anterior is +A
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCamera()
    camera.Zoom(0.92 / _largest_view_coordinate(renderer))
    renderer.ResetCameraClippingRange()


def _largest_view_coordinate(renderer) -> float:
    """How far the boxes around the visible surfaces reach towards the edges of the view: 1 touches an edge."""
    reach = 1e-3
    for actor in renderer.GetActors():
        if not actor.GetVisibility() or not actor.GetMapper() or not actor.GetMapper().GetInput().GetNumberOfPolys():
            continue
        bounds = actor.GetBounds()
        for corner in itertools.product(bounds[0:2], bounds[2:4], bounds[4:6]):
            renderer.SetWorldPoint(*corner, 1.0)
            renderer.WorldToView()
            reach = max(reach, *(abs(value) for value in renderer.GetViewPoint()[:2]))
    return reach


@contextmanager
def _marks_shown(view_node):
    """Orientation cube and ruler while the picture is taken; the user's choice comes back afterwards."""
    marker, ruler = view_node.GetOrientationMarkerType(), view_node.GetRulerType()
    view_node.SetOrientationMarkerType(view_node.OrientationMarkerTypeCube)
    view_node.SetRulerType(view_node.RulerTypeThin)
    try:
        yield
    finally:
        view_node.SetOrientationMarkerType(marker)
        view_node.SetRulerType(ruler)


@contextmanager
def _surfaces(segmentation_node):
    """Closed surfaces of the organs worth seeing in 3D; taken away again unless they were there before."""
    segmentation, display = segmentation_node.GetSegmentation(), segmentation_node.GetDisplayNode()
    visible = {segment_id: display.GetSegmentVisibility3D(segment_id) for segment_id in segmentation.GetSegmentIDs()}
    shown = set(organs_shown_in_3d(list(visible)))
    before = segmentation.ContainsRepresentation(_SURFACE)
    try:
        for segment_id in visible:
            display.SetSegmentVisibility3D(segment_id, segment_id in shown)
            if not before:
                segmentation.GetSegment(segment_id).AddRepresentation(
                    _SURFACE, _surface(segmentation, segment_id, wanted=segment_id in shown))
        yield
    finally:
        for segment_id, was_visible in visible.items():
            display.SetSegmentVisibility3D(segment_id, was_visible)
        if not before:
            segmentation.RemoveRepresentation(_SURFACE)


def _surface(segmentation, segment_id: str, wanted: bool):
    """The surface of a segment as vtkPolyData; empty for one without voxels and for one that is not wanted.

    Slicer shows surfaces only where every segment has one, but those of skin, fat and muscle cost most of the time.
    """
    import slicer
    import vtk

    if not wanted:
        return vtk.vtkPolyData()
    surface = slicer.vtkSlicerSegmentationsModuleLogic.CreateRepresentationForOneSegment(
        segmentation, segment_id, _SURFACE)
    if surface is None:
        return vtk.vtkPolyData()
    surface.UnRegister(None)  # the logic hands over a reference that Python does not count
    return surface


def _header(letter: str, name: str, place: str, colour, width: int) -> np.ndarray:
    import vtk

    window = _off_screen_window(width, _HEADER_HEIGHT)
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(*(component / 255 for component in colour))
    window.AddRenderer(renderer)
    for text, x, bold in ((letter, 10, True), (name, 36, False), (place, width - 110, False)):
        actor = _text(text, x, 7, 15, colour=(0, 0, 0))
        actor.GetTextProperty().SetBold(bold)
        renderer.AddViewProp(actor)
    pixels = _pixels(window)
    window.Finalize()
    return pixels


def _text(text: str, x: int, y: int, size: int, colour=(1, 1, 1)):
    import vtk

    actor = vtk.vtkTextActor()
    actor.SetInput(text)
    actor.SetDisplayPosition(x, y)
    properties = actor.GetTextProperty()
    properties.SetFontSize(size)
    properties.SetFontFamilyToArial()
    properties.SetColor(*colour)
    properties.SetShadow(colour == (1, 1, 1))
    return actor


def _pixels(window) -> np.ndarray:
    """What a window shows, uint8 RGB (height, width, 3), first row on top."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.SetInputBufferTypeToRGB()
    grabber.Update()
    image = grabber.GetOutput()
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


def _vtk_image(picture: np.ndarray):
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    height, width, _ = picture.shape
    image = vtk.vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(numpy_to_vtk(picture[::-1].reshape(-1, 3).copy(), deep=True))
    return image
