"""The tasks there are, by name, and the one job description that window, command line and Python start them from."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from organdose.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Task:
    """A task by the names of its parts, which are imported on first use: a window starts jobs without numba."""

    name: str
    module: str
    model_name: str
    function_name: str

    @property
    def model(self) -> type[BaseModel]:
        """The parameters of a job of this task."""
        return getattr(importlib.import_module(self.module), self.model_name)

    @property
    def run(self) -> Callable[..., object]:
        """`run(job, progress)`. Raises `InputError`, `Cancelled`."""
        return getattr(importlib.import_module(self.module), self.function_name)


TASKS = {each.name: each for each in (
    Task("ct-dose", "organdose.jobs.ct_dose_job", "CTDoseJob", "run_ct_dose"),
    Task("internal-dose", "organdose.jobs.internal_dose_job", "InternalDoseJob", "run_internal_dose"),
    Task("segment", "organdose.jobs.segment_job", "SegmentJob", "run_segment"),
    Task("extend", "organdose.jobs.extend_job", "ExtendJob", "run_extend"),
    Task("total", "organdose.jobs.total_job", "TotalJob", "run_total"),
    Task("compare", "organdose.jobs.compare_job", "CompareJob", "run_compare"),
    Task("compare-cohort", "organdose.jobs.compare_cohort_job", "CompareCohortJob", "run_compare_cohort"),
    Task("compare-masks", "organdose.jobs.compare_masks_job", "CompareMasksJob", "run_compare_masks_job"),
    Task("check-masks", "organdose.jobs.check_masks_job", "CheckMasksJob", "run_check_masks"),
    Task("convert-masks", "organdose.jobs.convert_masks_job", "ConvertMasksJob", "run_convert_masks"),
    Task("phantom", "organdose.jobs.phantom_job", "PhantomJob", "run_phantom"),
    Task("train-segmentation", "organdose.jobs.train_segmentation_job", "TrainSegmentationJob",
         "run_train_segmentation"),
    Task("add-training-case", "organdose.jobs.add_training_case_job", "AddTrainingCaseJob", "add_training_case"),
    Task("replace-network", "organdose.jobs.replace_network_job", "ReplaceNetworkJob", "replace_network"),
)}


def task(name: str, tasks: Mapping[str, Task] = TASKS) -> Task:
    """One task. Raises `InputError` listing those there are."""
    if name not in tasks:
        raise InputError(f"unknown task {name!r}", mend=f"Tasks: {', '.join(tasks)}.")
    return tasks[name]


def describe(name: str, job: BaseModel | Mapping[str, object]) -> dict[str, object]:
    """The description of a job as JSON takes it: `{"task": ..., "job": {...}}`. Paths become text.

    A mapping is checked when the description is read, by the Python that runs the job. Raises `TypeError` for values
    that JSON cannot hold.
    """
    values = dict(job) if isinstance(job, Mapping) else job.model_dump(mode="json")
    return {"task": name, "job": json.loads(json.dumps(values, default=os.fspath))}


def read_description(path: Path, tasks: Mapping[str, Task] = TASKS) -> tuple[Task, BaseModel]:
    """The task and the checked job of a description, or of a result's run.json. Raises `InputError`."""
    mend = "Give a job description or a run.json."
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable job description ({error})", where=path, mend=mend) from error
    if not isinstance(data, dict) or not isinstance(data.get("task"), str) or not isinstance(data.get("job"), dict):
        raise InputError("not a job description: it needs 'task' and 'job'", where=path, mend=mend)
    chosen = task(data["task"], tasks)
    from organdose.jobs.parameters import checked

    return chosen, checked(chosen.model, **data["job"])
