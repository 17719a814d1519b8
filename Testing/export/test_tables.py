import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from organdose.assess.internal_organ_dose import InternalOrganDose, with_activity
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.errors import InputError
from organdose.export.tables import read_dvh_csv, read_organs_csv, write_dvh_csv, write_organs_csv

# The contract of DESIGN section 4, written out here so that a renamed field does not rename the column unseen.
CONTRACT = ("organ,snomed,volume_ml,mass_g,mean_mgy,uncertainty_percent,sd_mgy,min_mgy,max_mgy,d98_mgy,d50_mgy,d2_mgy,"
            "in_image_percent,note,mask")
LIVER = OrganDose("liver", "10200004", 1523.456789, 1614.8641963, 12.3456789, 0.41, 2.5, 1e-5, 30.123456, 8.0, 12.0,
                  18.0, 100.0, 'cut, "nearly"; Größe')
AORTA = OrganDose("aorta", "15825003", 90.0, 95.0, 10.0, None, 1.0, 5.0, 15.0, 6.0, 10.0, 14.0, math.nan)


def test_the_columns_are_those_of_the_contract(tmp_path):
    write_organs_csv(tmp_path / "organs.csv", [LIVER])
    assert (tmp_path / "organs.csv").read_text("utf-8").splitlines()[0] == CONTRACT


def test_what_was_written_is_read_back_to_five_digits(tmp_path):
    write_organs_csv(tmp_path / "organs.csv", [LIVER, AORTA])
    liver, aorta = read_organs_csv(tmp_path / "organs.csv")
    assert (liver.organ, liver.snomed, liver.note) == (LIVER.organ, LIVER.snomed, LIVER.note)
    assert liver.volume_ml == 1523.5
    assert (liver.mean_mgy, liver.min_mgy) == (12.346, 1e-5)
    assert aorta.uncertainty_percent is None
    assert math.isnan(aorta.in_image_percent)


def test_a_number_nobody_knows_is_an_empty_cell(tmp_path):
    write_organs_csv(tmp_path / "organs.csv", [AORTA])
    with open(tmp_path / "organs.csv", newline="") as file:
        (line,) = csv.DictReader(file)
    assert line["uncertainty_percent"] == line["in_image_percent"] == ""


def test_the_further_columns_of_internal_dose_are_left_aside(tmp_path):
    path = tmp_path / "organs.csv"
    write_organs_csv(path, [LIVER])
    header, line = path.read_text("utf-8").splitlines()
    path.write_text(f"{header},tiac_h\n{line},1.5\n", "utf-8")
    assert read_organs_csv(path)[0].mean_mgy == 12.346


def test_histograms_are_written_and_read_back(tmp_path):
    histogram = DoseVolumeHistogram("liver", np.linspace(0, 20, 5), np.array([100, 99.5, 60, 12.25, 0.5]))
    write_dvh_csv(tmp_path / "dvh.csv", [histogram])
    with open(tmp_path / "dvh.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["dose_percent_of_maximum"] for line in lines] == ["0", "25", "50", "75", "100"]
    (back,) = read_dvh_csv(tmp_path / "dvh.csv")
    assert back.organ == "liver"
    assert back.dose_mgy == pytest.approx(histogram.dose_mgy)
    assert back.volume_percent == pytest.approx(histogram.volume_percent)


def test_a_missing_column_is_refused_and_named(tmp_path):
    path = tmp_path / "organs.csv"
    path.write_text("organ,snomed\nliver,10200004\n")
    with pytest.raises(InputError, match=r"organs\.csv: the table lacks the columns volume_ml"):
        read_organs_csv(path)


def test_a_cell_that_is_no_number_is_refused_with_its_line(tmp_path):
    path = tmp_path / "organs.csv"
    write_organs_csv(path, [LIVER])
    path.write_text(path.read_text("utf-8").replace("12.346", "much"), "utf-8")
    with pytest.raises(InputError, match="line 2: mean_mgy is 'much'"):
        read_organs_csv(path)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_dvh_csv(tmp_path / "none.csv")


def test_the_review_of_a_mask_is_the_last_column_and_may_lack_in_older_tables(tmp_path):
    signed = replace(LIVER, mask="approved by A. Smith on 2026-11-21 (edited)")
    write_organs_csv(tmp_path / "organs.csv", [signed])
    assert read_organs_csv(tmp_path / "organs.csv")[0].mask == signed.mask
    older = [line.rsplit(",", 1)[0] for line in (tmp_path / "organs.csv").read_text("utf-8").splitlines()]
    (tmp_path / "older.csv").write_text("\n".join(older), "utf-8")
    found, = read_organs_csv(tmp_path / "older.csv")
    assert found.mask == "" and found.note == LIVER.note


def test_the_review_stands_after_the_columns_of_internal_dose(tmp_path):
    write_organs_csv(tmp_path / "organs.csv", [with_activity(replace(LIVER, mask="edited"), 3.0, 100.0)])
    header = (tmp_path / "organs.csv").read_text("utf-8").splitlines()[0]
    assert header == CONTRACT.removesuffix(",mask") + ",mean_mgy_per_mbq,tia_mbq_h,tiac_h,mask"
    assert read_organs_csv(tmp_path / "organs.csv", InternalOrganDose)[0].mask == "edited"
