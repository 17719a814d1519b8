"""The network in Resources/models/res-u2net: what it is and that it finds organs of a patient it never saw."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.jobs.segmentation_model_card import write_model_card  # noqa: E402
from organdose.segmentation.engines import engine  # noqa: E402
from organdose.segmentation.network_input import read_card  # noqa: E402
from organdose.segmentation.network_labels import organ_values  # noqa: E402
from organdose.segmentation.res_u2net_engine import shipped_folder  # noqa: E402
from organdose.segmentation.training_ct_look import generate_patient  # noqa: E402
from organdose.study.ct_study import CTStudy  # noqa: E402
from organdose.study.facts import CTAcquisition  # noqa: E402

NOT_TRAINED_WITH = 300_003  # generated:190 were seeds 1 to 190


def test_it_is_small_and_its_card_says_what_it_learned_from():
    card = json.loads((shipped_folder() / "card.json").read_text(encoding="utf-8"))
    assert (shipped_folder() / "weights.pt").stat().st_size < 6_000_000
    assert card["training"]["dataset"] == "generated:190" and card["evaluation"]["untouched"]
    text = (shipped_folder() / "card.md").read_text(encoding="utf-8")
    assert "generated patients only" in text and "(validation.md)" in text
    assert "ts_abdomen_pelvis_3mm" in (shipped_folder() / "validation.md").read_text(encoding="utf-8")


def test_a_card_points_to_a_validation_only_where_there_is_one(tmp_path):
    card = read_card(shipped_folder() / "card.json")
    assert "validation.md" not in write_model_card(tmp_path, card).read_text(encoding="utf-8")
    (tmp_path / "validation.md").write_text("measured", encoding="utf-8")
    assert "(validation.md)" in write_model_card(tmp_path, card).read_text(encoding="utf-8")


def test_it_finds_the_large_organs_of_a_generated_patient_it_never_saw():
    patient = generate_patient(NOT_TRAINED_WITH)
    masks = engine("res-u2net").segment(CTStudy(patient.ct, CTAcquisition()))
    values = organ_values()
    truth = {name: patient.labels == values[name] for name in ("liver", "spleen", "kidney_left", "stomach")}
    there = [name for name, mask in truth.items() if mask.sum() > 500]
    assert there, "this patient shows none of them: choose another"
    for name in there:
        found = masks.mask(name)
        dice = 2 * np.count_nonzero(found & truth[name]) / (found.sum() + truth[name].sum())
        assert dice > 0.9, f"{name}: {dice:.3f}"
