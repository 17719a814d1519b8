"""A segmentation network trained on a dataset: cases prepared, trained, evaluated on untouched patients, described."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from organdose import __version__
from organdose.anatomy.organs import describe
from organdose.errors import InputError
from organdose.jobs.replace_network_job import MARGIN, ReplaceNetworkJob, replace_network
from organdose.jobs.segmentation_evaluation import (
    EvaluationRow,
    evaluate_network,
    mean_rows,
    read_evaluation_csv,
    write_evaluation_csv,
    write_means_csv,
)
from organdose.jobs.segmentation_model_card import write_model_card
from organdose.progress import Progress
from organdose.segmentation.network_input import NetworkCard, read_card
from organdose.segmentation.network_labels import NETWORK_ORGANS
from organdose.segmentation.network_shape import NetworkShape
from organdose.segmentation.training_cases import OneOrganCase, prepare_dataset
from organdose.segmentation.training_split import CaseSplit, split_cases

MODEL = "model"


class TrainSegmentationJob(BaseModel):
    """Parameters of one training.

    `dataset`: 'generated:N' or a folder of cases. `out` gets checkpoint.pt, curves, log.csv, evaluation.csv and the
    folder model; a training found there goes on. `cases`: where prepared cases are kept (default: out/cases).
    `start_from`: a model folder for fine-tuning; its organs, voxels and size are taken over. `fold`: None trains all
    folds in turn (out/fold-0 ...), each evaluated on its own validation patients, so that together they cover all.
    `one_network_an_organ`: each organ gets a network of its own, in out/<organ>; those that are done are left alone.
    `replace`: a model folder that the new network takes the place of, unless it is worse on the test set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    out: Path
    cases: Path | None = None
    organs: tuple[str, ...] = Field(NETWORK_ORGANS, min_length=1)
    spacing_mm: float = Field(4.0, ge=1, le=10)
    patch: tuple[int, int, int] = (64, 72, 104)
    widths: tuple[int, ...] = (16, 32, 64, 64, 64)
    inner_depths: tuple[int, ...] = (2, 2, 2, 2, 1)
    steps: int = Field(4000, ge=1)
    batch: int = Field(2, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    seed: int = Field(1, ge=0)
    deep_supervision: bool = True
    device: str = "auto"
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16|float16)$")
    threads: int | None = Field(None, ge=1)
    workers: int = Field(0, ge=0)
    checkpoint_minutes: float = Field(10.0, ge=0)
    validate_every: int = Field(250, ge=1)
    test_share: float = Field(0.1, ge=0, lt=1)
    folds: int = Field(5, ge=2)
    fold: int | None = Field(0, ge=0)
    start_from: Path | None = None
    one_network_an_organ: bool = False
    replace: Path | None = None
    replace_margin: float = Field(MARGIN, ge=0, le=1)
    title: str = "Res-U2Net"

    @model_validator(mode="after")
    def _sizes(self) -> TrainSegmentationJob:
        if len(set(self.organs)) != len(self.organs) or len(self.organs) > 254:
            raise ValueError("organs must be different names, at most 254")
        if min(self.patch) < 8:
            raise ValueError("a patch needs at least 8 voxels a side")
        if self.one_network_an_organ and (self.fold is None or self.start_from or self.replace):
            raise ValueError("one network an organ goes neither with all folds, nor with a network to start from or to "
                             "replace")
        if self.replace and (self.fold is None or not self.test_share):
            raise ValueError("a network is replaced by one training with a test set")
        return self


def run_train_segmentation(job: TrainSegmentationJob, progress: Progress | None = None) -> Path:
    """Train, evaluate and write the model; gives its folder (that of all folds when they are trained in turn).

    Raises `InputError` for a dataset that cannot be used, a missing torch, or a new network that is worse than the one
    it was to replace (the new one stays in its own folder); `Cancelled` (a checkpoint is kept).
    """
    need_torch()
    progress = progress or Progress()
    if job.one_network_an_organ:
        return _train_each_organ(job, progress)
    if job.fold is not None:
        return _train_one(job, progress)[0]
    rows: list[EvaluationRow] = []
    for fold in range(job.folds):
        own = {"fold": fold, "out": job.out / f"fold-{fold}", "cases": job.cases or job.out / "cases"}
        rows += _train_one(job.model_copy(update=own), progress, on_validation=True)[1]
    if _is_first_process():
        write_evaluation_csv(job.out / "evaluation.csv", rows)
        write_means_csv(job.out / "evaluation-means.csv", rows)
    return job.out


def _train_each_organ(job: TrainSegmentationJob, progress: Progress) -> Path:
    """A training for each organ but the body, which all of them have around theirs; gives the folder of all."""
    rows: list[EvaluationRow] = []
    for organ in (name for name in job.organs if name != "body"):
        own = {"organs": ("body", organ), "out": job.out / organ, "cases": job.cases or job.out / "cases",
               "title": f"{job.title}: {describe(organ).title}"}
        done = _steps_done(job.out / organ / MODEL) >= job.steps
        found = (read_evaluation_csv(job.out / organ / "evaluation.csv") if done else
                 _train_one(job.model_copy(update=own), progress, names=job.organs)[1])
        rows += [(case, row) for case, row in found if row.organ == organ]
    if _is_first_process():
        write_evaluation_csv(job.out / "evaluation.csv", rows)
        write_means_csv(job.out / "evaluation-means.csv", rows)
    return job.out


