"""Dose jobs say which of their masks are bad."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.jobs.internal_dose_job import run_internal_dose
from organdose.jobs.mask_check import bad_mask_warnings
from organdose.jobs.parameters import internal_dose_job


def water_with(organs):
    """A CT of water and masks of balls of 130 ml: name -> middle (z, y, x) in voxels of 5 mm."""
    ct = sitk.Image(40, 40, 40, sitk.sitkInt16)
    ct.SetSpacing((5.0, 5.0, 5.0))
    masks = OrganMasks(ct)
    for name, middle in organs.items():
        away = np.stack(np.indices(masks.shape), axis=-1) - middle
        masks.add(name, (away**2).sum(axis=-1) < 6.3**2)
    return masks, ct


def test_only_bad_findings_become_warnings():
    # 0 HU are a kidney's; the left one is at the patient's right.
    masks, ct = water_with({"kidney_left": (20, 20, 10), "kidney_right": (20, 20, 30)})
    warnings = bad_mask_warnings(masks, ct, "M")
    assert len(warnings) == 2 and all("left and right are swapped" in line for line in warnings)
    assert warnings[0].startswith("Mask kidney_left: ")


def test_masks_without_a_bad_finding_say_nothing():
    masks, ct = water_with({"kidney_left": (20, 20, 30), "kidney_right": (20, 20, 10)})
    assert bad_mask_warnings(masks, ct, "M") == ()


def test_the_report_of_a_dose_warns_of_a_liver_with_flat_faces_in_water(uniform_study, tmp_path, monkeypatch):
    monkeypatch.setattr("organdose.jobs.internal_dose_files.write_internal_dose_pictures", lambda *_, **__: {})
    result = run_internal_dose(internal_dose_job(**uniform_study(), out=tmp_path / "r", engine="local", scene=False))
    warning, = (line for line in result.warnings if line.startswith("Mask liver: "))
    assert "in one plane of 48.0 cm2 (100 % of its largest section)" in warning  # a box of 6 x 8 x 8 cm
    assert "in one plane of 48.0 cm2" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("sex", ["", "M", "F"])
def test_every_sex_has_a_reference(sex):
    masks, ct = water_with({"liver": (20, 20, 20)})
    warning, = bad_mask_warnings(masks, ct, sex)
    assert "usual are" in warning
