"""Choices of couch, HU curve and contrast medium become what the dose grid is made of."""

import json

import numpy as np
import pytest

from organdose.anatomy.organ_masks import OrganMasks
from organdose.ct.engines import EngineParameters
from organdose.ct.patient_model import patient_model
from organdose.errors import InputError


@pytest.fixture
def model(make_study):
    """The model of the water cylinder under some parameters; `facts` change its acquisition."""
    def make(parameters=None, **facts):
        study = make_study(**facts)
        masks = OrganMasks(study.image)
        masks.add("body", np.ones(masks.shape, dtype=bool))
        return patient_model(study, masks, EngineParameters(**(parameters or {})),
                             lambda: np.zeros(masks.shape, dtype=bool))
    return make


def test_by_default_schneider_and_no_iodine_and_the_report_says_why(model):
    found = model()
    assert "Schneider" in found.tissues.source and found.contrast is None
    assert any("contrast_agent" in line for line in found.assumptions)
    assert found.facts["contrast_medium"] == "none"


def test_a_contrast_agent_in_the_header_is_followed(model):
    found = model(contrast_agent="Ultravist 370")
    assert found.contrast is not None and found.facts["iodine_hu_per_mg_per_ml"] == pytest.approx(25, rel=0.1)
    assert not any("protocol key contrast_agent" in line for line in found.assumptions)


def test_iodine_adds_less_behind_a_tin_filter(model):
    """Tin takes the photons near iodine's K edge (33 keV) away, which is what dual-energy scanners use it for."""
    plain, tin = (model(contrast_agent="Ultravist", tube_voltage_kv=140.0, tube_filter=each).facts
                  for each in ("none", "Sn 0.4"))
    assert tin["iodine_hu_per_mg_per_ml"] < 0.8 * plain["iodine_hu_per_mg_per_ml"]


def test_a_header_that_denies_contrast_medium_leaves_nothing_to_tell(model):
    found = model(contrast_agent="none")
    assert found.contrast is None
    assert not any("contrast" in line for line in found.assumptions)


@pytest.mark.parametrize(("choice", "agent", "expected"), [("yes", None, True), ("no", "Ultravist 370", False)])
def test_the_users_word_wins_over_the_header(model, choice, agent, expected):
    assert (model({"contrast": choice}, contrast_agent=agent).contrast is not None) is expected


def test_a_clinics_curve_is_used(model, tmp_path):
    path = tmp_path / "curve.json"
    path.write_text(json.dumps({"nodes": [[-1000, 0.001], [0, 2.0]], "source": "a heavy clinic"}))
    found = model({"hu_curve": str(path)})
    assert found.tissues.density_g_cm3(np.array([0])) == pytest.approx(2.0)
    assert found.facts["hu_to_tissue"].startswith("a heavy clinic")


def test_a_curve_that_is_wrong_is_refused(model, tmp_path):
    with pytest.raises(InputError, match="HU curve"):
        model({"hu_curve": str(tmp_path / "none.json")})
