import json

import pytest
import SimpleITK as sitk

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation import outside_result
from organdose.segmentation.engine_needs import context_of
from organdose.segmentation.engines import engine
from organdose.segmentation.nnunet_engine import NnUNetParameters
from organdose.segmentation.nnunet_folder import read_nnunet_folder


def segment(study, model, progress=None, **given):
    parameters = NnUNetParameters(model=model, device=given.pop("device", "cpu"), **given)
    return engine("nnunet").segment(study, parameters, progress)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_masks_come_back_on_the_ct_under_our_names(study, nnunet_folder, stand_in, ending):
    told = stand_in("nnunetv2")
    masks = segment(study, nnunet_folder(folds=("0", "2", "all"), file_ending=ending))
    hu = sitk.GetArrayViewFromImage(study.image)
    assert (masks.mask("liver") == (hu == 100)).all() and (masks.mask("kidney_left") == (hu == 400)).all()
    assert "-f 0 2 -chk" in told()[0] and "--disable_tta" in told()[0]


def test_regions_are_unions_of_labels_and_may_overlap(study, nnunet_folder, stand_in):
    stand_in("nnunetv2")
    folder = nnunet_folder(labels={"background": 0, "liver": [1, 2], "tumour": [2]}, regions_class_order=[1, 2])
    masks = segment(study, folder)
    hu = sitk.GetArrayViewFromImage(study.image)
    assert (masks.mask("liver") == (hu >= 100)).all() and (masks.mask("tumour") == (hu == 400)).all()


def test_unknown_labels_keep_their_names_and_the_users_own_win(study, nnunet_folder, stand_in, tmp_path):
    stand_in("nnunetv2")
    folder = nnunet_folder(labels={"background": 0, "class_a": 1, "class_b": 2, "ignore": 3})
    masks = segment(study, folder)
    assert set(masks.names) == {"class_a", "class_b"} and "not in the vocabulary" in masks.notes["class_a"]
    (tmp_path / "mine.json").write_text('{"1": "spleen", "7": "aorta"}', encoding="utf-8")
    masks = segment(study, folder, labels=tmp_path / "mine.json")
    assert set(masks.names) == {"spleen", "class_b"} and "not found" in masks.notes["aorta"]


def test_a_channel_that_is_not_called_ct_is_noted(study, nnunet_folder, stand_in):
    stand_in("nnunetv2")
    assert "'T1'" in segment(study, nnunet_folder(channel_names={"0": "T1"})).notes["nnunet"]


@pytest.mark.parametrize(("dataset", "words"), [
    ({"channel_names": {"0": "T1", "1": "FLAIR"}}, r"takes 2 channels \(T1, FLAIR\)"),
    ({"channel_names": None}, "does not say its channels"),
    ({"file_ending": ".png"}, r"reads \.png files"),
    ({"labels": {"background": 0}}, "names no organ"),
    ({"labels": ["liver"]}, "which label is which"),
    ({"folds": ()}, r"no fold holds checkpoint_final\.pth")])
def test_a_folder_that_cannot_be_used_is_refused_in_one_line(study, nnunet_folder, dataset, words):
    with pytest.raises(InputError, match=words) as caught:
        segment(study, nnunet_folder(**dataset))
    assert "\n" not in str(caught.value)


def test_missing_files_and_folds_are_named(study, nnunet_folder, tmp_path):
    with pytest.raises(InputError, match=r"dataset\.json is missing"):
        segment(study, tmp_path)
    folder = nnunet_folder(folds=("0", "1"))
    with pytest.raises(InputError, match=r"fold 4 is not here. It has: 0, 1"):
        segment(study, folder, folds=("1", "4"))
    (folder / "dataset.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not readable as JSON"):
        segment(study, folder)
    (folder / "plans.json").unlink()
    with pytest.raises(InputError, match=r"plans\.json is missing"):
        segment(study, folder)
    with pytest.raises(InputError, match="needs the folder"):
        segment(study, None)


def test_a_network_trained_on_all_cases_is_used_where_it_stands_alone(nnunet_folder):
    assert read_nnunet_folder(nnunet_folder(folds=("all",))).folds == ("all",)


def test_a_missing_package_is_said(study, nnunet_folder, tmp_path):
    from importlib.util import find_spec

    if find_spec("nnunetv2") is not None:
        pytest.skip("nnunetv2 is installed here")
    with pytest.raises(InputError, match="nnU-Net is not installed"):
        segment(study, nnunet_folder())


def test_out_of_memory_on_a_card_keeps_results_off_it(study, nnunet_folder, stand_in, monkeypatch):
    monkeypatch.setattr(outside_result, "has_nvidia_card", lambda: True)
    told = stand_in("nnunetv2", "memory once")
    assert "liver" in segment(study, nnunet_folder(), device="cuda").names
    assert ["--not_on_device" in line for line in told()] == [False, True]


def test_out_of_memory_everywhere_says_what_to_do(study, nnunet_folder, stand_in):
    told = stand_in("nnunetv2", "memory")
    with pytest.raises(InputError, match=r"ran out of memory. Close"):
        segment(study, nnunet_folder())
    assert len(told()) == 1


def test_its_own_failure_is_one_clear_line(study, nnunet_folder, stand_in):
    stand_in("nnunetv2", "fail")
    with pytest.raises(InputError, match=r"failed \(exit status 1\): ValueError: something of its own"):
        segment(study, nnunet_folder())


def test_cancelling_ends_it(study, nnunet_folder, stand_in):
    stand_in("nnunetv2", "hang")
    progress = Progress()
    progress._listener = lambda report: progress.cancel() if report.fraction == 0.1 else None
    with pytest.raises(Cancelled):
        segment(study, nnunet_folder(), progress)


def test_the_folder_read_says_all_the_engine_needs(nnunet_folder):
    found = read_nnunet_folder(nnunet_folder(labels={"background": 0, "whole": [1, 2], "core": 2}))
    assert found.labels == {"whole": (1, 2), "core": (2,)} and found.has_regions and found.channel == "CT"
    assert json.loads((found.path / "plans.json").read_text(encoding="utf-8")) == {}


def test_the_organs_a_model_draws_are_told_before_it_runs(nnunet_folder, tmp_path):
    from organdose.segmentation.engine_needs import drawn_organs
    from organdose.segmentation.nnunet_engine import ENGINE

    drawn = drawn_organs(ENGINE, ENGINE.parameters(model=nnunet_folder()))
    assert "liver" in drawn and len(drawn) < 10
    assert drawn_organs(ENGINE, ENGINE.parameters()) == ENGINE.organs
    assert drawn_organs(ENGINE, ENGINE.parameters(model=tmp_path / "nothing")) == ENGINE.organs


@pytest.mark.parametrize(("channel", "context"), [("CT", "surroundings"), ("ct", "surroundings"), ("MRI", "ct")])
def test_an_image_normalised_by_itself_must_be_seen_as_a_whole(nnunet_folder, channel, context):
    chosen, model = engine("nnunet"), nnunet_folder(channel_names={"0": channel})
    assert context_of(chosen, NnUNetParameters(model=model)) == context
    assert context_of(chosen, NnUNetParameters()) == "surroundings"
