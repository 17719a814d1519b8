"""engines.csv: written, read back, refused."""

import math

import pytest

from organdose.assess.engine_comparison import engine_comparison
from organdose.assess.organ_dose import OrganDose
from organdose.errors import InputError
from organdose.export.engine_table import read_engines_csv, write_engines_csv


def row(organ, mean_mgy, uncertainty_percent=None):
    return OrganDose(organ, "", 1, 1, mean_mgy, uncertainty_percent, 0, 0, 0, 0, 0, 0, 100)


@pytest.fixture
def comparison():
    return engine_comparison("vsv", {"vsv": [row("liver", 8.0)], "mc": [row("liver", 10.0, 0.5), row("spleen", 3.0)]})


def test_columns_name_engine_unit_and_reference(comparison, tmp_path):
    write_engines_csv(tmp_path / "engines.csv", comparison)
    assert (tmp_path / "engines.csv").read_text().splitlines() == [
        "organ,vsv_mgy,mc_mgy,vsv_uncertainty_percent,mc_uncertainty_percent,vsv_from_mc_percent",
        "liver,8,10,,0.5,-20", "spleen,,3,,,"]


def test_what_was_written_comes_back(comparison, tmp_path):
    write_engines_csv(tmp_path / "engines.csv", comparison)
    read = read_engines_csv(tmp_path / "engines.csv")
    assert (read.engines, read.reference) == (("vsv", "mc"), "mc")
    liver, spleen = read.rows
    assert liver.mean_mgy == {"vsv": 8, "mc": 10} and liver.difference_percent == {"vsv": pytest.approx(-20)}
    assert math.isnan(spleen.mean_mgy["vsv"]) and math.isnan(spleen.difference_percent["vsv"])


@pytest.mark.parametrize("text", ["", "organ\nliver\n", "organ,mc_mgy\nliver,5\n",
                                  "organ,mc_mgy,mc_uncertainty_percent\nliver,much,\n"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "engines.csv").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_engines_csv(tmp_path / "engines.csv")
