"""The real nnU-Net, where it is installed: in this Python, or in the one that ORGANDOSE_NNUNET_PYTHON names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from organdose.progress import Progress
from organdose.segmentation.engines import engine
from organdose.segmentation.nnunet_engine import NnUNetParameters
from organdose.segmentation.outside_process import is_installed


@pytest.fixture
def python() -> Path | None:
    named = os.environ.get("ORGANDOSE_NNUNET_PYTHON")
    path = Path(named) if named else None
    if not is_installed("nnunetv2", path):
        pytest.skip("nnunetv2 is not installed (ORGANDOSE_NNUNET_PYTHON may name a Python that has it)")
    return path


def test_a_small_real_model_draws_its_organs_where_they_are(study, python, tmp_path):
    folder = tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    subprocess.run([str(python or sys.executable), str(Path(__file__).with_name("make_nnunet.py")), str(folder)],
                   check=True, timeout=120)
    stages = []
    progress = Progress(lambda report: stages.append(report.stage))
    masks = engine("nnunet").segment(study, NnUNetParameters(model=folder, device="cpu", python=python), progress)
    hu = sitk.GetArrayViewFromImage(study.image)
    assert (masks.mask("liver") == (hu == 100)).all() and (masks.mask("kidney_left") == (hu == 400)).all()
    assert "network" in stages