def _steps_done(folder: Path) -> int:
    """Steps of the network in a folder; 0 where there is none."""
    if not (folder / "card.json").is_file():
        return 0
    return int(read_card(folder / "card.json").training.get("steps_done", 0))


def _train_one(job: TrainSegmentationJob, progress: Progress, *, on_validation: bool = False,
               names: tuple[str, ...] | None = None) -> tuple[Path, list[EvaluationRow]]:
    """One training and its evaluation: folder of the model, rows of the table (none but in the first process).

    `names`: organs of the prepared cases, of which the network learns the last of the job's.
    """
    from organdose.segmentation.networks.trained_network import save_network
    from organdose.segmentation.networks.training import Training

    card = _card(job)
    cases = prepare_dataset(job.dataset, job.cases or job.out / "cases", organs=names or card.organs,
                            spacing_mm=card.spacing_mm, progress=progress)
    if names:
        cases = [OneOrganCase(case.folder, card.organs[-1], names) for case in cases]
    split = split_cases(cases, test_share=job.test_share, folds=job.folds, fold=job.fold)
    training = Training(_plan(job), card, split.train, split.validation)
    trained = training.run(progress)
    folder = job.out / MODEL
    if not _is_first_process():
        return folder, []
    tested = split.validation if on_validation else split.test or split.validation
    rows = evaluate_network(trained, tested, device=job.device, precision=job.precision, progress=progress)
    write_evaluation_csv(job.out / "evaluation.csv", rows)
    write_means_csv(job.out / "evaluation-means.csv", rows)
    reached = {"cases": len(tested), "untouched": tested == split.test, "organs": mean_rows(rows)}
    card = card.model_copy(update={"training": _training_facts(job, split, training), "evaluation": reached})
    save_network(folder, trained.network.state_dict(), card)
    write_model_card(folder, card)
    if job.replace is not None:
        replace_network(ReplaceNetworkJob(
            new=folder, out=job.replace, dataset=job.dataset, cases=job.cases or job.out / "cases",
            test_share=job.test_share, margin=job.replace_margin, device=job.device, precision=job.precision), progress)
    return folder, rows


def _plan(job: TrainSegmentationJob):
    from organdose.segmentation.networks.training_plan import TrainingPlan

    return TrainingPlan(folder=job.out, **{name: getattr(job, name) for name in (
        "steps", "batch", "learning_rate", "seed", "deep_supervision", "device", "precision", "workers", "threads",
        "checkpoint_minutes", "validate_every", "start_from")})


def _is_first_process() -> bool:
    """Of several started by torchrun."""
    return int(os.environ.get("RANK", 0)) == 0


def need_torch() -> None:
    """Raises `InputError` where torch, MONAI or TensorBoard are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "monai", "tensorboard") if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {' and '.join(missing)}, not installed here",
                         mend="Install with: pip install 'organdose[segmentation,training]'.")


def _card(job: TrainSegmentationJob) -> NetworkCard:
    """The card of the network to be trained: that of the job, or that of the network it starts from."""
    if job.start_from is not None:
        from organdose.segmentation.networks.trained_network import load_network

        start = load_network(job.start_from).card
        return start.model_copy(update={"title": job.title, "patch": job.patch, "training": {}, "evaluation": {}})
    shape = NetworkShape(labels=len(job.organs) + 1, widths=job.widths, inner_depths=job.inner_depths)
    return NetworkCard(title=job.title, organs=job.organs, spacing_mm=job.spacing_mm, patch=job.patch, shape=shape)


def _training_facts(job: TrainSegmentationJob, split: CaseSplit, training) -> dict[str, object]:
    given = job.model_dump(mode="json", exclude={
        "out", "cases", "organs", "widths", "inner_depths", "title", "replace", "replace_margin"})
    given["dataset"] = job.dataset if job.dataset.startswith("generated:") else Path(job.dataset).name
    given["start_from"] = job.start_from.name if job.start_from else None
    sizes = {f"{name}_cases": len(getattr(split, name)) for name in ("train", "validation", "test")}
    return {"learned_before": _learned_before(job), **given, **sizes,
            "steps_done": training.step, "hours": round(training.seconds / 3600, 2),
            "run_on": str(training.device), "computed_in": str(training.precision).removeprefix("torch."),
            "processes": training.world, "organdose": __version__, "date": time.strftime("%Y-%m-%d"),
            "parameters": sum(p.numel() for p in training.network.parameters())}


def _learned_before(job: TrainSegmentationJob) -> list[str] | None:
    """What the network that was started from had learned, one line a training; None for a training from nothing."""
    if job.start_from is None:
        return None
    from organdose.segmentation.networks.trained_network import load_network

    facts = load_network(job.start_from).card.training
    own = f"{facts.get('dataset', 'unknown cases')}: {facts.get('steps_done', 'unknown')} steps"
    return [*(facts.get("learned_before") or ()), f"{own}, {facts['hours']} h" if "hours" in facts else own]
