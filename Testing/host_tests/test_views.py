"""The stand-in views show what Slicer's views show; judged by the pixels of their pictures."""

import numpy as np
import pytest
import slicer
import vtk
from host import phantom
from host.plot_view import qMRMLPlotWidget
from host.table_view import qMRMLTableWidget
from host.three_d_view import qMRMLThreeDWidget
from host.views import qMRMLSliceWidget
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox

from organdose.scene import screenshot


@pytest.fixture
def scene(host):
    return host.scene


@pytest.fixture
def red(scene):
    """The axial slice view, 400 x 400 pixels under its bar."""
    widget = qMRMLSliceWidget(slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red"))
    widget.resize(400, 424)
    widget.grab()
    return widget


@pytest.fixture
def three_d(scene):
    widget = qMRMLThreeDWidget(scene.GetFirstNodeByClass("vtkMRMLViewNode"))
    widget.resize(300, 324)
    return widget


def pixels(view) -> np.ndarray:
    """What a widget shows: uint8 RGB (height, width, 3)."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, :3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def at_ras(widget, picture, ras) -> list[int]:
    """The colour (RGB) of a point (RAS, mm) in the picture of a slice view."""
    to_xy = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(widget.mrmlSliceNode().GetXYToRAS(), to_xy)
    x, y, *_ = to_xy.MultiplyPoint((*ras, 1))
    return picture[round(picture.shape[0] - 1 - y), round(x)].astype(int).tolist()


TISSUE, BONE, AIR = (0, 40, 2), (2, -50, 2), (0, 115, 2)


def test_a_slice_view_shows_the_ct_in_its_window(red):
    phantom.show_in_slices(phantom.add_ct())
    red.fitSliceToBackground()
    picture = pixels(red.sliceView())
    shown = {place: at_ras(red, picture, place) for place in (TISSUE, BONE, AIR)}
    expected = {TISSUE: 255 * 1040 / 2000, BONE: 255 * 1700 / 2000, AIR: 0}
    for place, grey in expected.items():
        assert shown[place] == pytest.approx([grey] * 3, abs=3)


def test_the_dose_lies_over_the_ct_in_its_colour_and_only_where_it_is(red):
    phantom.show_in_slices(phantom.add_ct(), phantom.add_dose(), opacity=0.5)
    red.fitSliceToBackground()
    picture = pixels(red.sliceView())
    right, left = at_ras(red, picture, (-60, 0, 2)), at_ras(red, picture, (60, 0, 2))
    (red_value, green, blue), grey = sorted((right, left), key=lambda colour: colour[1])
    assert red_value > 180 and green == blue and green == pytest.approx(grey[0] / 2, abs=3)
    assert len(set(grey)) == 1


def test_a_colour_legend_appears_beside_the_slice_and_goes_again(red, scene):
    ct, dose = phantom.add_ct(), phantom.add_dose()
    phantom.show_in_slices(ct, dose)
    red.fitSliceToBackground()
    without = pixels(red.sliceView())
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(dose)
    with_legend = pixels(red.sliceView())
    changed = (without != with_legend).any(axis=2)
    assert changed[:, 320:].sum() > 500 and not changed[:, :200].any()
    scene.RemoveNode(legend)
    assert (pixels(red.sliceView()) == without).all()


def test_a_segment_has_an_outline_in_its_colour_and_follows_edits(red):
    ct = phantom.add_ct()
    node = phantom.add_segmentation(ct, bone=phantom.bone())
    phantom.show_in_slices(ct)
    red.fitSliceToBackground()
    node.GetSegmentation().GetSegment("bone").SetColor(0, 1, 0)
    node.GetDisplayNode().SetAllSegmentsVisibility2DFill(False)
    node.GetDisplayNode().SetOpacity2DOutline(1.0)
    picture = pixels(red.sliceView())
    _, columns = np.nonzero((picture[..., 1] > 150) & (picture[..., 0] < 100))
    diameter_pixels = 40 / red.mrmlSliceNode().GetFieldOfView()[0] * 400
    assert np.ptp(columns) == pytest.approx(diameter_pixels, abs=8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros((64, 64, 64), np.uint8), node, "bone", ct)
    picture = pixels(red.sliceView())
    assert not ((picture[..., 1] > 150) & (picture[..., 0] < 100)).any()


def test_models_cut_the_slice_as_lines(red, scene):
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(50)
    sphere.SetThetaResolution(60)
    sphere.SetPhiResolution(60)
    sphere.Update()
    model = slicer.modules.models.logic().AddModel(sphere.GetOutput())
    model.GetDisplayNode().SetColor(1, 1, 0)
    model.GetDisplayNode().SetVisibility2D(True)
    picture = pixels(red.sliceView())
    assert ((picture[..., 0] > 150) & (picture[..., 1] > 150) & (picture[..., 2] < 80)).sum() > 50


def test_bar_wheel_and_drag_move_the_slice(red):
    phantom.show_in_slices(phantom.add_ct())
    red.fitSliceToBackground()
    position = red.sliceController().findChild(QDoubleSpinBox)
    position.setValue(42)
    assert red.sliceLogic().GetSliceOffset() == pytest.approx(42)
    view, middle = red.sliceView(), QPoint(200, 200)
    wheel = QWheelEvent(QPointF(middle), QPointF(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view, wheel)
    assert red.sliceLogic().GetSliceOffset() == pytest.approx(46) and position.text() == "S: 46.0 mm"
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(view, QPoint(200, 208))
    assert red.sliceLogic().GetSliceOffset() == pytest.approx(38)


def test_a_view_is_drawn_again_only_after_a_change(red, monkeypatch):
    ct = phantom.add_ct()
    phantom.show_in_slices(ct)
    red.fitSliceToBackground()
    first = pixels(red.sliceView())
    window = red.sliceView().renderWindow()
    drawn = []
    window.AddObserver("StartEvent", lambda *_: drawn.append(1))
    assert (pixels(red.sliceView()) == first).all() and not drawn
    ct.GetDisplayNode().SetWindowLevel(500, 0)
    assert (pixels(red.sliceView()) != first).any() and drawn


def test_paused_views_keep_their_picture(red):
    ct = phantom.add_ct()
    phantom.show_in_slices(ct)
    before = pixels(red.sliceView())
    red.sliceView().setRenderPaused(True)
    ct.GetDisplayNode().SetWindowLevel(500, 0)
    assert (pixels(red.sliceView()) == before).all()
    red.sliceView().setRenderPaused(False)
    assert (pixels(red.sliceView()) != before).any()


def test_without_opengl_a_view_is_grey_and_nothing_fails(scene, monkeypatch):
    monkeypatch.setattr(screenshot, "_window_class", lambda: None)
    widget = qMRMLSliceWidget(slicer.app.applicationLogic().GetSliceLogicByLayoutName("Green"))
    widget.resize(200, 200)
    picture = pixels(widget.sliceView())
    assert (picture == 110).all()
    widget.sliceView().forceRender()


def test_the_3d_view_shows_a_model_and_finds_it(three_d, scene):
    cube = vtk.vtkCubeSource()
    cube.SetCenter(500, 0, 0)
    cube.SetXLength(80)
    cube.SetYLength(80)
    cube.SetZLength(80)
    cube.Update()
    model = slicer.modules.models.logic().AddModel(cube.GetOutput())
    model.GetDisplayNode().SetColor(0, 1, 0)

    def green():
        picture = pixels(three_d.threeDView()).astype(int)
        return (picture[..., 1] > picture[..., 0] + 60) & (picture[..., 1] > picture[..., 2] + 60)

    assert not green().any()
    three_d.threeDView().resetFocalPoint()
    found = green()
    assert found[150, 150] and found.mean() < 0.5
    three_d.threeDView().resetCamera()
    assert green().sum() > found.sum()
    model.SetDisplayVisibility(False)
    assert not green().any()


def test_the_3d_view_shows_segment_surfaces(three_d):
    ct = phantom.add_ct()
    before = pixels(three_d.threeDView())
    node = phantom.add_segmentation(ct, bone=phantom.bone())
    node.CreateClosedSurfaceRepresentation()
    three_d.threeDView().resetFocalPoint()
    assert (pixels(three_d.threeDView()) != before).any(axis=2).mean() > 0.02


@pytest.fixture
def chart(scene):
    """A chart with a falling line in pure blue."""
    x = np.linspace(0, 10, 50)
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "DVH table")
    slicer.util.updateTableFromArray(table, np.column_stack([x, 100 - 10 * x]), ["dose", "volume"])
    series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "Liver")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("dose")
    series.SetYColumnName("volume")
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleNone)
    series.SetLineWidth(4)
    series.SetColor(0, 0, 1)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", "DVH")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetXAxisTitle("Dose (mGy)")
    chart.SetLegendVisibility(False)
    return chart


def test_the_plot_shows_a_curve_in_its_colour_and_follows_the_chart(chart, scene):
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpPlotView)
    node = scene.GetFirstNodeByClass("vtkMRMLPlotViewNode")
    widget = qMRMLPlotWidget(node)
    widget.resize(400, 324)
    blue = lambda: (pixels(widget.plotView()) == (0, 0, 255)).all(axis=2)  # noqa: E731
    node.SetPlotChartNodeID(None)
    assert not blue().any()
    node.SetPlotChartNodeID(chart.GetID())
    rows, columns = np.nonzero(blue())
    assert np.ptp(columns) > 250 and np.corrcoef(rows, columns)[0, 1] > 0.99  # falls in a straight line
    chart.GetNthPlotSeriesNode(0).SetColor(1, 0, 0)
    assert not blue().any() and (pixels(widget.plotView()) == (255, 0, 0)).all(axis=2).any()
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    before = pixels(widget.plotView())
    table.GetTable().GetColumn(1).SetValue(25, 0.0)
    table.GetTable().Modified()
    assert (pixels(widget.plotView()) != before).any()


def test_the_table_view_shows_titles_and_values_and_copies_them(scene):
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpTableView)
    node = scene.GetFirstNodeByClass("vtkMRMLTableViewNode")
    widget = qMRMLTableWidget(node)
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "Organs")
    slicer.util.updateTableFromArray(table, np.array([[1.5, 2.25], [3.0, 4.125]]), ["mean_mgy", "max_mgy"])
    node.SetTableNodeID(table.GetID())
    view = widget.tableView()
    assert view.mrmlTableNode() is table
    assert view.model().index(0, 1).data() == "max_mgy"  # names fill the first row, as in Slicer
    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetColumnTitle("mean_mgy", "Mean dose (mGy)")
    titles = [view.model().headerData(column, view.horizontalHeader().orientation()) for column in range(2)]
    assert titles == ["Mean dose (mGy)", "max_mgy"]
    view.selectAll()
    view.copySelection()
    assert QGuiApplication.clipboard().text() == "1.5\t2.25\n3\t4.125"
    scene.RemoveNode(table)
    node.SetTableNodeID(None)
    assert view.model().rowCount() == 0
