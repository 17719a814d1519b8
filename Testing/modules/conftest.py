"""The modules' windows in the stand-in Slicer, a small study for them, and a person's gestures at their tables."""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import SimpleITK as sitk

pytest.importorskip("slicer", reason="slicer-core is not installed (pip install 'organdose[slicer]')")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed (pip install 'organdose[dev]')")

REPOSITORY = Path(__file__).resolve().parents[2]
if str(REPOSITORY / "Testing") not in sys.path:
    sys.path.insert(0, str(REPOSITORY / "Testing"))

from host.fixtures import host  # noqa: E402, F401 - the fixture of every test here
from host.pythonqt import unwrap  # noqa: E402
from PySide6.QtCore import QPoint, Qt  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QLineEdit, QStyle, QStyleOptionViewItem  # noqa: E402

# The acquisition of `self_test.water_cylinder`, by the titles of the window: one calibration serves all jobs here.
FACTS = {"Tube voltage": "120", "Total collimation": "40", "Scan kind": "helical", "Pitch": "1", "CTDIvol": "10",
         "CTDI phantom": "32"}
PATIENCE_S = 120


@pytest.fixture(scope="session")
def calibration_cache(cheap_calibrations) -> Path:
    """A cache folder with the CTDI calibration that belongs to `FACTS`."""
    from organdose.ct.ctdi import calibrated
    from organdose.ct.exposure import exposure_of
    from organdose.ct.monte_carlo_engine import xray_source
    from organdose.ct.scanner import load_scanner
    from organdose.study.ct_fact_sheet import TITLES, CTFactSheet
    from organdose.study.ct_study import CTStudy

    sheet, names = CTFactSheet(), {title: name for name, (title, _unit) in TITLES.items()}
    for title, text in FACTS.items():
        sheet.write(names[title], text)
    scanner = load_scanner("generic")
    exposure = exposure_of(CTStudy(sitk.Image((4, 4, 4), sitk.sitkInt16), sheet.acquisition()), scanner)
    with cheap_calibrations() as cache:
        calibrated(xray_source(scanner, exposure), exposure.phantom_cm)
    return cache


@pytest.fixture(autouse=True)
def quick_jobs(calibration_cache, monkeypatch):
    """Jobs of these windows find that calibration."""
    from organdose.panels import window_jobs

    monkeypatch.setenv("ORGANDOSE_CACHE", str(calibration_cache))
    window_jobs._shared.pop("chosen", None)  # the environment of jobs is taken once
    yield
    window_jobs._shared.pop("chosen", None)


@pytest.fixture(autouse=True)
def analytic_engine_first(monkeypatch):
    """Windows begin with the engine that takes a second, whether or not a network is shipped."""
    monkeypatch.setattr("organdose.segmentation.engine_needs.first_engine", lambda *_: "analytic")


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory):
    """A generated PET/CT study with DICOM files, coarse; `PhantomStudyPaths`. Read only."""
    from organdose.jobs.phantom_study import write_phantom_study

    return write_phantom_study("adult-male", tmp_path_factory.mktemp("phantom") / "study", slice_mm=20, pixels=64)


@pytest.fixture
def open_module(host):  # noqa: F811
    """Loads and chooses a module; gives its widget."""
    def choose(name):
        host.load_module(REPOSITORY / name)
        host.select(name)
        return host.widget(name)

    return choose


@pytest.fixture
def cylinder(host):  # noqa: F811
    """A water cylinder of 24 cm with the masks body and spinal cord, in the scene: `ct`, `masks`."""
    from organdose.panels.self_test import water_cylinder

    ct, masks, _sheet = water_cylinder()
    return SimpleNamespace(ct=ct, masks=masks)


@pytest.fixture
def ready(host, open_module, facts, cylinder):  # noqa: F811
    """DoseEstimator with all that a quick dose of the cylinder needs: `window`, `ui`, `ct`, `masks`, `facts`."""
    window = open_module("DoseEstimator")
    host.choose(window.ui.ctSelector, cylinder.ct)
    host.choose(window.ui.segmentationSelector, cylinder.masks)
    sheet = facts(window)
    for title, text in FACTS.items():
        sheet.write(title, text)
    host.type_text(window.form.editor("histories"), "50000")
    host.type_text(window.ui.voxelSpin, "10")
    return SimpleNamespace(window=window, ui=window.ui, ct=cylinder.ct, masks=cylinder.masks, facts=sheet)


