"""The real nnU-Net and TotalSegmentator with small models made here, where they are installed.

In this Python, or in the one that ORGANDOSE_NNUNET_PYTHON names.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.progress import Progress
from organdose.segmentation.engines import engine
from organdose.segmentation.nnunet_engine import NnUNetParameters
from organdose.segmentation.outside_process import is_installed
from organdose.segmentation.totalsegmentator_engine import TotalSegmentatorParameters, label_names
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


@pytest.fixture
def python_with() -> Callable[[str], Path | None]:
    def find(package: str) -> Path | None:
        named = os.environ.get("ORGANDOSE_NNUNET_PYTHON")
        path = Path(named) if named else None
        if not is_installed(package, path):
            pytest.skip(f"{package} is not installed (ORGANDOSE_NNUNET_PYTHON may name a Python that has it)")
        return path

    return find


def make(python: Path | None, folder: Path, trainer: str, labels: dict[str, int]) -> Path:
    subprocess.run([str(python or sys.executable), str(Path(__file__).with_name("make_nnunet.py")), str(folder),
                    trainer, json.dumps(labels)], check=True, timeout=120)
    return folder


def test_a_small_real_nnunet_draws_its_organs_where_they_are(study, python_with, tmp_path):
    python, stages = python_with("nnunetv2"), set()
    folder = make(python, tmp_path / "model", "nnUNetTrainer", {"liver": 1, "kidney_left": 2})
    masks = engine("nnunet").segment(study, NnUNetParameters(model=folder, device="cpu", python=python),
                                     Progress(lambda report: stages.add(report.stage)))
    hu = sitk.GetArrayViewFromImage(study.image)
    assert (masks.mask("liver") == (hu == 100)).all() and (masks.mask("kidney_left") == (hu == 400)).all()
    assert "network" in stages


def test_totalsegmentator_with_small_weights_draws_its_organs_where_they_are(python_with, tmp_path):
    python, stages = python_with("totalsegmentator"), set()
    trainer = "nnUNetTrainer_4000epochs_NoMirroring"
    make(python, tmp_path / "Dataset297_TotalSegmentator_total_3mm_1559subj" / f"{trainer}__nnUNetPlans__3d_fullres",
         trainer, {name: value for value, name in label_names().items()})
    hu = np.full((40, 60, 50), -1000, np.int16)
    hu[6:30, 10:45, 8:36] = 100
    hu[15:25, 12:24, 25:34] = 400
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((3.0, 3.0, 3.0))
    image.SetOrigin((-30.0, -20.0, -500.0))
    masks = engine("totalsegmentator").segment(
        CTStudy(image, CTAcquisition()), TotalSegmentatorParameters(model=tmp_path, fast=True, device="cpu",
                                                                    python=python),
        Progress(lambda report: stages.add(report.stage)))
    for name, value in (("liver", 100), ("kidney_left", 400)):
        mask, block = masks.mask(name), hu == value
        assert 2 * (mask & block).sum() / (mask.sum() + block.sum()) > 0.95
    assert "network" in stages
