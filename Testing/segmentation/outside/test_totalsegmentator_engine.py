import json
import time

import pytest
import SimpleITK as sitk

from organdose.anatomy.organs import is_known, organ
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation import totalsegmentator_engine
from organdose.segmentation.engines import engine
from organdose.segmentation.totalsegmentator_engine import (
    ProgressLines,
    TotalSegmentatorParameters,
    label_names,
    weights_folder,
)


def segment(study, weights, progress=None, **given):
    parameters = TotalSegmentatorParameters(model=weights, device=given.pop("device", "cpu"), **given)
    return engine("totalsegmentator").segment(study, parameters, progress)


def test_its_117_organs_are_in_the_vocabulary_with_codes():
    names = label_names()
    assert sorted(names) == list(range(1, 118)) and len(set(names.values())) == 117
    assert all(is_known(name) for name in names.values())
    assert (names[1], names[52], names[90], names[117]) == ("spleen", "aorta", "brain", "costal_cartilages")
    assert sum(bool(organ(name).snomed_code) for name in names.values()) > 100


def test_masks_come_back_on_the_ct_under_our_names(study, weights, stand_in):
    told = stand_in("totalsegmentator")
    masks = segment(study, weights)
    hu = sitk.GetArrayViewFromImage(study.image)
    assert (masks.mask("liver") == (hu == 100)).all() and (masks.mask("kidney_right") == (hu == 400)).all()
    assert masks.notes["spleen"] == "not found in this CT" and "1.5 mm" in masks.origin
    assert f"weights {weights}" in told() and "--device cpu" in told()[0] and "--fast" not in told()[0]


def test_it_sends_no_statistics_and_leaves_the_users_settings_alone(study, weights, stand_in, monkeypatch, tmp_path):
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(tmp_path / "home"))
    told = stand_in("totalsegmentator")
    segment(study, weights)
    settings = json.loads(next(line for line in told() if line.startswith("home ")).removeprefix("home "))
    assert settings["send_usage_stats"] is False
    assert not (tmp_path / "home").exists()


def test_fast_needs_only_its_own_weights(study, weights, stand_in):
    told = stand_in("totalsegmentator")
    for folder in weights.glob("Dataset29[1-5]_*"):
        folder.rename(weights / f"other-{folder.name}")
    assert "3 mm" in segment(study, weights, fast=True).origin and "--fast" in told()[0]
    with pytest.raises(InputError, match="Dataset291, Dataset292, Dataset293, Dataset294, Dataset295"):
        segment(study, weights)


def test_half_a_download_counts_as_missing(study, weights, stand_in):
    stand_in("totalsegmentator")
    next(weights.glob("Dataset293_*/*/fold_0/checkpoint_final.pth")).unlink()
    with pytest.raises(InputError, match=r"missing or not whole: Dataset293\."):
        segment(study, weights)


def test_weights_are_looked_for_where_the_package_does(monkeypatch, tmp_path):
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(tmp_path / "home"))
    assert weights_folder() == tmp_path / "home" / "nnunet" / "results"
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "results"))
    assert weights_folder() == tmp_path / "results"
    assert weights_folder(tmp_path / "given") == tmp_path / "given"


def test_a_missing_package_is_said_before_anything_starts(study, weights, tmp_path):
    with pytest.raises(InputError, match="is not installed"):
        segment(study, weights)
    with pytest.raises(InputError, match="cannot be run"):
        segment(study, weights, python=tmp_path / "no-python")


def test_a_download_without_network_says_so(study, tmp_path, stand_in):
    stand_in("totalsegmentator", "offline")
    with pytest.raises(InputError, match="could not be downloaded"):
        segment(study, tmp_path / "empty", download=True)


def test_without_leave_to_download_it_is_not_even_started(study, tmp_path, stand_in):
    stand_in("totalsegmentator", "offline")
    with pytest.raises(InputError, match="allow the download"):
        segment(study, tmp_path / "empty")
    assert not (tmp_path / "stand-in.txt").exists()


def test_out_of_memory_splits_the_ct_then_says_what_to_do(study, weights, stand_in):
    told = stand_in("totalsegmentator", "memory once")
    assert "liver" in segment(study, weights).names
    assert ["--force_split" in line for line in told() if line.startswith("-i")] == [False, True]
    for how in ("memory", "killed"):
        stand_in("totalsegmentator", how)
        with pytest.raises(InputError, match=r"ran out of memory.*Choose fast"):
            segment(study, weights)
    with pytest.raises(InputError, match="Choose the device cpu"):
        segment(study, weights, fast=True)


@pytest.mark.parametrize(("how", "words"), [("fail", "something of its own"), ("silent", "without masks"),
                                            ("nothing", "none of its organs")])
def test_a_run_that_gives_nothing_is_one_clear_line(study, weights, stand_in, how, words):
    stand_in("totalsegmentator", how)
    with pytest.raises(InputError, match=words) as caught:
        segment(study, weights)
    assert "\n" not in str(caught.value)


def test_cancelling_ends_it_with_all_it_started(study, weights, stand_in, is_gone):
    told = stand_in("totalsegmentator", "hang")
    progress = Progress()
    progress._listener = lambda report: progress.cancel() if report.fraction > 0.5 else None
    with pytest.raises(Cancelled):
        segment(study, weights, progress)
    pids = [int(pid) for pid in told()[-1].removeprefix("pid ").split()]
    give_up_s = time.monotonic() + 5
    while not all(map(is_gone, pids)) and time.monotonic() < give_up_s:
        time.sleep(0.02)
    assert len(pids) == 2 and all(map(is_gone, pids))


def test_progress_is_read_from_its_output():
    read = ProgressLines()
    lines = ["Resampling...", "  Resampled in 3.20s", "Predicting part 2 of 5 ...",
             " 50%|#####     | 4/8 [00:01<00:01]", "Saving segmentations..."]
    assert [read(line) for line in lines] == [("resampling", 0.0), None, ("network", 0.2),
                                             ("network", pytest.approx(0.3)), ("saving masks", 0.0)]
    assert ProgressLines()("Downloading:  40%|####      | 94M/234M") == ("downloading weights", 0.4)


def test_a_card_that_is_not_there_is_refused(study, weights, stand_in, monkeypatch):
    stand_in("totalsegmentator")
    from organdose.segmentation import outside_result

    monkeypatch.setattr(outside_result, "has_nvidia_card", lambda: False)
    with pytest.raises(InputError, match="no graphics card"):
        segment(study, weights, device="cuda")
    assert totalsegmentator_engine.card_or_processor("auto") == "cpu"
