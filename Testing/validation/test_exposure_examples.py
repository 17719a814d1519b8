"""The examples of the documentation: what each pair of exposures must show on any patient."""

import matplotlib.image
import numpy as np
import pytest

from organdose.export.compared_slices import draw_compared_doses, draw_compared_profiles
from organdose.validation.exposure_examples import exposed, exposed_phantom, exposure_pairs, markdown_table, plane_of


@pytest.fixture(scope="module")
def phantom():
    return exposed_phantom(slice_mm=20.0, pixels=64)


@pytest.fixture(scope="module")
def computed(phantom, cheap_calibrations):
    """Name of the pair -> its cases, with few photons."""
    with cheap_calibrations():
        return {pair.name: exposed(phantom, pair, histories=100_000) for pair in exposure_pairs(phantom)}


def means(case):
    return {row.organ: row.mean_mgy for row in case.rows}


def test_both_currents_have_the_same_mean_ctdivol(computed):
    fixed, modulated = (case.dose.facts for case in computed["modulation"])
    assert fixed["ctdivol_mean_mgy"] == modulated["ctdivol_mean_mgy"] == pytest.approx(10.0)
    assert fixed["ctdivol_range_mgy"] == [10.0, 10.0] and np.ptp(modulated["ctdivol_range_mgy"]) > 3


def test_a_patient_too_low_gets_more_in_front_and_less_behind(computed):
    centred, low = (means(case) for case in computed["centring"])
    assert low["breast"] > 1.1 * centred["breast"]
    assert low["kidneys"] < 0.9 * centred["kidneys"]


def test_a_scan_that_ends_in_the_liver_gives_it_part_of_the_dose_and_scatter_beyond(computed):
    whole, ending = (means(case) for case in computed["scan-end"])
    assert 0.3 * whole["liver"] < ending["liver"] < 0.8 * whole["liver"]
    assert 0 < ending["heart"] < 0.2 * whole["heart"]
    assert ending["urinary_bladder"] == pytest.approx(whole["urinary_bladder"], rel=0.15)


def test_a_table_has_the_change_of_each_main_organ(computed):
    lines = list(markdown_table(computed["scan-end"]))
    assert lines[0] == "| organ | whole trunk, mGy | ends in the liver, mGy | change |"
    assert any(line.startswith("| Liver |") and line.endswith("% |") for line in lines)


def test_pictures_are_drawn(phantom, computed, tmp_path):
    pair = exposure_pairs(phantom)[2]
    views = {case.label: case.views for case in computed[pair.name]}
    plane = computed[pair.name][0].views.plane(pair.plane, plane_of(pair, phantom))
    for file in (draw_compared_doses(views, plane, tmp_path / "dose.png", ends_mm=pair.ends_mm, outlined=("liver",)),
                 draw_compared_profiles(views, pair.profile_axis, tmp_path / "profile.png", ends_mm=pair.ends_mm)):
        picture = matplotlib.image.imread(file)[..., :3]
        assert picture.shape[1] > 1000 and picture.std() > 0.05
