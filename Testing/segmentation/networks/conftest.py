"""Tiny networks and cases: seconds instead of hours."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from organdose.segmentation.network_input import NetworkCard
from organdose.segmentation.network_shape import NetworkShape
from organdose.segmentation.training_cases import TrainingCase, _write_case

ORGANS = ("body", "liver", "kidney_left")


@pytest.fixture
def tiny_card() -> NetworkCard:
    """Two scales, three organs, voxels of 8 mm."""
    return NetworkCard(title="Tiny", organs=ORGANS, spacing_mm=8.0, patch=(16, 16, 16),
                       shape=NetworkShape(labels=4, widths=(6, 8), inner_depths=(1, 1)))


@pytest.fixture
def tiny_case(tmp_path) -> Callable[..., TrainingCase]:
    """Writes a prepared case: a body with a bright block and a dark one, which only its side tells from noise."""

    def write(name: str = "one", patient: str | None = None, seed: int = 0) -> TrainingCase:
        labels = np.zeros((16, 16, 16), np.uint8)
        labels[1:15, 2:14, 2:14] = 1
        labels[3:11, 4:10, 3:8] = 2
        labels[5:12, 5:11, 9:13] = 3
        hu = np.array([-1000, 0, 120, -90])[labels] + np.random.default_rng(seed).normal(0, 5, labels.shape)
        facts = {"patient": patient or name, "organs": list(ORGANS), "spacing_mm": 8.0}
        _write_case(tmp_path / "cases" / name, hu.astype(np.int16), labels, facts)
        return TrainingCase(tmp_path / "cases" / name)

    return write


@pytest.fixture
def trained_folder(tmp_path, tiny_card) -> Path:
    """A network with random weights on disk."""
    import torch

    from organdose.segmentation.networks.res_u2net import ResU2Net
    from organdose.segmentation.networks.trained_network import save_network

    torch.manual_seed(3)
    folder = tmp_path / "trained"
    save_network(folder, ResU2Net(tiny_card.shape).state_dict(), tiny_card)
    return folder


@pytest.fixture
def changed_card(trained_folder) -> Callable[..., Path]:
    """Changes values on the card of the trained folder."""

    def change(**values: object) -> Path:
        path = trained_folder / "card.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**card, **values}), encoding="utf-8")
        return trained_folder

    return change