@pytest.fixture
def computed(host, ready):  # noqa: F811
    """`ready` after Compute dose, with the `result` (CTDoseScene)."""
    from organdose.scene.ct_dose_scene import find_results

    host.click(ready.window.job.run_button)
    host.wait_until(lambda: not ready.window.job.is_busy, PATIENCE_S, "the dose")
    assert ready.window.job.status.text.startswith("Done"), ready.window.job.status.text
    ready.result, = find_results()
    return ready


@pytest.fixture(scope="session")
def saved_result(tmp_path_factory) -> Path:
    """Where the scene of the first `computed` is kept for `opened`."""
    return tmp_path_factory.mktemp("scene") / "computed.mrb"


@pytest.fixture
def opened(host, open_module, facts, saved_result, request):  # noqa: F811
    """As `computed`, in a scene that was saved and is opened again: what needs no run need not wait for one."""
    from organdose.scene.ct_dose_scene import find_results

    if not saved_result.is_file():
        request.getfixturevalue("computed")
        host.save_scene(saved_result)
        host.reset()
    window = open_module("DoseEstimator")
    host.load_scene(saved_result)
    result, = find_results()
    return SimpleNamespace(window=window, ui=window.ui, ct=result.ct, masks=result.segmentation, facts=facts(window),
                           result=result)


@pytest.fixture
def settled(host):  # noqa: F811
    """Waits until the results of the scene have followed the edits of their masks."""
    from organdose.panels.result_following import result_following

    def wait():
        host.process(0.05)
        host.wait_until(lambda: not result_following().is_busy, PATIENCE_S, "the table to follow")

    return wait


@pytest.fixture
def job_files():
    """What jobs of this process have on disk now: the files below the folders that are theirs."""
    def look() -> list[str]:
        roots = Path(tempfile.gettempdir()).glob(f"organdose-*-{os.getpid()}-*")
        return sorted(str(path) for root in roots for path in root.rglob("*") if path.is_file())

    return look


@pytest.fixture
def nodes(host):  # noqa: F811
    """The IDs of all nodes in the scene now."""
    return lambda: {host.scene.GetNthNode(index).GetID() for index in range(host.scene.GetNumberOfNodes())}


@pytest.fixture
def facts(host):  # noqa: F811
    """The table of facts of a window, as a person sees it and types into it."""
    return lambda window: _FactsOnScreen(host, window.ui.factsTable)


@pytest.fixture
def tick(host):  # noqa: F811
    """Clicks the check mark of an item (by its text) of a list or a tree."""
    def click(list_widget, text):
        native = unwrap(list_widget)
        assert native.isVisible() and native.isEnabled(), "nobody could tick this"
        item, = native.findItems(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
        native.scrollToItem(item)
        place, option = native.visualItemRect(item), QStyleOptionViewItem()
        assert not place.isEmpty(), f"{text!r} is not to be seen"
        option.features, option.rect = QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator, place
        mark = native.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, native)
        _click(native.viewport(), QPoint(mark.center().x(), place.center().y()))
        host.process()

    return click


def _click(viewport, place) -> None:
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


class _FactsOnScreen:
    def __init__(self, host, table):  # noqa: F811
        self._host, self._table = host, table

    def titles(self) -> list[str]:
        return [self._table.item(row, 0).text().partition(" (")[0] for row in range(self._table.rowCount)]

    def value(self, title: str) -> str:
        return self._item(title, 1).text()

    def origin(self, title: str) -> str:
        return self._item(title, 2).text()

    def background(self, title: str) -> str:
        return unwrap(self._item(title, 1)).background().color().name()

    def tooltip(self, title: str) -> str:
        return unwrap(self._item(title, 1)).toolTip()

    def write(self, title: str, text: str) -> None:
        """Double-click the value, type over it, press Return."""
        native = unwrap(self._table)
        assert native.isVisible() and native.isEnabled(), "nobody could type into this table"
        place = native.visualItemRect(unwrap(self._item(title, 1))).center()
        _click(native.viewport(), place)
        QTest.mouseDClick(native.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        editor = native.findChild(QLineEdit)
        assert editor is not None, f"the value of {title!r} cannot be edited"
        editor.selectAll()
        QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClicks(editor, text)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        self._host.process()

    def _item(self, title: str, column: int):
        assert title in self.titles(), f"no fact {title!r}, only {self.titles()}"
        return self._table.item(self.titles().index(title), column)
