import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import Cancelled, InputError  # noqa: E402
from organdose.progress import Progress  # noqa: E402
from organdose.segmentation.networks.patches import Patches  # noqa: E402
from organdose.segmentation.networks.sliding_window import logits_of  # noqa: E402
from organdose.segmentation.networks.trained_network import load_network, save_network  # noqa: E402
from organdose.segmentation.networks.training import CHECKPOINT, LOG, Training  # noqa: E402
from organdose.segmentation.networks.training_plan import TrainingPlan  # noqa: E402

PLAN = dict(steps=6, batch=2, warmup=1, device="cpu", precision="float32", threads=1, validate_every=3)


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def same_weights(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))


def stopping_at(step: int, steps: int) -> Progress:
    """Cancelled while step number `step` is under way."""
    progress = Progress(lambda report: progress.cancel() if report.stage == "training" and
                        round(report.fraction * steps) == step else None)
    return progress


def test_the_network_learns_one_small_case_by_heart(tmp_path, tiny_card, tiny_case):
    case = tiny_case()
    plan = TrainingPlan(folder=tmp_path / "run", **{**PLAN, "steps": 60, "learning_rate": 0.01, "warmup": 5,
                                                    "validate_every": 1000})
    trained = Training(plan, tiny_card, [case]).run()
    labels = logits_of(trained, np.asarray(case.hu, np.float32), torch.device("cpu"), torch.float32).argmax(0).numpy()
    for value in (1, 2, 3):
        found, truth = labels == value, case.labels == value
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.85


def test_a_training_that_was_stopped_and_resumed_ends_as_one_that_was_not(tmp_path, tiny_card, tiny_case):
    cases = [tiny_case("one"), tiny_case("two", seed=1)]
    whole = Training(TrainingPlan(folder=tmp_path / "whole", **PLAN), tiny_card, cases[:1], cases[1:]).run()
    plan = TrainingPlan(folder=tmp_path / "stopped", **PLAN)
    with pytest.raises(Cancelled):
        Training(plan, tiny_card, cases[:1], cases[1:]).run(stopping_at(3, 6))
    assert torch.load(plan.folder / CHECKPOINT, weights_only=True)["step"] == 4
    resumed = Training(plan, tiny_card, cases[:1], cases[1:])
    assert same_weights(resumed.run().network, whole.network) and resumed.step == 6
    rows = [list(csv.reader((tmp_path / name / LOG).open()))[1:] for name in ("whole", "stopped")]
    assert [row[0] for row in rows[0]] == [row[0] for row in rows[1]] == ["3", "6"]
    assert rows[0][-1][4] == rows[1][-1][4] != ""


def test_a_killed_training_leaves_a_whole_checkpoint_to_go_on_from(tmp_path, tiny_card, tiny_case):
    case, folder = tiny_case(), tmp_path / "run"
    program = f"""
from organdose.segmentation.network_input import NetworkCard
from organdose.segmentation.networks.training import Training
from organdose.segmentation.networks.training_plan import TrainingPlan
from organdose.segmentation.training_cases import TrainingCase
from pathlib import Path
card = NetworkCard.model_validate_json({tiny_card.model_dump_json()!r})
plan = TrainingPlan(folder=Path({str(folder)!r}), checkpoint_minutes=0, **{ {**PLAN, "steps": 100_000} !r})
Training(plan, card, [TrainingCase(Path({str(case.folder)!r}))]).run()
"""
    child = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "OMP_NUM_THREADS": "1"},
                             stderr=subprocess.PIPE, text=True)
    try:
        while not (folder / CHECKPOINT).exists() and child.poll() is None:
            time.sleep(0.05)
        time.sleep(0.3)
        assert child.poll() is None, child.stderr.read()
    finally:
        child.send_signal(signal.SIGKILL) if hasattr(signal, "SIGKILL") else child.kill()
        child.communicate()
    step = torch.load(folder / CHECKPOINT, weights_only=True)["step"]
    resumed = Training(TrainingPlan(folder=folder, **{**PLAN, "steps": step + 2}), tiny_card, [case])
    resumed.run()
    assert step >= 1 and resumed.step == step + 2


