"""A retrained network replaces the one in use only where it is not worse."""

import csv
import os

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import InputError  # noqa: E402
from organdose.jobs import replace_network_job  # noqa: E402
from organdose.jobs.replace_network_job import OrganChange, ReplaceNetworkJob, replace_network, why_not  # noqa: E402
from organdose.segmentation.network_input import NetworkCard, read_card  # noqa: E402
from organdose.segmentation.network_shape import NetworkShape  # noqa: E402
from organdose.segmentation.networks.res_u2net import ResU2Net  # noqa: E402
from organdose.segmentation.networks.trained_network import load_network, save_network, write_card  # noqa: E402

ORGANS = ("body", "liver", "kidney_left")
VALUES = (-1000.0, 0.0, 120.0, -90.0)


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Four prepared patients: a body with a bright liver and a dark kidney."""
    from organdose.segmentation.training_cases import TrainingCase, _write_case

    labels = np.zeros((16, 16, 16), np.uint8)
    labels[1:15, 2:14, 2:14], labels[3:11, 4:10, 3:8], labels[5:12, 5:11, 9:13] = 1, 2, 3
    asked = []
    for number in range(4):
        hu = np.array(VALUES)[labels].astype(np.int16)
        _write_case(tmp_path / "cases" / str(number), hu, labels, {"patient": str(number), "organs": list(ORGANS)})

    def prepared(dataset, work, *, organs, spacing_mm, progress):
        asked.append((dataset, organs, spacing_mm))
        return [TrainingCase(folder) for folder in sorted((tmp_path / "cases").iterdir())]

    monkeypatch.setattr(replace_network_job, "prepare_dataset", prepared)
    return asked


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Saves a network whose title says how it draws: 'good', or with a part of an organ missing."""

    def save(name, title):
        card = NetworkCard(title=title, organs=ORGANS, spacing_mm=8.0, patch=(16, 16, 16),
                           shape=NetworkShape(labels=4, widths=(4, 6), inner_depths=(1, 1)))
        save_network(tmp_path / name, ResU2Net(card.shape).state_dict(), card)
        return tmp_path / name

    def logits(trained, hu, device, precision):
        out = torch.stack([-torch.from_numpy(np.abs(hu - value)) for value in VALUES])
        rows = torch.arange(hu.shape[0])[:, None, None].expand(hu.shape)
        for organ, value in (("liver", 2), ("kidney_left", 3)):
            if organ in trained.card.title:  # its lower part is taken for body
                out[value][rows < 7] = -1e4
        if "slightly" in trained.card.title:
            out[2][5, 5, 4] = -1e4
        return out

    monkeypatch.setattr("organdose.segmentation.networks.sliding_window.logits_of", logits)
    return save


def job(new, old, tmp_path, **given):
    return ReplaceNetworkJob(new=new, out=old, dataset="set", cases=tmp_path / "work", device="cpu",
                             precision="float32", **given)


def title(folder):
    return load_network(folder).card.title


def test_a_better_network_takes_the_place_and_the_old_one_is_kept(tmp_path, dataset, network):
    new, old = network("new", "good"), network("old", "without half of the liver")
    changes = {change.organ: change for change in replace_network(job(new, old, tmp_path))}
    assert title(old) == "good" and title(tmp_path / "old.previous") == "without half of the liver"
    assert changes["liver"].verdict == "better" and changes["kidney_left"].verdict == "same"
    assert changes["liver"].new_dice == 1.0 and changes["liver"].old_dice == pytest.approx(2 / 3, abs=1e-4)
    assert (old.stat().st_mode & 0o777) == (new.stat().st_mode & 0o777), "whoever could read the old one can read this"
    assert [row[0] for row in dataset] == ["set", "set"]


def test_an_organ_that_got_much_worse_keeps_the_old_network(tmp_path, dataset, network):
    new, old = network("new", "kidney_left cut"), network("old", "liver cut")
    with pytest.raises(InputError, match=r"not replaced.*more than 0\.02 lost by Left kidney 1\.000 -> 0\."):
        replace_network(job(new, old, tmp_path))
    assert title(old) == "liver cut" and not (tmp_path / "old.previous").exists()
    rows = {row["organ"]: row["verdict"] for row in csv.DictReader((new / "replacement.csv").open())}
    assert rows == {"body": "same", "liver": "better", "kidney_left": "worse"}


def test_a_network_worse_on_the_whole_is_refused_however_wide_the_margin(tmp_path, dataset, network):
    with pytest.raises(InputError, match=r"mean Dice 1\.000 -> 0\.\d+\."):
        replace_network(job(network("new", "liver cut"), network("old", "good"), tmp_path, margin=0.9))


def test_a_loss_within_the_margin_does_not_hinder(tmp_path, dataset, network):
    new, old = network("new", "slightly other"), network("old", "kidney_left cut")
    changes = {change.organ: change for change in replace_network(job(new, old, tmp_path))}
    assert -0.02 < changes["liver"].change < -0.001 and changes["liver"].verdict == "worse"
    assert title(old) == "slightly other"


def test_an_organ_that_is_not_drawn_any_more_is_lost():
    changes = [OrganChange("liver", 3, 0.5, 0.99), OrganChange("spleen", 3, 0.1, None)]
    assert "Spleen 0.100 -> not drawn" in why_not(changes, 0.02) and why_not(changes[:1], 0.02) == ""
    assert "no test patient" in why_not([], 0.02)


def test_a_second_replacement_keeps_only_the_last_network(tmp_path, dataset, network):
    old = network("old", "liver cut")
    for name in ("good one", "good two"):
        replace_network(job(network("new", name), old, tmp_path))
    assert title(old) == "good two" and title(tmp_path / "old.previous") == "good one"


def test_a_swap_that_fails_leaves_the_old_network(tmp_path, dataset, network, monkeypatch):
    new, old = network("new", "good"), network("old", "liver cut")
    real, calls = os.replace, []

    def second_fails(source, target):
        if str(target) == str(old) and "writing" in str(source):
            calls.append(target)
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", second_fails)
    with pytest.raises(InputError, match="No space left"):
        replace_network(job(new, old, tmp_path))
    assert calls and title(old) == "liver cut" and not list(tmp_path.glob(".old-writing*"))


def test_what_is_no_network_and_the_same_network_are_refused(tmp_path, dataset, network):
    new = network("new", "good")
    with pytest.raises(InputError, match="cannot replace itself"):
        replace_network(job(new, new, tmp_path))
    with pytest.raises(InputError, match="no trained network here"):
        replace_network(job(new, tmp_path / "nothing", tmp_path))


@pytest.mark.parametrize(("share", "mend"), [(0.05, "--test-share 0.05"), (0.0, "with a test set")])
def test_a_test_on_patients_the_new_one_learned_from_is_refused(tmp_path, dataset, network, share, mend):
    new, old = network("new", "good"), network("old", "without half of the liver")
    card = read_card(new / "card.json")
    write_card(new, card.model_copy(update={"training": {"test_share": share}}))
    with pytest.raises(InputError, match=f"trained with a test share of {share:g}, not 0.1.*{mend}"):
        replace_network(job(new, old, tmp_path))
    assert title(old) == "without half of the liver" and not dataset, "before any work"
    if share:
        replace_network(job(new, old, tmp_path, test_share=share))
        assert title(old) == "good"
