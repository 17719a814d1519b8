"""The benchmark of activity over time fits what it says it fits."""

import json
import re

import numpy as np

from organdose.progress import Progress
from organdose.validation import nuclear_benchmark


def test_every_model_has_a_line_with_time_memory_and_error(monkeypatch):
    monkeypatch.setattr(nuclear_benchmark, "_VOXELS", 2000)
    monkeypatch.setattr(nuclear_benchmark, "_MODELS", {"bi": "two exponentials"})
    lines = nuclear_benchmark.run_nuclear_benchmark(Progress())
    assert len(lines) == 1
    assert re.fullmatch(r"two exponentials, 2,000 voxels x 5 time points with 10 % noise: [\d.]+ s(, [\d.]+ GiB at "
                        r"most)?; median error [\d.]+ %, [\d.]+ % of the voxels by a simpler model", lines[0])


def test_the_kinetics_have_the_integrals_they_claim():
    activity, uncertainty, integral = nuclear_benchmark._kinetics(50)
    assert activity.shape == uncertainty.shape == (5, 50)
    pull = (activity - 10 * uncertainty) / uncertainty
    assert abs(pull.mean()) < 0.3 and 0.8 < pull.std() < 1.2
    # Mean lives of 57 to 159 h and amplitudes of 0.5e5 to 2e5 Bq bound the integral.
    assert np.all((integral > 3e4 * 57 * 3600) & (integral < 2e5 * 160 * 3600))


def test_a_measured_error_is_small_against_the_noise(capsys):
    nuclear_benchmark.measure("bi", 5000)
    figures = json.loads(capsys.readouterr().out)
    assert 0 < figures["median_error_percent"] < 10
    assert figures["simpler_percent"] < 20