def test_the_checkpoint_of_another_network_is_refused(tmp_path, tiny_card, tiny_case):
    case = tiny_case()
    plan = TrainingPlan(folder=tmp_path / "run", **{**PLAN, "steps": 1})
    Training(plan, tiny_card, [case]).run()
    other = tiny_card.model_copy(update={"organs": ("body", "liver", "spleen")})
    with pytest.raises(InputError, match="another network or other organs"):
        Training(replace(plan, steps=2), other, [case]).run()


def test_fine_tuning_begins_with_the_weights_of_the_other_network(tmp_path, tiny_card, tiny_case, trained_folder):
    plan = TrainingPlan(folder=tmp_path / "run", start_from=trained_folder, **{**PLAN, "steps": 1,
                                                                             "learning_rate": 1e-12})
    tuned = Training(plan, tiny_card, [tiny_case()]).run().network
    before = load_network(trained_folder).network
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(tuned.parameters(), before.parameters()))


def test_fine_tuning_for_other_organs_is_refused(tmp_path, tiny_card, tiny_case, trained_folder):
    other = tiny_card.model_copy(update={"organs": ("body", "liver", "spleen")})
    with pytest.raises(InputError, match="other organs or another size"):
        Training(TrainingPlan(folder=tmp_path / "run", start_from=trained_folder, **PLAN), other, [tiny_case()]).run()


def test_a_loss_that_is_no_number_stops_the_training_at_once(tmp_path, tiny_card, tiny_case):
    training = Training(TrainingPlan(folder=tmp_path / "run", **PLAN), tiny_card, [tiny_case()])
    with torch.no_grad():
        next(training.network.parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match="loss of step 0 is nan"):
        training.run()


def test_a_patch_depends_on_its_number_alone(tiny_case, tiny_card):
    cases = [tiny_case("one"), tiny_case("two", seed=1)]
    early = Patches(cases, (16, 16, 16), tiny_card.windows_hu, 5, range(10))
    late = Patches(cases, (16, 16, 16), tiny_card.windows_hu, 5, [7, 8])
    assert all(torch.equal(a, b) for a, b in zip(early[7], late[0]))
    assert not torch.equal(early[7][0], early[8][0])


def test_patches_are_never_mirrored(tiny_case, tiny_card):
    """The bright block lies at smaller x than the dark one, in every patch that shows both."""
    patches = Patches([tiny_case()], (16, 16, 16), tiny_card.windows_hu, 5, range(20))
    middles = [[np.argwhere(labels.numpy() == value)[:, 2].mean() for value in (2, 3)] for _, labels in patches
               if (labels == 2).any() and (labels == 3).any()]
    assert len(middles) > 10 and all(bright < dark for bright, dark in middles)


def test_the_learning_rate_rises_stays_and_falls(tmp_path):
    plan = TrainingPlan(folder=tmp_path, steps=100, warmup=10, learning_rate=1.0, decay=0.25)
    assert plan.learning_rate_at(0) == pytest.approx(0.1)
    assert plan.learning_rate_at(50) == 1.0
    assert plan.learning_rate_at(90) == pytest.approx(0.4)
    assert plan.learning_rate_at(99) == pytest.approx(0.04)


def test_weights_in_half_precision_give_nearly_the_same_logits(tmp_path, tiny_card, tiny_case):
    trained = Training(TrainingPlan(folder=tmp_path / "run", **PLAN), tiny_card, [case := tiny_case()]).run()
    save_network(tmp_path / "model", trained.network.state_dict(), tiny_card)
    hu = np.asarray(case.hu, np.float32)
    one, other = (logits_of(t, hu, torch.device("cpu"), torch.float32) for t in (trained, load_network(
        tmp_path / "model")))
    assert (one - other).abs().max() < 0.02
