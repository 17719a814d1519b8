"""The descriptors of a scan together."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.dose_descriptors import SLICE_COLUMNS, ScanOutput, dose_descriptors, rows_from_facts
from organdose.assess.patient_size import SliceSizes


def sizes(diameters_cm, is_cut=False) -> SliceSizes:
    values = np.asarray(diameters_cm, dtype=float)
    return SliceSizes(values, values, values, values, np.full(len(values), is_cut))


def scan(ctdivol_mgy, **changed) -> ScanOutput:
    values = np.asarray(ctdivol_mgy, dtype=float)
    given = {"z_mm": np.arange(len(values)), "ctdivol_mgy": values, "dlp_mgy_cm": 500.0, "phantom_cm": 32.0,
             "region": "chest", "age_group": "adult"}
    return ScanOutput(**(given | changed))


def by_name(descriptors):
    return {row.name: row for row in descriptors.rows}


def test_ssde_is_the_mean_of_what_each_slice_gets():
    # AAPM 204, 32 cm phantom: 1.78 at 20 cm, 1.23 at 30 cm.
    found = dose_descriptors(scan([10.0, 20.0]), sizes([20.0, 30.0]), [])
    assert found.slices["ssde_mgy"] == pytest.approx([17.8, 24.6], abs=0.1)
    assert by_name(found)["ssde_mean_mgy"].value == pytest.approx((17.8 + 24.6) / 2, abs=0.1)
    assert by_name(found)["ctdivol_mean_mgy"].value == 15.0


def test_every_slice_has_its_columns():
    found = dose_descriptors(scan([10.0, 20.0], tube_current_ma=(100.0, 200.0)), sizes([20.0, 30.0]), [])
    assert tuple(found.slices) == SLICE_COLUMNS
    assert found.slices["tube_current_ma"].tolist() == [100.0, 200.0]


def test_the_dlp_gives_an_effective_dose_by_region():
    found = by_name(dose_descriptors(scan([10.0]), sizes([30.0]), []))
    assert found["effective_dose_dlp_msv"].value == pytest.approx(7.0)  # 0.014 mSv/(mGy cm)


def test_slices_that_were_not_scanned_are_in_no_mean():
    found = by_name(dose_descriptors(scan([math.nan, 20.0]), sizes([20.0, 30.0]), []))
    assert found["ctdivol_mean_mgy"].value == 20.0
    assert found["ssde_mean_mgy"].value == pytest.approx(24.6, abs=0.1)


def test_a_localiser_has_neither_ssde_nor_an_effective_dose_by_dlp():
    """AAPM reports 204 and 96 average over a tube that turns around the patient."""
    described = dose_descriptors(scan([0.1, 0.1], is_localiser=True), sizes([20.0, 60.0]), [])
    found = by_name(described)
    assert math.isnan(found["ssde_mean_mgy"].value) and "localiser" in found["ssde_mean_mgy"].remark
    assert math.isnan(found["effective_dose_dlp_msv"].value) and "localiser" in found["effective_dose_dlp_msv"].remark
    assert found["ctdivol_mean_mgy"].value == pytest.approx(0.1) and not described.warnings


def test_without_organs_there_is_no_effective_dose_and_it_is_said_to_be_incomplete():
    found = dose_descriptors(scan([10.0]), sizes([30.0]), [])
    assert math.isnan(by_name(found)["effective_dose_organs_msv"].value)
    assert by_name(found)["tissue_weight_known"].value == 0
    assert "incomplete: 0.000" in by_name(found)["effective_dose_organs_msv"].remark


def test_cut_and_odd_sizes_are_warned_of():
    cut = dose_descriptors(scan([10.0]), sizes([30.0], is_cut=True), [])
    assert any("cut by the edge" in line for line in cut.warnings)
    odd = dose_descriptors(scan([10.0, 10.0]), sizes([60.0, 30.0]), [])
    assert any("1 slices have" in line and "8-45 cm" in line for line in odd.warnings)
    assert by_name(odd)["ssde_mean_mgy"].value == pytest.approx(12.3, abs=0.05)
    assert not dose_descriptors(scan([10.0]), sizes([30.0]), []).warnings


def test_the_rows_survive_the_record():
    found = dose_descriptors(scan([10.0], region=None), sizes([np.nan]), [])
    back = rows_from_facts(found.facts())
    assert [row.name for row in back] == [row.name for row in found.rows]
    assert math.isnan({row.name: row for row in back}["effective_dose_dlp_msv"].value)


def test_a_cylinder_of_water_of_32_cm_has_the_ssde_of_the_report():
    from organdose.assess.patient_size import slice_sizes

    place = 2.0 * (np.arange(180) - 89.5)
    body = np.repeat((np.hypot(place[:, None], place[None, :]) <= 160)[None], 2, axis=0)
    image = sitk.GetImageFromArray(np.where(body, 0, -1000).astype(np.int16))
    image.SetSpacing((2.0, 2.0, 5.0))
    found = dose_descriptors(scan([10.0, 10.0]), slice_sizes(image, body), [])
    assert by_name(found)["ssde_mean_mgy"].value == pytest.approx(11.4, abs=0.1)  # AAPM 204: 1.14 at 32 cm
