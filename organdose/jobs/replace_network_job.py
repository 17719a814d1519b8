"""A retrained network takes the place of the one in use only where it is not worse on the kept test set."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organs import describe
from organdose.errors import InputError
from organdose.export.whole_file import whole_file
from organdose.jobs.segmentation_evaluation import GROUPS, evaluate_network, mean_rows
from organdose.progress import Progress
from organdose.segmentation.network_input import read_card
from organdose.segmentation.training_cases import prepare_dataset
from organdose.segmentation.training_split import split_cases

MARGIN = 0.02  # of Dice, that one organ may lose where the mean over organs does not
_SAME = 0.001  # of Dice: smaller changes are neither better nor worse
PREVIOUS, COMPARED = ".previous", "replacement.csv"


class ReplaceNetworkJob(BaseModel):
    """`new`: folder of a network, `out`: that of the one in use, whose place it is to take.

    `dataset`, `cases` and `test_share` are those of the new one's training: both are tested on the patients that it
    kept aside.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    new: Path
    out: Path
    dataset: str
    cases: Path
    test_share: float = Field(0.1, gt=0, lt=1)
    margin: float = Field(MARGIN, ge=0, le=1)
    device: str = "auto"
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16|float16)$")


@dataclass(frozen=True)
class OrganChange:
    """Mean Dice of an organ over the same cases, by the network in use and by the new one (None: not drawn)."""

    organ: str
    cases: int
    old_dice: float
    new_dice: float | None

    @property
    def change(self) -> float:
        return (self.new_dice or 0.0) - self.old_dice

    @property
    def verdict(self) -> str:
        if self.new_dice is None:
            return "lost"
        return "better" if self.change > _SAME else "worse" if self.change < -_SAME else "same"

    @property
    def line(self) -> str:
        new = "not drawn" if self.new_dice is None else f"{self.new_dice:.3f}"
        return f"{describe(self.organ).title} {self.old_dice:.3f} -> {new}"


def replace_network(job: ReplaceNetworkJob, progress: Progress | None = None) -> list[OrganChange]:
    """Test both networks on the same patients; the new one takes the folder of the old one, which stays beside it as
    NAME.previous. Gives what changed, organ by organ, also written to `replacement.csv` beside the new weights.

    Raises `InputError`, with the old network where it was, when the new one has learned from patients of the test,
    the mean Dice over organs falls, or one organ loses more than the margin or is not drawn any more; `Cancelled`.
    """
    progress = progress or Progress()
    if job.new.resolve() == job.out.resolve():
        raise InputError("a network cannot replace itself", where=job.new, mend="Give another folder.")
    _check_untouched(job)
    changes = organ_changes(_tested(job, job.new, progress), _tested(job, job.out, progress))
    write_changes(job.new / COMPARED, changes)
    if reason := why_not(changes, job.margin):
        raise InputError(f"the network was not replaced: {reason}", where=job.out,
                         mend=f"The table is in {job.new / COMPARED}; train on, or with more cases.")
    put_in_place(job.new, job.out)
    return changes


def _check_untouched(job: ReplaceNetworkJob) -> None:
    """Patients that the new network kept aside are those below the share of its own training, not of another one."""
    kept = read_card(job.new / "card.json").training.get("test_share") if (job.new / "card.json").is_file() else None
    if kept is not None and float(kept) != job.test_share:
        mend = f"Give --test-share {kept:g}." if kept else "Train it again with a test set."
        raise InputError(f"the new network was trained with a test share of {kept:g}, not {job.test_share:g}: it may "
                         "have learned from patients it would be tested on", where=job.new, mend=mend)


def _tested(job: ReplaceNetworkJob, folder: Path, progress: Progress) -> dict[str, dict[str, float]]:
    """Means of a network over the kept patients, whose cases are prepared with its own organs and voxels."""
    from organdose.segmentation.networks.trained_network import load_network

    trained = load_network(folder)
    cases = prepare_dataset(job.dataset, job.cases, organs=trained.card.organs, spacing_mm=trained.card.spacing_mm,
                            progress=progress)
    tested = split_cases(cases, test_share=job.test_share, folds=2).test
    return mean_rows(evaluate_network(trained, tested, device=job.device, precision=job.precision, progress=progress))


def organ_changes(new: dict[str, dict], old: dict[str, dict]) -> list[OrganChange]:
    """Each organ the old network could be tested on (`mean_rows` of both); groups are left to their members."""
    return [OrganChange(name, row["cases"], row["dice"], new[name]["dice"] if name in new else None)
            for name, row in old.items() if name not in GROUPS and row["dice"] is not None]


def why_not(changes: Sequence[OrganChange], margin: float) -> str:
    """Why the new network must not replace the old one; '' when it may."""
    if not changes:
        return "no test patient has an organ that the old one draws"
    lost = [change.line for change in changes if change.new_dice is None or change.change < -margin]
    old, new = (float(np.mean([getattr(change, key) or 0.0 for change in changes])) for key in ("old_dice", "new_dice"))
    reasons = [f"mean Dice {old:.3f} -> {new:.3f}"] if new < old - _SAME else []
    reasons += [f"more than {margin:g} lost by {', '.join(lost)}"] if lost else []
    return "; ".join(reasons)


def write_changes(path: Path, changes: Sequence[OrganChange]) -> None:
    """organ, cases, Dice of both, change, verdict (better, same, worse, lost)."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["organ", "cases", "old_dice", "new_dice", "change", "verdict"])
        for each in changes:
            new = "" if each.new_dice is None else f"{each.new_dice:.4f}"
            table.writerow([each.organ, each.cases, f"{each.old_dice:.4f}", new, f"{each.change:+.4f}", each.verdict])


def put_in_place(new: Path, old: Path) -> None:
    """A copy of `new` takes the place of `old`, which becomes NAME.previous (an earlier one of that name is removed).

    Raises `InputError` when it cannot be written; then `old` is as it was.
    """
    old, kept = old.absolute(), old.absolute().with_name(old.name + PREVIOUS)
    try:
        written = Path(tempfile.mkdtemp(prefix=f".{old.name}-writing-", dir=old.parent))
        try:
            shutil.copytree(new, written, dirs_exist_ok=True)  # with the access rights of `new`, not of a temporary
            shutil.rmtree(kept, ignore_errors=True)
            os.replace(old, kept)
            try:
                os.replace(written, old)
            except OSError:
                os.replace(kept, old)
                raise
        finally:
            shutil.rmtree(written, ignore_errors=True)
    except OSError as error:
        raise InputError(f"the network could not be replaced ({error.strerror or error})", where=old,
                         mend="Make room on the disk, or look who may write there.") from error
