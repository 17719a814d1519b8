"""Packages that write and read as TotalSegmentator and nnU-Net do, for child processes; and a CT for them."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

# What both do in the end: a file of labels for a file of HU, or what STAND_IN asks for instead.
_WORK = '''
import os, subprocess, sys, time
import numpy as np
import SimpleITK as sitk

def tell(line):
    with open(os.environ["STAND_IN_LOG"], "a") as file:
        file.write(line + "\\n")

def work(source, target, values, smaller):
    wanted = os.environ.get("STAND_IN", "")
    if wanted == "hang":
        child = subprocess.Popen(["sleep", "60"])
        tell(f"pid {os.getpid()} {child.pid}")
        print(" 10%|#         | 1/10", end="\\r", flush=True)
        time.sleep(60)
    if wanted == "memory" or (wanted == "memory once" and not smaller):
        raise MemoryError("Unable to allocate 9 GiB")
    if wanted == "killed":
        os.kill(os.getpid(), 9)
    if wanted == "fail":
        sys.exit("ValueError: something of its own")
    if wanted == "offline":
        raise ConnectionError("Max retries exceeded with url: /weights (Name or service not known)")
    image = sitk.ReadImage(source)
    hu = sitk.GetArrayFromImage(image)
    labels = np.zeros(hu.shape, np.uint8)
    for low, value in values:
        labels[hu > low] = value if wanted != "nothing" else 0
    out = sitk.GetImageFromArray(labels)
    out.CopyInformation(image)
    if wanted != "silent":
        sitk.WriteImage(out, target)
'''

_TOTAL = _WORK + '''
def main():
    given = sys.argv[1:]
    value = lambda name: given[given.index(name) + 1]
    tell(" ".join(given))
    tell("weights " + os.environ["TOTALSEG_WEIGHTS_PATH"])
    tell("home " + open(os.path.join(os.environ["TOTALSEG_HOME_DIR"], "config.json")).read())
    for part in (1, 2):
        print(f"Predicting part {part} of 2 ...")
        print(f"{50:3d}%|#####     | 4/8 [00:01<00:01]", end="\\r", flush=True)
    assert "--ml" in given
    work(value("-i"), value("-o"), [(50, 5), (300, 2)], "--force_split" in given)
'''

_NNUNET = _WORK + '''
def predict_entry_point_modelfolder():
    given = sys.argv[1:]
    value = lambda name: given[given.index(name) + 1]
    tell(" ".join(given))
    source, = os.listdir(value("-i"))
    name, ending = source.split("_0000")
    os.makedirs(value("-o"), exist_ok=True)
    work(os.path.join(value("-i"), source), os.path.join(value("-o"), name + ending), [(50, 1), (300, 2)],
         "--not_on_device" in given)
'''


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> Callable[..., list[str]]:
    """Puts a stand-in on the path of child processes; gives what it was told, line by line."""
    log = tmp_path / "stand-in.txt"
    monkeypatch.setenv("STAND_IN_LOG", str(log))
    paths = os.pathsep.join(filter(None, [str(tmp_path / "packages"), os.environ.get("PYTHONPATH", "")]))

    def put(package: str, wanted: str = "") -> Callable[[], list[str]]:
        module, source = {"totalsegmentator": ("bin/TotalSegmentator.py", _TOTAL),
                          "nnunetv2": ("inference/predict_from_raw_data.py", _NNUNET)}[package]
        path = tmp_path / "packages" / package / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        for folder in (path.parent, path.parent.parent):
            (folder / "__init__.py").touch()
        monkeypatch.setenv("PYTHONPATH", paths)
        monkeypatch.setenv("STAND_IN", wanted)
        return lambda: log.read_text(encoding="utf-8").splitlines()

    return put


@pytest.fixture
def weights(tmp_path) -> Path:
    """A folder as TotalSegmentator keeps its weights; nothing but their places."""
    for number in (291, 292, 293, 294, 295, 297):
        fold = tmp_path / "weights" / f"Dataset{number}_part" / "nnUNetTrainer__nnUNetPlans__3d_fullres" / "fold_0"
        fold.mkdir(parents=True)
        (fold / "checkpoint_final.pth").touch()
    return tmp_path / "weights"


@pytest.fixture
def nnunet_folder(tmp_path) -> Callable[..., Path]:
    """Writes the folder of an nnU-Net; arguments replace parts of dataset.json."""

    def write(folds=("0",), **dataset) -> Path:
        root = tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres"
        for fold in folds:
            (root / f"fold_{fold}").mkdir(parents=True)
            (root / f"fold_{fold}" / "checkpoint_final.pth").touch()
        content = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "left kidney": 2},
                   "file_ending": ".nii.gz", **dataset}
        root.mkdir(exist_ok=True)
        (root / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
        (root / "plans.json").write_text("{}", encoding="utf-8")
        return root

    return write


@pytest.fixture
def study() -> CTStudy:
    """Air with a block of 100 HU, and in it one of 400 HU, off centre on uneven voxels."""
    hu = np.full((12, 20, 16), -1000, np.int16)
    hu[2:9, 3:15, 4:12] = 100
    hu[5:8, 4:7, 9:11] = 400
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((-30.0, -20.0, -500.0))
    return CTStudy(image, CTAcquisition())


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Whether a process has ended (a zombie has)."""
    if sys.platform != "linux":
        pytest.skip("looks into /proc")

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].startswith(("Z", "X"))
        except OSError:
            return True

    return gone
