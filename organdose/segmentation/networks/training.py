"""The training loop: resumable after a kill, on the CPU, one GPU, or several with torchrun."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.network_input import NetworkCard
from organdose.segmentation.networks.dice_cross_entropy import supervised_loss
from organdose.segmentation.networks.hardware import chosen_device, chosen_precision, mixed
from organdose.segmentation.networks.patches import Patches
from organdose.segmentation.networks.res_u2net import ResU2Net
from organdose.segmentation.networks.sliding_window import logits_of
from organdose.segmentation.networks.trained_network import (
    TrainedNetwork,
    load_network,
    load_weights,
    read_torch_file,
    save_whole,
)
from organdose.segmentation.networks.training_plan import TrainingPlan
from organdose.segmentation.training_cases import TrainingCase

CHECKPOINT, CURVES, LOG = "checkpoint.pt", "curves", "log.csv"
_LOG_EVERY = 10  # steps
_LOG_COLUMNS = ("step", "seconds", "learning_rate", "loss", "validation_dice")


class Training:
    """One training. `run` goes on from checkpoint.pt of the plan's folder when there is one.

    With the same plan, cases and machine, a training that was killed and resumed ends with the same weights as one
    that was not: patch number i depends on the seed and i alone.
    """

    def __init__(self, plan: TrainingPlan, card: NetworkCard, train: Sequence[TrainingCase],
                 validation: Sequence[TrainingCase] = ()):
        self.plan, self.card, self.train, self.validation = plan, card, tuple(train), tuple(validation)
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = _own_device(plan.device)
        self.precision = chosen_precision(plan.precision, self.device)
        torch.manual_seed(plan.seed)
        self.network = ResU2Net(card.shape).to(self.device, memory_format=torch.channels_last_3d)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=plan.learning_rate,
                                           weight_decay=plan.weight_decay)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision is torch.float16)
        self.step, self.seconds = 0, 0.0
        self.validation_dice: float | None = None

    def run(self, progress: Progress | None = None) -> TrainedNetwork:
        """Train to the end. Raises `Cancelled` (after writing a checkpoint), `InputError` for a foreign checkpoint."""
        progress = progress or Progress()
        if self.plan.threads:
            torch.set_num_threads(self.plan.threads)
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        self._begin()
        with _Process(self.device, self.world) as process:
            network = process.wrapped(self.network, self.device)
            curves = _Curves(self.plan.folder, self.step) if self.rank == 0 else None
            try:
                self._loop(network, curves, progress)
            except Cancelled:
                self._save()
                raise
            finally:
                if curves:
                    curves.close()
        self._save()
        return TrainedNetwork(self.network.eval(), self.card)

    def _loop(self, network: torch.nn.Module, curves: _Curves | None, progress: Progress) -> None:
        saved_s = told_s = time.monotonic()
        losses: list[float] = []
        for batch in self._patches():
            progress.report("training", self.step / self.plan.steps, f"loss {np.mean(losses):.3f}" if losses else "")
            losses.append(self._one_step(network, *batch))
            self.step += 1
            now_s = time.monotonic()
            self.seconds, told_s = self.seconds + now_s - told_s, now_s
            validated = self._validate(progress) if self.step % self.plan.validate_every == 0 else None
            if validated is not None or self.step % _LOG_EVERY == 0:
                if curves:
                    rate = self.plan.learning_rate_at(self.step - 1)
                    curves.add(self.step, self.seconds, rate, float(np.mean(losses)), validated)
                losses.clear()
            if time.monotonic() - saved_s > 60 * self.plan.checkpoint_minutes:
                self._save()
                saved_s = time.monotonic()

    def _one_step(self, network: torch.nn.Module, channels: torch.Tensor, labels: torch.Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.learning_rate_at(self.step)
        network.train()
        channels = channels.to(self.device, memory_format=torch.channels_last_3d)
        with mixed(self.device, self.precision):
            outputs = network(channels)
        loss = supervised_loss(outputs, labels.to(self.device), deep=self.plan.deep_supervision)
        if not math.isfinite(value := float(loss.detach())):
            raise InputError(f"the loss of step {self.step} is {value}", mend="Choose a smaller learning rate.")
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return value

    def _patches(self) -> DataLoader:
        """The batches of this process from the present step on."""
        batch = self.plan.batch
        numbers = [(step * self.world + self.rank) * batch + i for step in range(self.step, self.plan.steps)
                   for i in range(batch)]
        patches = Patches(self.train, self.card.patch, self.card.windows_hu, self.plan.seed, numbers)
        return DataLoader(patches, batch_size=batch, num_workers=self.plan.workers,
                          pin_memory=self.device.type == "cuda")

    def _validate(self, progress: Progress) -> float | None:
        """Mean Dice over organs and the first validation cases; every process waits for the first."""
        if self.rank != 0 or not self.validation:
            return None
        trained = TrainedNetwork(self.network.eval(), self.card)
        scores = []
        for case in self.validation[:self.plan.validation_cases]:
            if progress.cancelled:  # the loop's next report says so, after this step was counted
                return None
            logits = logits_of(trained, np.asarray(case.hu, np.float32), self.device, self.precision)
            scores += _dice_of_labels(logits.argmax(dim=0).numpy(), case.labels, len(self.card.organs))
        self.validation_dice = float(np.mean(scores)) if scores else None
        return self.validation_dice

    def _begin(self) -> None:
        """Go on from the checkpoint, or from a trained network, or from nothing."""
        path = self.plan.folder / CHECKPOINT
        if path.is_file():
            self._restore(path)
        elif self.plan.start_from is not None:
            start = load_network(self.plan.start_from)
            if start.card.shape != self.card.shape or start.card.organs != self.card.organs:
                raise InputError("the network to start from has other organs or another size",
                                 where=self.plan.start_from, mend="Train with the organs and size on its card.")
            self.network.load_state_dict(start.network.state_dict())

    def _restore(self, path: Path) -> None:
        state = read_torch_file(path)
        if state.get("card") != _identity(self.card):
            raise InputError("the checkpoint belongs to another network or other organs", where=path,
                             mend="Choose another folder, or delete the checkpoint to begin anew.")
        load_weights(self.network, state["network"], path)
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.validation_dice = state["validation_dice"]

    def _save(self) -> None:
        if self.rank == 0:
            save_whole({"card": _identity(self.card), "network": self.network.state_dict(),
                        "optimiser": self.optimiser.state_dict(), "scaler": self.scaler.state_dict(),
                        "random": torch.get_rng_state(), "step": self.step, "seconds": self.seconds,
                        "validation_dice": self.validation_dice}, self.plan.folder / CHECKPOINT)


def _identity(card: NetworkCard) -> str:
    """What must agree for a checkpoint to be continued."""
    return card.model_dump_json(include={"organs", "spacing_mm", "windows_hu", "shape"})


def _own_device(name: str) -> torch.device:
    device = chosen_device(name)
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def _dice_of_labels(found: np.ndarray, truth: np.ndarray, organs: int) -> list[float]:
    """Dice of each organ that is in the truth."""
    both = np.bincount(truth.ravel().astype(np.int64) * (organs + 1) + found.ravel(),
                       minlength=(organs + 1)**2).reshape(organs + 1, organs + 1)
    return [2 * both[n, n] / (both[n].sum() + both[:, n].sum()) for n in range(1, organs + 1) if both[n].any()]


class _Process:
    """This process among several started by torchrun; alone it changes nothing."""

    def __init__(self, device: torch.device, world: int):
        self.many, self.backend = world > 1, "nccl" if device.type == "cuda" else "gloo"

    def __enter__(self) -> _Process:
        if self.many:
            torch.distributed.init_process_group(self.backend)
        return self

    def __exit__(self, *error: object) -> None:
        if self.many:
            torch.distributed.destroy_process_group()

    def wrapped(self, network: torch.nn.Module, device: torch.device) -> torch.nn.Module:
        if not self.many:
            return network
        return DistributedDataParallel(network, device_ids=[device.index] if device.type == "cuda" else None)


class _Curves:
    """TensorBoard curves and log.csv; lines after the checkpoint that a killed training wrote are dropped."""

    def __init__(self, folder: Path, step: int):
        from torch.utils.tensorboard import SummaryWriter

        self._board = SummaryWriter(str(folder / CURVES), purge_step=step)
        path, kept = folder / LOG, []
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                kept = [row for row in csv.reader(file) if row and row[0].isdigit() and int(row[0]) <= step]
        temporary = path.with_name(f".writing-{LOG}")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([_LOG_COLUMNS, *kept])
        os.replace(temporary, path)
        self._file = path.open("a", encoding="utf-8", newline="")

    def add(self, step: int, seconds: float, rate: float, loss: float, dice: float | None) -> None:
        row = (step, f"{seconds:.1f}", f"{rate:.3g}", f"{loss:.5f}", "" if dice is None else f"{dice:.4f}")
        csv.writer(self._file).writerow(row)
        self._file.flush()
        self._board.add_scalar("loss", loss, step)
        self._board.add_scalar("learning rate", rate, step)
        if dice is not None:
            self._board.add_scalar("validation Dice", dice, step)

    def close(self) -> None:
        self._board.close()
        self._file.close()
