"""The stand-in main window: layouts as Slicer describes them, and pictures of everything in it."""

import pytest
from host import phantom
from host.main_window import MainWindow
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from organdose.scene.headless import clear_scene


@pytest.fixture
def scene(host):
    return host.scene


@pytest.fixture
def window(scene):
    return MainWindow()


@pytest.fixture
def panel():
    """A module's panel of ten lines of a given height (pixels); the last one is blue."""
    def make(line_height: int):
        widget = QWidget()
        box = QVBoxLayout(widget)
        for number in range(10):
            label = QLabel(f"line {number}")
            label.setFixedHeight(line_height)
            box.addWidget(label)
        label.setStyleSheet("background: rgb(0, 0, 255)")
        box.addStretch()
        return widget

    return make


def place(window, widget):
    """Where the middle of a widget is in the picture of the window."""
    return widget.mapTo(window, widget.rect().center())


def test_the_picture_shows_the_panel_beside_four_views(window, panel):
    phantom.show_in_slices(phantom.add_ct())
    window.set_module_widget(panel(20), "Dose Estimator")
    views = window.layoutManager()
    window.picture()
    views.resetSliceViews()
    picture = window.picture()
    assert (picture.width(), picture.height()) == (1400, 900)
    assert window.windowTitle() == "Dose Estimator - 3D Slicer"
    red, green, yellow = (views.sliceWidget(name).sliceView() for name in ("Red", "Green", "Yellow"))
    three_d = views.threeDWidget(0).threeDView()
    red_at, three_d_at, green_at, yellow_at = (place(window, view) for view in (red, three_d, green, yellow))
    assert red_at.x() == green_at.x() < three_d_at.x() == yellow_at.x()
    assert abs(red_at.y() - three_d_at.y()) < 3 and green_at.y() == yellow_at.y() > red_at.y()
    grey = picture.pixelColor(red_at)
    assert grey.red() == grey.green() == grey.blue() == pytest.approx(255 * 1040 / 2000, abs=3)
    bar = picture.pixelColor(place(window, views.sliceWidget("Red")).x(), red_at.y() - red.height() // 2 - 22)
    assert (bar.red(), bar.green(), bar.blue()) == pytest.approx((243, 74, 51), abs=2)


def test_a_tall_panel_is_shown_whole_on_request(window, panel):
    window.set_module_widget(panel(150), "Tall")
    cut, whole = window.picture(), window.picture(full_panel=True)

    def blue(picture):
        return any(picture.pixelColor(200, y).getRgb()[:3] == (0, 0, 255) for y in range(picture.height()))

    assert not blue(cut) and cut.height() == 900
    assert blue(whole) and 1500 < whole.height() < 1800
    assert window.height() == 900


def test_pictures_are_saved_or_fail_loudly(window, tmp_path):
    window.save_picture(tmp_path / "window.png")
    assert QImage(str(tmp_path / "window.png")).width() == 1400
    with pytest.raises(OSError, match="cannot write"):
        window.save_picture(tmp_path / "no such folder" / "window.png")


def test_another_module_takes_the_place_of_the_one_before(window, panel):
    first, second = panel(20), panel(20)
    chosen = []
    window.moduleSelected.connect(chosen.append)
    window.set_modules(["First", "Second"])
    window.set_module_widget(first, "First")
    window.set_module_widget(second, "Second")
    assert window.isAncestorOf(second) and not window.isAncestorOf(first)
    assert window._modules.currentText() == "Second" and window._modules.count() == 2
    window._modules.textActivated.emit("First")
    assert chosen == ["First"]


def test_layouts_show_the_views_that_slicers_description_names(window, scene):
    views, node = window.layoutManager(), scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    red = views.sliceWidget("Red")
    assert (views.threeDViewCount, views.plotViewCount, views.tableViewCount) == (1, 0, 0)
    assert views.plotWidget(0) is None and views.tableWidget(0) is None

    def shown():
        three_d, plot, table = (getattr(views, name)(0) for name in ("threeDWidget", "plotWidget", "tableWidget"))
        slices = [views.sliceWidget(name) for name in ("Red", "Yellow", "Green")]
        return [widget is not None and not widget.isHidden() for widget in (*slices, three_d, plot, table)]

    expected = {node.SlicerLayoutFourUpView: [1, 1, 1, 1, 0, 0],
                node.SlicerLayoutOneUpRedSliceView: [1, 0, 0, 0, 0, 0],
                node.SlicerLayoutFourUpPlotTableView: [1, 1, 1, 0, 1, 1],
                node.SlicerLayoutFourUpTableView: [1, 1, 1, 1, 0, 1],
                node.SlicerLayoutFourUpPlotView: [1, 1, 1, 0, 1, 0],
                node.SlicerLayout3DTableView: [0, 0, 0, 1, 0, 1],
                node.SlicerLayoutConventionalView: [1, 1, 1, 1, 0, 0],
                node.SlicerLayoutThreeByThreeSliceView: [1, 1, 1, 1, 0, 0]}  # unknown views: shown as four-up
    for layout, visible in expected.items():
        views.setLayout(layout)
        assert shown() == [bool(view) for view in visible], layout
        assert views.layout == layout
    assert views.sliceWidget("Red") is red


def test_the_layout_follows_the_node_and_fills_the_window(window, scene):
    node, changes = scene.GetFirstNodeByClass("vtkMRMLLayoutNode"), []
    window.layoutManager().layoutChanged.connect(changes.append)
    node.SetViewArrangement(node.SlicerLayoutOneUpRedSliceView)
    window.picture()
    red = window.layoutManager().sliceWidget("Red")
    assert red.height() == 900 and red.width() > 950
    assert changes == [node.SlicerLayoutOneUpRedSliceView]


def test_paused_rendering_holds_for_views_that_come_later(window, scene):
    views, node = window.layoutManager(), scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    views.setRenderPaused(True)
    views.setLayout(node.SlicerLayoutFourUpPlotView)
    assert views.plotWidget(0).plotView().renderPaused() and views.sliceWidget("Red").sliceView().renderPaused()
    views.setRenderPaused(False)
    assert not views.plotWidget(0).plotView().renderPaused()


def test_views_live_through_the_closing_of_the_scene(window, scene):
    views, node = window.layoutManager(), scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    views.setLayout(node.SlicerLayoutFourUpPlotTableView)
    phantom.show_in_slices(phantom.add_ct(), phantom.add_dose())
    views.resetSliceViews()
    full = window.picture()
    clear_scene()
    empty = window.picture()
    where = place(window, views.sliceWidget("Red").sliceView())
    assert empty.pixelColor(where).getRgb()[:3] == (0, 0, 0) and empty != full
    phantom.show_in_slices(phantom.add_ct())
    views.resetSliceViews()
    assert window.picture().pixelColor(where).red() > 100
