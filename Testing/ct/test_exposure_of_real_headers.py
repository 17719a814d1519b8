"""Headers of real scanners: what is right in them is used, what is wrong in them is told.

The studies lie outside the repository (see their READMEs); the tests skip where they are absent.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner
from organdose.errors import MissingFacts
from organdose.study.ct_study import CTStudy
from organdose.study.dicom_ct import read_dicom_ct_facts
from organdose.study.facts import Fact, Origin

GENERIC = load_scanner("generic")


@pytest.fixture(scope="module")
def study_of(shared_data):
    """The facts of a study over an image of its slices, `added` as a protocol file would."""
    def made(name: str, slices: int, slice_mm: float, **added) -> CTStudy:
        acquisition, _ = read_dicom_ct_facts(Path(shared_data) / name / "ct")
        image = sitk.Image((4, 4, slices), sitk.sitkInt16)
        image.SetSpacing((100.0, 100.0, slice_mm))
        facts = {key: Fact(value, Origin.protocol) for key, value in added.items()}
        return CTStudy(image, replace(acquisition, **facts))

    return made


def test_a_philips_head_whose_table_feed_counts_rows_as_millimetres(study_of):
    """Pitch 0.391 x 64 rows stands as table feed; pitch x 40 mm fits speed x rotation time."""
    with pytest.raises(MissingFacts) as caught:
        exposure_of(study_of("head_phantom_ctdi_tcm", 28, 5.0), GENERIC)
    assert list(caught.value.facts) == ["ctdi_phantom_cm"]
    study = study_of("head_phantom_ctdi_tcm", 28, 5.0, ctdi_phantom_cm=16.0)
    assert any("SpiralPitchFactor 0.391 disagrees" in line for line in study.acquisition.warnings)
    found = exposure_of(study, GENERIC)
    assert found.contradictions == ()
    assert (found.scan_kind, found.focus_isocentre_mm) == ("helical", 570.0)
    assert found.path.feed_mm == pytest.approx(15.64)
    assert [found.ctdivol_mgy.min(), found.ctdivol_mgy.max()] == pytest.approx([8.86, 19.52], abs=0.01)
    # 28 slices of 5 mm, and half a rotation of 15.64 mm at each end.
    ends = found.ctdivol_mgy[[0, -1]].sum()
    assert found.dlp_mgy_mm == pytest.approx(5 * found.ctdivol_mgy.sum() + 0.5 * 15.64 * ends)


def test_the_philips_head_at_a_fixed_current(study_of):
    """0.1284 mGy for each mAs in every slice (README), mAs = mA x 1.28 s."""
    found = exposure_of(study_of("head_phantom_ctdi_tcm", 28, 5.0, ctdi_phantom_cm=16.0), GENERIC, fixed_ma=100.0)
    assert found.ctdivol_mgy == pytest.approx(np.full(28, 0.1284 * 128), rel=0.01)


def test_a_philips_body_without_ctdivol_takes_a_measured_ctdiw(study_of):
    with pytest.raises(MissingFacts) as caught:
        exposure_of(study_of("pancreas_ct_tcm", 134, 3.0), GENERIC)
    assert set(caught.value.facts) == {"total_collimation_mm", "ctdi_phantom_cm", "scan_kind", "ctdivol_mgy"}
    study = study_of("pancreas_ct_tcm", 134, 3.0, total_collimation_mm=24.0, ctdi_phantom_cm=32.0, pitch=0.8,
                     scan_kind="helical", measured_ctdiw_mgy_per_100mas=7.0)
    found = exposure_of(study, GENERIC)
    # 285 to 466 mAs (README).
    assert [found.ctdivol_mgy.min(), found.ctdivol_mgy.max()] == pytest.approx([0.07 * 285, 0.07 * 466])
    fixed = exposure_of(study, GENERIC, fixed_ma=100.0)
    # Exposure is mA x 0.922 s (ExposureTime) in every slice.
    assert fixed.ctdivol_mgy == pytest.approx(np.full(134, 0.07 * 92.2), rel=0.01)


def test_a_siemens_slab_that_agrees_with_itself(study_of):
    study = study_of("ts_dicom_slab_dosetags", 20, 2.0)
    assert study.acquisition.warnings == ()
    found = exposure_of(study, GENERIC)
    assert found.contradictions == ()
    assert (found.scan_kind, found.phantom_cm, found.isocentre_mm) == ("helical", 32.0, (0.0, -188.0))
    assert found.ctdivol_mgy == pytest.approx(np.full(20, 18.55), abs=0.06)
    assert found.path.feed_mm == pytest.approx(15.36)


def test_a_ctdiw_that_does_not_fit_the_siemens_slab_is_told(study_of):
    study = study_of("ts_dicom_slab_dosetags", 20, 2.0, measured_ctdiw_mgy_per_100mas=11.0)
    [line] = exposure_of(study, GENERIC).contradictions
    assert line.startswith("CTDIvol 18.5 mGy (header) beside 27.8 mGy from the measured CTDIw")
