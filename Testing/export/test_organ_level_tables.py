"""The tables of organ-level doses."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from organdose.export.organ_level_tables import COLUMNS, write_organ_level_csv, write_organ_level_json


@pytest.fixture
def dose():
    return SimpleNamespace(phantom="Test", nuclide="F-18", targets=("liver", "brain"),
                           sources=("liver", "brain", "spleen", "remainder"),
                           dose_mgy=np.array([[6.0, 0.0, 1.0, 3.0], [0.0, 0.0, 0.0, 0.0]]),
                           decays_mbq_s=np.array([3600.0, 0.0, 7200.0, 0.0]),
                           relative_uncertainty=np.array([0.01, 1.0]),
                           mass_g=np.array([1800.0, 1450.0]), administered_bq=2e8, notes=("one line",))


def test_a_line_has_the_total_and_who_gave_it(dose, tmp_path):
    write_organ_level_csv(tmp_path / "t.csv", dose)
    liver, brain = csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8"))
    assert list(liver) == list(COLUMNS)
    assert float(liver["mean_mgy"]) == 10.0 and float(liver["mgy_per_mbq"]) == 0.05
    assert [liver[f"source_{n}"] for n in (1, 2, 3)] == ["liver", "remainder", "spleen"]
    assert [float(liver[f"percent_{n}"]) for n in (1, 2, 3)] == [60.0, 30.0, 10.0]
    assert brain["source_1"] == ""


def test_without_administered_activity_the_cell_is_empty(dose, tmp_path):
    dose.administered_bq = None
    write_organ_level_csv(tmp_path / "t.csv", dose)
    assert next(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))["mgy_per_mbq"] == ""


def test_the_json_has_every_source_of_every_target(dose, tmp_path):
    write_organ_level_json(tmp_path / "t.json", dose)
    record = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert record["sources_mbq_h"] == {"liver": 1.0, "brain": 0.0, "spleen": 2.0, "remainder": 0.0}
    assert record["targets"]["liver"]["from_mgy"]["remainder"] == 3.0
    assert record["administered_mbq"] == 200.0 and record["notes"] == ["one line"]
