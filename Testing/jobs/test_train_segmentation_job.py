import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.assess.mask_comparison import MaskAgreement
from organdose.errors import Cancelled, InputError
from organdose.jobs import train_segmentation_job
from organdose.jobs.parameters import checked
from organdose.jobs.segment_job import SegmentJob, run_segment
from organdose.jobs.segmentation_evaluation import mean_rows
from organdose.jobs.train_segmentation_job import TrainSegmentationJob, run_train_segmentation
from organdose.progress import Progress
from organdose.segmentation.training_cases import OneOrganCase, prepare_dataset

TINY = dict(dataset="generated:3", organs=("body", "bones", "lung_left"), spacing_mm=10.0, patch=(16, 16, 16),
            widths=(4, 6), inner_depths=(1, 1), steps=2, batch=1, folds=2, test_share=0.2, device="cpu",
            precision="float32", threads=1, validate_every=2)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return tmp_path_factory.mktemp("cases")


def test_a_training_ends_with_model_card_table_and_curves(tmp_path, cases):
    folder = run_train_segmentation(TrainSegmentationJob(out=tmp_path, cases=cases, **TINY))
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["training"]["dataset"] == "generated:3" and card["training"]["steps_done"] == 2
    assert card["training"]["test_cases"] == card["evaluation"]["cases"] == 1 and card["evaluation"]["untouched"]
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert "generated patients only" in text and "| Bones | 1 |" in text
    assert any((tmp_path / "curves").iterdir())
    rows = list(csv.DictReader((tmp_path / "evaluation.csv").open()))
    assert {row["organ"] for row in rows} >= {"body", "bones"} and all(0 <= float(row["dice"]) <= 1 for row in rows
                                                                      if row["dice"])
    assert str(tmp_path) not in text + json.dumps(card)


def test_the_model_is_an_engines_model_and_can_be_fine_tuned(tmp_path, cases, generated_patient):
    folder = run_train_segmentation(TrainSegmentationJob(out=tmp_path / "first", cases=cases, **TINY))
    sitk.WriteImage(sitk.Cast(generated_patient("ct"), sitk.sitkInt16), str(tmp_path / "ct.nii.gz"))
    masks = run_segment(SegmentJob(ct=tmp_path / "ct.nii.gz", out=tmp_path / "masks.seg.nrrd", engine="res-u2net",
                                   model=folder, device="cpu"))
    assert "body" in masks.names and "Res-U2Net" in masks.origin
    own = {name: value for name, value in TINY.items() if name not in ("organs", "widths", "inner_depths")}
    tuned = run_train_segmentation(TrainSegmentationJob(out=tmp_path / "tuned", cases=cases, start_from=folder, **own))
    card = json.loads((tuned / "card.json").read_text(encoding="utf-8"))
    assert card["organs"] == list(TINY["organs"]) and card["training"]["start_from"] == "model"
    (before,) = card["training"]["learned_before"]
    assert before.startswith("generated:3: 2 steps, ")


def test_all_folds_in_turn_evaluate_every_patient_outside_the_test_set_once(tmp_path, cases):
    run_train_segmentation(TrainSegmentationJob(out=tmp_path, cases=cases, fold=None, **{**TINY, "steps": 1}))
    evaluated = [{row["case"] for row in csv.DictReader((tmp_path / f"fold-{n}" / "evaluation.csv").open())}
                 for n in (0, 1)]
    assert all(evaluated) and not evaluated[0] & evaluated[1]
    pooled = {row["case"] for row in csv.DictReader((tmp_path / "evaluation.csv").open())}
    assert pooled == evaluated[0] | evaluated[1] and len(pooled) == 2


def test_a_cancelled_training_keeps_its_checkpoint(tmp_path, cases):
    progress = Progress(lambda report: progress.cancel() if report.stage == "training" else None)
    with pytest.raises(Cancelled):
        run_train_segmentation(TrainSegmentationJob(out=tmp_path, cases=cases, **TINY), progress)
    assert (tmp_path / "checkpoint.pt").is_file() and not (tmp_path / "model").exists()


def test_missing_torch_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(InputError, match=r"needs torch, not installed.*pip install"):
        train_segmentation_job.run_train_segmentation(TrainSegmentationJob(out=tmp_path, **TINY))


