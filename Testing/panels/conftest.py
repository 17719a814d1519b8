"""The stand-in Slicer for the pieces of window: somewhere to show them, and a queue of jobs of their own."""

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap

pytest.importorskip("slicer", reason="slicer-core is not installed (pip install 'organdose[slicer]')")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed (pip install 'organdose[dev]')")

_TESTING = Path(__file__).resolve().parent.parent
if str(_TESTING) not in sys.path:
    sys.path.insert(0, str(_TESTING))

from host.fixtures import host  # noqa: E402, F401 - the fixture of every test here

RECORD = {"task": "ct-dose", "facts": {"ctdivol_mean_mgy": 10.0, "ctdi_phantom_cm": 32.0, "dlp_mgy_cm": 200.0,
                                       "tube_voltage_kv": 120.0, "histories": 1e6, "engine": "synthetic 1.0"}}


@pytest.fixture
def qt(host):  # noqa: F811
    """Slicer's `qt`."""
    import qt

    return qt


@pytest.fixture
def show(host, qt):  # noqa: F811
    """Shows a widget in a window as wide as a module panel, so that a person could use it; gives the widget back."""
    windows = []

    def shown(widget):
        window = qt.QWidget()
        windows.append(window)
        qt.QVBoxLayout(window).addWidget(widget)
        window.resize(400, 500)
        window.show()
        host.process()
        return widget

    yield shown
    for window in windows:
        window.close()
        window.deleteLater()
    host.process()


@pytest.fixture
def jobs(host, monkeypatch):  # noqa: F811
    """`organdose.panels.window_jobs` with a queue of its own, whose jobs know the task 'sample'."""
    import slicer

    from organdose.panels import window_jobs

    monkeypatch.setenv("PYTHONPATH", str(_TESTING / "jobs" / "sample_job"))
    monkeypatch.setattr(window_jobs, "_shared", shared := {})
    yield window_jobs
    if "queue" in shared:
        shared["timer"].stop()
        slicer.mrmlScene.RemoveObserver(shared["tag"])
        shared["queue"].close()


@pytest.fixture
def cylinder(host):  # noqa: F811
    """CT and masks (body, spinal cord) of the water cylinder of the modules' self-tests: nodes `ct` and `masks`."""
    from organdose.panels.self_test import water_cylinder

    ct, masks, _sheet = water_cylinder()
    return SimpleNamespace(ct=ct, masks=masks)


@pytest.fixture
def dose_map():
    """5 mGy in the axis of that cylinder rising to 20 mGy at its surface, 10 mm voxels, 2 % each."""
    place_mm = 10.0 * (np.arange(30) - 14.5)
    radius_mm = np.hypot(place_mm[:, None], place_mm[None, :])
    plane = np.where(radius_mm < 120, 5 + radius_mm / 8, 0).astype(np.float32)
    images = []
    for values in (plane, np.full_like(plane, 0.02)):
        images.append(sitk.GetImageFromArray(np.broadcast_to(values, (20, 30, 30)).copy()))
        images[-1].SetSpacing((10.0, 10.0, 10.0))
        images[-1].SetOrigin((-145.0, -145.0, 0.0))
    density = np.broadcast_to(np.where(radius_mm < 120, 1.0, 0.001), (20, 30, 30)).astype(np.float32)
    return DoseMap(images[0], density, "synthetic 1.0", relative_uncertainty=images[1])


@pytest.fixture
def rows():
    """Two rows as a job might have computed them; the live table would say something else."""
    return [OrganDose("body", "38266002", 9000.0, 9000.0, 15.0, 0.5, 3.0, 5.0, 20.0, 6.0, 15.0, 19.5, math.nan, ""),
            OrganDose("spinal_cord", "2748008", 250.0, 250.0, 6.5, None, 0.5, 5.0, 7.5, 5.1, 6.5, 7.4, 40.0, "cut")]


@pytest.fixture
def histograms():
    return [DoseVolumeHistogram(organ, np.linspace(0, top_mgy, 21), np.linspace(100, 0, 21))
            for organ, top_mgy in (("body", 20.0), ("spinal_cord", 7.5))]


@pytest.fixture
def new_result(cylinder, dose_map, rows, histograms):
    """Puts a CT dose result on the cylinder into the scene; gives its `CTDoseScene`."""
    from organdose.scene.ct_dose_scene import add_ct_dose_result

    def add(**more):
        more = {"report_html": "<p>Report</p>", "record": RECORD, **more}
        return add_ct_dose_result(cylinder.ct, cylinder.masks, dose_map, rows, histograms, **more)

    return add


@pytest.fixture
def nodes_and_files(host):  # noqa: F811
    """What the scene holds now (IDs of nodes), and the files below the folders of this process's jobs."""
    import os
    import tempfile

    def look():
        roots = Path(tempfile.gettempdir()).glob(f"organdose-*-{os.getpid()}-*")
        return ({host.scene.GetNthNode(index).GetID() for index in range(host.scene.GetNumberOfNodes())},
                sorted(str(path) for root in roots for path in root.rglob("*") if path.is_file()))

    return look
