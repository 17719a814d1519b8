"""Dose jobs say which of their masks are bad."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.jobs.internal_dose_job import run_internal_dose
from organdose.jobs.mask_check import bad_mask_warnings
from organdose.jobs.parameters import internal_dose_job


def cylinder_with(organs):
    """A CT of water and masks of boxes: name -> slices (z, y, x)."""
    ct = sitk.Image(40, 40, 40, sitk.sitkInt16)
    ct.SetSpacing((5.0, 5.0, 5.0))
    masks = OrganMasks(ct)
    for name, box in organs.items():
        mask = np.zeros(masks.shape, dtype=bool)
        mask[box] = True
        masks.add(name, mask)
    return masks, ct


def test_only_bad_findings_become_warnings():
    kidneys = {"kidney_left": np.s_[10:20, 10:20, 5:14], "kidney_right": np.s_[10:20, 10:20, 26:35]}
    masks, ct = cylinder_with(kidneys)  # 112 ml each of 0 HU, the left one at the patient's right
    warnings = bad_mask_warnings(masks, ct, "M")
    assert len(warnings) == 2 and all("left and right are swapped" in line for line in warnings)
    assert warnings[0].startswith("Mask kidney_left: ")


def test_masks_without_a_bad_finding_say_nothing():
    masks, ct = cylinder_with({"kidney_left": np.s_[10:20, 10:20, 26:35], "kidney_right": np.s_[10:20, 10:20, 5:14]})
    assert bad_mask_warnings(masks, ct, "M") == ()


def test_the_report_of_a_dose_warns_of_a_liver_that_is_far_too_small(uniform_study, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
    result = run_internal_dose(internal_dose_job(**uniform_study(), out=tmp_path / "r", engine="local", scene=False))
    warning, = (line for line in result.warnings if line.startswith("Mask liver"))
    assert "384 ml" in warning and "bad mask" in warning
    assert "384 ml" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("sex", ["", "M", "F"])
def test_every_sex_has_a_reference(sex):
    masks, ct = cylinder_with({"liver": np.s_[10:20, 10:20, 10:20]})  # 125 ml
    assert any("125 ml" in line for line in bad_mask_warnings(masks, ct, sex))
