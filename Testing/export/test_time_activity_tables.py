"""The tables of activity over time say what the curves say, in hours and MBq."""

import csv
import math

import numpy as np
import pytest

from organdose.export.time_activity_tables import write_tiac_csv, write_time_activity_csv
from organdose.nuclear.time_activity import time_activity_curves

TIMES_S = np.array([4, 24, 96]) * 3600.0
LU177 = math.log(2) / (6.6443 * 86400)


@pytest.fixture
def curves():
    activity_bq = np.stack([2e8 * np.exp(-math.log(2) / 60 * TIMES_S / 3600), np.full(3, np.nan)], axis=1)
    return time_activity_curves(["liver", "spleen"], TIMES_S, activity_bq, LU177, 1e9, "mono",
                                uncertainty_bq=1e6 * np.ones((3, 2)))


def lines_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_organ_has_its_coefficient_and_what_is_not_known_is_empty(curves, tmp_path):
    write_tiac_csv(tmp_path / "tiac.csv", curves)
    liver, spleen = lines_of(tmp_path / "tiac.csv")
    assert float(liver["tiac_h"]) == pytest.approx(0.2 * 60 / math.log(2), rel=1e-4)
    assert float(liver["integral_mbq_h"]) == pytest.approx(200 * 60 / math.log(2), rel=1e-4)
    assert 0 < float(liver["uncertainty_percent"]) < 10
    assert (liver["model"], liver["flags"], liver["recovery"]) == ("mono", "0", "")
    assert (spleen["tiac_h"], spleen["uncertainty_percent"]) == ("", "")
    assert "no time point" in spleen["note"]


def test_points_and_curve_are_in_hours_and_mbq(curves, tmp_path):
    write_time_activity_csv(tmp_path / "curves.csv", curves)
    lines = [line for line in lines_of(tmp_path / "curves.csv") if line["organ"] == "liver"]
    measured = [line for line in lines if line["kind"] == "measured"]
    assert [float(line["time_h"]) for line in measured] == [4, 24, 96]
    assert float(measured[0]["activity_mbq"]) == pytest.approx(200 * 2 ** (-4 / 60), rel=1e-4)
    assert float(measured[0]["uncertainty_mbq"]) == 1
    drawn = [line for line in lines if line["kind"] == "curve"]
    assert float(drawn[0]["activity_mbq"]) == pytest.approx(200, rel=1e-3)
    assert drawn[0]["uncertainty_mbq"] == ""
