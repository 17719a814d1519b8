"""The benchmark of masks measures a whole body, and says why where an engine cannot run."""

import re

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation import res_u2net_engine
from organdose.validation import segmentation_benchmark
from organdose.validation.segmentation_benchmark import _whole_body, run_segmentation_benchmark


def test_the_ct_shows_the_man_from_head_to_foot():
    image = _whole_body(20.0, 128, Progress())
    hu = sitk.GetArrayFromImage(image)
    assert hu.shape[1:] == (128, 128) and image.GetSpacing()[0] * 128 == pytest.approx(500)
    body_ml = np.count_nonzero(hu > -300) * float(np.prod(image.GetSpacing())) / 1000
    assert 60_000 < body_ml < 95_000, "73 kg in the report, arms raised and couch beside it"
    assert image.GetDepth() * 20 == pytest.approx(2000, rel=0.2)


def test_an_engine_that_cannot_run_is_named_and_the_other_measured(monkeypatch):
    def not_ready(*_):
        raise InputError("no trained network here", mend="Train one.")

    monkeypatch.setattr(res_u2net_engine.ENGINE, "check_ready", not_ready, raising=False)
    network, analytic = run_segmentation_benchmark(Progress(), slice_mm=40.0, pixels=64)
    assert network == "masks of a whole body, res-u2net: not measured (no trained network here. Train one.)"
    seconds, gib, organs = re.search(r"analytic, 64 x 64 x \d+ voxels, slices of 40 mm: (\d+) s, (\d\.\d) GiB at most "
                                     r"\((\d) organs, cpu\)", analytic).groups()
    assert 0 <= int(seconds) < 60 and 0.1 < float(gib) < 4 and int(organs) >= 2


def test_a_graphics_card_is_named_only_where_the_engine_uses_one():
    assert segmentation_benchmark._device(segmentation_benchmark.engine("analytic")) == "cpu"
