"""Which patients a network learns from, which choose it, and which it never sees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from organdose.errors import InputError
from organdose.segmentation.training_cases import TrainingCase


@dataclass(frozen=True)
class CaseSplit:
    """Cases to learn from, to watch the training with, and kept untouched for the evaluation."""

    train: tuple[TrainingCase, ...]
    validation: tuple[TrainingCase, ...]
    test: tuple[TrainingCase, ...]


def split_cases(cases: Sequence[TrainingCase], *, test_share: float = 0.1, folds: int = 5, fold: int = 0) -> CaseSplit:
    """All cases of a patient on one side, by a hash of the patient's name.

    In the test set of every fold are the patients whose hash, from 0 to 1, lies below `test_share` (at least one, if
    that is not 0): a patient once tested on is never learned from when others are added. The others are dealt to
    `folds` groups, of which number `fold` is for validation. Raises `InputError` when there are too few patients or no
    such fold.
    """
    if not 0 <= fold < folds:
        raise InputError(f"there is no fold {fold} of {folds}", mend=f"Folds are numbered 0 to {folds - 1}.")
    patients = sorted({case.patient for case in cases}, key=_hash)
    tested = [patient for patient in patients if _hash(patient) < test_share] or patients[:int(test_share > 0)]
    rest = [patient for patient in patients if patient not in tested]
    if len(rest) < 2 or fold >= len(rest):
        raise InputError(f"{len(patients)} patients are too few for {folds} folds and a test set of {len(tested)}",
                         mend="Add cases, or choose fewer folds.")
    groups = {patient: "test" for patient in tested}
    groups |= {patient: "validation" if number % folds == fold else "train" for number, patient in enumerate(rest)}

    def of(group: str) -> tuple[TrainingCase, ...]:
        return tuple(case for case in cases if groups[case.patient] == group)

    return CaseSplit(of("train"), of("validation"), of("test"))


def _hash(patient: str) -> float:
    """From 0 to 1, the same on every machine."""
    return int.from_bytes(hashlib.sha256(patient.encode()).digest()[:8], "big") / 2**64
