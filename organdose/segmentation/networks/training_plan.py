"""What a training is told: sizes, steps, learning rate, where it keeps its state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingPlan:
    """`steps` of `batch` patches in each process. The learning rate rises over `warmup` steps, stays, and falls
    linearly to 0 over the last `decay` share of the steps: a training can be prolonged while it stays.

    `folder` gets checkpoint.pt (every `checkpoint_minutes`, at the end and when cancelled), curves (TensorBoard) and
    log.csv. `start_from`: the folder of a trained network whose weights are the beginning.
    """

    folder: Path
    steps: int = 4000
    batch: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup: int = 50
    decay: float = 0.25
    seed: int = 1
    deep_supervision: bool = True
    device: str = "auto"
    precision: str = "auto"
    workers: int = 0
    threads: int | None = None
    checkpoint_minutes: float = 10.0
    validate_every: int = 250
    validation_cases: int = 4
    start_from: Path | None = None

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of step number `step` (0 is the first)."""
        rise = min(1.0, (step + 1) / max(self.warmup, 1))
        fall = min(1.0, (self.steps - step) / max(self.decay * self.steps, 1.0))
        return self.learning_rate * rise * max(fall, 0.0)
