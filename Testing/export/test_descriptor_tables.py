"""The tables beside organs.csv, as another program reads them."""

import csv
import math

import numpy as np
import pytest

from organdose.assess.dose_descriptors import SLICE_COLUMNS, ScanOutput, dose_descriptors
from organdose.assess.patient_size import SliceSizes
from organdose.assess.scan_range import OrganRange
from organdose.export.descriptor_tables import (
    write_descriptors_csv,
    write_effective_dose_csv,
    write_scan_range_csv,
    write_slices_csv,
)


@pytest.fixture
def descriptors():
    size = np.array([30.0, np.nan])
    output = ScanOutput(np.array([-5.0, 0.0]), np.array([10.0, 12.0]), 250.0, 32.0)
    return dose_descriptors(output, SliceSizes(size, size, size, size, np.array([True, False])), [])


def lines(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_slices_are_one_line_each_and_empty_where_nothing_is_known(descriptors, tmp_path):
    write_slices_csv(tmp_path / "slices.csv", descriptors)
    first, second = lines(tmp_path / "slices.csv")
    assert tuple(first) == SLICE_COLUMNS
    assert (first["z_mm"], first["ctdivol_mgy"], first["is_cut"]) == ("-5", "10", "1")
    assert float(first["ssde_mgy"]) == pytest.approx(12.3, abs=0.05)
    assert second["ssde_mgy"] == second["water_equivalent_cm"] == second["tube_current_ma"] == ""


def test_a_descriptor_that_cannot_be_said_is_empty_with_its_reason(descriptors, tmp_path):
    write_descriptors_csv(tmp_path / "dose_descriptors.csv", descriptors.rows)
    found = {line["name"]: line for line in lines(tmp_path / "dose_descriptors.csv")}
    assert (found["dlp_mgy_cm"]["value"], found["dlp_mgy_cm"]["unit"]) == ("250", "mGy cm")
    assert found["effective_dose_dlp_msv"]["value"] == "" and "scan_region" in found["effective_dose_dlp_msv"]["remark"]


def test_every_tissue_has_its_line(descriptors, tmp_path):
    write_effective_dose_csv(tmp_path / "effective_dose.csv", descriptors.effective_dose)
    found = lines(tmp_path / "effective_dose.csv")
    assert sum(float(line["tissue_weight"]) for line in found) == pytest.approx(1.0, abs=1e-4)
    assert {line["known_part"] for line in found} == {"0"}


def test_ranges_say_what_is_cut(tmp_path):
    write_scan_range_csv(tmp_path / "scan_range.csv", [OrganRange("lungs", 900.0, 80.0, math.nan, True)])
    (line,) = lines(tmp_path / "scan_range.csv")
    assert (line["organ"], line["in_beam_percent"], line["is_cut"]) == ("lungs", "80", "1")
    assert line["in_image_percent"] == ""
    assert "80 %" in line["note"]
