"""What a folder of a trained nnU-Net v2 says: labels or regions, channels, folds; no network is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
_MEND = "Give the folder with dataset.json, plans.json and fold_0 (such as nnUNetTrainer__nnUNetPlans__3d_fullres)."


@dataclass(frozen=True)
class NnUNetFolder:
    """A trained nnU-Net v2.

    `labels`: name -> the numbers in its label map that make it up (several for regions). `file_ending` is that of the
    images it reads. `folds` are those with the checkpoint; `channel` is the name of its one input.
    """

    path: Path
    labels: dict[str, tuple[int, ...]]
    file_ending: str
    folds: tuple[str, ...]
    channel: str

    @property
    def has_regions(self) -> bool:
        return any(len(values) > 1 for values in self.labels.values())


def read_nnunet_folder(path: Path, checkpoint: str = "checkpoint_final.pth",
                       folds: tuple[str, ...] | None = None) -> NnUNetFolder:
    """Raises `InputError` in one line for missing files, folds or weights, several channels, a foreign format."""
    path = Path(path)
    for name in ("dataset.json", "plans.json"):
        if not (path / name).is_file():
            raise InputError(f"no trained nnU-Net v2 here: {name} is missing", where=path, mend=_MEND)
    dataset = _read_json(path / "dataset.json")
    _read_json(path / "plans.json")
    channels = dataset.get("channel_names", dataset.get("modality"))
    if not isinstance(channels, dict) or not channels:
        raise InputError("it does not say its channels", where=path / "dataset.json", mend=_MEND)
    if len(channels) != 1:
        named = ", ".join(map(str, channels.values()))
        raise InputError(f"this nnU-Net takes {len(channels)} channels ({named}), a CT is one", where=path,
                         mend="Give a model trained on CT alone.")
    ending = str(dataset.get("file_ending", ".nii.gz"))
    if ending not in _ENDINGS:
        raise InputError(f"this nnU-Net reads {ending} files, no CT in three dimensions", where=path,
                         mend=f"Give a model for {', '.join(_ENDINGS)}.")
    return NnUNetFolder(path, _labels(dataset, path / "dataset.json"), ending, _folds(path, checkpoint, folds),
                        str(next(iter(channels.values()))))


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"not readable as JSON ({error})", where=path, mend="Copy the folder again.") from error
    if not isinstance(content, dict):
        raise InputError("not what nnU-Net writes", where=path, mend="Copy the folder again.")
    return content


def _labels(dataset: dict, where: Path) -> dict[str, tuple[int, ...]]:
    """Names with their numbers; background and the ignored label are left out."""
    try:
        labels = {str(name): tuple(int(v) for v in (value if isinstance(value, list | tuple) else [value]))
                  for name, value in dataset["labels"].items() if name not in ("background", "ignore")}
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise InputError("it does not say which label is which organ", where=where, mend=_MEND) from error
    if not labels:
        raise InputError("it names no organ", where=where, mend=_MEND)
    return labels


def _folds(path: Path, checkpoint: str, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    there = tuple(sorted(folder.name.removeprefix("fold_") for folder in path.glob("fold_*")
                         if (folder / checkpoint).is_file()))
    if not there:
        raise InputError(f"no weights here: no fold holds {checkpoint}", where=path,
                         mend="Copy the folder again, or name another checkpoint.")
    missing = [fold for fold in wanted or () if fold not in there]
    if missing:
        raise InputError(f"fold {missing[0]} is not here", where=path, mend=f"It has: {', '.join(there)}.")
    # A network trained on all cases stands for itself; the five of a cross-validation are averaged.
    return wanted or tuple(fold for fold in there if fold != "all") or there