@pytest.mark.parametrize(("values", "message"), [({"organs": ("liver", "liver")}, "different names"),
                                                 ({"patch": (4, 16, 16)}, "at least 8"), ({"steps": 0}, "steps"),
                                                 ({"one_network_an_organ": True, "fold": None}, "neither with all"),
                                                 ({"replace": "m", "test_share": 0.0}, "with a test set"),
                                                 ({"precision": "int8"}, "precision")])
def test_values_that_make_no_training_are_refused(tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        checked(TrainSegmentationJob, out=tmp_path, **{**TINY, **values})


def row(organ, dice, volume, reference):
    return MaskAgreement(organ, dice, dice, dice, dice, float("nan"), dice, volume, reference)


def test_means_count_only_cases_that_have_the_organ():
    nan = float("nan")
    means = mean_rows([("a", row("liver", 0.9, 1000, 1100)), ("b", row("liver", 0.7, 900, 1000)),
                       ("c", row("liver", nan, 40, 0))])
    assert means["liver"]["cases"] == 2 and means["liver"]["dice"] == 0.8 and means["liver"]["false_ml"] == 40
    assert means["liver"]["reference_volume_ml"] == 1050 and means["liver"]["hd95_mm"] is None


def test_one_network_an_organ_goes_on_organ_by_organ_and_is_an_engines_model(tmp_path, cases, generated_patient):
    job = TrainSegmentationJob(out=tmp_path, cases=cases, one_network_an_organ=True, **TINY)
    trained = []

    def stop_after_the_first(report):
        if report.stage == "training" and trained:
            progress.cancel()
        if report.stage == "evaluation" and report.fraction == 0:
            trained.append(report.stage)

    progress = Progress(stop_after_the_first)
    with pytest.raises(Cancelled):
        run_train_segmentation(job, progress)
    first = (tmp_path / "bones" / "model" / "weights.pt").stat().st_mtime_ns
    assert not (tmp_path / "lung_left" / "model").exists()
    assert run_train_segmentation(job) == tmp_path
    assert (tmp_path / "bones" / "model" / "weights.pt").stat().st_mtime_ns == first, "done organs are left alone"
    card = json.loads((tmp_path / "lung_left" / "model" / "card.json").read_text(encoding="utf-8"))
    assert card["organs"] == ["body", "lung_left"] and card["title"] == "Res-U2Net: Left lung"
    assert {row["organ"] for row in csv.DictReader((tmp_path / "evaluation.csv").open())} <= {"bones", "lung_left"}
    sitk.WriteImage(sitk.Cast(generated_patient("ct"), sitk.sitkInt16), str(tmp_path / "ct.nii.gz"))
    masks = run_segment(SegmentJob(ct=tmp_path / "ct.nii.gz", out=tmp_path / "masks.seg.nrrd", engine="res-u2net",
                                   model=tmp_path, device="cpu"))
    assert "2 networks" in masks.origin


def test_a_network_of_one_organ_sees_the_same_ct_and_only_its_organ(tmp_path, cases):
    organs = TINY["organs"]
    for case in prepare_dataset("generated:2", cases, organs=organs, spacing_mm=10.0):
        own, labels = OneOrganCase(case.folder, "lung_left", organs), np.asarray(case.labels)
        assert np.array_equal(own.labels == 2, labels == 3) and np.array_equal(own.labels > 0, labels > 0)
        assert np.array_equal(own.hu, case.hu) and own.patient == case.patient
        assert set(own.places[:, 0]) == {1, *([2] if (labels == 3).any() else [])}


def test_a_network_trained_to_replace_another_does_or_says_why_not(tmp_path, cases, monkeypatch):
    old = run_train_segmentation(TrainSegmentationJob(out=tmp_path / "old", cases=cases, **TINY))
    job = TrainSegmentationJob(out=tmp_path / "new", cases=cases, replace=old, title="Second", **TINY)
    run_train_segmentation(job)  # the same seed: the same network, which is not worse
    assert json.loads((old / "card.json").read_text())["title"] == "Second"
    assert (old.parent / "model.previous" / "weights.pt").is_file()
    monkeypatch.setattr("organdose.jobs.replace_network_job.why_not", lambda *_: "liver lost")
    with pytest.raises(InputError, match="not replaced: liver lost"):
        run_train_segmentation(job.model_copy(update={"title": "Third", "out": tmp_path / "third"}))
    assert json.loads((old / "card.json").read_text())["title"] == "Second"
    assert (tmp_path / "third" / "model" / "weights.pt").is_file(), "the training is not lost"
