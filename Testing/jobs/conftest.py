"""One tiny CT as a volume with its protocol, for jobs that are run without the command line."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.jobs.interpreter import Interpreter
from organdose.jobs.parameters import ct_dose_job

FACTS = {"tube_voltage_kv": 120, "total_collimation_mm": 20, "ctdi_phantom_cm": 32, "pitch": 1, "scan_kind": "helical",
         "ctdivol_mgy": 10}


def write_volume(path: Path) -> Path:
    """A water cylinder of 20 cm, 8 slices of 1 cm."""
    place = 10.0 * (np.arange(32) - 15.5)
    plane = np.where(np.hypot(place[:, None], place[None, :]) < 100, 0, -1000).astype(np.int16)
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (8, 32, 32)).copy())
    image.SetSpacing((10.0, 10.0, 10.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def job_of(tmp_path):
    """Makes a quick job on the water cylinder; without a scene unless asked for."""
    def make(**changed):
        (tmp_path / "protocol.json").write_text(json.dumps(FACTS | changed.pop("facts", {})))
        values = {"ct": write_volume(tmp_path / "ct.nrrd"), "out": tmp_path / "result", "voxel_mm": 20,
                  "protocol": tmp_path / "protocol.json", "histories": 20_000, "scene": False}
        return ct_dose_job(**(values | changed))
    return make


@pytest.fixture
def no_pictures(monkeypatch):
    monkeypatch.setattr("organdose.jobs.ct_dose_files.write_pictures", lambda *_, **__: {})


@pytest.fixture(scope="session")
def sample_interpreter() -> Interpreter:
    """The running Python, whose jobs know the task 'sample' (`sample_job/sample_job.py`)."""
    own = Interpreter.own()
    folder = str(Path(__file__).parent / "sample_job")
    return Interpreter(own.executable, {**own.environment, "PYTHONPATH": folder}, own.package_path)


@pytest.fixture(scope="session")
def wait_until():
    """Calls `condition` every few milliseconds until it is true; fails after `patience_s`."""
    def wait(condition, patience_s=60.0):
        give_up_s = time.monotonic() + patience_s
        while not (met := condition()):
            assert time.monotonic() < give_up_s, "waited in vain"
            time.sleep(0.005)
        return met
    return wait


@pytest.fixture(scope="session")
def is_running():
    """Whether a process does anything: an ended one that nobody has asked for does not."""
    def ask(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
        except OSError:
            return False
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs /proc to look at processes")
    return ask
